import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { makeDir, monotonicMicros, removeDir } from '../processes.ts';
import type { Ask, Figures, Measured, Scenario } from '../scenario.ts';
import { addContacts, openChannels } from '../watchbell/records.ts';
import { type Credentials, setUp, startWatchbell } from '../watchbell/server.ts';
import { inTurns } from '../watchbell/turns.ts';

const CHANNELS = 100_000;
/** Nothing happens in this module. */
const EVENTS = 'Quotes.all';

export const idleChannels: Scenario = {
  name: 'idle-channels',
  about:
    'the start of a server with 100,000 live channels to which nothing happens, and its memory after the first write',
  minutes: 2,
  async run(ask: Ask): Promise<Measured> {
    const dir = makeDir('idle-channels');
    try {
      const dirs = { none: join(dir, 'none'), many: join(dir, 'many') };
      const credentials = setUp({ dir: dirs.none });
      cpSync(dirs.none, dirs.many, { recursive: true });
      await openMany(dirs.many, credentials, ask.isQuick ? CHANNELS / 10 : CHANNELS, ask);
      return await inTurns(ask, {
        none: () => measure(dirs.none, credentials),
        many: () => measure(dirs.many, credentials),
      });
    } finally {
      removeDir(dir);
    }
  },
};

/** Over HTTP, as their owner would. */
async function openMany(dir: string, credentials: Credentials, count: number, { log }: Ask): Promise<void> {
  const server = await startWatchbell({ dir });
  try {
    const { call } = await server.signIn(credentials);
    const urls = Array.from({ length: count }, (_, i) => `http://127.0.0.1:9/idle/${i}`);
    const began = monotonicMicros();
    await openChannels(call, urls, { events: EVENTS });
    log(`${count} channels opened in ${((monotonicMicros() - began) / 1e6).toFixed(1)} s`);
  } finally {
    await server.stop();
  }
}

async function measure(dir: string, credentials: Credentials): Promise<Figures> {
  const server = await startWatchbell({ dir });
  try {
    const { call } = await server.signIn(credentials);
    const began = monotonicMicros();
    // The first write has all live channels read, against which it is matched.
    await addContacts(call, 1);
    const firstWriteMs = (monotonicMicros() - began) / 1000;
    return { ready_s: server.readyMs / 1000, first_write_ms: firstWriteMs, memory_mib: await server.memory() };
  } finally {
    await server.stop();
  }
}
