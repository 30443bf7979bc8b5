import { describe, expect, test } from 'vitest';
import type { Arrival } from '../../src/cli/arrival.ts';
import { differences, isComplete, type OwedNotification } from '../../src/cli/demo-story.ts';

const OWED: readonly OwedNotification[] = [
  { module: 'Leads', operation: 'insert', ids: ['1'], fields: [] },
  { module: 'Contacts', operation: 'update', ids: ['2', '3'], fields: ['Title'] },
  { module: 'Leads', operation: 'delete', ids: ['1'], fields: ['Modified_By', 'Record_Status__s'] },
];

const fields = (ids: readonly string[], names: readonly string[]) => ids.map((id) => ({ [id]: names }));

/** What comes for an owed notification when all is well. */
function arrival(owed: OwedNotification, sequence: number): Arrival {
  const { module, operation, ids } = owed;
  return {
    notification: {
      query_params: {},
      module,
      resource_uri: '',
      ids,
      operation,
      channel_id: '1',
      token: 't',
      affected_fields: operation === 'insert' ? [] : fields(ids, owed.fields),
    },
    text: '',
    id: `msg_${sequence}`,
    sequence,
    attempt: 1,
  };
}

const ALL = OWED.map((owed, index) => arrival(owed, index + 1));
const without = (index: number) => ALL.filter((_, at) => at !== index);
const changed = (index: number, change: (arrival: Arrival) => Arrival) =>
  ALL.map((one, at) => (at === index ? change(one) : one));

describe('differences', () => {
  test('there are none when exactly the owed notifications came, in whatever order', () => {
    expect(differences(OWED, ALL)).toEqual([]);
    expect(differences(OWED, ALL.toReversed())).toEqual([]);
  });

  test.each([
    ['one is missing', without(1), ['missing: Contacts update 2, 3']],
    ['all are missing', [], expect.arrayContaining(['missing: Leads delete 1'])],
    ['one came twice under two numbers', [...ALL, { ...arrival(OWED[0]!, 4), id: 'msg_4' }], ['extra: Leads insert 1']],
    [
      'one is about another record',
      changed(0, (one) => ({ ...one, notification: { ...one.notification, ids: ['9'] } })),
      ['missing: Leads insert 1', 'extra: Leads insert 9'],
    ],
    [
      'one has other fields',
      changed(1, (one) => ({
        ...one,
        notification: { ...one.notification, affected_fields: fields(['2', '3'], ['Title', 'Phone']) },
      })),
      [expect.stringMatching(/^wrong: Contacts update 2, 3 came with affected_fields .*Phone/)],
    ],
    [
      'one has another number',
      changed(2, (one) => ({ ...one, sequence: 5 })),
      ['wrong: Leads delete 1 came as number 5, not 3'],
    ],
  ])('are told when %s', (_what, arrivals, expected) => {
    expect(differences(OWED, arrivals)).toEqual(expected);
  });
});

test('there is more to wait for until every number has come', () => {
  expect(isComplete(OWED, ALL)).toBe(true);
  expect(isComplete(OWED, without(0))).toBe(false);
  expect(isComplete(OWED, [...without(0), arrival(OWED[0]!, 4)])).toBe(false);
});
