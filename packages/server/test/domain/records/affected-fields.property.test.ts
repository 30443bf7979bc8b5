import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../../src/domain/json.ts';
import { updateAll } from '../../../src/domain/records/call.ts';
import { module, openSet, patricia, read, recordId, stored } from './working-set.ts';

const values = fc.record(
  {
    Deal_Name: fc.constantFrom('a', 'b'),
    Amount: fc.constantFrom(1, 2, null),
    Next_Step: fc.constantFrom('x', ' ', 'y', null),
    Stage: fc.constantFrom('Qualification', 'Needs Analysis', 'Closed Lost', 'Closed Lost to Competition'),
    Probability: fc.constantFrom(0, 10, 20, null),
    Contact_Name: fc.constantFrom({ id: recordId(1) }, { id: recordId(2) }, null),
    Closing_Date: fc.constantFrom('2026-01-01', '2026-01-02', null),
  },
  { requiredKeys: [] },
);

const plain = (record: Readonly<Record<string, Json | undefined>>): Record<string, Json> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null && value !== ' ')) as Record<
    string,
    Json
  >;

test('the affected fields of an update are exactly those whose stored value differs from before', () => {
  const contacts = [1, 2].map((serial) => stored('Contacts', serial, { Last_Name: 'n', Full_Name: 'n' }));
  fc.assert(
    fc.property(values, values, (before, given) => {
      const deal = stored('Deals', 9, { Deal_Name: 'd', Stage: 'Qualification', ...plain(before) });
      const set = openSet([...contacts, deal]);
      updateAll(set, module('Deals'), read('Deals', { id: deal.id, ...given }), patricia);

      const after = set.records.get(`Deals/${deal.id}`)?.values ?? {};
      const names = new Set([...Object.keys(deal.values), ...Object.keys(after)]);
      const different = [...names].filter(
        // Follows from others; never reported.
        (name) => name !== 'Expected_Revenue' && JSON.stringify(deal.values[name]) !== JSON.stringify(after[name]),
      );
      const affected = set.writes.changes[0]?.records[0];
      expect([...(affected?.fields ?? [])].sort()).toEqual(different.sort());
      expect(Object.keys(affected?.values ?? {})).toEqual(affected?.fields ?? []);
    }),
  );
});
