import { expect, test } from 'vitest';
import type { ChangedRecord } from '../../src/domain/change.ts';
import { recordsText, textsOf } from '../../src/domain/change-text.ts';
import type { RecordId } from '../../src/domain/ids.ts';

const records: readonly ChangedRecord[] = [
  { id: 'a"\\' as RecordId, fields: [], values: {}, related: [] },
  {
    id: '3652397000000000001' as RecordId,
    fields: ['Last_Name', 'Owner', 'Größe'],
    values: { Last_Name: 'say "hi" \u2028 \\', Owner: { id: '1', name: null }, Größe: [1.5, true, '😀'] },
    related: [{ module: 'Accounts', id: '3652397000000000002' as RecordId }],
  },
];

test.each([[[]], [records.slice(0, 1)], [records]])(
  'the records of a change are read from their text as they were',
  (given) => {
    expect(JSON.parse(recordsText(given))).toEqual(given);
  },
);

test('what a record says is written once, and as it is', () => {
  for (const record of records) {
    const { id, fields, values } = record;
    const texts = [id, fields, values].map((said) => JSON.stringify(said));
    expect(Object.values(textsOf(record))).toEqual(texts);
    expect(textsOf(record)).toBe(textsOf(record));
  }
});
