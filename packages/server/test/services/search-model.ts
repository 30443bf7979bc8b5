import type { Field, FieldType, Module } from '../../src/domain/module.ts';
import type { StoredRecord, Values } from '../../src/domain/record.ts';

// A simple model of searching, written apart from the server: what a condition means for one record.

export interface Clause {
  readonly field: string;
  readonly operator: string;
  readonly values: readonly string[];
}
export type Asked = Clause | { readonly kind: 'and' | 'or'; readonly members: readonly Asked[] };

const field = (type: FieldType, apiName: string, extra: Partial<Field> = {}): Field => ({
  apiName,
  label: apiName,
  type,
  ...extra,
});

/** A module with a field of every type that can be searched, and some of the system's. */
export const THINGS: Module = {
  apiName: 'Things',
  serial: 9876,
  singular: 'Thing',
  plural: 'Things',
  nameField: 'Name',
  duplicateCheck: ['Name'],
  hasRecords: true,
  fields: [
    field('ownerlookup', 'Owner'),
    field('ownerlookup', 'Created_By'),
    field('datetime', 'Created_Time'),
    field('datetime', 'Modified_Time'),
    field('text', 'Name'),
    field('textarea', 'Note'),
    field('email', 'Email'),
    field('email', 'Other_Email'),
    field('phone', 'Phone'),
    field('website', 'Site'),
    field('picklist', 'Stage'),
    field('autonumber', 'Number'),
    field('multiselectpicklist', 'Colours'),
    field('integer', 'Count'),
    field('bigint', 'Big'),
    field('double', 'Ratio'),
    field('currency', 'Amount'),
    field('percent', 'Share'),
    field('date', 'Day'),
    field('datetime', 'Time'),
    field('boolean', 'Done'),
    field('lookup', 'Account', { lookup: 'Accounts' }),
    field('userlookup', 'Helper'),
  ],
};

const TEXT = ['equals', 'not_equal', 'in', 'starts_with'];
const REFERENCE = ['equals', 'not_equal', 'in'];
const ORDER = ['equals', 'not_equal', 'in', 'greater_than', 'greater_equal', 'less_than', 'less_equal', 'between'];

export const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  id: ORDER,
  Owner: REFERENCE,
  Created_By: REFERENCE,
  Created_Time: ORDER,
  Modified_Time: ORDER,
  Name: TEXT,
  Note: TEXT,
  Email: TEXT,
  Other_Email: TEXT,
  Phone: TEXT,
  Site: TEXT,
  Stage: TEXT,
  Number: TEXT,
  Colours: TEXT,
  Count: ORDER,
  Big: ORDER,
  Ratio: ORDER,
  Amount: ORDER,
  Share: ORDER,
  Day: ORDER,
  Time: ORDER,
  Done: ['equals', 'not_equal'],
  Account: REFERENCE,
  Helper: REFERENCE,
};

export function matches(record: StoredRecord, asked: Asked): boolean {
  if ('kind' in asked) {
    return asked.kind === 'and'
      ? asked.members.every((member) => matches(record, member))
      : asked.members.some((member) => matches(record, member));
  }
  const { field: name, operator, values } = asked;
  const own = valuesOf(record, name);
  if (own.length === 0) return false;
  const wanted = values.map((value) => plain(name, value));
  if (operator === 'not_equal') return own.every((one) => one !== wanted[0]);
  return own.some((one) => holds(one, operator, wanted));
}

type Plain = string | number | bigint;

function holds(own: Plain, operator: string, wanted: readonly Plain[]): boolean {
  const [a = '', b = ''] = wanted;
  switch (operator) {
    case 'equals':
      return own === a;
    case 'in':
      return wanted.includes(own);
    case 'starts_with':
      return String(own).startsWith(String(a));
    case 'greater_than':
      return own > a;
    case 'greater_equal':
      return own >= a;
    case 'less_than':
      return own < a;
    case 'less_equal':
      return own <= a;
    case 'between':
      return own >= a && own <= b;
    default:
      throw new Error(operator);
  }
}

/** As what values of the field are compared. */
function plain(name: string, text: string): Plain {
  switch (name) {
    case 'id':
    case 'Big':
      return BigInt(text);
    case 'Count':
    case 'Ratio':
    case 'Amount':
    case 'Share':
      return Number(text);
    case 'Day':
    case 'Time':
    case 'Created_Time':
    case 'Modified_Time':
      return Math.floor(Date.parse(text) / 1000);
    default:
      return text.trim().toLowerCase();
  }
}

function valuesOf(record: StoredRecord, name: string): Plain[] {
  const value = stored(record, name);
  if (name === 'Done') return [value === true ? 'true' : 'false'];
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.map((one) => plain(name, String(one)));
  if (typeof value === 'object' && value !== null && 'id' in value) return [plain(name, String(value.id))];
  return [plain(name, String(value))];
}

function stored(record: StoredRecord, name: string): Values[string] | undefined {
  switch (name) {
    case 'id':
      return record.id;
    case 'Created_By':
      return record.createdBy;
    case 'Created_Time':
      return new Date(record.createdAt).toISOString();
    case 'Modified_Time':
      return new Date(record.modifiedAt).toISOString();
    default:
      return record.values[name];
  }
}

const WORDY = ['Name', 'Note', 'Email', 'Other_Email', 'Phone', 'Site', 'Stage', 'Number', 'Colours'];

export const hasWord = (record: StoredRecord, word: string): boolean =>
  WORDY.some((name) => valuesOf(record, name).some((value) => String(value).includes(word.trim().toLowerCase())));

/** As a caller writes it; blanks where they mean nothing. */
export function written(asked: Asked): string {
  if ('kind' in asked) return `(${asked.members.map(written).join(` ${asked.kind}`)})`;
  const values = asked.values.map((value) => value.replace(/[(),\\]/g, String.raw`\$&`));
  return `(${asked.field}:${asked.operator}:${values.join(',')})`;
}
