import { expect, test } from 'vitest';
import { LOOKS, statementsOf } from './look-statements.ts';
import { openPlannedStore } from './planned-store.ts';

const { db, planOf } = openPlannedStore();

/** Of our tables: all others are what a statement itself made, some rows at most. */
const OURS = /\b(?:record_change|change_subject|notification|owed|undelivered|attempt|channel)\b/;

test.each(LOOKS)('%s: each table is walked along an index, from where it begins', async (_, read, tables) => {
  const plan = (await statementsOf(db.dialect, read)).flatMap(planOf);
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
