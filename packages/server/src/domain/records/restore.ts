import { type ChangedRecord, MAX_RECORDS_PER_CHANGE, type Operation } from '../change.ts';
import { type Binned, binned } from '../deleted-record.ts';
import type { Refusal } from '../error.ts';
import type { RecordId } from '../ids.ts';
import type { Module } from '../module.ts';
import { findField, findModule } from '../modules/catalog.ts';
import type { User } from '../org.ts';
import type { StoredRecord } from '../record.ts';
import { addChange, dropDeleted, findByKey, putDeleted, putRecord, type WorkingSet } from '../working-set.ts';
import { targets } from './decide.ts';
import { keyOf, keysOf } from './keys.ts';
import { takenValue, unknownRecord } from './refusals.ts';
import { done, type Result, refused } from './result.ts';
import { shownUser } from './shown.ts';

/** One deleted record that a call is about, with the module it is of. */
export interface BinItem {
  readonly id: RecordId;
  /** Undefined: there is no such record that the caller may use. */
  readonly module?: Module;
}

/** What `Record_Status__s` says in notifications: a deleted record's is 0, as captured from the API (reference §5.3). */
const AVAILABLE = 1;

/** Puts records back as they were, modified now by the caller. Each is judged alone. */
export const restoreAll = (set: WorkingSet, items: readonly BinItem[], caller: User): Result<RecordId>[] =>
  decideAll(set, items, caller, 'update', (module, bin) => {
    const refusal = taken(set, module, bin.record);
    if (refusal) return refused(refusal);
    const record: StoredRecord = { ...bin.record, modifiedAt: set.now, modifiedBy: caller.id };
    putRecord(set, record, keysOf(module, record.values));
    dropDeleted(set, record.id);
    return done({
      id: record.id,
      fields: ['Modified_By', 'Record_Status__s'],
      values: { Modified_By: shownUser(caller.id, caller), Record_Status__s: AVAILABLE },
      related: targets(set, module, record.values),
    });
  });

/** Removes deleted records for good. */
export const removeForGood = (set: WorkingSet, items: readonly BinItem[], caller: User): Result<RecordId>[] =>
  decideAll(set, items, caller, 'delete', (module, bin, deletedAt) => {
    const { id } = bin.record;
    putDeleted(set, { module: module.apiName, id, deletedAt });
    return done({
      id,
      fields: ['Modified_By', 'Record_Status__s'],
      values: { Modified_By: shownUser(caller.id, caller), Record_Status__s: 0 },
      related: [],
    });
  });

function decideAll(
  set: WorkingSet,
  items: readonly BinItem[],
  caller: User,
  operation: Operation,
  decide: (module: Module, bin: Binned, deletedAt: number) => Result<ChangedRecord>,
): Result<RecordId>[] {
  const changed = new Map<string, ChangedRecord[]>();
  const results = items.map(({ id, module: known }): Result<RecordId> => {
    // As the commands before left it: it may have changed since the call was read.
    const module = known && findModule(set.catalog, known.apiName);
    const deleted = set.deleted.get(id);
    const bin = deleted && binned(deleted, set.now);
    if (!module || !bin || deleted.module !== module.apiName) return refused(unknownRecord(id));
    const result = decide(module, bin, deleted.deletedAt);
    if (!result.ok) return result;
    changed.set(module.apiName, [...(changed.get(module.apiName) ?? []), result.value]);
    return done(id);
  });
  for (const [module, all] of changed) {
    for (let from = 0; from < all.length; from += MAX_RECORDS_PER_CHANGE) {
      addChange(set, module, operation, caller.id, all.slice(from, from + MAX_RECORDS_PER_CHANGE));
    }
  }
  return results;
}

/** Another record may have taken the value of a unique field meanwhile. */
function taken(set: WorkingSet, module: Module, { values }: StoredRecord): Refusal | undefined {
  for (const [name, value] of Object.entries(values)) {
    if (!findField(module, name)?.unique) continue;
    const key = keyOf(module, name, value);
    const [holder] = key ? findByKey(set, key) : [];
    if (holder) return takenValue('$', name, holder);
  }
  return undefined;
}
