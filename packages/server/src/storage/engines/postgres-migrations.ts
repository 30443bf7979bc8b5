import type { Row } from '../db.ts';
import { text } from '../rows.ts';
import {
  type AppliedMigration,
  type Migration,
  type MigrationStatus,
  pendingAmong,
  readMigrations,
} from './migrations.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { createFold, HAS_FOLD } from './postgres-fold.ts';
import { plain } from './postgres-sql.ts';

/** Whoever holds it migrates; any number would do that nobody else uses in this database. */
const MIGRATION_LOCK = 7_338_686_801;

const TABLE = `CREATE TABLE IF NOT EXISTS migration (
  name TEXT COLLATE "C" NOT NULL PRIMARY KEY, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL
)`;

/**
 * Applies what is pending, each in a transaction of its own; says which. Any number of nodes may do so at once: one does
 * it, and the others wait for it and find nothing to do.
 */
export async function migratePostgres(connection: PostgresConnection, now: number): Promise<string[]> {
  const migrations = readMigrations('postgres');
  const done: string[] = [];
  // Without asking for the lock: nearly every start finds all in place.
  while (pendingAmong(migrations, await appliedMigrations(connection)).length > 0) {
    const applied = await applyNext(connection, migrations, now);
    if (applied !== undefined) done.push(applied);
  }
  await keepFold(connection);
  return done;
}

/** It is not in a migration, as it goes with the JavaScript that runs. */
async function keepFold(connection: PostgresConnection): Promise<void> {
  const [[found] = []] = await connection.once([HAS_FOLD]);
  if (found?.has_fold === 1) return;
  await connection.once([plain(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`), plain(createFold())]);
}

async function applyNext(
  connection: PostgresConnection,
  migrations: readonly Migration[],
  now: number,
): Promise<string | undefined> {
  try {
    // It may take long, and so may waiting for another node's.
    await connection.script(`
      BEGIN;
      SET LOCAL statement_timeout = 0;
      SET LOCAL lock_timeout = 0;
      SET LOCAL idle_in_transaction_session_timeout = 0;
      SELECT pg_advisory_xact_lock(${MIGRATION_LOCK});
      ${TABLE};`);
    const [rows = []] = await connection.run([SELECT_APPLIED]);
    const [next] = pendingAmong(migrations, rows.map(readApplied));
    if (!next) {
      await connection.rollback();
      return undefined;
    }
    await connection.script(next.text);
    await connection.commit([
      {
        text: 'INSERT INTO migration (name, checksum, applied_at) VALUES ($1::text, $2::text, $3::bigint)',
        values: [next.name, next.checksum, String(now)],
      },
    ]);
    return next.name;
  } catch (error) {
    // What was begun goes with its connection.
    connection.destroy();
    throw error;
  }
}

const SELECT_APPLIED = plain('SELECT name, checksum FROM migration ORDER BY name');
const readApplied = (row: Row): AppliedMigration => ({ name: text(row, 'name'), checksum: text(row, 'checksum') });

async function appliedMigrations(connection: PostgresConnection): Promise<AppliedMigration[]> {
  const [rows = []] = await connection.once([plain("SELECT to_regclass('migration') IS NOT NULL AS is_there")]);
  if (rows[0]?.is_there !== 1) return [];
  const [applied = []] = await connection.once([SELECT_APPLIED]);
  return applied.map(readApplied);
}

/** What opening the store would do to its schema. Changes nothing; throws a `StoreRefusal` where opening would. */
export async function statusOf(connection: PostgresConnection): Promise<MigrationStatus> {
  const applied = await appliedMigrations(connection);
  const pending = pendingAmong(readMigrations('postgres'), applied);
  return { applied: applied.map(({ name }) => name), pending: pending.map(({ name }) => name) };
}
