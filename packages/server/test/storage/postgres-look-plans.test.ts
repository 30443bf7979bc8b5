import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Statement } from '../../src/storage/db.ts';
import { createPostgresStore } from '../../src/storage/engines/postgres.ts';
import { PLANNING } from '../../src/storage/engines/postgres-connection.ts';
import { DIALECT } from '../../src/storage/engines/postgres-dialect.ts';
import { toQuery } from '../../src/storage/engines/postgres-sql.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/database.ts';
import { LOOKS, type LookedUp, statementsOf } from './look-statements.ts';

const ORG = '3652397';

interface Step {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly Step[];
}

const stepsOf = (step: Step): Step[] => [step, ...(step.Plans ?? []).flatMap(stepsOf)];

/** What is sorted there is bounded: some columns of what was found of a page of changes. */
const SORTED = ['what was matched again of a record'];

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createDatabase();
  const secretKey = new Uint8Array(32);
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const store = await createPostgresStore({ url: database.url, secretKey, logger, time: 'injected', hints: false });
  await store.close();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
  for (const [name, value] of PLANNING) await client.query(`SET ${name} = ${value}`);
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

/** Carried out where its values are plain: what a search by halves looks up is not shown before that. */
async function planOf(statement: Statement): Promise<Step[]> {
  const { text, values } = toQuery(statement);
  await client.query(`PREPARE asked AS ${text}`);
  const isPlain = values.every((value) => typeof value === 'string');
  const given = values.map((value) => (isPlain ? `'${value}'` : 'NULL'));
  const execute = `EXECUTE asked${given.length > 0 ? `(${given.join(', ')})` : ''}`;
  const { rows } = await client.query(`EXPLAIN (FORMAT JSON${isPlain ? ', ANALYZE' : ''}) ${execute}`);
  await client.query('DEALLOCATE asked');
  return stepsOf(rows[0]['QUERY PLAN'][0].Plan);
}

async function check(name: string, read: (typeof LOOKS)[number][1], tables: readonly LookedUp[]): Promise<void> {
  const steps: Step[] = [];
  for (const statement of await statementsOf(DIALECT, read)) steps.push(...(await planOf(statement)));
  const shown = JSON.stringify(
    steps.filter((step) => step['Relation Name']).map(({ Plans: _, ...step }) => step),
    null,
    1,
  );
  expect(
    steps.filter((step) => step['Node Type'] === 'Seq Scan'),
    shown,
  ).toEqual([]);
  // What is looked at is bounded where it is read, not after it was sorted.
  if (!SORTED.includes(name)) {
    const limits = steps.filter((step) => step['Node Type'] === 'Limit');
    for (const { Plans = [] } of limits)
      for (const below of Plans) expect(below['Node Type'], shown).not.toMatch(/Sort/);
  }
  for (const { index, by } of tables) {
    const found = steps.filter((step) => step['Index Name'] === index[1]);
    expect(found.length, `${index[1]} in ${shown}`).toBeGreaterThan(0);
    const fits = (cond = '') => by.every((column) => new RegExp(`\\b${column}\\b`).test(cond));
    expect(
      found.some((step) => fits(step['Index Cond'])),
      `${index[1]} by ${by} in ${shown}`,
    ).toBe(true);
  }
}

describe('each table is walked along an index, from where it begins', () => {
  test.each(LOOKS)('in a store that was just made: %s', check);

  describe('in one that is filled, and was looked at by the server', () => {
    beforeAll(async () => {
      const rows = 'FROM generate_series(1, 5000) n';
      await client.query(`
        INSERT INTO record_change SELECT '${ORG}', n, 'Contacts', 'insert', n, '', '[]', '{}', 0 ${rows};
        INSERT INTO change_subject SELECT '${ORG}', 'Contacts', (n % 500)::text, n ${rows};
        INSERT INTO change_module SELECT '${ORG}', 'Contacts', n ${rows};
        INSERT INTO notification SELECT '${ORG}', (n % 10)::text, n, n::text, n, 'Contacts', 'insert', '[]', 'v8', 0,
          'pending', NULL, 0, NULL, CASE WHEN n % 20 = 0 THEN 'job' END ${rows};
        INSERT INTO owed SELECT '${ORG}', (n % 10)::text, n, n, 0 ${rows};
        INSERT INTO undelivered SELECT '${ORG}', (n % 10)::text, n, CASE n % 2 WHEN 0 THEN 'parked' ELSE 'cancelled' END,
          NULL, n ${rows};
        INSERT INTO attempt SELECT '${ORG}', (n % 10)::text, n, 1, n, 1,
          CASE n % 5 WHEN 0 THEN 'rejected' ELSE 'delivered' END, '{}' ${rows};
        ANALYZE record_change, change_subject, change_module, notification, owed, undelivered, attempt`);
    });

    test.each(LOOKS)('%s', check);
  });
});
