import type { AttemptsGiven } from './resending-context.ts';

const GIVEN = 16_384;

/** Remembers the newest attempts of jobs: far more than can be under way. */
export function createAttemptsGiven(): AttemptsGiven {
  const given = new Map<string, number>();
  return {
    next(generation, number, attemptsMade) {
      const key = `${generation} ${number}`;
      const next = Math.max(given.get(key) ?? 0, attemptsMade) + 1;
      given.delete(key);
      given.set(key, next);
      if (given.size > GIVEN) for (const oldest of given.keys()) if (given.delete(oldest)) break;
      return next;
    },
  };
}
