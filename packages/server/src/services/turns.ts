import { AppError } from '../domain/error.ts';
import type { OrgId } from '../domain/ids.ts';

interface TurnsOptions {
  /** Works of one organisation that go on at a time. */
  readonly atOnce: number;
  /** Works of one organisation that may wait; beyond them SERVICE_UNAVAILABLE. */
  readonly waiting: number;
}

/** Lets each organisation do so many long works at a time; the others wait in order. */
export function createTurns({ atOnce, waiting }: TurnsOptions) {
  const byOrg = new Map<OrgId, { running: number; readonly queue: (() => void)[] }>();
  return async function take<Result>(org: OrgId, work: () => Promise<Result>): Promise<Result> {
    const turns = byOrg.get(org) ?? { running: 0, queue: [] };
    byOrg.set(org, turns);
    if (turns.running >= atOnce) {
      if (turns.queue.length >= waiting) {
        throw new AppError('SERVICE_UNAVAILABLE', 'Too many long requests of this organisation are waiting');
      }
      // Whoever ends hands its turn over, so `running` stays.
      await new Promise<void>((resolve) => turns.queue.push(resolve));
    } else {
      turns.running += 1;
    }
    try {
      return await work();
    } finally {
      const next = turns.queue.shift();
      if (next) next();
      else turns.running -= 1;
      if (turns.running === 0) byOrg.delete(org);
    }
  };
}
