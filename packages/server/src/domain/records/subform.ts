import type { UserId } from '../ids.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import type { Field } from '../module.ts';
import type { RecordRef } from '../record.ts';
import { asUserId, readRecordId } from './ids.ts';
import { lookupTarget } from './lookup.ts';
import { invalidValue, malformedId, missingValue } from './refusals.ts';
import { done, type Result, refused } from './result.ts';

const MAX_ROWS = 200;
/** In a row that was given: it goes. */
const REMOVED = '_delete';
const EMAIL = /^[^\s@]+@[^\s@]+$/;

type ReadValue = (field: Field, input: Json, path: string) => Result<Json>;

/** Where a row stands in a call, such as `$.data[0].Quoted_Items[2]`. */
const rowPath = (field: Field, path: string, position: number): string => `${path}.${field.apiName}[${position}]`;

/**
 * The rows of a subform as they were given: known and settable fields only, checked and normalised; `id` and `_delete` say
 * what is to become of one that is there. `null` when there are none, which empties the subform.
 */
export function readRows(field: Field, input: Json, path: string, readValue: ReadValue): Result<Json> {
  if (!Array.isArray(input)) return refused(invalidValue(path, field.apiName, { expected_data_type: 'jsonarray' }));
  if (input.length > MAX_ROWS) return refused(invalidValue(path, field.apiName, { maximum_length: MAX_ROWS }));
  const rows: JsonObject[] = [];
  for (const [position, item] of input.entries()) {
    if (!isObject(item)) return refused(invalidValue(path, field.apiName, { expected_data_type: 'jsonobject' }));
    const row = readRow(field, item, rowPath(field, path, position), readValue);
    if (!row.ok) return row;
    rows.push(row.value);
  }
  return done(rows.length > 0 ? rows : null);
}

function readRow(field: Field, item: JsonObject, path: string, readValue: ReadValue): Result<JsonObject> {
  const row: Record<string, Json> = {};
  if (item.id !== undefined && item.id !== null) {
    const id = readRecordId(item.id);
    if (!id) return refused(malformedId(path));
    row.id = id;
  }
  if (REMOVED in item) {
    if (row.id === undefined) return refused(missingValue(path, 'id'));
    return done({ id: row.id, [REMOVED]: null });
  }
  for (const cell of field.rows ?? []) {
    const given = item[cell.apiName];
    if (given === undefined || cell.readOnly) continue;
    const value = readValue(cell, given, path);
    if (!value.ok) return value;
    row[cell.apiName] = value.value;
  }
  const wrong = wrongParticipant(row);
  return wrong === undefined ? done(row) : refused(invalidValue(path, 'participant', { expected_data_type: wrong }));
}

/** Somebody invited to an event is named by an id, or by an e-mail address, as the type says. */
function wrongParticipant({ type, participant }: JsonObject): string | undefined {
  if (typeof participant !== 'string' || typeof type !== 'string') return undefined;
  if (type === 'email') return EMAIL.test(participant) ? undefined : 'email';
  return readRecordId(participant) ? undefined : 'bigint';
}

/**
 * What a subform holds once the rows given were applied to those it had: a row with an id changes that one, a row without
 * is added with an id of its own, and others stay, unless the given ones take the place of all.
 */
export function applyRows(
  field: Field,
  before: Json | undefined,
  given: readonly Json[],
  { path, replaces, newId }: { path: string; replaces: boolean; newId: () => string },
): Result<Json> {
  const rows = new Map(storedRows(before).map((row) => [row.id, row]));
  const kept = replaces ? new Map<Json | undefined, JsonObject>() : rows;
  for (const [position, row] of given.filter(isObject).entries()) {
    const at = rowPath(field, path, position);
    const known = row.id === undefined ? undefined : rows.get(row.id);
    if (row.id !== undefined && !known) return refused(invalidValue(at, 'id', { id: row.id }));
    if (REMOVED in row) {
      kept.delete(row.id);
      continue;
    }
    const whole = withoutEmptyCells({ ...known, ...row });
    const missing = field.rows?.find((cell) => cell.mandatory && whole[cell.apiName] === undefined);
    if (missing) return refused(missingValue(at, missing.apiName));
    const id = row.id ?? newId();
    kept.set(id, { ...whole, id });
  }
  if (kept.size > MAX_ROWS) return refused(invalidValue(path, field.apiName, { maximum_length: MAX_ROWS }));
  return done(kept.size > 0 ? [...kept.values()] : null);
}

const withoutEmptyCells = (row: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));

/** Rows of a subform's value, stored or given. */
export const storedRows = (value: Json | undefined): JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];

/** A cell that names another record, or a user. */
export interface Named {
  readonly row: number;
  readonly apiName: string;
  readonly record?: RecordRef;
  readonly user?: UserId;
}

/** What the rows of a subform name: by lookups, and who is invited. */
export function namedInRows(field: Field, value: Json | undefined): Named[] {
  if (field.type !== 'subform') return [];
  return storedRows(value).flatMap((row, position) => {
    const lookups = (field.rows ?? []).flatMap((cell): Named[] => {
      const record = lookupTarget(cell, row[cell.apiName]);
      return record ? [{ row: position, apiName: cell.apiName, record }] : [];
    });
    const invited = participantOf(row);
    return invited ? [...lookups, { row: position, apiName: 'participant', ...invited }] : lookups;
  });
}

/** The record or user that a participant is; undefined for an e-mail address and for other rows. */
export function participantOf({ type, participant }: JsonObject): Pick<Named, 'record' | 'user'> | undefined {
  const id = typeof participant === 'string' ? readRecordId(participant) : undefined;
  if (!id) return undefined;
  switch (type) {
    case 'contact':
      return { record: { module: 'Contacts', id } };
    case 'lead':
      return { record: { module: 'Leads', id } };
    case 'user':
      return { user: asUserId(id) };
    default:
      return undefined;
  }
}
