import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/error.ts';
import type { Field, FieldType, Module } from '../../../src/domain/module.ts';
import { type Criteria, parseCriteria } from '../../../src/domain/search/criteria.ts';
import { candidatesFor } from '../../../src/domain/search/plan.ts';
import { conditionOf } from '../../../src/domain/search/question.ts';
import { OPERATORS, operatorsOf, typeCriteria } from '../../../src/domain/search/typing.ts';

const field = (apiName: string, type: FieldType, extra: Partial<Field> = {}): Field => ({
  apiName,
  label: apiName,
  type,
  ...extra,
});

const MODULE: Module = {
  apiName: 'Things',
  serial: 9999,
  singular: 'Thing',
  plural: 'Things',
  nameField: 'Name',
  duplicateCheck: ['Name'],
  hasRecords: true,
  fields: [
    field('Created_By', 'ownerlookup'),
    field('Created_Time', 'datetime'),
    field('Modified_Time', 'datetime'),
    field('Name', 'text'),
    field('Note', 'textarea'),
    field('Email', 'email'),
    field('Other_Email', 'email'),
    field('Phone', 'phone'),
    field('Site', 'website'),
    field('Stage', 'picklist', { pickList: ['New'] }),
    field('Number', 'autonumber'),
    field('Colours', 'multiselectpicklist'),
    field('Count', 'integer'),
    field('Big', 'bigint'),
    field('Ratio', 'double'),
    field('Amount', 'currency'),
    field('Share', 'percent'),
    field('Day', 'date'),
    field('Time', 'datetime'),
    field('Done', 'boolean'),
    field('Account', 'lookup', { lookup: 'Accounts' }),
    field('Owner', 'ownerlookup'),
    field('Helper', 'userlookup'),
    field('Rows', 'subform'),
    field('Image', 'profileimage'),
    field('Sum', 'formula'),
    field('Tag', 'text'),
  ],
};

const typed = (text: string) => typeCriteria(MODULE, parseCriteria(text));
const planned = (text: string) => candidatesFor(MODULE, typed(text));
const refusal = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error instanceof AppError ? { code: error.code, ...error.details } : error;
  }
};

/** A value that suits the type. */
const SAMPLE: Partial<Record<FieldType, string>> = {
  integer: '7',
  bigint: '7',
  double: '7.5',
  currency: '7.5',
  percent: '7.5',
  date: '2026-01-05',
  datetime: '2026-01-05T09:00:00Z',
  boolean: 'true',
  lookup: '123',
  ownerlookup: '123',
  userlookup: '123',
};
const ALL_OPERATORS = [...new Set(Object.values(OPERATORS).flat())];

describe('a condition', () => {
  it.each(MODULE.fields.flatMap((one) => ALL_OPERATORS.map((operator) => [one.apiName, operator, one] as const)))(
    'on %s takes %s if and only if it suits the type',
    (apiName, operator, one) => {
      const value = SAMPLE[one.type] ?? 'x';
      const text = `(${apiName}:${operator}:${operator === 'between' ? `${value},${value}` : value})`;
      const operators = operatorsOf(one);
      if (operators?.includes(operator)) {
        expect(() => typed(text)).not.toThrow();
      } else {
        expect(refusal(() => typed(text))).toEqual({
          code: 'INVALID_QUERY',
          api_name: apiName,
          operator,
          index: 1,
          ...(operators
            ? { reason: 'the operator does not suit the field', supported_values: operators }
            : { reason: 'the field is not there or cannot be searched' }),
        });
      }
    },
  );

  it('is on a field of the module', () => {
    for (const name of ['Nothing', 'name', 'Name.id', '__proto__', 'constructor', 'Rows', 'Tag', 'Account.Name']) {
      expect(
        refusal(() => typed(`(${name}:equals:1)`)),
        name,
      ).toMatchObject({
        code: 'INVALID_QUERY',
        api_name: name,
        reason: 'the field is not there or cannot be searched',
      });
    }
  });

  it.each([
    ['(Count:equals:1.5)', 'integer'],
    ['(Count:equals:x)', 'integer'],
    ['(Big:equals:1234567890123456789)', 'bigint'],
    ['(Amount:equals:1e5)', 'currency'],
    ['(Amount:equals:NaN)', 'currency'],
    ['(Day:equals:2026-02-30)', 'date'],
    ['(Day:equals:2026-01-05T09:00:00Z)', 'date'],
    ['(Time:equals:2026-01-05)', 'datetime'],
    ['(Time:equals:0000-01-01T00:00:00+05:00)', 'datetime'],
    ['(Created_Time:equals:2026-01-05)', 'datetime'],
    ['(Done:equals:yes)', 'boolean'],
    ['(Account:equals:Zylker)', 'bigint'],
    ['(Owner:in:1,Patricia)', 'bigint'],
    ['(id:equals:12345678901234567890)', 'bigint'],
  ])('%s is refused: the field is %s', (text, expected) => {
    expect(refusal(() => typed(text))).toMatchObject({ code: 'INVALID_QUERY', expected_data_type: expected });
  });

  it.each([
    ['(Name:equals:a,b)', 'the operator takes one value; a comma in it needs a backslash before it'],
    ['(Count:between:1)', 'the operator takes two values'],
    ['(Count:between:1,2,3)', 'the operator takes two values'],
  ])('%s has another number of values', (text, reason) => {
    expect(refusal(() => typed(text))).toMatchObject({ code: 'INVALID_QUERY', reason });
  });

  it.each([
    ['(Name:equals: Ünal )', { kind: 'text', field: 'Name', test: 'any', values: ['ünal'] }],
    ['(Name:not_equal:X)', { kind: 'text', field: 'Name', test: 'none', values: ['x'] }],
    ['(Stage:starts_with:N)', { kind: 'text', field: 'Stage', test: 'prefix', values: ['n'] }],
    ['(Colours:in:Red,Blue)', { kind: 'choices', field: 'Colours', test: 'any', values: ['red', 'blue'] }],
    ['(Done:not_equal:TRUE)', { kind: 'boolean', field: 'Done', is: false }],
    ['(Account.id:equals:12)', { kind: 'reference', of: { field: 'Account' }, test: 'any', ids: ['12'] }],
    ['(Created_By:not_equal:12)', { kind: 'reference', of: { column: 'createdBy' }, test: 'none', ids: ['12'] }],
    [
      '(Amount:greater_than:-1.50)',
      { kind: 'field', field: 'Amount', stored: 'number', outside: false, ranges: [{ from: -1.5, above: true }] },
    ],
    ['(Big:less_equal:007)', { kind: 'field', field: 'Big', stored: 'digits', outside: false, ranges: [{ to: '7' }] }],
    [
      '(Day:not_equal:2026-01-05)',
      {
        kind: 'field',
        field: 'Day',
        stored: 'text',
        outside: true,
        ranges: [{ from: '2026-01-05', to: '2026-01-05' }],
      },
    ],
    [
      '(Time:greater_equal:2026-01-05T09:00:00+05:30)',
      { kind: 'field', field: 'Time', stored: 'text', outside: false, ranges: [{ from: '2026-01-05T03:30:00Z' }] },
    ],
    [
      '(Time:less_equal:2026-01-05T09:00:00 05:30)',
      { kind: 'field', field: 'Time', stored: 'text', outside: false, ranges: [{ to: '2026-01-05T03:30:00Z' }] },
    ],
    [
      '(id:greater_than:12)',
      { kind: 'column', column: 'id', outside: false, ranges: [{ from: '0000000000000000012', above: true }] },
    ],
  ])('%s has the type of its field', (text, expected) => {
    expect(typed(text)).toEqual(expected);
  });

  const NINE = Date.UTC(2026, 0, 5, 9);
  it.each([
    ['equals', [{ from: NINE, to: NINE + 1000, below: true }]],
    ['greater_than', [{ from: NINE + 1000 }]],
    ['greater_equal', [{ from: NINE }]],
    ['less_than', [{ to: NINE, below: true }]],
    ['less_equal', [{ to: NINE + 1000, below: true }]],
  ])('on Created_Time %s counts a second as all of its milliseconds', (operator, ranges) => {
    expect(typed(`(Created_Time:${operator}:2026-01-05T09:00:00Z)`)).toEqual({
      kind: 'column',
      column: 'createdAt',
      outside: false,
      ranges,
    });
  });
});

describe('a question for an email, a phone or a word', () => {
  it('asks all fields that can hold it', () => {
    expect(conditionOf(MODULE, { by: 'email', text: 'A@x.example' })).toEqual({
      kind: 'or',
      members: ['Email', 'Other_Email'].map((name) => ({
        kind: 'text',
        field: name,
        test: 'any',
        values: ['a@x.example'],
      })),
    });
    expect(conditionOf(MODULE, { by: 'word', text: ' Zül ' })).toEqual({
      kind: 'or',
      members: ['Name', 'Note', 'Email', 'Other_Email', 'Phone', 'Site', 'Stage', 'Number', 'Colours'].map((name) => ({
        kind: name === 'Colours' ? 'choices' : 'text',
        field: name,
        test: 'part',
        values: ['zül'],
      })),
    });
  });

  it('for a word that JSON and folding leave alone looks over the whole record first', () => {
    expect(conditionOf(MODULE, { by: 'word', text: 'Zyl' })).toMatchObject({
      kind: 'and',
      members: [{ kind: 'anywhere', text: 'zyl' }, { kind: 'or' }],
    });
    for (const text of ['a"b', String.raw`a\b`, 'a\nb', 'Σ']) {
      expect(conditionOf(MODULE, { by: 'word', text })).toMatchObject({ kind: 'or' });
    }
  });

  it('has at most 255 characters, all of which can be stored', () => {
    for (const by of ['email', 'phone', 'word'] as const) {
      expect(() => conditionOf(MODULE, { by, text: 'x'.repeat(255) })).not.toThrow();
      expect(refusal(() => conditionOf(MODULE, { by, text: 'x'.repeat(256) }))).toMatchObject({ param_name: by });
    }
    expect(refusal(() => conditionOf(MODULE, { by: 'criteria', text: '(Name:equals:\0)' }))).toMatchObject({
      code: 'INVALID_QUERY',
      param_name: 'criteria',
    });
  });
});

describe('a plan', () => {
  const keys = (...of: readonly (readonly [string, string])[]) => ({
    kind: 'keys',
    keys: of.map(([name, value]) => ({ field: name, value })),
  });
  const many = (count: number) => Array.from({ length: count }, (_, i) => i).join(',');

  it.each([
    ['(Name:equals:X)', keys(['Name', 'x'])],
    ['(Email:in:A,b,a)', keys(['Email', 'a'], ['Email', 'b'])],
    ['(Account:equals:12)', keys(['Account', '12'])],
    ['(Note:equals:x)', { kind: 'module' }],
    ['(Name:not_equal:x)', { kind: 'module' }],
    ['(Name:starts_with:x)', { kind: 'module' }],
    ['(Owner:equals:12)', { kind: 'module' }],
    ['(Created_By:equals:12)', { kind: 'module' }],
    ['(id:in:1,2)', { kind: 'ids', ids: ['0000000000000000001', '0000000000000000002'] }],
    ['(id:not_equal:1)', { kind: 'module' }],
    ['(id:greater_than:1)', { kind: 'module' }],
    ['(Note:equals:x)and(Email:in:a,b)and(Phone:equals:1)', keys(['Phone', '1'])],
    ['(Email:equals:a)and(id:equals:1)', { kind: 'ids', ids: ['0000000000000000001'] }],
    ['(Email:equals:a)or(Phone:equals:1)', keys(['Email', 'a'], ['Phone', '1'])],
    ['(Email:equals:a)or(Note:equals:x)', { kind: 'module' }],
    ['(Email:equals:a)or(id:equals:1)', { kind: 'module' }],
    [`(Email:in:${many(50)})or(Phone:in:${many(51)})`, { kind: 'module' }],
  ])('for %s looks at no more than it must', (text, expected) => {
    expect(planned(text)).toEqual(expected);
  });

  it('looks nowhere for an email in a module without one', () => {
    const without: Module = { ...MODULE, fields: MODULE.fields.filter(({ type }) => type !== 'email') };
    expect(candidatesFor(without, conditionOf(without, { by: 'email', text: 'a' }))).toEqual({ kind: 'ids', ids: [] });
  });
});

/** Only parsed criteria have types, so a value can never become part of them. */
const injection: Criteria = parseCriteria(String.raw`(Name:equals:x\)or\(id:not_equal:1)`);
describe('escaped text', () => {
  it('stays a value', () => {
    expect(typeCriteria(MODULE, injection)).toMatchObject({ kind: 'text', values: ['x)or(id:not_equal:1'] });
  });
});
