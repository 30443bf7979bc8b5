import { randomBytes } from 'node:crypto';
import { type DatabaseUrl, readDatabaseUrl, showDatabase } from '../../domain/database-url.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { createCatalogs } from '../catalogs.ts';
import { createCipher } from '../cipher.ts';
import { composeStore, shareCheck } from '../compose.ts';
import { type Db, type Statement, sql } from '../db.ts';
import { EPOCH_LABEL_BYTES, loadEpoch, saveNextEpoch } from '../epoch.ts';
import { checkSecretKeys } from '../key-check.ts';
import { refuseMoved } from '../moving.ts';
import { probe } from '../probe.ts';
import { StoreRefusal } from '../refusal.ts';
import { text } from '../rows.ts';
import type { Store } from '../store.ts';
import type { MigrationStatus } from './migrations.ts';
import { FREE_BUCKETS } from './postgres-agree.ts';
import { createCluster } from './postgres-cluster.ts';
import {
  type ConnectionOptions,
  connectPostgres,
  type DatabaseMetrics,
  DEFAULT_TIMEOUTS,
  type PostgresConnection,
  type PostgresTimeouts,
} from './postgres-connection.ts';
import { DIALECT } from './postgres-dialect.ts';
import { withoutRace } from './postgres-errors.ts';
import { createHosts } from './postgres-hosts.ts';
import { SELECT_KEYS_IN_USE } from './postgres-leases.ts';
import { migratePostgres, statusOf } from './postgres-migrations.ts';
import { createOrgTransactions } from './postgres-org.ts';
import { openPool, type PostgresPool } from './postgres-pool.ts';
import { createSnapshotWatch, SELECT_HOLDERS } from './postgres-snapshots.ts';
import { toQueries } from './postgres-sql.ts';
import { vacuum } from './postgres-vacuum.ts';

export interface PostgresOptions {
  /** `postgres://…`; of several hosts the one that takes writes is used. */
  readonly url: string;
  /** 32 bytes; the same on every node and at every start, or else the one before is among the former ones. */
  readonly secretKey: Uint8Array;
  /** What is sealed under them is read, too. */
  readonly formerKeys?: readonly Uint8Array[];
  readonly logger: Logger;
  /** It was put there from a backup: begins a new history, in which nothing is numbered as it may have been before. */
  readonly isRestored?: boolean;
  /** Nothing will be sealed: the store is not bound to a key under which nothing is yet. */
  readonly isLook?: boolean;
  /** Whose time batches are committed at: the database's, or that of the clock that the process was given. */
  readonly time: 'database' | 'injected';
  /** The database's time is that of the dev profile's clock, where it was moved. */
  readonly hasDevClock?: boolean;
  /** Between here and the server a pooler gives each transaction another connection. */
  readonly pooler?: boolean;
  /** Other nodes are woken, and wake this one, when something was committed. */
  readonly hints?: boolean;
  readonly poolSizes?: PoolSizes;
  readonly metrics?: DatabaseMetrics | undefined;
  readonly timeouts?: Partial<PostgresTimeouts>;
  /** Told when what is kept in memory may not be what is stored: the data have another history than those used before. */
  readonly onRecovered?: () => void;
}

export interface PoolSizes {
  /** For org transactions, settlements and what delivery loads. */
  readonly writing: number;
  readonly reading: number;
}

const DEFAULT_SIZES: PoolSizes = { writing: 6, reading: 4 };
/** Connections for what nodes ask each other: a lease that waits for a turn keeps no look from what others committed. */
const CLUSTER_SIZE = 2;

/** Newest first: what refers to a table was made after it. A table without a key of its own has `ctid`. */
const ORG_TABLES: Statement = sql`
  SELECT t.relname AS name, COALESCE((
      SELECT string_agg(c.attname, ', ' ORDER BY array_position(k.conkey, c.attnum))
      FROM pg_constraint k JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = ANY (k.conkey)
      WHERE k.conrelid = t.oid AND k.contype = 'p'), 'ctid') AS key
  FROM pg_class t
  WHERE t.relkind IN ('r', 'p') AND t.relnamespace = current_schema()::regnamespace
    AND EXISTS (
      SELECT 1 FROM pg_attribute c WHERE c.attrelid = t.oid AND c.attname = 'org_id' AND NOT c.attisdropped)
  ORDER BY t.oid::bigint DESC`;

/** Opens the store on PostgreSQL and migrates it. Rejects with a `StoreRefusal` that says what to mend. */
export async function createPostgresStore(options: PostgresOptions): Promise<Store> {
  const { secretKey, formerKeys = [], logger, isLook = false, poolSizes = DEFAULT_SIZES } = options;
  const cipher = createCipher(secretKey, formerKeys);
  const url = readDatabaseUrl(options.url);
  const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  let otherHistory: () => void = () => {};
  const hosts = createHosts({
    hosts: url.hosts,
    open: (host) =>
      connectPostgres({ connectionString: host.url }, connectionOptions(timeouts, options.pooler, options.metrics)),
    timeoutMs: timeouts.connect,
    logger,
    onOtherHistory: () => otherHistory(),
  });
  await migrate(url, hosts.connect, logger);
  const { connect } = hosts;
  const writers = openPool({ size: poolSizes.writing, connect, acquireMs: timeouts.acquire });
  const readers = openPool({ size: poolSizes.reading, connect, acquireMs: timeouts.acquire });
  const others = openPool({ size: CLUSTER_SIZE, connect, acquireMs: timeouts.acquire });
  const cluster = createCluster(createDb(others, others), connect, {
    withHints: options.hints ?? !options.pooler,
    keyId: cipher.keyId,
  });
  const closeAll = async () => {
    await cluster.close();
    await Promise.all([writers.close(), readers.close(), others.close()]);
  };
  try {
    const db = createDb(writers, readers);
    await refuseMoved(db);
    const neededKeys = await checkSecretKeys(db, cipher, { binds: !isLook });
    if (options.isRestored) {
      const label = randomBytes(EPOCH_LABEL_BYTES).toString('hex');
      await db.write([...saveNextEpoch(await loadEpoch(db), label, Date.now()), FREE_BUCKETS]);
      const database = showDatabase(url);
      logger.warn({ database }, 'the store was restored, as was said at this start: channels number anew from here on');
    }
    const catalogs = createCatalogs();
    const snapshots = createSnapshotWatch();
    const writing = createOrgTransactions(writers, db, cipher, catalogs, options);
    otherHistory = () => {
      writing.forgetAll();
      catalogs.forgetAll();
      options.onRecovered?.();
    };
    return {
      writing,
      ...composeStore({
        db,
        cipher,
        catalogs,
        erasure: {
          orgTables: ORG_TABLES,
          // A pooler's connection is another transaction's next: what is set on it would stay.
          seal: async () => options.pooler || vacuum(db, ORG_TABLES, connect),
        },
        formerKeys: neededKeys,
        keysInUse: async () => ((await db.read([SELECT_KEYS_IN_USE]))[0] ?? []).map((row) => text(row, 'key_id')),
        fence: cluster.fence,
      }),
      cluster: cluster.store,
      database: {
        connections: () => ({ writing: writers.counts(), reading: readers.counts() }),
        async oldestSnapshot() {
          const [holders = []] = await db.read([SELECT_HOLDERS]);
          return snapshots(holders);
        },
      },
      check: shareCheck(() => Promise.all([probe(db), db.read([sql`SELECT 1 AS one`])])),
      async close() {
        await writing.idle();
        await closeAll();
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function createDb(writers: PostgresPool, readers: PostgresPool): Db {
  const through = (pool: PostgresPool) => (statements: Parameters<Db['write']>[0]) => {
    const { queries, places } = toQueries(statements);
    if (queries.length === 0) return Promise.resolve(statements.map(() => []));
    return withoutRace(() =>
      pool.use(async (connection) => {
        const results = await connection.once(queries);
        return statements.map((_, i) => results[places[i] ?? -1] ?? []);
      }),
    );
  };
  return { dialect: DIALECT, read: through(readers), load: through(writers), write: through(writers) };
}

const connectionOptions = (
  timeouts: PostgresTimeouts,
  pooler = false,
  metrics?: DatabaseMetrics,
): ConnectionOptions => ({
  timeouts,
  metrics,
  applicationName: 'watchbell',
  pooler,
});

async function migrate(url: DatabaseUrl, connect: () => Promise<PostgresConnection>, logger: Logger): Promise<void> {
  const connection = await firstConnection(url, connect);
  try {
    for (const migration of await migratePostgres(connection, Date.now())) {
      logger.info({ migration }, 'Applied a migration');
    }
  } catch (error) {
    throw cannotOpen(url, error);
  } finally {
    await connection.end();
  }
}

const firstConnection = (url: DatabaseUrl, connect: () => Promise<PostgresConnection>): Promise<PostgresConnection> =>
  connect().catch((error) => {
    throw cannotOpen(url, error);
  });

function cannotOpen(url: DatabaseUrl, cause: unknown): StoreRefusal {
  if (cause instanceof StoreRefusal) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StoreRefusal('CANNOT_OPEN', `Cannot open the store at ${showDatabase(url)}: ${reason}`, { cause });
}

/** What opening the store would do to its schema. Changes nothing; throws a `StoreRefusal` where opening would. */
export async function postgresMigrationStatus({
  url,
  logger,
  pooler,
}: Pick<PostgresOptions, 'url' | 'logger' | 'pooler'>): Promise<MigrationStatus> {
  const database = readDatabaseUrl(url);
  const hosts = createHosts({
    hosts: database.hosts,
    open: (host) => connectPostgres({ connectionString: host.url }, connectionOptions(DEFAULT_TIMEOUTS, pooler)),
    timeoutMs: DEFAULT_TIMEOUTS.connect,
    logger,
    onOtherHistory: () => {},
  });
  const connection = await firstConnection(database, hosts.connect);
  try {
    return await statusOf(connection);
  } finally {
    await connection.end();
  }
}
