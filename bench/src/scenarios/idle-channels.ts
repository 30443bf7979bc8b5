import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { makeDir, monotonicMicros, removeDir } from '../processes.ts';
import type { Ask, Figures, Measured, Scenario } from '../scenario.ts';
import { addContacts, openChannels, succeed } from '../watchbell/records.ts';
import { type Credentials, setUp, startWatchbell } from '../watchbell/server.ts';
import { inTurns } from '../watchbell/turns.ts';

/** A user may have 10,000 channels. */
const ORGS = 10;
const CHANNELS = 100_000;
const ADMIN_TOKEN = 'bench-admin-token';
const FLAGS = ['--admin-token', ADMIN_TOKEN];
/** Nothing happens in this module. */
const EVENTS = 'Quotes.all';

export const idleChannels: Scenario = {
  name: 'idle-channels',
  about: 'a server that is started with 100,000 live channels of ten organisations, to none of which anything happens',
  minutes: 2,
  async run(ask: Ask): Promise<Measured> {
    const dir = makeDir('idle-channels');
    try {
      const dirs = { none: join(dir, 'none'), many: join(dir, 'many') };
      const owners = await addOrgs(dirs.none);
      cpSync(dirs.none, dirs.many, { recursive: true });
      await openMany(dirs.many, owners, ask.isQuick ? CHANNELS / 10 : CHANNELS, ask);
      return await inTurns(ask, {
        none: () => measure(dirs.none, owners),
        many: () => measure(dirs.many, owners),
      });
    } finally {
      removeDir(dir);
    }
  },
};

/** The credentials of the owner of each. */
async function addOrgs(dir: string): Promise<readonly Credentials[]> {
  const first = setUp({ dir });
  const server = await startWatchbell({ dir, flags: FLAGS });
  try {
    const operate = server.administer(ADMIN_TOKEN);
    const owners = [first];
    while (owners.length < ORGS) {
      const number = owners.length + 1;
      const who = { name: `Bench ${number}`, email: `owner${number}@example.com`, last_name: 'Owner' };
      owners.push((await succeed(operate('POST', '/orgs', who))) as Credentials);
    }
    return owners;
  } finally {
    await server.stop();
  }
}

/** Over HTTP, as their owners would. */
async function openMany(dir: string, owners: readonly Credentials[], count: number, { log }: Ask): Promise<void> {
  const server = await startWatchbell({ dir, flags: FLAGS });
  try {
    const began = monotonicMicros();
    for (const [org, credentials] of owners.entries()) {
      const { call } = await server.signIn(credentials);
      const urls = Array.from({ length: count / ORGS }, (_, i) => `http://127.0.0.1:9/idle/${org}/${i}`);
      await openChannels(call, urls, { events: EVENTS });
    }
    log(`${count} channels opened in ${((monotonicMicros() - began) / 1e6).toFixed(1)} s`);
  } finally {
    await server.stop();
  }
}

async function measure(dir: string, owners: readonly Credentials[]): Promise<Figures> {
  const server = await startWatchbell({ dir, flags: FLAGS });
  try {
    let slowestMs = 0;
    for (const credentials of owners) {
      const { call } = await server.signIn(credentials);
      const began = monotonicMicros();
      // An organisation's first write has all of its live channels read, against which it is matched.
      await addContacts(call, 1);
      slowestMs = Math.max(slowestMs, (monotonicMicros() - began) / 1000);
    }
    return { ready_s: server.readyMs / 1000, slowest_first_write_ms: slowestMs, memory_mib: await server.memory() };
  } finally {
    await server.stop();
  }
}
