import type { Profile } from './config.ts';
import { createDevClock } from './dev-clock.ts';
import type { Clock, ClockState, MovableClock } from './domain/clock.ts';
import { createMonotonic } from './monotonic.ts';
import type { Store } from './storage/store.ts';
import { createStoreClock, type StoreClock } from './store-clock.ts';
import { systemClock } from './system-clock.ts';

/** What a server tells the time by. */
export interface Clocks {
  /** That of everything that is committed or due (P12). */
  readonly clock: Clock;
  /** Real time, epoch ms: on a database that nodes share the same for all of them. */
  readonly realNow: () => number;
  /** Milliseconds that count on whatever becomes of the machine's clock. */
  readonly monotonic: () => number;
  /** To be told what the database says; undefined: time is not the database's. */
  readonly storeClock?: StoreClock;
  /** Only in the dev profile: it can be moved, and was left so. */
  readonly dev?: { readonly clock: MovableClock; readonly left: ClockState | undefined };
}

/** `given` clocks win over the database's time, and that over the machine's. */
export async function openClocks(
  profile: Profile,
  store: Pick<Store, 'clock' | 'cluster'>,
  given: { readonly clock?: Clock | undefined; readonly realNow?: (() => number) | undefined },
): Promise<Clocks> {
  const monotonic = createMonotonic();
  const storeClock = store.cluster && !given.clock ? await startStoreClock(store.cluster, monotonic) : undefined;
  const real = given.clock ?? storeClock ?? systemClock;
  const common = {
    realNow: given.realNow ?? storeClock?.now ?? Date.now,
    monotonic,
    ...(storeClock && { storeClock }),
  };
  if (profile !== 'dev') return { clock: real, ...common };
  const { left, lastTime } = await store.clock.load();
  const clock = createDevClock(real, left, lastTime);
  return { clock, ...common, dev: { clock, left } };
}

async function startStoreClock(
  { news }: Pick<NonNullable<Store['cluster']>, 'news'>,
  monotonic: () => number,
): Promise<StoreClock> {
  const clock = createStoreClock(monotonic);
  const sentAt = monotonic();
  const { now } = await news.look();
  clock.onTime(now, sentAt, monotonic());
  return clock;
}
