import type { Json } from '../json.ts';
import type { Field, FieldType, Module } from '../module.ts';
import { findField } from '../modules/catalog.ts';
import { keyValue } from '../record.ts';
import { readRecordId } from '../records/ids.ts';
import { readValue } from '../records/values.ts';
import { parseTime } from '../time.ts';
import type { Condition } from './condition.ts';
import type { Clause, Criteria } from './criteria.ts';
import { inRanges, type Ordered, rangesOf, secondsOf } from './ranges.ts';
import { invalidQuery } from './refusals.ts';

type Family = 'text' | 'choices' | 'reference' | 'ordered' | 'boolean';

const FAMILIES: Record<FieldType, Family | undefined> = {
  text: 'text',
  textarea: 'text',
  email: 'text',
  phone: 'text',
  website: 'text',
  picklist: 'text',
  autonumber: 'text',
  multiselectpicklist: 'choices',
  integer: 'ordered',
  bigint: 'ordered',
  double: 'ordered',
  currency: 'ordered',
  percent: 'ordered',
  date: 'ordered',
  datetime: 'ordered',
  boolean: 'boolean',
  lookup: 'reference',
  ownerlookup: 'reference',
  userlookup: 'reference',
  subform: undefined,
  profileimage: undefined,
  formula: undefined,
};

/** What may be asked of the values of each kind of field. */
export const OPERATORS: Record<Family, readonly string[]> = {
  text: ['equals', 'not_equal', 'in', 'starts_with'],
  choices: ['equals', 'not_equal', 'in', 'starts_with'],
  reference: ['equals', 'not_equal', 'in'],
  ordered: ['equals', 'not_equal', 'in', 'greater_than', 'greater_equal', 'less_than', 'less_equal', 'between'],
  boolean: ['equals', 'not_equal'],
};

/** Their values are not kept among those of the record. */
const NOT_SEARCHABLE: ReadonlySet<string> = new Set(['Record_Status__s', 'Tag']);
const ID_FIELD: Field = { apiName: 'id', label: 'Id', type: 'bigint' };
const ID_DIGITS = 19;

const familyOf = ({ apiName, type }: Field): Family | undefined =>
  NOT_SEARCHABLE.has(apiName) ? undefined : FAMILIES[type];

/** The operators that the field takes; undefined when it cannot be searched. */
export function operatorsOf(field: Field): readonly string[] | undefined {
  const family = familyOf(field);
  return family && OPERATORS[family];
}

/** How text in the field is compared; undefined when it holds none. */
export function textKind(field: Field): 'text' | 'choices' | undefined {
  const family = familyOf(field);
  return family === 'text' || family === 'choices' ? family : undefined;
}

/** Gives criteria the types of the module's fields; throws INVALID_QUERY that names the field and the operator. */
export function typeCriteria(module: Module, criteria: Criteria): Condition {
  return criteria.kind === 'clause'
    ? typeClause(module, criteria)
    : { kind: criteria.kind, members: criteria.members.map((member) => typeCriteria(module, member)) };
}

function typeClause(module: Module, clause: Clause): Condition {
  const { field: name, operator, values } = clause;
  // A lookup may be named by its id: `Account_Name.id`.
  const plain = name.endsWith('.id') ? name.slice(0, -'.id'.length) : name;
  const field = plain === 'id' ? ID_FIELD : findField(module, plain);
  const family = field && familyOf(field);
  if (!family || (plain !== name && family !== 'reference')) {
    throw wrong(clause, 'the field is not there or cannot be searched');
  }
  if (!OPERATORS[family].includes(operator)) {
    throw wrong(clause, 'the operator does not suit the field', { supported_values: OPERATORS[family] });
  }
  const expected = operator === 'between' ? 2 : 1;
  if (operator !== 'in' && values.length !== expected) {
    throw wrong(
      clause,
      expected === 1
        ? 'the operator takes one value; a comma in it needs a backslash before it'
        : 'the operator takes two values',
    );
  }
  return typed(field, family, clause);
}

function typed(field: Field, family: Family, clause: Clause): Condition {
  const { operator, values } = clause;
  const test = operator === 'not_equal' ? 'none' : 'any';
  switch (family) {
    case 'text':
    case 'choices':
      return {
        kind: family,
        field: field.apiName,
        test: operator === 'starts_with' ? 'prefix' : test,
        values: values.map(keyValue),
      };
    case 'reference':
      return { kind: 'reference', of: referenceOf(field), test, ids: values.map((value) => idOf(clause, value)) };
    case 'boolean':
      return { kind: 'boolean', field: field.apiName, is: booleanOf(clause) === (test === 'any') };
    case 'ordered':
      return ordered(field, clause);
  }
}

function referenceOf({ apiName }: Field): Extract<Condition, { kind: 'reference' }>['of'] {
  if (apiName === 'Created_By') return { column: 'createdBy' };
  if (apiName === 'Modified_By') return { column: 'modifiedBy' };
  return { field: apiName };
}

function ordered(field: Field, clause: Clause): Condition {
  if (field === ID_FIELD) {
    const ids = clause.values.map((value) => idOf(clause, value).padStart(ID_DIGITS, '0'));
    return { kind: 'column', column: 'id', ...rangesOf(clause.operator, ids) };
  }
  if (field.apiName === 'Created_Time' || field.apiName === 'Modified_Time') {
    const times = clause.values.map((value) => timeOf(clause, value));
    const column = field.apiName === 'Created_Time' ? 'createdAt' : 'modifiedAt';
    return { kind: 'column', column, ...inRanges(rangesOf(clause.operator, times), secondsOf) };
  }
  const stored = field.type === 'date' || field.type === 'datetime' ? 'text' : storedNumber(field);
  const values = clause.values.map((value): Ordered => asStored(field, clause, value));
  return { kind: 'field', field: field.apiName, stored, ...rangesOf(clause.operator, values) };
}

const storedNumber = ({ type }: Field): 'digits' | 'number' => (type === 'bigint' ? 'digits' : 'number');

/** As it would be stored, so that texts compare like the values. */
function asStored(field: Field, clause: Clause, text: string): Ordered {
  const trimmed = field.type === 'datetime' ? withPlus(text) : text.trim();
  switch (field.type) {
    case 'date':
    case 'datetime': {
      const read = readValue(field, trimmed, '$');
      if (read.ok && typeof read.value === 'string') return read.value;
      break;
    }
    case 'integer':
    case 'bigint':
      if (/^-?\d{1,18}$/.test(trimmed)) return field.type === 'bigint' ? BigInt(trimmed).toString() : Number(trimmed);
      break;
    default:
      if (/^-?\d{1,16}(?:\.\d{1,16})?$/.test(trimmed)) return Number(trimmed);
  }
  throw wrong(clause, 'the value does not suit the field', { expected_data_type: field.type });
}

/** A `+` that was not encoded in the URL arrives as a blank. */
const withPlus = (time: string): string => time.trim().replace(/ (?=\d{2}:?\d{2}$)/, '+');

function timeOf(clause: Clause, text: string): number {
  const time = parseTime(withPlus(text));
  if (time !== undefined) return time;
  throw wrong(clause, 'the value does not suit the field', { expected_data_type: 'datetime' });
}

function idOf(clause: Clause, text: string): string {
  const id = readRecordId(text.trim());
  if (id !== undefined) return id;
  throw wrong(clause, 'the value is no id', { expected_data_type: 'bigint' });
}

function booleanOf(clause: Clause): boolean {
  const [text = ''] = clause.values.map(keyValue);
  if (text === 'true' || text === 'false') return text === 'true';
  throw wrong(clause, 'the value does not suit the field', { expected_data_type: 'boolean' });
}

const wrong = ({ field, operator, at }: Clause, reason: string, details: Readonly<Record<string, Json>> = {}) =>
  invalidQuery(reason, { api_name: field, operator, index: at, ...details });
