import { setTimeout as sleep } from 'node:timers/promises';
import type { DatabaseHealth, OldestSnapshot } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics, Reading } from '../telemetry/metrics.ts';

const LOOK_EVERY_MS = 30_000;
/** Tables that are written most grow by what they are written in this time. */
const WARN_FROM_MS = 300_000;
const WARN_EVERY_MS = 600_000;

/** Says how the database fares, as long as it runs. */
export interface DatabaseWatch {
  /** Looks at once; by itself it does every half minute. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

export interface DatabaseWatchOptions {
  /** Undefined: there is none. */
  readonly database: DatabaseHealth | undefined;
  readonly metrics: Pick<Metrics, 'gauges'>;
  readonly logger: Logger;
}

export function watchDatabase({ database, metrics, logger }: DatabaseWatchOptions): DatabaseWatch {
  const stopping = new AbortController();
  const { signal } = stopping;
  let oldest: OldestSnapshot | undefined;
  let warnedAt: number | undefined;
  let isUnknown = false;

  metrics.gauges.registerEach(
    'watchbell_database_connections',
    'Connections of this node to PostgreSQL',
    ['pool', 'state'],
    () =>
      Object.entries(database?.connections() ?? {}).flatMap(([pool, { open, busy }]) => [
        { labels: { pool, state: 'busy' }, value: busy },
        { labels: { pool, state: 'idle' }, value: open - busy },
      ]),
  );
  metrics.gauges.registerEach('watchbell_database_waiting', 'Calls that wait for a connection', ['pool'], () =>
    Object.entries(database?.connections() ?? {}).map(
      ([pool, { waiting }]): Reading => ({ labels: { pool }, value: waiting }),
    ),
  );
  metrics.gauges.register(
    'watchbell_database_oldest_snapshot_seconds',
    'Age of the oldest view of the database that something still has',
    () => (oldest?.ageMs ?? 0) / 1000,
  );

  function tell(): void {
    const { ageMs = 0, holder } = oldest ?? {};
    if (ageMs < WARN_FROM_MS) {
      if (warnedAt !== undefined) logger.info({}, 'nothing holds an old view of the database any more');
      warnedAt = undefined;
    } else if (warnedAt === undefined || performance.now() - warnedAt >= WARN_EVERY_MS) {
      warnedAt = performance.now();
      logger.warn(
        { holder, seconds: Math.round(ageMs / 1000) },
        'something holds an old view of the database: until it ends, its tables grow and it becomes slower',
      );
    }
  }

  async function look(): Promise<void> {
    try {
      oldest = await database?.oldestSnapshot();
      isUnknown = false;
      tell();
    } catch (error) {
      // That it cannot be reached is told by whoever needs it more.
      if (!isUnknown) logger.warn({ err: error }, 'what holds an old view of the database cannot be asked');
      isUnknown = true;
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await look();
      await sleep(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  const running = database && run();
  return {
    look,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
