import { setTimeout as delay } from 'node:timers/promises';
import { makeDir, monotonicMicros, removeDir } from './processes.ts';
import type { Ask, Figures, Measured } from './scenario.ts';
import { type Sink, startSink } from './sink.ts';
import type { Running, Serial, Shape, System, Usage } from './system.ts';
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

/** How long a round hands in and sends, by the rate that is known: before it is measured, and while it is. */
const SECONDS = { warm: 1.5, measured: 2.5 };
const QUICK_SECONDS = { warm: 0.3, measured: 1 };
/** What the code of all systems takes to be compiled; but a slow one does not warm up for longer than this. */
const WARM = { notifications: 15_000, seconds: 4 };
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
  /** Notifications a second when each was measured, or warmed up, the last time. */
  const known = new Map<string, number>();

  function eventsFor(name: string, seconds: number): number {
    const rate = known.get(name);
    if (rate === undefined) return Math.max(first.events, Math.ceil(first.notifications / perEvent));
    return Math.max(first.events, Math.ceil((rate * seconds) / perEvent));
  }

  /** In seconds that depend on how many notifications they come to. */
  function warmingOf(name: string): number {
    const rate = known.get(name) ?? 0;
    if (setup.seconds || ask.isQuick || rate === 0) return lengths.warm;
    return Math.min(WARM.seconds, Math.max(lengths.warm, WARM.notifications / rate));
  }

  /** Hands so many events in; resolves when their last notification has come. */
  async function handIn(name: string, running: Running, from: Serial, events: number): Promise<Handed> {
    const owed = events * perEvent;
    await sink.reset();
    const before = await running.usage();
    const began = monotonicMicros();
    const taken = running.take(from, events).then(monotonicMicros);
    const [durableAt, { lastAt }] = await Promise.all([taken, sink.has(owed)]);
    await delay(SETTLING_MS);
    const after = await running.usage();
    const { distinct, duplicates } = await sink.counts();
    if (distinct !== owed) throw new Error(`${name}: ${distinct} notifications instead of ${owed}`);
    return { events, owed, began, durableAt, lastAt, before, after, duplicates };
  }

  async function measure(system: System): Promise<Figures> {
    const { name } = system;
    const dir = makeDir(name);
    try {
      const { profileDir } = ask;
      const running = await system.start({ dir, sink, shape, ...(profileDir !== undefined && { profileDir }) });
      try {
        const warm = await handIn(name, running, 0, eventsFor(name, warmingOf(name)));
        known.set(name, Math.max(known.get(name) ?? 0, rateOf(warm)));
        const handed = await handIn(name, running, warm.events, eventsFor(name, lengths.measured));
        known.set(name, rateOf(handed));
        return figuresOf(handed);
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

/** What came of the events that were handed in; moments in microseconds of the monotonic clock. */
interface Handed {
  readonly events: number;
  readonly owed: number;
  readonly began: number;
  readonly durableAt: number;
  readonly lastAt: number;
  readonly before: Usage;
  readonly after: Usage;
  readonly duplicates: number;
}

const rateOf = ({ owed, began, lastAt }: Handed): number => (owed * 1e6) / (lastAt - began);

function figuresOf(handed: Handed): Figures {
  const { events, owed, began, durableAt, before, after, duplicates } = handed;
  const each = (from = 0, to = 0): number => (to - from) / owed;
  const counted = Object.entries(after.counts ?? {}).map(([what, count]) => [
    `${what}_per_notification`,
    each(before.counts?.[what], count),
  ]);
  return {
    notifications_per_second: rateOf(handed),
    events_taken_per_second: (events * 1e6) / (durableAt - began),
    cpu_us_per_notification: each(before.cpu, after.cpu) * 1e6,
    database_cpu_us_per_notification: each(before.databaseCpu, after.databaseCpu) * 1e6,
    ...(Object.fromEntries(counted) as Figures),
    resident_mib: after.residentBytes / 2 ** 20,
    duplicates,
  };
}

/** Those that were asked for, or all; throws when none of them takes part. */
export function chosen({ systems }: Ask, all: readonly System[]): readonly System[] {
  if (systems === undefined) return all;
  const some = all.filter(({ name }) => systems.includes(name));
  if (some.length > 0) return some;
  throw new Error(`these take part: ${all.map(({ name }) => name).join(', ')}; not ${systems.join(', ')}`);
}
