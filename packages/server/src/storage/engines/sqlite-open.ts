import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { keyValue } from '../../domain/record.ts';
import { StoreRefusal } from '../refusal.ts';

const STORE_FILE = 'watchbell.sqlite';
const LOCK_FILE = 'watchbell.lock';
export const LOCK_FILES: readonly string[] = [LOCK_FILE, `${LOCK_FILE}-journal`];

/** Pages after which the log is written back; the file is reused from its start then, never cut. */
const CHECKPOINT_PAGES = 4000;
const SYNCHRONOUS_FULL = 2;
const INCREMENTAL = 2;

export const storeFile = (dataDir: string): string => join(dataDir, STORE_FILE);

/**
 * Holds the directory until the connection is closed or the process ends, however it ends: the lock is the operating
 * system's. A thread that is lost and started again does not let go of it.
 */
export function lockDirectory(dataDir: string): Database {
  let lock: Database | undefined;
  try {
    lock = new Sqlite(join(dataDir, LOCK_FILE), { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock?.close();
    if (cause instanceof Sqlite.SqliteError && cause.code.startsWith('SQLITE_BUSY')) {
      const advice = 'stop it or choose another directory';
      const message = `The data directory ${dataDir} is in use by another Watchbell process; ${advice}`;
      throw new StoreRefusal('DATA_DIR_IN_USE', message, { cause });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreRefusal('CANNOT_OPEN', `Cannot lock the data directory ${dataDir}: ${reason}`, { cause });
  }
}

/** The one connection that writes. */
export function openForWriting(dataDir: string, mustExist = false): Database {
  const db = new Sqlite(storeFile(dataDir), { fileMustExist: mustExist });
  // For its owner only, also in a directory that others may enter; the log file takes this over.
  chmodSync(storeFile(dataDir), 0o600);
  // Counts only before the first table, and before the log mode writes the first page.
  db.pragma('auto_vacuum = INCREMENTAL');
  db.pragma('journal_mode = WAL');
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  // What is removed is overwritten, so that an erased organisation leaves nothing behind, not even of older values.
  db.pragma('secure_delete = ON');
  setDurable(db);
  assertPragma(db, 'secure_delete', 1);
  assertPragma(db, 'journal_mode', 'wal');
  assertPragma(db, 'auto_vacuum', INCREMENTAL);
  return db;
}

export function openForReading(dataDir: string): Database {
  const db = new Sqlite(storeFile(dataDir), { readonly: true, fileMustExist: true });
  setDurable(db);
  // SQLite's own lower() knows ASCII only.
  db.function('watchbell_fold', { deterministic: true }, (value) => (value === null ? null : keyValue(String(value))));
  return db;
}

export const storeExists = (dataDir: string): boolean => existsSync(storeFile(dataDir));

/** Answered means fsynced (P1): the library is built with less. */
function setDurable(db: Database): void {
  db.pragma('synchronous = FULL');
  assertPragma(db, 'synchronous', SYNCHRONOUS_FULL);
}

function assertPragma(db: Database, name: string, expected: string | number): void {
  const actual = db.pragma(name, { simple: true });
  if (actual !== expected) {
    throw new StoreRefusal('CANNOT_OPEN', `The store runs with ${name} ${String(actual)} instead of ${expected}`);
  }
}
