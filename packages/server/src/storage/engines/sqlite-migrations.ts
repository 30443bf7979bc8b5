import type { Database } from 'better-sqlite3';
import { type AppliedMigration, type Migration, pendingAmong } from './migrations.ts';

export const pendingMigrations = (db: Database, migrations: readonly Migration[]): Migration[] =>
  pendingAmong(migrations, appliedMigrations(db));

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

export function appliedMigrations(db: Database): AppliedMigration[] {
  const table = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration'").get();
  if (!table) return [];
  return db.prepare<[], AppliedMigration>('SELECT name, checksum FROM migration ORDER BY name').all();
}
