import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readMigrations } from '../../src/storage/engines/migrations.ts';
import { toCommand } from '../../src/storage/engines/sqlite-message.ts';
import { migrate } from '../../src/storage/engines/sqlite-migrations.ts';
import { EXPLAIN_STATEMENTS } from './explain-statements.ts';

const directory = mkdtempSync(join(tmpdir(), 'watchbell-plans-'));
const file = join(directory, 'plans.sqlite');
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

/** What the statements call the tables. */
const NAMES: Readonly<Record<string, string>> = {
  c: 'channel',
  n: 'channel',
  r: 'channel_revision',
  v: 'channel_revision',
  x: 'channel_revision',
  o: 'owed',
  t: 'attempt',
  a: 'attempt',
};

test.each(Object.entries(EXPLAIN_STATEMENTS))('%s: found by keys, and never sorted', (name, [statement, tables]) => {
  if (!statement) throw new Error(`There is no statement for ${name}`);
  const {
    text,
    runs: [values = []],
  } = toCommand(statement);
  const plan = (sqlite.prepare(`EXPLAIN QUERY PLAN ${text}`).all(values) as { detail: string }[]).map(
    ({ detail }) => detail,
  );
  expect(plan.filter((step) => step.includes('TEMP B-TREE'))).toEqual([]);
  // What is scanned is a slice that was read by a key.
  for (const step of plan.filter((one) => one.startsWith('SCAN')))
    expect(step).toMatch(/^SCAN (?:s|c|n|named)$|CONSTANT ROW|^SCAN json_each/);
  const searched = plan.filter((step) => step.startsWith('SEARCH'));
  expect(searched.length).toBeGreaterThan(0);
  for (const step of searched) {
    const called = /^SEARCH (\w+)/.exec(step)?.[1] ?? '';
    const isNotification = called === 'n' && 'notification' in tables;
    const table = isNotification ? 'notification' : (NAMES[called] ?? called);
    const columns = tables[table];
    expect(columns, `${step}: ${plan.join('\n')}`).toBeDefined();
    for (const column of columns ?? []) expect(step, plan.join('\n')).toMatch(new RegExp(`\\b${column}[=<>]`));
  }
});
