import { describe, expect, test } from 'vitest';
import type { Field, FieldType } from '../../src/domain/module.ts';
import { operatorsOf } from '../../src/domain/search/typing.ts';
import { cells, page, tableRows } from './page.ts';

const text = page('compatibility.md');
const names = (cell = ''): string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
const fieldOf = (type: string): Field => ({ apiName: 'X', label: 'X', type: type as FieldType });

/** A new type of field does not compile until it is here. */
const TYPES: Record<FieldType, true> = {
  text: true,
  textarea: true,
  email: true,
  phone: true,
  website: true,
  integer: true,
  bigint: true,
  double: true,
  currency: true,
  percent: true,
  boolean: true,
  date: true,
  datetime: true,
  picklist: true,
  multiselectpicklist: true,
  lookup: true,
  ownerlookup: true,
  userlookup: true,
  subform: true,
  autonumber: true,
  profileimage: true,
  formula: true,
};

describe('docs/compatibility.md', () => {
  test('shows which operators each type of field takes in a search', () => {
    const shown = new Map<string, string[]>();
    for (const row of tableRows(text, 'operators')) {
      const [types, operators] = cells(row);
      for (const type of names(types)) shown.set(type, names(operators));
    }
    const all = Object.keys(TYPES).map((type) => [type, operatorsOf(fieldOf(type))]);
    expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(all.filter(([, operators]) => operators)));
  });
});
