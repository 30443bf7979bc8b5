import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../domain/clock.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { BacklogReads } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** A sample is good for so long, in real time, and for so many times as long as it took. */
const FRESH_MS = 5_000;
const REST = 9;
/** A scrape waits so long for a new sample; then it shows the one before. */
const PATIENCE_MS = 2_000;

export interface BacklogOptions {
  readonly store: BacklogReads;
  /** Channels that owe something and may be sent to. */
  readonly owing: () => readonly { readonly org: OrgId; readonly generation: Generation }[];
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'gauges'>;
  readonly logger: Logger;
}

/** Says by two gauges what is owed, and for how long; it is counted when they are asked for, beside all other reads. */
export function measureBacklog({ store, owing, clock, metrics, logger }: BacklogOptions): void {
  let owed = 0;
  let oldestAt: number | undefined;
  let freshTo = 0;
  let sampling: Promise<void> | undefined;

  async function sample(): Promise<void> {
    const start = performance.now();
    try {
      const counts = await store.owed(owing(), Infinity);
      owed = counts.reduce((sum, { count }) => sum + count, 0);
      oldestAt = counts.reduce<number | undefined>(
        (oldest, { oldestAt: at = Infinity }) => (at < (oldest ?? Infinity) ? at : oldest),
        undefined,
      );
    } catch (error) {
      logger.warn({ err: error }, 'what is owed cannot be counted');
    }
    const end = performance.now();
    freshTo = end + Math.max(FRESH_MS, (end - start) * REST);
    sampling = undefined;
  }

  async function refresh(): Promise<void> {
    if (performance.now() < freshTo) return;
    sampling ??= sample();
    await Promise.race([sampling, sleep(PATIENCE_MS, undefined, { ref: false })]);
  }

  metrics.gauges.register(
    'watchbell_notifications_owed',
    'Notifications that channels are owed and may be sent',
    async () => {
      await refresh();
      return owed;
    },
  );
  metrics.gauges.register('watchbell_oldest_owed_seconds', 'Age of the oldest of them, since its change', async () => {
    await refresh();
    return oldestAt === undefined ? 0 : Math.max(0, (clock.now() - oldestAt) / 1000);
  });
}
