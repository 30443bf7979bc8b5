import type { Clock } from './domain/clock.ts';

/** Timers do not see that the clock was set forward, or that the machine slept: so often it is read again. */
const MAX_DELAY_MS = 30_000;

/** The machine's clock. A call comes when the clock shows its time, also after the clock was set meanwhile. */
export const systemClock: Clock = {
  now: () => Date.now(),
  at(time, call) {
    let timer: NodeJS.Timeout;
    const arm = () => {
      const delay = Math.min(Math.max(time - Date.now(), 0), MAX_DELAY_MS);
      timer = setTimeout(() => (Date.now() >= time ? call() : arm()), delay);
      timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
};
