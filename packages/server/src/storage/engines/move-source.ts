import type { Database } from 'better-sqlite3';
import { createCipher, type SecretKeys } from '../cipher.ts';
import type { Db } from '../db.ts';
import { checkSecretKeys } from '../key-check.ts';
import { MOVED_TO, type Move } from '../moving.ts';
import { StoreRefusal } from '../refusal.ts';
import { readMigrations } from './migrations.ts';
import {
  COUNTERS,
  type Counters,
  columnList,
  countersOf,
  inKeyOrder,
  type Table,
  type TextValue,
  tablesOf,
} from './move-tables.ts';
import { directly } from './sqlite-backup.ts';
import { pendingMigrations } from './sqlite-migrations.ts';
import { lockDirectory, openForReading, openForWriting, storeExists } from './sqlite-open.ts';

/** An embedded store at rest: nobody else has it while this one is open. */
export interface MoveSource {
  readonly tables: readonly Table[];
  /** It was moved before, or is about to have been. */
  readonly moved?: Move;
  /** What is to be moved of a table. */
  count(table: Table): number;
  /** In the order of the key; read as they are taken. */
  rows(table: Table): Iterable<TextValue[]>;
  counters(): Counters;
  /** Durable when it returns. Undefined takes the mark away. */
  mark(move: Move | undefined): void;
  close(): void;
}

/** Changes nothing. Rejects with a `StoreRefusal` while a server has the store, or when it cannot be read as it should be. */
export async function openSource(dataDir: string, { key, former }: SecretKeys): Promise<MoveSource> {
  if (!storeExists(dataDir)) throw new StoreRefusal('CANNOT_OPEN', `There is no store in ${dataDir}`);
  const lock = lockDirectory(dataDir);
  let db: Database | undefined;
  try {
    db = openForReading(dataDir);
    // One moment for all that is read.
    db.exec('BEGIN');
    requireUpToDate(db, dataDir);
    await checkSecretKeys(directly(db) satisfies Pick<Db, 'load' | 'write'>, createCipher(key, former), {
      binds: false,
    });
    return sourceOf(db, dataDir, () => lock.close());
  } catch (error) {
    db?.close();
    lock.close();
    throw error;
  }
}

function requireUpToDate(db: Database, dataDir: string): void {
  const [pending] = pendingMigrations(db, readMigrations('sqlite'));
  if (!pending) return;
  throw new StoreRefusal(
    'STORE_TOO_OLD',
    `The store in ${dataDir} lacks the migration ${pending.name}: run "watchbell migrate" on it first`,
  );
}

function sourceOf(db: Database, dataDir: string, unlock: () => void): MoveSource {
  const [mark] = db.prepare<[string], { value: string }>('SELECT value FROM meta WHERE name = ?').all(MOVED_TO);
  const counters = countersOf(db.prepare<[], Record<string, unknown>>(COUNTERS).get() ?? {});
  return {
    tables: tablesOf(listColumns(db)),
    ...(mark && { moved: JSON.parse(mark.value) as Move }),
    count(table) {
      const row = db
        .prepare<[], { count: number }>(
          `SELECT count(*) AS count FROM (SELECT 1 FROM ${table.name} ${inKeyOrder(table)})`,
        )
        .get();
      return row?.count ?? 0;
    },
    *rows(table) {
      const statement = db
        .prepare<[], (string | bigint | null)[]>(`SELECT ${columnList(table)} FROM ${table.name} ${inKeyOrder(table)}`)
        .raw()
        // No number is rounded on its way.
        .safeIntegers();
      for (const row of statement.iterate()) {
        yield row.map((value) => (value === null || typeof value === 'string' ? value : String(value)));
      }
    },
    counters: () => counters,
    mark(move) {
      // What is read ends here: the log could not be written back beside it.
      if (db.open) db.close();
      const writing = openForWriting(dataDir, true);
      try {
        writing.prepare('DELETE FROM meta WHERE name = ?').run(MOVED_TO);
        if (move) writing.prepare('INSERT INTO meta (name, value) VALUES (?, ?)').run(MOVED_TO, JSON.stringify(move));
      } finally {
        writing.close();
      }
    },
    close() {
      if (db.open) db.close();
      unlock();
    },
  };
}

const TYPES: Readonly<Record<string, string>> = { TEXT: 'text', INTEGER: 'integer' };

function listColumns(db: Database) {
  const rows = db
    .prepare<[], { table: string; name: string; type: string; not_null: number; key: number }>(
      `SELECT m.name AS "table", c.name AS name, c.type AS type, c."notnull" AS not_null, c.pk AS key
       FROM sqlite_schema m, pragma_table_info(m.name) c
       WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`,
    )
    .all();
  return rows.map(({ table, name, type, not_null, key }) => ({
    table,
    name,
    type: TYPES[type] ?? type,
    isNullable: not_null === 0,
    keyPosition: key,
  }));
}
