import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../ports.ts';
import { makeDir, removeDir } from '../processes.ts';
import type { Ask, Figures, Measured, Scenario } from '../scenario.ts';
import { addContacts, openChannels } from '../watchbell/records.ts';
import { countOwed, seedChanges, settleAll } from '../watchbell/seed.ts';
import { type Credentials, setUp, startWatchbell } from '../watchbell/server.ts';
import { inTurns } from '../watchbell/turns.ts';

const OWED = 1_000_000;
const RECORDS = 10_000;
/** Between a start and the look at its memory: what the lane tries first has failed by then. */
const REST_MS = 3000;
/** The channel may owe so many, and does not overflow. */
const FLAGS = ['--max-backlog', String(OWED * 2)];

export const owed: Scenario = {
  name: 'owed',
  about: 'memory of a server whose one receiver is dead and owed 1,000,000, against the same store with all delivered',
  minutes: 3,
  async run(ask: Ask): Promise<Measured> {
    const dir = makeDir('owed');
    const count = ask.isQuick ? OWED / 10 : OWED;
    try {
      const dirs = { idle: join(dir, 'idle'), owed: join(dir, 'owed') };
      const credentials = setUp({ dir: dirs.owed });
      await openDead(dirs.owed, credentials);
      ask.log(`putting ${count} into a store`);
      seedChanges(dirs.owed, count, true);
      cpSync(dirs.owed, dirs.idle, { recursive: true });
      settleAll(dirs.idle);
      const measured = await inTurns(ask, {
        idle: () => measure(dirs.idle, credentials),
        owed: () => measure(dirs.owed, credentials),
      });
      const left = countOwed(dirs.owed);
      // Each start wrote a record, which its channel does not watch.
      if (left !== count) throw new Error(`${left} of ${count} are still owed`);
      return measured;
    } finally {
      removeDir(dir);
    }
  },
};

async function openDead(dir: string, credentials: Credentials): Promise<void> {
  const server = await startWatchbell({ dir, flags: FLAGS });
  try {
    const { call } = await server.signIn(credentials);
    await addContacts(call, RECORDS);
    await openChannels(call, [`http://127.0.0.1:${await freePort()}/`]);
  } finally {
    await server.stop();
  }
}

async function measure(dir: string, credentials: Credentials): Promise<Figures> {
  const server = await startWatchbell({ dir, flags: FLAGS });
  try {
    const { call } = await server.signIn(credentials);
    await addContacts(call, 1);
    await delay(REST_MS);
    return { ready_s: server.readyMs / 1000, memory_mib: await server.memory() };
  } finally {
    await server.stop();
  }
}
