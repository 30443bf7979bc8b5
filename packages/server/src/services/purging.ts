import type { Clock } from '../domain/clock.ts';
import type { AccountStore, DeletedRecordStore } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';

/** How often deleted records are looked at. */
const EVERY_MS = 3_600_000;

export interface Purging {
  /** Resolves when nothing is being removed any more. */
  stop(): Promise<void>;
}

/** Removes what deleted records leave behind when it is too old: a little at a time, once an hour by the clock. */
export function startPurging({
  deleted,
  accounts,
  clock,
  logger,
}: {
  readonly deleted: DeletedRecordStore;
  readonly accounts: AccountStore;
  readonly clock: Clock;
  readonly logger: Logger;
}): Purging {
  let stopped = false;
  let isWaiting = false;
  let running = Promise.resolve();
  let cancel = clock.at(clock.now() + EVERY_MS, next);

  function next(): void {
    if (stopped) return;
    // A clock that is moved far on comes here many times at once.
    if (!isWaiting) running = running.then(purge);
    isWaiting = true;
    cancel = clock.at(clock.now() + EVERY_MS, next);
  }

  async function purge(): Promise<void> {
    isWaiting = false;
    try {
      for (const { id } of await accounts.listOrgs()) {
        while (!stopped && (await deleted.purge(id, clock.now()))) {
          // The next part.
        }
      }
    } catch (error) {
      logger.warn({ err: error }, 'deleted records cannot be removed, trying again in an hour');
    }
  }

  return {
    async stop() {
      stopped = true;
      cancel();
      await running;
    },
  };
}
