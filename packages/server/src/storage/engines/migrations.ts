import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { StoreRefusal } from '../refusal.ts';

export interface Migration {
  /** Such as `0001_init`. */
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

/** What a store remembers of a migration. */
export type AppliedMigration = Pick<Migration, 'name' | 'checksum'>;

/** What opening a store would do to its schema, by the names of migrations. */
export interface MigrationStatus {
  readonly applied: string[];
  readonly pending: string[];
}

const DIRECTORY = new URL('../../../migrations/', import.meta.url);

/** Those of an engine, in order of their numbers. */
export function readMigrations(engine: 'sqlite' | 'postgres', directory: URL = DIRECTORY): Migration[] {
  const suffix = `.${engine}.sql`;
  return readdirSync(directory)
    .filter((file) => /^\d{4}_/.test(file) && file.endsWith(suffix))
    .sort()
    .map((file) => {
      const text = readFileSync(new URL(file, directory), 'utf8');
      const checksum = createHash('sha256').update(text).digest('hex');
      return { name: file.slice(0, -suffix.length), text, checksum };
    });
}

/** Those that the store has not seen; refuses a store that is newer than the code, or one made by an edited migration. */
export function pendingAmong(migrations: readonly Migration[], applied: readonly AppliedMigration[]): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
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
