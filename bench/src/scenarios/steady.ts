import { setTimeout as delay } from 'node:timers/promises';
import { latencies, quantilesOf, tally } from '../latencies.ts';
import { makeDir, monotonicMicros, removeDir } from '../processes.ts';
import { chosen } from '../rates.ts';
import type { Ask, Figures, Histogram, Measured, Scenario } from '../scenario.ts';
import { type Sink, startSink } from '../sink.ts';
import type { Running, System } from '../system.ts';
import { bullmqEverysec } from '../systems/bullmq.ts';
import { outbox } from '../systems/outbox.ts';
import { watchbell } from '../systems/watchbell.ts';
import { inTurns } from '../watchbell/turns.ts';

/** Events a second, and for how many seconds. */
const RATES = [
  { perSecond: 200, seconds: 8 },
  { perSecond: 1000, seconds: 5 },
];
/** Of a short look, and of the round that is not counted. */
const QUICK = 0.25;
const WARM = { perSecond: 1000, seconds: 5 };
const SETTLING_MS = 300;
/** To come after the last was handed in. */
const PATIENCE_MS = 10_000;

export const steady: Scenario = {
  name: 'steady',
  about:
    'single events at a steady rate: from commit, and from hand-in, to the sink; Watchbell takes them as PUTs over HTTP',
  minutes: 6,
  async run(ask: Ask): Promise<Measured> {
    const histograms: Record<string, Histogram> = {};
    const sink = await startSink();
    try {
      const started = new Set<System>();
      const measure = (system: System) => async (): Promise<Figures> => {
        const isCounted = started.has(system);
        started.add(system);
        const dir = makeDir(system.name);
        try {
          const shape = { urls: [`${sink.origins[0]}/ok`], to: 'each' } as const;
          const running = await system.start({ dir, sink, shape });
          try {
            const part = ask.isQuick || !isCounted ? QUICK : 1;
            return await measureAll(system.name, running, sink, part, isCounted ? histograms : {});
          } finally {
            await running.stop();
          }
        } finally {
          removeDir(dir);
        }
      };
      const systems = chosen(ask, [watchbell, bullmqEverysec, outbox]);
      const measured = await inTurns(ask, Object.fromEntries(systems.map((system) => [system.name, measure(system)])));
      return { ...measured, histograms };
    } finally {
      await sink.close();
    }
  },
};

async function measureAll(
  name: string,
  running: Running,
  sink: Sink,
  part: number,
  histograms: Record<string, Histogram>,
): Promise<Figures> {
  const figures: Record<string, number> = {};
  await sink.reset();
  const warmed = WARM.perSecond * WARM.seconds * part;
  await running.steady(0, WARM.perSecond, WARM.seconds * part);
  await sink.has(warmed, PATIENCE_MS);
  let from = warmed;
  for (const { perSecond, seconds: whole } of RATES) {
    const seconds = whole * part;
    const count = perSecond * seconds;
    await delay(SETTLING_MS);
    await sink.reset();
    await sink.keepMoments(from, count);
    const before = await running.usage();
    const began = monotonicMicros();
    const { handedIn, durable } = await running.steady(from, perSecond, seconds);
    const { duplicates } = await sink.has(count, PATIENCE_MS);
    const took = (monotonicMicros() - began) / 1e6;
    const after = await running.usage();
    const arrived = await sink.moments();
    const at = `at_${perSecond}`;
    for (const [what, since] of [
      ['commit', durable],
      ['request', handedIn],
    ] as const) {
      const millis = latencies(since, arrived);
      if (millis.length !== count)
        throw new Error(`${name}: ${count - millis.length} of ${count} events have no ${what}→sink`);
      for (const [quantile, value] of Object.entries(quantilesOf(millis)))
        figures[`${at}_${what}_${quantile}_ms`] = value;
      histograms[`${name}/${at}_${what}`] = tally(millis, histograms[`${name}/${at}_${what}`]);
    }
    figures[`${at}_cpu_percent`] = ((after.cpu - before.cpu) * 100) / took;
    figures[`${at}_database_cpu_percent`] = ((after.databaseCpu - before.databaseCpu) * 100) / took;
    figures[`${at}_duplicates`] = duplicates;
    from += count;
  }
  return figures;
}
