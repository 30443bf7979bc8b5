import type { ChangedRecord, Operation } from '../change.ts';
import type { Refusal } from '../error.ts';
import type { RecordId } from '../ids.ts';
import type { Json } from '../json.ts';
import type { Module } from '../module.ts';
import { findField, nameOf } from '../modules/catalog.ts';
import type { User } from '../org.ts';
import { type RecordRef, recordKey, type StoredRecord, type Values } from '../record.ts';
import {
  findByKey,
  findRecord,
  isThere,
  putDeleted,
  putRecord,
  removeRecord,
  takeId,
  type WorkingSet,
} from '../working-set.ts';
import { withDerived, withGiven, withoutEmpty, withProbability } from './derive.ts';
import type { RecordInput } from './input.ts';
import { isKeyField, keyOf, keysOf } from './keys.ts';
import { lookupTarget, userTarget } from './lookup.ts';
import { nameOfRecord } from './named.ts';
import { missingValue, takenValue, unknownRecord, unknownTarget } from './refusals.ts';
import { done, type Result, refused } from './result.ts';
import { type Names, shownUser, shownValue } from './shown.ts';
import { applyRows, namedInRows } from './subform.ts';
import { pointsAt } from './targets.ts';
import { isSettable } from './values.ts';

/** A record written into the working set, and what of it a change reports. */
export interface Saved {
  readonly operation: Operation;
  /** As it is now; of a deleted one, as it was. */
  readonly record: StoredRecord;
  /** Undefined when an update changed no value: it succeeds and moves Modified_Time, but nothing fires. */
  readonly changed?: ChangedRecord;
}

export function insertRecord(set: WorkingSet, module: Module, asked: RecordInput, caller: User): Result<Saved> {
  const refusal = missing(module, asked) ?? dangling(set, module, asked) ?? taken(set, module, asked);
  if (refusal) return refused(refusal);
  const whole = withLists(set, module, asked, {});
  if (!whole.ok) return whole;
  const input = whole.value;

  const values = withDerived(module, {
    ...(findField(module, 'Owner') && { Owner: { id: caller.id } }),
    ...withoutEmpty(Object.fromEntries(withProbability(module, {}, input.given))),
  });
  const record: StoredRecord = {
    module: module.apiName,
    id: takeId(set) as RecordId,
    values,
    createdAt: set.now,
    createdBy: caller.id,
    modifiedAt: set.now,
    modifiedBy: caller.id,
  };
  putRecord(set, record, keysOf(module, values));

  const given = [...input.given].filter(([, value]) => value !== null).map(([name]) => name);
  const changed: ChangedRecord = {
    id: record.id,
    fields: [],
    values: shownValues(set, module, values, reported(module, given), caller),
    related: targets(set, module, values),
  };
  return done({ operation: 'insert', record, changed });
}

export function updateRecord(
  set: WorkingSet,
  module: Module,
  id: RecordId,
  asked: RecordInput,
  caller: User,
): Result<Saved> {
  const before = findRecord(set, module.apiName, id);
  if (!before) return refused(unknownRecord(id, asked.id && asked.path));
  const refusal =
    emptied(module, asked) ?? dangling(set, module, asked, before.values) ?? taken(set, module, asked, id);
  if (refusal) return refused(refusal);
  const whole = withLists(set, module, asked, before.values);
  if (!whole.ok) return whole;
  const input = whole.value;

  const given = withProbability(module, before.values, input.given);
  const values = withDerived(module, withGiven(before.values, given));
  const record: StoredRecord = {
    module: before.module,
    id,
    values,
    createdAt: before.createdAt,
    createdBy: before.createdBy,
    modifiedAt: set.now,
    modifiedBy: caller.id,
  };
  const different: string[] = [];
  for (const name of given.keys()) if (!sameValue(before.values[name], values[name])) different.push(name);
  // What is derived is neither a key nor a lookup.
  if (different.some((name) => isKeyField(module, name))) {
    putRecord(set, record, keysOf(module, values), keysOf(module, before.values));
  } else putRecord(set, record);

  if (different.length === 0) return done({ operation: 'update', record });
  const fields = reported(module, different);
  const related = targets(set, module, values);
  const isPointed = different.some((name) => findField(module, name)?.type === 'lookup');
  const changed: ChangedRecord = {
    id,
    fields,
    values: shownValues(set, module, values, fields, caller),
    related: isPointed ? unite(related, targets(set, module, before.values)) : related,
  };
  return done({ operation: 'update', record, changed });
}

/** Moves the record into the bin. Reports who did it and the record's status, as captured from the API (reference §5.3). */
export function deleteRecord(set: WorkingSet, module: Module, id: RecordId, caller: User): Result<Saved> {
  const record = findRecord(set, module.apiName, id);
  if (!record) return refused(unknownRecord(id));
  removeRecord(set, record, keysOf(module, record.values));
  const displayName = nameOf(record.values, module);
  putDeleted(set, {
    module: module.apiName,
    id,
    deletedAt: set.now,
    bin: { ...(displayName !== undefined && { displayName }), deletedBy: caller.id, record },
  });
  const changed: ChangedRecord = {
    id,
    fields: ['Modified_By', 'Record_Status__s'],
    values: { Modified_By: shownUser(caller.id, caller), Record_Status__s: 0 },
    related: targets(set, module, record.values),
  };
  return done({ operation: 'delete', record, changed });
}

/** On insert every mandatory field must have a value. */
function missing(module: Module, { path, given }: RecordInput): Refusal | undefined {
  const absent = module.fields.find(
    (field) => field.mandatory && isSettable(field) && (given.get(field.apiName) ?? null) === null,
  );
  return absent && missingValue(path, absent.apiName);
}

/** On update neither a mandatory field nor the owner can be emptied. */
function emptied(module: Module, { path, given }: RecordInput): Refusal | undefined {
  for (const [name, value] of given) {
    const field = findField(module, name);
    if (value === null && (field?.mandatory || field?.type === 'ownerlookup')) return missingValue(path, name);
  }
  return undefined;
}

/** What is pointed at must be there; a user who was removed may stay where they were, and be put nowhere else. */
function dangling(
  set: WorkingSet,
  module: Module,
  { path, given }: RecordInput,
  before: Values = {},
): Refusal | undefined {
  for (const [name, value] of given) {
    const field = findField(module, name);
    if (!field) continue;
    const target = lookupTarget(field, value);
    const userId = userTarget(field, value);
    if (target && !findRecord(set, target.module, target.id)) return unknownTarget(path, name);
    const user = userId && set.users.get(userId);
    if (userId && !user) return unknownTarget(path, name);
    if (user && user.status === 'removed' && !sameValue(before[name], value)) return unknownTarget(path, name);
    const lost = namedInRows(field, value).find(
      ({ record, user }) => (record && !findRecord(set, record.module, record.id)) || (user && !set.users.has(user)),
    );
    if (lost) return unknownTarget(`${path}.${name}[${lost.row}]`, lost.apiName);
  }
  return undefined;
}

function taken(set: WorkingSet, module: Module, { path, given }: RecordInput, own?: RecordId): Refusal | undefined {
  for (const [name, value] of given) {
    if (!findField(module, name)?.unique) continue;
    const key = keyOf(module, name, value);
    const holder = key && findByKey(set, key).find((id) => id !== own);
    if (holder) return takenValue(path, name, holder);
  }
  return undefined;
}

/** With lists as they will be: rows of subforms, each with its id, and choices. */
function withLists(set: WorkingSet, module: Module, input: RecordInput, before: Values): Result<RecordInput> {
  if (!hasList(input)) return done(input);
  const given = new Map(input.given);
  const options = { path: input.path, replaces: input.replacesRows ?? false, newId: () => takeId(set) };
  for (const [name, value] of input.given) {
    const field = findField(module, name);
    if (!field || !Array.isArray(value)) continue;
    if (field.type === 'multiselectpicklist' && input.addsChoices) given.set(name, addedTo(before[name], value));
    if (field.type !== 'subform') continue;
    const rows = applyRows(field, before[name], value, options);
    if (!rows.ok) return rows;
    given.set(name, rows.value);
  }
  return done({ ...input, given });
}

function hasList({ given }: RecordInput): boolean {
  for (const value of given.values()) if (Array.isArray(value)) return true;
  return false;
}

const addedTo = (before: Json | undefined, choices: readonly Json[]): Json => [
  ...new Set([...(Array.isArray(before) ? before : []), ...choices]),
];

/** Stored values are normalised, so equal lists and objects are written alike. */
function sameValue(a: Json | undefined, b: Json | undefined): boolean {
  const [one, other] = [a ?? null, b ?? null];
  if (one === other) return true;
  return typeof one === 'object' && typeof other === 'object' && JSON.stringify(one) === JSON.stringify(other);
}

const reported = (module: Module, names: readonly string[]): string[] =>
  names.filter((name) => !findField(module, name)?.unreported);

function shownValues(set: WorkingSet, module: Module, values: Values, fields: readonly string[], caller: User): Values {
  const names = namesIn(set, caller);
  const shown: Record<string, Json> = {};
  for (const name of fields) {
    const field = findField(module, name);
    if (field) shown[name] = shownValue(field, values[name], names);
  }
  return shown;
}

/** Names of what the batch loaded: every record and user that was given is in it. */
const namesIn = (set: WorkingSet, caller: User): Names => ({
  timeZone: set.org.timeZone,
  user: (id) => (id === caller.id ? caller : set.users.get(id)),
  record: (ref) => {
    const record = findRecord(set, ref.module, ref.id);
    return record && nameOfRecord(set.catalog, record);
  },
});

/** What is gone is not named: nobody could look at it. */
export const targets = (set: WorkingSet, module: Module, values: Values): RecordRef[] =>
  pointsAt(module, values).filter((ref) => isThere(set, ref));

export function unite(refs: readonly RecordRef[], more: readonly RecordRef[]): readonly RecordRef[] {
  if (more.length === 0) return refs;
  const known = new Set(refs.map((ref) => recordKey(ref.module, ref.id)));
  return [...refs, ...more.filter((ref) => !known.has(recordKey(ref.module, ref.id)))];
}
