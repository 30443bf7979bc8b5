import type { FieldInfo, Json, RecordValues } from '@watchbell/client';

const GIVEN_NAMES = ['Ada', 'Grace', 'Katherine', 'Alan', 'Edsger', 'Barbara', 'Radia', 'Ken'];
const SURNAMES = ['Lovelace', 'Hopper', 'Johnson', 'Turing', 'Dijkstra', 'Liskov', 'Perlman', 'Thompson'];
const COMPANIES = ['Northwind Traders', 'Harbour & Sons', 'Blue Fjord Shipping', 'Alder Analytics', 'Quill Press'];

/** A source of variety: each call gives the next whole number, from any start. */
export type Count = () => number;

/** Believable values for the mandatory fields of a new record that `given` leaves out. Lookups cannot be made up. */
export function newRecord(fields: readonly FieldInfo[], given: RecordValues, count: Count): RecordValues {
  const turn = count();
  const values: Record<string, Json> = { ...given };
  for (const field of mandatory(fields)) {
    if (field.api_name in given) continue;
    const value = sampleValue(field, turn);
    if (value !== undefined) values[field.api_name] = value;
  }
  return values;
}

/**
 * One field of a record with a value that it does not have yet: its mandatory pick list moves on (a deal's stage), or
 * else an optional phone, text or pick list changes. Undefined when the module has none of these.
 */
export function edit(fields: readonly FieldInfo[], current: RecordValues, count: Count): RecordValues | undefined {
  const writable = fields.filter((field) => !field.read_only);
  const candidates = [
    ...writable.filter((field) => field.data_type === 'picklist' && field.system_mandatory),
    ...['phone', 'textarea', 'picklist', 'text'].flatMap((type) =>
      writable.filter((field) => field.data_type === type && !field.system_mandatory),
    ),
  ];
  for (const field of candidates) {
    const value = nextValue(field, current[field.api_name] ?? null, count());
    if (value !== undefined) return { [field.api_name]: value };
  }
  return undefined;
}

function nextValue(field: FieldInfo, current: Json, turn: number): Json | undefined {
  if (field.data_type !== 'picklist') {
    const value = sampleValue(field, turn);
    return value === current ? sampleValue(field, turn + 1) : value;
  }
  const choices = choicesOf(field);
  const next = choices[(choices.indexOf(String(current)) + 1) % choices.length];
  return next === current ? undefined : next;
}

/** By type, and for the names that people see by name. Undefined for types whose values cannot be made up. */
function sampleValue(field: FieldInfo, turn: number): Json | undefined {
  const pick = (list: readonly string[]) => list[turn % list.length] ?? '';
  switch (field.data_type) {
    case 'text':
      if (field.api_name === 'Last_Name') return pick(SURNAMES);
      if (field.api_name === 'First_Name') return pick(GIVEN_NAMES);
      if (field.api_name === 'Company' || field.api_name === 'Account_Name') return `${pick(COMPANIES)} ${turn}`;
      return `${field.field_label} ${turn}`.slice(0, field.length ?? 100);
    case 'textarea':
      return `${field.field_label} ${turn}`;
    case 'email':
      return `${pick(GIVEN_NAMES).toLowerCase()}.${turn}@example.com`;
    case 'phone':
      return `+1 555 ${String(turn % 10_000_000).padStart(7, '0')}`;
    case 'website':
      return `https://example.com/${turn}`;
    case 'integer':
    case 'bigint':
    case 'double':
    case 'currency':
    case 'percent':
      return turn % 100;
    case 'boolean':
      return turn % 2 === 0;
    case 'date':
      return '2030-01-15';
    case 'datetime':
      return '2030-01-15T10:00:00+00:00';
    case 'picklist':
      return choicesOf(field)[0];
    default:
      return undefined;
  }
}

export const mandatory = (fields: readonly FieldInfo[]): readonly FieldInfo[] =>
  fields.filter((field) => field.system_mandatory && !field.read_only);

const choicesOf = (field: FieldInfo): string[] =>
  (field.pick_list_values ?? []).map((choice) => choice.display_value).filter((value) => value !== '-None-');
