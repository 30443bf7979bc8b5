import type { Clock } from './domain/clock.ts';
import { timed } from './system-clock.ts';

/** The time of a database that nodes share, as one of them knows it. */
export interface StoreClock extends Clock {
  /**
   * The database said that it is `now` (epoch ms) to a question that was sent and answered at these times, in milliseconds
   * of the monotonic clock.
   */
  onTime(now: number, sentAt: number, receivedAt: number): void;
}

/**
 * Counts on from what the database said by the monotonic clock, so that neither this machine's time nor its changes
 * matter. It is ahead of the database's by at most the quickest question's way, and never behind: what is not to be done
 * from some time on, such as sending for a channel that expires, is not done. It never goes back.
 */
export function createStoreClock(monotonic: () => number): StoreClock {
  /** Between these the database's time is ahead of the monotonic clock. */
  let least = -Infinity;
  let most = Infinity;
  let last = 0;

  function now(): number {
    if (most < Infinity) last = Math.max(last, Math.floor(monotonic() + most));
    return last;
  }

  return {
    onTime(time, sentAt, receivedAt) {
      const from = time - receivedAt;
      // The millisecond that it said lasts until the next.
      const to = time + 1 - sentAt;
      const isSame = from <= most && to >= least;
      least = isSame ? Math.max(least, from) : from;
      // Another server, or one whose time was set: what was known of the former says nothing.
      most = isSame ? Math.min(most, to) : to;
    },
    ...timed(now),
  };
}
