import { describe, expect, test } from 'vitest';
import type { Json } from '../../../src/domain/json.ts';
import type { Field } from '../../../src/domain/module.ts';
import { applyRows } from '../../../src/domain/records/subform.ts';

const field: Field = {
  apiName: 'Items',
  label: 'Items',
  type: 'subform',
  rows: [
    { apiName: 'name', label: 'Name', type: 'text', mandatory: true },
    { apiName: 'count', label: 'Count', type: 'integer' },
  ],
};

const before = [
  { name: 'a', count: 1, id: '1' },
  { name: 'b', id: '2' },
];

function apply(given: readonly Json[], { replaces = false, stored = before as Json | undefined } = {}) {
  let next = 10;
  const newId = () => String(next++);
  const result = applyRows(field, stored, given, { path: '$.data[0]', replaces, newId });
  return result.ok ? result.value : result.refusal.details;
}

describe('rows given of a subform', () => {
  test.each<[string, Json[], boolean, Json]>([
    [
      'change the one whose id they have',
      [{ id: '1', count: 5 }],
      false,
      [{ name: 'a', count: 5, id: '1' }, before[1]!],
    ],
    ['empty a cell by null', [{ id: '1', count: null }], false, [{ name: 'a', id: '1' }, before[1]!]],
    ['are added with a new id', [{ name: 'c' }], false, [...before, { name: 'c', id: '10' }]],
    ['remove', [{ id: '1', _delete: null }], false, [before[1]!]],
    ['remove the last', before.map(({ id }) => ({ id, _delete: null })), false, null],
    [
      'replace all that are not named, where the version does so',
      [{ id: '2' }, { name: 'c' }],
      true,
      [before[1]!, { name: 'c', id: '10' }],
    ],
  ])('%s', (_case, given, replaces, expected) => {
    expect(apply(given, { replaces })).toEqual(expected);
  });

  test.each<[string, Json[], string]>([
    ['an id that the record has no row of', [{ id: '9', name: 'x' }], '$.data[0].Items[0].id'],
    ['a mandatory cell that is missing', [{ id: '1' }, { count: 1 }], '$.data[0].Items[1].name'],
    ['a mandatory cell that is emptied', [{ id: '1', name: null }], '$.data[0].Items[0].name'],
  ])('are refused for %s, by its place', (_case, given, path) => {
    expect(apply(given)).toMatchObject({ json_path: path });
  });

  test('are refused when there would be more than 200', () => {
    const full = Array.from({ length: 200 }, (_, i) => ({ name: 'n', id: String(1000 + i) }));
    expect(apply([{ name: 'one more' }], { stored: full })).toMatchObject({ maximum_length: 200 });
    expect(apply([{ id: '1000', _delete: null }, { name: 'instead' }], { stored: full })).toHaveLength(200);
  });

  test('are all new on a record that had none', () => {
    expect(apply([{ name: 'x' }], { stored: null })).toEqual([{ name: 'x', id: '10' }]);
  });
});
