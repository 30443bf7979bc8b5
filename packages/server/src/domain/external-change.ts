import { type ChangedRecord, MAX_RECORDS_PER_CHANGE, type Operation } from './change.ts';
import { countWatching } from './channel-index.ts';
import { AppError } from './error.ts';
import { isSameValue, readExternalId, readExternalValue, refuse } from './external-values.ts';
import { idFromSerial, type OrgId, type RecordId, type UserId } from './ids.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import type { Field, Module } from './module.ts';
import { type Catalog, findField, findModule } from './modules/catalog.ts';
import type { User } from './org.ts';
import { type RecordRef, recordKey, type Values } from './record.ts';
import { shownUser } from './records/shown.ts';
import { lookupsOf } from './records/targets.ts';
import { addChange, isThere, type WorkingSet } from './working-set.ts';

/** A change of records of one external module, as it is told; nothing of it was checked yet. */
export interface ExternalChange {
  readonly module: string;
  readonly operation: Operation;
  readonly records: readonly ExternalRecord[];
}

export interface ExternalRecord {
  readonly id: string;
  /** By API name, as they are now; of a deleted one those that are to be reported. */
  readonly values?: JsonObject | undefined;
  /** As they were before an update; of a deleted record, to find what it pointed at. */
  readonly oldValues?: JsonObject | undefined;
  /** API names of the fields that an update changed, where the values do not say it. */
  readonly fields?: readonly string[] | undefined;
}

/** A change as it will be reported, but for what the working set alone knows. */
export interface ReadChange {
  /** Where it stands in the call, such as `$.changes[0]`. */
  readonly path: string;
  readonly module: string;
  readonly operation: Operation;
  /** Those that changed. What they point at may be gone, where it would be kept here. */
  readonly records: readonly ChangedRecord[];
}

/** What became of one change of a call. */
export interface TakenChange {
  /** In the change log; null when no record of it changed. */
  readonly number: number | null;
  /** How many records changed. */
  readonly records: number;
  /** How many notifications are owed for it. */
  readonly notifications: number;
}

/** Of one call. */
export const MAX_CHANGES = 100;
export const MAX_RECORDS = 1000;
/**
 * Most notifications that the changes of a call may come to, by the channels that watch; one alone may exceed it. They are
 * committed together, and on the embedded store other organisations wait meanwhile.
 */
const MAX_OWED = 20_000;

/** Whose changes are those that nobody is named for: an id of the organisation that no user ever has. */
export const nobody = (org: OrgId): UserId => idFromSerial(org, 0) as UserId;

/** Reads all changes of a call up to the first fault, which it throws as INVALID_DATA with the fault's `json_path`. */
export function readChanges(catalog: Catalog, changes: readonly ExternalChange[]): ReadChange[] {
  const size = changes.reduce((sum, { records }) => sum + records.length, 0);
  if (size > MAX_RECORDS) {
    throw refuse('$.changes', `has more than ${MAX_RECORDS} records in all`, { maximum_length: MAX_RECORDS });
  }
  return changes.map((change, i) => readChange(catalog, change, `$.changes[${i}]`));
}

function readChange(catalog: Catalog, change: ExternalChange, path: string): ReadChange {
  const { operation, records } = change;
  const module = externalModule(catalog, change.module, path);
  if (records.length > MAX_RECORDS_PER_CHANGE) {
    throw refuse(`${path}.records`, `has more than ${MAX_RECORDS_PER_CHANGE} items`, {
      maximum_length: MAX_RECORDS_PER_CHANGE,
    });
  }
  const lookups = lookupsOf(module);
  const ids = new Set<RecordId>();
  const changed: ChangedRecord[] = [];
  for (const [i, record] of records.entries()) {
    const at = `${path}.records[${i}]`;
    const id = readExternalId(record.id, `${at}.id`);
    if (ids.has(id)) throw refuse(`${at}.id`, 'is that of a record before it in this change');
    ids.add(id);
    const read = readRecord(module, operation, record, at);
    if (!read) continue;
    const { fields, values, all } = read;
    const related = lookups.length === 0 ? NONE : all.flatMap((one) => targetsOf(lookups, one));
    changed.push({ id, fields, values, related });
  }
  return { path, module: module.apiName, operation, records: changed };
}

const NONE: readonly RecordRef[] = [];

function externalModule(catalog: Catalog, name: string, path: string): Module {
  const module = findModule(catalog, name);
  if (module?.isExternal) return module;
  throw refuse(`${path}.module`, module ? 'is no external module: its records are kept here' : 'is no module');
}

/** What a record reports, and all values that may point at something; undefined when an update changed nothing. */
interface ReadRecord extends Pick<ChangedRecord, 'fields' | 'values'> {
  readonly all: readonly Values[];
}

function readRecord(
  module: Module,
  operation: Operation,
  record: ExternalRecord,
  path: string,
): ReadRecord | undefined {
  switch (operation) {
    case 'insert': {
      refuseOthers(record, ['oldValues', 'fields'], operation, path);
      const values = readValues(module, record.values ?? {}, `${path}.values`);
      const given = Object.keys(values).filter((name) => values[name] !== null);
      return { fields: [], values: pick(values, reported(module, given)), all: [values] };
    }
    case 'update': {
      if (!record.values && !record.fields) throw refuse(`${path}.values`, 'is missing, and so is fields');
      const values = readValues(module, record.values ?? {}, `${path}.values`);
      const old = readOld(module, record, path);
      const names = record.fields
        ? readNames(module, record.fields, `${path}.fields`)
        : Object.keys(values).filter((name) => !old || differs(module, name, values, old));
      if (names.length === 0 && !record.fields) return undefined;
      const fields = reported(module, names);
      return { fields, values: pick(values, fields), all: old ? [values, old] : [values] };
    }
    case 'delete': {
      refuseOthers(record, ['fields'], operation, path);
      const values = readValues(module, record.values ?? {}, `${path}.values`);
      const old = readOld(module, record, path);
      return {
        fields: [],
        values: pick(values, reported(module, Object.keys(values))),
        all: old ? [values, old] : [values],
      };
    }
  }
}

const WIRE_NAMES = { oldValues: 'old_values', fields: 'fields' } as const;

function refuseOthers(
  record: ExternalRecord,
  names: readonly (keyof typeof WIRE_NAMES)[],
  operation: Operation,
  path: string,
): void {
  const given = names.find((name) => record[name] !== undefined);
  if (given) throw refuse(`${path}.${WIRE_NAMES[given]}`, `goes with an update, and this is ${ARTICLES[operation]}`);
}

const ARTICLES: Readonly<Record<Operation, string>> = { insert: 'an insert', update: 'an update', delete: 'a delete' };

/** Those given themselves where all of them are reported as they were given. */
function readValues(module: Module, given: JsonObject, path: string): Values {
  const names = Object.keys(given);
  const read: Json[] = [];
  let isAsGiven = true;
  for (const name of names) {
    const at = `${path}.${name}`;
    const value = given[name] ?? null;
    const reads = readExternalValue(knownField(module, name, at), value, at);
    read.push(reads);
    isAsGiven &&= reads === value;
  }
  if (isAsGiven) return given;
  const values: Record<string, Json> = {};
  for (const [i, name] of names.entries()) values[name] = read[i] ?? null;
  return values;
}

const readOld = (module: Module, { oldValues }: ExternalRecord, path: string): Values | undefined =>
  oldValues && readValues(module, oldValues, `${path}.old_values`);

function readNames(module: Module, names: readonly string[], path: string): readonly string[] {
  names.forEach((name, i) => {
    const at = `${path}[${i}]`;
    knownField(module, name, at);
    if (names.indexOf(name) < i) throw refuse(at, 'repeats a field');
  });
  return names;
}

function knownField(module: Module, name: string, path: string): Field {
  const field = findField(module, name);
  if (field) return field;
  throw refuse(path, `is no field of ${module.apiName}`);
}

/** What was not there before was empty. */
function differs(module: Module, name: string, values: Values, old: Values): boolean {
  const field = findField(module, name);
  return !field || !isSameValue(field, values[name] ?? null, old[name] ?? null);
}

const reported = (module: Module, names: readonly string[]): readonly string[] =>
  names.filter((name) => !findField(module, name)?.unreported);

function pick(values: Values, names: readonly string[]): Values {
  const all = Object.keys(values);
  if (all.length === names.length && all.every((name, i) => name === names[i])) return values;
  const picked: Record<string, Json> = {};
  for (const name of names) picked[name] = values[name] ?? null;
  return picked;
}

function targetsOf(lookups: readonly Field[], values: Values): RecordRef[] {
  return lookups.flatMap(({ apiName, lookup }) => {
    const value = values[apiName];
    return isObject(value) && lookup !== undefined ? [{ module: lookup, id: value.id as RecordId }] : [];
  });
}

/** What of the records pointed at would be kept here, so that it can be known whether they are there. */
export function kept(catalog: Catalog, changes: readonly ReadChange[]): RecordRef[] {
  const refs: RecordRef[] = [];
  for (const { records } of changes) {
    for (const { related } of records) {
      for (const ref of related) if (!findModule(catalog, ref.module)?.isExternal) refs.push(ref);
    }
  }
  return refs;
}

/**
 * Adds the changes in their order, each with its number. Throws before the first when a module is gone meanwhile, or when
 * all together would be owed to too many.
 */
export function takeChanges(
  set: WorkingSet,
  changes: readonly ReadChange[],
  by: { readonly id: UserId; readonly user: User | undefined },
): TakenChange[] {
  for (const { module, path } of changes) externalModule(set.catalog, module, path);
  refuseTooMuch(set, changes);
  return changes.map((change) => {
    if (change.records.length === 0) return { number: null, records: 0, notifications: 0 };
    const { writes } = set;
    const before = writes.notifications.length;
    const records = change.records.map((record) => complete(set, change.operation, record, by));
    addChange(set, change.module, change.operation, by.id, records);
    return {
      number: writes.counters.lastChange,
      records: records.length,
      notifications: writes.notifications.length - before,
    };
  });
}

function refuseTooMuch({ index }: WorkingSet, changes: readonly ReadChange[]): void {
  if (changes.length < 2) return;
  let owed = 0;
  for (const { module, operation, records } of changes) {
    owed += countWatching(index, module, operation);
    if (records.every(({ related }) => related.length === 0)) continue;
    const others = new Set(records.flatMap(({ related }) => related.map((ref) => ref.module)));
    for (const other of others) owed += countWatching(index, other, 'update');
  }
  if (owed > MAX_OWED) {
    throw new AppError('LIMIT_EXCEEDED', 'the changes may come to too many notifications; send fewer in a call', {
      limit: MAX_OWED,
      api_name: 'changes',
      json_path: '$.changes',
    });
  }
}

/** As the record API reports it: what is pointed at and gone is not named; a delete says who did it. */
function complete(
  set: WorkingSet,
  operation: Operation,
  record: ChangedRecord,
  by: { readonly id: UserId; readonly user: User | undefined },
): ChangedRecord {
  const { id, fields, values, related } = record;
  if (operation !== 'delete' && related.length === 0) return record;
  const there = distinct(related.filter((ref) => findModule(set.catalog, ref.module)?.isExternal || isThere(set, ref)));
  if (operation !== 'delete') return { id, fields, values, related: there };
  const deleted = { Modified_By: shownUser(by.id, by.user), Record_Status__s: 0 };
  return { id, fields: Object.keys(deleted), values: { ...deleted, ...values }, related: there };
}

const distinct = (refs: readonly RecordRef[]): RecordRef[] =>
  refs.length < 2 ? [...refs] : [...new Map(refs.map((ref) => [recordKey(ref.module, ref.id), ref])).values()];
