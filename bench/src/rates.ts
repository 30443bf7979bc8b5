import { setTimeout as delay } from 'node:timers/promises';
import { makeDir, monotonicMicros, removeDir } from './processes.ts';
import type { Ask, Figures, Measured } from './scenario.ts';
import { type Sink, startSink } from './sink.ts';
import type { Shape, System } from './system.ts';
import { inTurns } from './watchbell/turns.ts';

export interface RateSetup {
  /** Origins of the sink; 1 when left out. */
  readonly origins?: number;
  shape(sink: Sink): Shape;
  readonly systems: readonly System[];
  /** Other lengths than the usual ones. */
  readonly first?: typeof FIRST;
  readonly seconds?: typeof SECONDS;
}

/** How long a round hands in and sends: before it is measured, and while it is. */
const SECONDS = { warm: 1.5, measured: 2.5 };
const QUICK_SECONDS = { warm: 0.3, measured: 1 };
/** What is handed in in the round that is not counted: notifications, of which there are at least so many events. */
const FIRST = { notifications: 2000, events: 20 };
/** After the last arrival: what was answered is still to be written down. */
const SETTLING_MS = 200;

/**
 * How many notifications a second each system makes of events that are all handed in as fast as it takes them, from the
 * first hand-in to the last arrival. A round starts a system anew, on an empty store, lets it warm up, and then hands in
 * as many events as it sent in about two and a half seconds of the round before.
 */
export async function measureRates(ask: Ask, setup: RateSetup): Promise<Measured> {
  const sink = await startSink({ origins: setup.origins ?? 1 });
  const shape = setup.shape(sink);
  const perEvent = shape.to === 'each' ? shape.urls.length : 1;
  const { first = FIRST, seconds: lengths = ask.isQuick ? QUICK_SECONDS : SECONDS } = setup;
  /** Notifications a second of the round before. */
  const known = new Map<string, number>();

  function eventsFor(name: string, seconds: number): number {
    const rate = known.get(name);
    if (rate === undefined) return Math.max(first.events, Math.ceil(first.notifications / perEvent));
    return Math.max(first.events, Math.ceil((rate * seconds) / perEvent));
  }

  async function measure(system: System): Promise<Figures> {
    const dir = makeDir(system.name);
    try {
      const running = await system.start({ dir, sink, shape });
      try {
        const warm = eventsFor(system.name, lengths.warm);
        await sink.reset();
        await running.take(0, warm);
        await sink.has(warm * perEvent);
        await delay(SETTLING_MS);
        await sink.reset();
        const events = eventsFor(system.name, lengths.measured);
        const owed = events * perEvent;
        const before = await running.usage();
        const began = monotonicMicros();
        const taken = running.take(warm, events).then(monotonicMicros);
        const [durable, arrived] = await Promise.all([taken, sink.has(owed)]);
        await delay(SETTLING_MS);
        const after = await running.usage();
        const { distinct, duplicates } = await sink.counts();
        if (distinct !== owed) throw new Error(`${system.name}: ${distinct} notifications instead of ${owed}`);
        const rate = (owed * 1e6) / (arrived.lastAt - began);
        known.set(system.name, rate);
        const micros = (from: number, to: number): number => ((to - from) * 1e6) / owed;
        const counted = Object.entries(after.counts ?? {}).map(([what, count]) => [
          `${what}_per_notification`,
          (count - (before.counts?.[what] ?? 0)) / owed,
        ]);
        return {
          notifications_per_second: rate,
          events_taken_per_second: (events * 1e6) / (durable - began),
          cpu_us_per_notification: micros(before.cpu, after.cpu),
          database_cpu_us_per_notification: micros(before.databaseCpu, after.databaseCpu),
          ...(Object.fromEntries(counted) as Figures),
          resident_mib: after.residentBytes / 2 ** 20,
          duplicates,
        };
      } finally {
        await running.stop();
      }
    } finally {
      removeDir(dir);
    }
  }

  try {
    return await inTurns(
      ask,
      Object.fromEntries(chosen(ask, setup.systems).map((system) => [system.name, () => measure(system)])),
    );
  } finally {
    await sink.close();
  }
}

/** Those that were asked for, or all. */
export const chosen = ({ systems }: Ask, all: readonly System[]): readonly System[] =>
  systems === undefined ? all : all.filter(({ name }) => systems.includes(name));
