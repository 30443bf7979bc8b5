import type { ChangedRecord, Operation } from '../change.ts';
import { AppError } from '../error.ts';
import type { RecordId } from '../ids.ts';
import type { Module } from '../module.ts';
import { findModule } from '../modules/catalog.ts';
import type { User } from '../org.ts';
import { addChange, findByKey, type WorkingSet } from '../working-set.ts';
import { deleteRecord, insertRecord, type Saved, unite, updateRecord } from './decide.ts';
import type { RecordInput } from './input.ts';
import { keyOf } from './keys.ts';
import { missingValue } from './refusals.ts';
import { type Result, refused } from './result.ts';

/** One record of a call: what became of it. */
export interface Written extends Saved {
  /** The field by which an upsert found the record that it updated. */
  readonly matchedBy?: string;
}

type Item = Result<RecordInput>;
type Write<Input> = (module: Module, input: Input) => Result<Written>;

/** The records of one call that were not refused become one change each for inserts, updates and deletes. */
export const createAll = (set: WorkingSet, module: Module, items: readonly Item[], caller: User): Result<Written>[] =>
  writeAll(set, module, items, caller, (module, input) => insertRecord(set, module, input, caller));

/** Each item names its record, unless `only` says it for the single one. */
export const updateAll = (
  set: WorkingSet,
  module: Module,
  items: readonly Item[],
  caller: User,
  only?: RecordId,
): Result<Written>[] =>
  writeAll(set, module, items, caller, (module, input) => {
    const id = only ?? input.id;
    return id ? updateRecord(set, module, id, input, caller) : refused(missingValue(input.path, 'id'));
  });

/** Updates the record that `checkFields`, tried in order, find first; else inserts. */
export const upsertAll = (
  set: WorkingSet,
  module: Module,
  items: readonly Item[],
  checkFields: readonly string[],
  caller: User,
): Result<Written>[] =>
  writeAll(set, module, items, caller, (module, input) => {
    if (input.id) return updateRecord(set, module, input.id, input, caller);
    const match = findMatch(set, module, input, checkFields);
    if (!match) return insertRecord(set, module, input, caller);
    const updated = updateRecord(set, module, match.id, input, caller);
    return updated.ok ? { ok: true, value: { ...updated.value, matchedBy: match.field } } : updated;
  });

export const deleteAll = (
  set: WorkingSet,
  module: Module,
  ids: readonly Result<RecordId>[],
  caller: User,
): Result<Written>[] => writeAll(set, module, ids, caller, (module, id) => deleteRecord(set, module, id, caller));

function writeAll<Input>(
  set: WorkingSet,
  module: Module,
  items: readonly Result<Input>[],
  caller: User,
  write: Write<Input>,
): Result<Written>[] {
  const current = currentModule(set, module);
  const results = items.map((item) => (item.ok ? write(current, item.value) : item));
  for (const operation of ['insert', 'update', 'delete'] as const) {
    const changed = mergeChanged(changedBy(results, operation));
    if (changed.length > 0) addChange(set, module.apiName, operation, caller.id, changed);
  }
  return results;
}

/** As the commands before left it: it may have changed since the call was read. Throws INVALID_MODULE when it is gone. */
export function currentModule(set: WorkingSet, { apiName }: Module): Module {
  const current = findModule(set.catalog, apiName);
  if (current) return current;
  throw new AppError('INVALID_MODULE', 'the module name given seems to be invalid');
}

function changedBy(results: readonly Result<Written>[], operation: Operation): ChangedRecord[] {
  const all: ChangedRecord[] = [];
  for (const result of results) {
    if (result.ok && result.value.operation === operation && result.value.changed) all.push(result.value.changed);
  }
  return all;
}

/** A record written twice in one call is reported once: fields united in order, with their last values. */
function mergeChanged(all: readonly ChangedRecord[]): readonly ChangedRecord[] {
  if (all.length < 2) return all;
  const byId = new Map<RecordId, ChangedRecord>();
  for (const changed of all) {
    const known = byId.get(changed.id);
    byId.set(changed.id, known ? merge(known, changed) : changed);
  }
  return [...byId.values()];
}

const merge = (first: ChangedRecord, then: ChangedRecord): ChangedRecord => ({
  id: first.id,
  fields: [...new Set([...first.fields, ...then.fields])],
  values: { ...first.values, ...then.values },
  related: unite(then.related, first.related),
});

/** Of several records with the value the oldest: ids grow with time. */
function findMatch(
  set: WorkingSet,
  module: Module,
  input: RecordInput,
  checkFields: readonly string[],
): { readonly id: RecordId; readonly field: string } | undefined {
  for (const field of checkFields) {
    const key = keyOf(module, field, input.given.get(field));
    const [id] = key ? findByKey(set, key).toSorted() : [];
    if (id) return { id, field };
  }
  return undefined;
}
