import { mkdir } from 'node:fs/promises';
import type { Logger } from '../../telemetry/logger.ts';
import { createCatalogs } from '../catalogs.ts';
import { createCipher } from '../cipher.ts';
import { composeStore, shareCheck } from '../compose.ts';
import { type Db, type Dialect, sql } from '../db.ts';
import { loadEpoch, saveNextEpoch } from '../epoch.ts';
import { checkSecretKeys } from '../key-check.ts';
import { refuseMoved } from '../moving.ts';
import { probe } from '../probe.ts';
import { StoreRefusal } from '../refusal.ts';
import type { Store } from '../store.ts';
import { type MigrationStatus, readMigrations } from './migrations.ts';
import { newEpochLabel } from './sqlite-backup.ts';
import type { ThreadClient } from './sqlite-client.ts';
import { keepThread } from './sqlite-keeper.ts';
import { toCommands } from './sqlite-message.ts';
import { appliedMigrations, pendingMigrations } from './sqlite-migrations.ts';
import { lockDirectory, openForReading, storeExists } from './sqlite-open.ts';
import { createOrgTransactions } from './sqlite-org.ts';

export interface SqliteOptions {
  /** Made if it is not there, for its owner only. One process at a time owns it. */
  readonly dataDir: string;
  /** 32 bytes; the same at every start, or else the one before is among the former ones. */
  readonly secretKey: Uint8Array;
  /** What is sealed under them is read, too. */
  readonly formerKeys?: readonly Uint8Array[];
  readonly logger: Logger;
  /** It was put there from a backup: begins a new history, in which nothing is numbered as it may have been before. */
  readonly isRestored?: boolean;
  /** Nothing will be sealed: the store is not bound to a key under which nothing is yet. */
  readonly isLook?: boolean;
  /** Told when the storage thread was lost and is there again: what was being written may have been, or not. */
  readonly onRecovered?: () => void;
  /** Told when the write of an organisation was sent: what is sent in the same turn shares its commit. */
  readonly onCommitting?: (() => void) | undefined;
}

const DIALECT: Dialect = {
  contains: (column, text) => sql`instr(${column}, ${text}) > 0`,
  lock: sql``,
  member: (column, name) => sql`${column} ->> ${name}`,
  items: (column, name) => sql`json_each(${column} -> ${name})`,
  fold: (value) => sql`watchbell_fold(${value})`,
  listOf: (value, condition) => sql`json_group_array(${value}) FILTER (WHERE ${condition})`,
};

/** Newest first: what refers to a table was made after it. A table without a key of its own has `rowid`. */
const ORG_TABLES = sql`
  SELECT m.name AS name,
    coalesce((SELECT group_concat(k.name, ', ') FROM pragma_table_info(m.name) k WHERE k.pk > 0), 'rowid') AS key
  FROM sqlite_schema m
  WHERE m.type = 'table' AND EXISTS (SELECT 1 FROM pragma_table_info(m.name) c WHERE c.name = 'org_id')
  ORDER BY m.rowid DESC`;

/** Readers are not waited for: a long one would hold up every write. */
async function emptyLog(storage: ThreadClient): Promise<boolean> {
  const commands = ['PRAGMA busy_timeout = 0', 'PRAGMA wal_checkpoint(TRUNCATE)', 'PRAGMA busy_timeout = 5000'];
  const [, rows = []] = await storage.send(
    'query',
    commands.map((text) => ({ text, times: 1, values: [] })),
  );
  return rows[0]?.busy === 0;
}

/** Opens the embedded store and migrates it. Rejects with a `StoreRefusal` that says what to mend. */
export async function createSqliteStore({
  dataDir,
  secretKey,
  formerKeys = [],
  logger,
  isRestored = false,
  isLook = false,
  onRecovered = () => {},
  onCommitting = () => {},
}: SqliteOptions): Promise<Store> {
  const cipher = createCipher(secretKey, formerKeys);
  await makeDirectory(dataDir);
  const lock = lockDirectory(dataDir);
  const opened: ThreadClient[] = [];
  const closeAll = async () => {
    // Readers first: the last connection to close tidies up the log.
    for (const thread of opened.toReversed()) await thread.close();
    lock.close();
  };
  let recovered: () => void = () => {};
  try {
    const storage = await keepThread({ role: 'storage', dataDir }, logger, () => recovered());
    opened.push(storage);
    for (const migration of storage.migrated) logger.info({ migration }, 'Applied a migration');
    // It reads what is there: whether it was the same one before makes no difference.
    const reads = await keepThread({ role: 'reads', dataDir }, logger, () => {});
    opened.push(reads);
    const db: Db = {
      dialect: DIALECT,
      read: (statements) => reads.send('query', toCommands(statements)),
      load: (statements) => storage.send('query', toCommands(statements)),
      write: (writes) => storage.send('write', toCommands(writes)),
    };
    if (!isRestored) await refuseMoved(db);
    const neededKeys = await checkSecretKeys(db, cipher, { binds: !isLook });
    if (isRestored) {
      await db.write(saveNextEpoch(await loadEpoch(db), newEpochLabel(), Date.now()));
      logger.warn({ dataDir }, 'the store was restored, as was said at this start: channels number anew from here on');
    }
    const catalogs = createCatalogs();
    const writing = createOrgTransactions(db, cipher, catalogs, await loadEpoch(db), onCommitting);
    recovered = () => {
      writing.forgetAll();
      onRecovered();
    };
    return {
      writing,
      ...composeStore({
        db,
        cipher,
        catalogs,
        erasure: { orgTables: ORG_TABLES, seal: () => emptyLog(storage) },
        formerKeys: neededKeys,
      }),
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

async function makeDirectory(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreRefusal('CANNOT_OPEN', `Cannot make the data directory ${dataDir}: ${reason}`, { cause });
  }
}

/** What opening the store would do to its schema. Changes nothing; throws a `StoreRefusal` where opening would. */
export function migrationStatus(dataDir: string): MigrationStatus {
  const migrations = readMigrations('sqlite');
  if (!storeExists(dataDir)) return { applied: [], pending: migrations.map(({ name }) => name) };
  const db = openForReading(dataDir);
  try {
    const pending = pendingMigrations(db, migrations).map(({ name }) => name);
    return { applied: appliedMigrations(db).map(({ name }) => name), pending };
  } finally {
    db.close();
  }
}
