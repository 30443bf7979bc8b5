import { freePort } from '../ports.ts';
import { makeDir, monotonicMicros, removeDir } from '../processes.ts';
import type { Ask, Figures, Measured, Scenario } from '../scenario.ts';
import { type Sink, startSink } from '../sink.ts';
import { watchbell } from '../systems/watchbell.ts';
import { inTurns } from '../watchbell/turns.ts';

/** Each with an origin of its own. */
const RECEIVERS = 100;
const WELL = RECEIVERS / 2;
/** For each receiver there is. */
const EVENTS = 200;
const QUICK_EVENTS = 60;
const WARM_EVENTS = 50;

export const halfDead: Scenario = {
  name: 'half-dead',
  about:
    'the rate of 50 receivers that are well, beside 50 others that are well, 50 that are dead (refuse, hang, or answer 503), and none; each event is owed to one of all',
  minutes: 3,
  async run(ask: Ask): Promise<Measured> {
    const sink = await startSink({ origins: RECEIVERS });
    const port = await freePort();
    const well = (i: number): string => `${sink.origins[i]}/ok`;
    const dead = (i: number): string =>
      [`http://${new URL(well(i)).hostname}:${port}/`, `${sink.origins[i]}/hang`, `${sink.origins[i]}/fail`][i % 3] ??
      '';
    // In turns, so that every other event is owed to one that is well.
    const urls = (others: (i: number) => string): string[] =>
      Array.from({ length: RECEIVERS }, (_, i) => (i % 2 === 0 ? well(i) : others(i)));
    const measure = (all: readonly string[]): Promise<Figures> => measureRound(ask, sink, all);
    try {
      return await inTurns(ask, {
        'all-well': () => measure(urls(well)),
        'half-dead': () => measure(urls(dead)),
        'half-alone': () => measure(Array.from({ length: WELL }, (_, i) => well(i * 2))),
      });
    } finally {
      await sink.close();
    }
  },
};

async function measureRound({ isQuick }: Ask, sink: Sink, urls: readonly string[]): Promise<Figures> {
  const dir = makeDir('half-dead');
  const well = urls.filter((url) => url.endsWith('/ok')).length;
  const each = isQuick ? QUICK_EVENTS : EVENTS;
  try {
    const running = await watchbell.start({ dir, sink, shape: { urls, to: 'one' } });
    try {
      await sink.reset();
      await running.take(0, WARM_EVENTS * urls.length);
      await sink.has(WARM_EVENTS * well);
      await sink.reset();
      const before = await running.usage();
      const began = monotonicMicros();
      const [, { lastAt, duplicates }] = await Promise.all([
        running.take(WARM_EVENTS * urls.length, each * urls.length),
        sink.has(each * well),
      ]);
      const { cpu } = await running.usage();
      return {
        per_receiver_per_second: (each * 1e6) / (lastAt - began),
        notifications_per_second: (each * well * 1e6) / (lastAt - began),
        cpu_us_per_notification: ((cpu - before.cpu) * 1e6) / (each * well),
        duplicates,
      };
    } finally {
      await running.stop();
    }
  } finally {
    removeDir(dir);
  }
}
