import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';

export type Row = Record<string, unknown>;
export type Query = (text: string, ...values: readonly unknown[]) => Row[];

const FILES = ['watchbell.sqlite', 'watchbell.sqlite-wal'];

/** Reads the store of a server that is dead, from a copy: it stays as the server left it, to be recovered by the next. */
export function readCopy<Result>(dataDir: string, read: (query: Query) => Result): Result {
  const copy = mkdtempSync(join(tmpdir(), 'watchbell-copy-'));
  try {
    for (const file of FILES) {
      if (existsSync(join(dataDir, file))) copyFileSync(join(dataDir, file), join(copy, file));
    }
    return readStore(join(copy, 'watchbell.sqlite'), read, false);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Reads a store in place, also beside its server. */
export function readStore<Result>(file: string, read: (query: Query) => Result, readonly = true): Result {
  const db = new Database(file, { readonly, fileMustExist: true });
  try {
    return read((text, ...values) => db.prepare(text).all(...values) as Row[]);
  } finally {
    db.close();
  }
}

/** Attempts made of each notification that is pending, by generation and number. */
export function pendingIn(query: Query): Map<string, number> {
  const rows = query(`SELECT generation, number, attempts_made FROM owed`);
  return new Map(rows.map((row) => [`${row.generation} ${row.number}`, Number(row.attempts_made)]));
}
