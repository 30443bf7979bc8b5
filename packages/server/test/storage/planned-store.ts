import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll } from 'vitest';
import { type Db, sql, type Write } from '../../src/storage/db.ts';
import { readMigrations } from '../../src/storage/engines/migrations.ts';
import { eachTime, toCommand } from '../../src/storage/engines/sqlite-message.ts';
import { migrate } from '../../src/storage/engines/sqlite-migrations.ts';

export interface PlannedStore {
  /** Carries statements out, and keeps how SQLite looks for their rows. */
  readonly db: Db;
  /** Of all statements since it was emptied, a line for each step. */
  readonly plans: string[];
  /** Of one statement, which is not carried out. */
  planOf(write: Write): string[];
  exec(text: string): void;
  prepare(text: string): Sqlite.Statement;
}

/** A new embedded store for the tests of a file; `filling` is carried out when it is there. */
export function openPlannedStore(filling = ''): PlannedStore {
  const directory = mkdtempSync(join(tmpdir(), 'watchbell-plans-'));
  const file = join(directory, 'plans.sqlite');
  const plans: string[] = [];
  let sqlite: Sqlite.Database;

  beforeAll(() => {
    sqlite = new Sqlite(file);
    migrate(sqlite, readMigrations('sqlite'), 0);
    // What the plans are made by is read when a store is opened.
    sqlite.close();
    sqlite = new Sqlite(file);
    sqlite.exec(filling);
  });
  afterAll(() => {
    sqlite.close();
    rmSync(directory, { recursive: true });
  });

  const explain = (text: string, values: readonly unknown[]): string[] =>
    (sqlite.prepare(`EXPLAIN QUERY PLAN ${text}`).all(values) as { detail: string }[]).map(({ detail }) => detail);

  const run = async (writes: readonly Write[]): Promise<never[][]> =>
    writes.map(toCommand).map(({ text, ...given }) => {
      const statement = sqlite.prepare(text);
      return eachTime(given).flatMap((values) => {
        plans.push(...explain(text, values));
        if (statement.reader) return statement.all(values) as never[];
        statement.run(values);
        return [];
      });
    });

  return {
    plans,
    db: {
      dialect: {
        lock: sql``,
        contains: (column, text) => sql`instr(${column}, ${text}) > 0`,
        member: (column, name) => sql`${column} ->> ${name}`,
        listOf: (value, condition) => sql`json_group_array(${value}) FILTER (WHERE ${condition})`,
      } as Db['dialect'],
      read: run,
      load: run,
      write: run,
    },
    planOf(write) {
      const { text, ...given } = toCommand(write);
      return explain(text, eachTime(given)[0] ?? []);
    },
    exec: (text) => void sqlite.exec(text),
    prepare: (text) => sqlite.prepare(text),
  };
}
