import { beforeAll, describe, expect, test } from 'vitest';
import { DIALECT } from '../../src/storage/engines/postgres-dialect.ts';
import { LOOKS, type LookedUp, statementsOf } from './look-statements.ts';
import { openPlannedDatabase, type PlanStep } from './planned-database.ts';

const ORG = '3652397';

/** What is sorted there is bounded: some columns of what was found of a page of changes. */
const SORTED = ['what was matched again of a record'];

const { query, planCarriedOut } = openPlannedDatabase();

async function check(name: string, read: (typeof LOOKS)[number][1], tables: readonly LookedUp[]): Promise<void> {
  const steps: PlanStep[] = [];
  for (const statement of await statementsOf(DIALECT, read)) steps.push(...(await planCarriedOut(statement)));
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
      await query(`
        INSERT INTO record_change SELECT '${ORG}', n, 'Contacts', 'insert', n, '', '[]', '{}', 0 ${rows};
        INSERT INTO change_subject SELECT '${ORG}', n % 500, n ${rows};
        INSERT INTO change_subject SELECT '${ORG}', 1000, n ${rows};
        INSERT INTO notification SELECT '${ORG}', (n % 10)::text, n, n::text, n, 'Contacts', 'insert', '[]', 'v8', 0,
          'pending', NULL, 0, NULL, CASE WHEN n % 20 = 0 THEN 'job' END ${rows};
        INSERT INTO owed SELECT '${ORG}', (n % 10)::text, n, n, 0 ${rows};
        INSERT INTO undelivered SELECT '${ORG}', (n % 10)::text, n, CASE n % 2 WHEN 0 THEN 'parked' ELSE 'cancelled' END,
          NULL, n ${rows};
        INSERT INTO attempt SELECT '${ORG}', (n % 10)::text, n, 1, n, 1,
          CASE n % 5 WHEN 0 THEN 'rejected' ELSE 'delivered' END, '{}' ${rows};
        ANALYZE record_change, change_subject, notification, owed, undelivered, attempt`);
    });

    test.each(LOOKS)('%s', check);
  });
});
