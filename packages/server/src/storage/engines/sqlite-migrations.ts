import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { StoreRefusal } from '../refusal.ts';

export interface Migration {
  /** Such as `0001_init`. */
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

const DIRECTORY = new URL('../../../migrations/', import.meta.url);
const SUFFIX = '.sqlite.sql';

/** In order of their numbers. */
export function readMigrations(directory: URL = DIRECTORY): Migration[] {
  return readdirSync(directory)
    .filter((file) => /^\d{4}_/.test(file) && file.endsWith(SUFFIX))
    .sort()
    .map((file) => {
      const text = readFileSync(new URL(file, directory), 'utf8');
      const checksum = createHash('sha256').update(text).digest('hex');
      return { name: file.slice(0, -SUFFIX.length), text, checksum };
    });
}

/** Those that the store has not seen; refuses a store that is newer than the code, or one made by an edited migration. */
export function pendingMigrations(db: Database, migrations: readonly Migration[]): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  const applied = appliedMigrations(db);
  for (const { name, checksum } of applied) {
    const migration = known.get(name);
    if (!migration) {
      throw new StoreRefusal(
        'STORE_TOO_NEW',
        `The store has migration ${name}, which this version of Watchbell does not know: use a newer version`,
      );
    }
    if (migration.checksum !== checksum) {
      throw new StoreRefusal(
        'MIGRATION_EDITED',
        `Migration ${name} is not the one that this store was made with: its file was edited after it was applied`,
      );
    }
  }
  return migrations.filter(({ name }) => !applied.some((done) => done.name === name));
}

/** Applies what is pending, each in a transaction of its own; says which. */
export function migrate(db: Database, migrations: readonly Migration[], now: number): string[] {
  const pending = pendingMigrations(db, migrations);
  for (const { name, text, checksum } of pending) {
    db.transaction(() => {
      db.exec(
        `CREATE TABLE IF NOT EXISTS migration (
          name TEXT NOT NULL PRIMARY KEY, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID`,
      );
      db.exec(text);
      db.prepare('INSERT INTO migration (name, checksum, applied_at) VALUES (?, ?, ?)').run(name, checksum, now);
    }).immediate();
  }
  return pending.map(({ name }) => name);
}

export function appliedMigrations(db: Database): { name: string; checksum: string }[] {
  const table = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration'").get();
  if (!table) return [];
  return db.prepare<[], { name: string; checksum: string }>('SELECT name, checksum FROM migration ORDER BY name').all();
}
