import { expect, test } from 'vitest';
import { EXPLAIN_STATEMENTS } from './explain-statements.ts';
import { openPlannedStore } from './planned-store.ts';

const { planOf } = openPlannedStore();

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
  const plan = planOf(statement);
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
    const columns = tables[called] ?? tables[table];
    expect(columns, `${step}: ${plan.join('\n')}`).toBeDefined();
    for (const column of columns ?? []) expect(step, plan.join('\n')).toMatch(new RegExp(`\\b${column}[=<>]`));
  }
});
