import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { makeDir, monotonicMicros, removeDir } from '../processes.ts';
import type { Ask, Figures, Measured, Scenario } from '../scenario.ts';
import { type Sink, startSink } from '../sink.ts';
import { addContacts, openChannels } from '../watchbell/records.ts';
import { seedChanges } from '../watchbell/seed.ts';
import { setUp, startWatchbell } from '../watchbell/server.ts';
import { inTurns } from '../watchbell/turns.ts';

const OWED = 100_000;
const CHANNELS = 100;
const RECORDS = 10_000;
/** Speed is told of windows of this length. */
const WINDOW_MS = 50;
/** Of the speed that is usual: from where on it counts as full. */
const FULL = 0.9;

export const backlog: Scenario = {
  name: 'backlog',
  about: 'a server that is started and owes 100,000 notifications to a hundred receivers that are well',
  minutes: 2,
  async run(ask: Ask): Promise<Measured> {
    const dir = makeDir('backlog');
    const count = ask.isQuick ? OWED / 10 : OWED;
    const sink = await startSink();
    try {
      const stopped = await seeded(join(dir, 'stopped'), sink, count);
      return await inTurns(ask, { watchbell: () => measure(stopped, join(dir, 'started'), sink, count) });
    } finally {
      await sink.close();
      removeDir(dir);
    }
  },
};

/** A stopped server's store that owes so many in all, each channel the same. */
async function seeded(dir: string, sink: Sink, owed: number): Promise<string> {
  const credentials = setUp({ dir });
  const server = await startWatchbell({ dir });
  try {
    const { call } = await server.signIn(credentials);
    await addContacts(call, RECORDS);
    const urls = Array.from({ length: CHANNELS }, (_, i) => `${sink.origins[0]}/ok/${i}`);
    await openChannels(call, urls);
  } finally {
    await server.stop();
  }
  seedChanges(dir, owed / CHANNELS, true);
  return dir;
}

async function measure(from: string, dir: string, sink: Sink, count: number): Promise<Figures> {
  cpSync(from, dir, { recursive: true });
  await sink.reset();
  const server = await startWatchbell({ dir });
  try {
    const watched = watch(sink);
    const { firstAt, lastAt, duplicates } = await sink.has(count);
    const since = (at: number): number => (at - server.spawnedAt) / 1e6;
    return {
      ready_s: server.readyMs / 1000,
      first_s: since(firstAt),
      full_speed_s: since(fullSpeedAt(await watched())),
      notifications_per_second: (count * 1e6) / (lastAt - firstAt),
      all_s: since(lastAt),
      duplicates,
    };
  } finally {
    await server.stop();
    removeDir(dir);
  }
}

interface Look {
  readonly at: number;
  readonly distinct: number;
}

/** Looks now and then how many have come, until it is called off. */
function watch(sink: Sink): () => Promise<readonly Look[]> {
  let isOn = true;
  const looking = (async () => {
    const looks: Look[] = [];
    while (isOn) {
      const { distinct } = await sink.counts();
      looks.push({ at: monotonicMicros(), distinct });
      await delay(WINDOW_MS);
    }
    return looks;
  })();
  return () => {
    isOn = false;
    return looking;
  };
}

/** End of the first window in which as many came as is usual in the middle half of those in which any came. */
function fullSpeedAt(looks: readonly Look[]): number {
  const windows = looks.slice(1).map(({ at, distinct }, i) => {
    const before = looks[i] ?? { at, distinct };
    return { end: at, speed: (distinct - before.distinct) / (at - before.at) };
  });
  const filled = windows.filter(({ speed }) => speed > 0);
  const middle = filled.slice(Math.floor(filled.length / 4), Math.ceil((filled.length * 3) / 4));
  const usual = middle.map(({ speed }) => speed).sort((a, b) => a - b)[Math.floor(middle.length / 2)] ?? 0;
  return filled.find(({ speed }) => speed >= usual * FULL)?.end ?? Number.NaN;
}
