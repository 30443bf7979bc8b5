import { AppError } from '../domain/error.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { JobStore } from '../storage/store.ts';

/** Jobs of one channel that have not ended. */
const MAX_OPEN = 20;

/**
 * Opens a job of a channel, unless it has too many: then LIMIT_REACHED. One after the other, so that each counts those before
 * it; nodes do not wait for each other.
 */
export function createOpenJobs(store: Pick<JobStore, 'countOpen'>) {
  const newest = new Map<Generation, Promise<unknown>>();

  async function openAfter<Opened>(
    before: Promise<unknown> | undefined,
    org: OrgId,
    generation: Generation,
    open: () => Promise<Opened>,
  ): Promise<Opened> {
    await before;
    if ((await store.countOpen(org, generation)) >= MAX_OPEN) {
      throw new AppError('LIMIT_REACHED', `A channel may have ${MAX_OPEN} jobs that have not ended`, {
        limit: MAX_OPEN,
      });
    }
    return open();
  }

  return async function opening<Opened>(
    org: OrgId,
    generation: Generation,
    open: () => Promise<Opened>,
  ): Promise<Opened> {
    const opened = openAfter(newest.get(generation), org, generation, open);
    const settled = opened.catch(() => undefined);
    newest.set(generation, settled);
    try {
      return await opened;
    } finally {
      if (newest.get(generation) === settled) newest.delete(generation);
    }
  };
}
