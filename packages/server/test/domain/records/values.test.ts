import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/domain/error.ts';
import type { Json, JsonObject } from '../../../src/domain/json.ts';
import type { Field, FieldType } from '../../../src/domain/module.ts';
import { isSettable, readValue } from '../../../src/domain/records/values.ts';

const field = (type: FieldType, more: Partial<Field> = {}): Field => ({ apiName: 'F', label: 'F', type, ...more });
const at = { api_name: 'F', json_path: '$.data[3].F' };
const ID = '3652397000000001001';

const ROWS: readonly Field[] = [{ apiName: 'n', label: 'N', type: 'integer' }];

const kept: readonly (readonly [Field, Json, Json])[] = [
  [field('text', { length: 3 }), 'abc', 'abc'],
  [field('text'), ' padded ', ' padded '],
  [field('text'), '🙂', '🙂'],
  [field('text'), '', null],
  [field('text'), '  ', null],
  [field('text'), null, null],
  [field('textarea'), 'two\nlines', 'two\nlines'],
  [field('email'), 'a.b+c@example.co.uk', 'a.b+c@example.co.uk'],
  [field('phone'), '+1 (555) 010-9999 ext. 12', '+1 (555) 010-9999 ext. 12'],
  [field('website'), 'https://example.com:8080/a?b=c#d', 'https://example.com:8080/a?b=c#d'],
  [field('website'), 'www.example.com', 'www.example.com'],
  [field('integer'), -12, -12],
  [field('integer'), 999_999_999, 999_999_999],
  [field('bigint'), 9_007_199_254_740_993n, '9007199254740993'],
  [field('bigint'), 12, '12'],
  [field('bigint'), '0012', '12'],
  [field('double'), 1.5, 1.5],
  [field('double', { decimals: 2 }), 1.239, 1.24],
  [field('currency', { decimals: 2, length: 16 }), 18_500, 18_500],
  [field('percent', { decimals: 2, length: 5 }), -0.001, 0],
  [field('boolean'), false, false],
  [field('date'), '2028-02-29', '2028-02-29'],
  [field('datetime'), '2026-11-22T02:13:33+05:30', '2026-11-21T20:43:33Z'],
  [field('datetime'), '2026-11-22T02:13:33Z', '2026-11-22T02:13:33Z'],
  [field('picklist', { pickList: ['A', 'B'] }), 'B', 'B'],
  [field('picklist', { pickList: ['A', 'B'] }), '-None-', null],
  [field('picklist', { pickList: ['A', 'B'] }), '', null],
  [field('picklist'), 'anything', 'anything'],
  [field('multiselectpicklist', { pickList: ['A', 'B'] }), ['B', 'A', 'B'], ['B', 'A']],
  [field('multiselectpicklist', { pickList: ['A', 'B'] }), [], null],
  [field('lookup', { lookup: 'Accounts' }), { id: ID, name: 'ignored' }, { id: ID }],
  [field('lookup', { lookup: 'Accounts' }), ID, { id: ID }],
  [field('lookup', { lookup: 'Accounts' }), 42, { id: '42' }],
  [field('lookup', { lookup: 'Accounts' }), 3_652_397_000_000_001_001n, { id: ID }],
  [field('lookup', { lookup: 'Accounts' }), { id: null }, null],
  [field('ownerlookup'), { id: ID }, { id: ID }],
  [field('userlookup'), ID, { id: ID }],
  [
    field('subform', { rows: ROWS }),
    [{ n: 1, other: 'x', id: 9_007_199_254_740_993n }],
    [{ id: '9007199254740993', n: 1 }],
  ],
  [field('subform', { rows: ROWS }), [{ id: '7', _delete: null, n: 1 }], [{ id: '7', _delete: null }]],
  [field('subform'), [], null],
];

const refused: readonly (readonly [Field, Json, JsonObject])[] = [
  [field('text'), 5, { expected_data_type: 'text' }],
  [field('text'), ['x'], { expected_data_type: 'text' }],
  [field('text'), 'a\0b', { expected_data_type: 'text' }],
  [field('text'), 'lone \ud800', { expected_data_type: 'text' }],
  [field('text', { length: 3 }), 'abcd', { maximum_length: 3 }],
  [field('text'), 'x'.repeat(256), { maximum_length: 255 }],
  [field('textarea'), 'x'.repeat(32_001), { maximum_length: 32_000 }],
  [field('email'), 'no-at.example.com', { expected_data_type: 'email' }],
  [field('email'), 'a@localhost', { expected_data_type: 'email' }],
  [field('email'), `${'a'.repeat(90)}@example.com`, { maximum_length: 100 }],
  [field('phone'), 'call <me>', { expected_data_type: 'phone' }],
  [field('phone'), 5550109999, { expected_data_type: 'phone' }],
  [field('website'), 'javascript:alert(1)', { expected_data_type: 'website' }],
  [field('website'), 'not a site', { expected_data_type: 'website' }],
  [field('integer'), 1.5, { expected_data_type: 'integer' }],
  [field('integer'), '12', { expected_data_type: 'integer' }],
  [field('integer'), 1_000_000_000, { maximum_length: 9 }],
  [field('integer'), 9_007_199_254_740_993n, { maximum_length: 9 }],
  [field('integer', { length: 3 }), 1000, { maximum_length: 3 }],
  [field('bigint'), 'x', { expected_data_type: 'bigint' }],
  [field('bigint'), 10n ** 18n, { maximum_length: 18 }],
  [field('double'), '1.5', { expected_data_type: 'double' }],
  [field('double'), 1e16, { maximum_length: 16 }],
  [field('currency', { length: 5 }), 100_000, { maximum_length: 5 }],
  [field('percent'), true, { expected_data_type: 'double' }],
  [field('boolean'), 'true', { expected_data_type: 'boolean' }],
  [field('boolean'), 1, { expected_data_type: 'boolean' }],
  [field('date'), '2026-02-30', { expected_data_type: 'date' }],
  [field('date'), '2026-11-22T00:00:00Z', { expected_data_type: 'date' }],
  [field('datetime'), '2026-11-22', { expected_data_type: 'datetime' }],
  [field('datetime'), '0000-01-01T00:00:00+05:00', { expected_data_type: 'datetime' }],
  [field('datetime'), '9999-12-31T23:59:59-05:00', { expected_data_type: 'datetime' }],
  [field('picklist', { pickList: ['A'] }), 'C', { supported_values: ['A'] }],
  [field('picklist', { pickList: ['A'] }), 1, { expected_data_type: 'picklist' }],
  [field('multiselectpicklist', { pickList: ['A'] }), 'A', { expected_data_type: 'jsonarray' }],
  [field('multiselectpicklist', { pickList: ['A'] }), ['C'], { supported_values: ['A'] }],
  [field('multiselectpicklist'), new Array(201).fill('A'), { maximum_length: 200 }],
  [field('lookup'), 'Acme', { expected_data_type: 'jsonobject' }],
  [field('lookup'), 2 ** 53, { expected_data_type: 'jsonobject' }],
  [field('lookup'), ['1'], { expected_data_type: 'jsonobject' }],
  [field('subform'), { a: 1 }, { expected_data_type: 'jsonarray' }],
  [field('subform'), [1], { expected_data_type: 'jsonobject' }],
  [field('subform'), new Array(201).fill({}), { maximum_length: 200 }],
];

const label = (value: Json): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner)).slice(0, 60);

describe('a value for a field', () => {
  test.each(kept.map(([of, input, value]) => [of.type, label(input), of, input, value] as const))(
    '%s takes %s',
    (_type, _label, of, input, value) => {
      expect(readValue(of, input, '$.data[3]')).toEqual({ ok: true, value });
    },
  );

  test.each(refused.map(([of, input, why]) => [of.type, label(input), of, input, why] as const))(
    '%s refuses %s',
    (_type, _label, of, input, why) => {
      expect(readValue(of, input, '$.data[3]')).toEqual({
        ok: false,
        refusal: { code: 'INVALID_DATA' satisfies ErrorCode, message: 'invalid data', details: { ...why, ...at } },
      });
    },
  );

  test('a lookup without an id misses it, one with a malformed id is told where', () => {
    const inner = { api_name: 'id', json_path: '$.data[3].F.id' };
    expect(readValue(field('lookup'), { name: 'Acme' }, '$.data[3]')).toMatchObject({
      refusal: { code: 'MANDATORY_NOT_FOUND', details: inner },
    });
    expect(readValue(field('lookup'), { id: 'x1' }, '$.data[3]')).toMatchObject({
      refusal: { code: 'INVALID_DATA', details: { expected_data_type: 'bigint', ...inner } },
    });
  });

  test('what the system sets cannot be set', () => {
    expect(isSettable(field('text'))).toBe(true);
    expect(isSettable(field('text', { readOnly: true }))).toBe(false);
    expect((['autonumber', 'formula', 'profileimage'] as const).some((type) => isSettable(field(type)))).toBe(false);
  });
});
