import type { Clock } from './domain/clock.ts';

/** Timers do not see that the clock was set forward, or that the machine slept: so often it is read again. */
const MAX_DELAY_MS = 30_000;

/** A clock that shows `now`. A call comes when it shows its time, also after it was set meanwhile. */
export const timed = (now: () => number): Clock => ({
  now,
  at(time, call) {
    let timer: NodeJS.Timeout;
    const arm = () => {
      const delay = Math.min(Math.max(time - now(), 0), MAX_DELAY_MS);
      timer = setTimeout(() => (now() >= time ? call() : arm()), delay);
      timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
});

/** The machine's clock. */
export const systemClock: Clock = timed(() => Date.now());
