import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Db, sql } from '../../src/storage/db.ts';
import { readMigrations } from '../../src/storage/engines/migrations.ts';
import { toCommand } from '../../src/storage/engines/sqlite-message.ts';
import { migrate } from '../../src/storage/engines/sqlite-migrations.ts';
import { LOOKS, statementsOf } from './look-statements.ts';

const directory = mkdtempSync(join(tmpdir(), 'watchbell-plans-'));
const file = join(directory, 'plans.sqlite');
const dialect = {
  contains: (column, text) => sql`instr(${column}, ${text}) > 0`,
  member: (column, name) => sql`${column} ->> ${name}`,
} as Db['dialect'];

let sqlite: Sqlite.Database;

beforeAll(() => {
  sqlite = new Sqlite(file);
  migrate(sqlite, readMigrations('sqlite'), 0);
  // What the plans are made by is read when a store is opened.
  sqlite.close();
  sqlite = new Sqlite(file);
});
afterAll(() => {
  sqlite.close();
  rmSync(directory, { recursive: true });
});

/** Of our tables: all others are what a statement itself made, some rows at most. */
const OURS = /\b(?:record_change|change_subject|change_module|notification|owed|undelivered|attempt|channel)\b/;

test.each(LOOKS)('%s: each table is walked along an index, from where it begins', async (_, read, tables) => {
  const plan: string[] = [];
  for (const {
    text,
    runs: [values = []],
  } of (await statementsOf(dialect, read)).map(toCommand)) {
    const steps = sqlite.prepare(`EXPLAIN QUERY PLAN ${text}`).all(values) as { detail: string }[];
    plan.push(...steps.map(({ detail }) => detail));
  }
  const searches = plan.filter((line) => /^SEARCH /.test(line) && / USING /.test(line));
  // By the organisation alone only where it is walked from its end.
  for (const line of searches) expect(line).toMatch(/\(.*org_id=\? AND |attempt_failed \(org_id=\?\)/);
  // A scan is of a list, or of rows that the statement brought together before: bounded.
  for (const line of plan.filter((step) => step.startsWith('SCAN '))) expect(line).not.toMatch(OURS);
  for (const { index, by } of tables) {
    const condition = by.map((column) => `\\(?${column}[=<>,]`).join('.*');
    const pattern = new RegExp(`SEARCH .*${index[0]} .*${condition}`);
    expect(
      searches.some((line) => pattern.test(line)),
      `${index[0]} by ${by} in\n${plan.join('\n')}`,
    ).toBe(true);
  }
});
