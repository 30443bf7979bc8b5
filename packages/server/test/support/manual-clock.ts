import type { Clock } from '../../src/domain/clock.ts';

export interface ManualClock extends Clock {
  /** Moves on by `ms`, calling what falls due on the way, each at its own time. */
  advance(ms: number): void;
  /** Moves to `time`; a time before now only moves the hands back. */
  set(time: number): void;
  /** Number of calls that wait. */
  waiting(): number;
}

interface Waiting {
  readonly time: number;
  readonly call: () => void;
}

/** A clock that stands still until it is moved. What is already due when asked for is called a turn later. */
export function createManualClock(start = Date.UTC(2026, 0, 5, 9)): ManualClock {
  let now = start;
  let calls: Waiting[] = [];
  const take = (waiting: Waiting): boolean => {
    const known = calls.includes(waiting);
    calls = calls.filter((other) => other !== waiting);
    return known;
  };
  function set(time: number): void {
    for (;;) {
      const next = calls.filter((waiting) => waiting.time <= time).sort((a, b) => a.time - b.time)[0];
      if (!next) break;
      now = Math.max(now, next.time);
      take(next);
      next.call();
    }
    now = time;
  }
  return {
    now: () => now,
    at(time, call) {
      const waiting: Waiting = { time, call };
      calls.push(waiting);
      if (time <= now) {
        setImmediate(() => {
          if (take(waiting)) call();
        });
      }
      return () => {
        take(waiting);
      };
    },
    advance: (ms) => set(now + ms),
    set,
    waiting: () => calls.length,
  };
}
