import type { Refusal } from '../error.ts';
import type { RecordId } from '../ids.ts';
import type { Json } from '../json.ts';
import type { Module } from '../module.ts';
import type { User } from '../org.ts';
import type { StoredRecord, Values } from '../record.ts';
import { findByKey, findRecord, putRecord, removeRecord, takeId, type WorkingSet } from '../working-set.ts';
import { currentModule, updateAll, type Written } from './call.ts';
import { invalidValue, takenValue, unknownRecord } from './refusals.ts';
import { done, type Result, refused } from './result.ts';
import { MAX_TAGS_PER_RECORD, TAG_FIELD, TAG_NAME, tagKey, tagModule, tagRefs } from './tags.ts';

export interface TagInput {
  /** 1 … 25 characters. */
  readonly name: string;
  readonly color?: string | undefined;
}

const COLOR = 'color_code';

/** A new tag of a module. */
export function createTag(
  set: WorkingSet,
  module: string,
  { name, color }: TagInput,
  { id: by }: User,
  path: string,
): Result<StoredRecord> {
  const key = tagKey(module, name);
  const [holder] = findByKey(set, key);
  if (holder) return refused(takenValue(path, TAG_NAME, holder));
  const values: Values = { [TAG_NAME]: name, ...(color !== undefined && { [COLOR]: color }) };
  const stamp = { createdAt: set.now, createdBy: by, modifiedAt: set.now, modifiedBy: by };
  const tag: StoredRecord = { module: tagModule(module), id: takeId(set) as RecordId, values, ...stamp };
  putRecord(set, tag, [key]);
  return done(tag);
}

/** Another name or colour; records show it from then on, without a change of theirs. */
export function renameTag(
  set: WorkingSet,
  module: string,
  id: RecordId,
  { name, color }: TagInput,
  { id: by }: User,
  path: string,
): Result<StoredRecord> {
  const known = findRecord(set, tagModule(module), id);
  if (!known) return refused(unknownRecord(id, path));
  const holder = findByKey(set, tagKey(module, name)).find((other) => other !== id);
  if (holder) return refused(takenValue(path, TAG_NAME, holder));
  const values: Values = { ...known.values, [TAG_NAME]: name, ...(color !== undefined && { [COLOR]: color }) };
  const tag: StoredRecord = { ...known, values, modifiedAt: set.now, modifiedBy: by };
  putRecord(set, tag, [tagKey(module, name)], [tagKey(module, String(known.values[TAG_NAME]))]);
  return done(tag);
}

/** Removes the tag of whichever of the modules has it. Records keep its id, which then names nothing. */
export function removeTag(set: WorkingSet, modules: readonly string[], id: RecordId): Result<StoredRecord> {
  for (const module of modules) {
    const tag = findRecord(set, tagModule(module), id);
    if (!tag) continue;
    removeRecord(set, tag, [tagKey(module, String(tag.values[TAG_NAME]))]);
    return done(tag);
  }
  return refused(unknownRecord(id));
}

/** Changes the tags of records: an update of their field `Tag`. Tags that the module lacks are made, unless removing. */
export function applyTags(
  set: WorkingSet,
  asked: Module,
  ids: readonly Result<RecordId>[],
  tags: readonly TagInput[],
  how: 'add' | 'replace' | 'remove',
  caller: User,
): Result<Written>[] {
  // Before a tag is made, which a call that is refused must not leave behind.
  const module = currentModule(set, asked);
  const items = ids.map((id) => {
    if (!id.ok) return id;
    const record = findRecord(set, module.apiName, id.value);
    if (!record) return refused(unknownRecord(id.value));
    const count = countAfter(set, module, record, tags, how);
    return count > MAX_TAGS_PER_RECORD ? refused(tooManyTags(id.value)) : id;
  });
  const named = items.some(({ ok }) => ok) ? tagIds(set, module, tags, how, caller) : [];
  return updateAll(
    set,
    module,
    items.map((id) => {
      if (!id.ok) return id;
      const value = tagsAfter(currentTags(set, module, id.value), named, how);
      const given = new Map<string, Json>([[TAG_FIELD, refsOf(module, value)]]);
      return done({ path: '$', id: id.value, given });
    }),
    caller,
  );
}

const currentTags = (set: WorkingSet, module: Module, id: RecordId): RecordId[] =>
  tagRefs(findRecord(set, module.apiName, id)?.values[TAG_FIELD]).map((ref) => ref.id);

/** Removing all leaves the field empty. */
const refsOf = (module: Module, ids: readonly RecordId[]): Json =>
  ids.length > 0 ? ids.map((id) => ({ id, module: tagModule(module.apiName) })) : null;

function tagsAfter(
  current: readonly RecordId[],
  named: readonly RecordId[],
  how: 'add' | 'replace' | 'remove',
): RecordId[] {
  switch (how) {
    case 'add':
      return [...new Set([...current, ...named])];
    case 'replace':
      return [...new Set(named)];
    case 'remove':
      return current.filter((id) => !named.includes(id));
  }
}

/** How many tags the record would have; names that have no tag yet count, too. */
function countAfter(
  set: WorkingSet,
  module: Module,
  record: StoredRecord,
  tags: readonly TagInput[],
  how: 'add' | 'replace' | 'remove',
): number {
  if (how === 'remove') return 0;
  const current = how === 'add' ? tagRefs(record.values[TAG_FIELD]).map(({ id }) => id) : [];
  const keys = new Map(tags.map(({ name }) => [tagKey(module.apiName, name).value, name]));
  const named = [...keys.values()].map((name) => findByKey(set, tagKey(module.apiName, name))[0] ?? name);
  return new Set<string>([...current, ...named]).size;
}

function tagIds(
  set: WorkingSet,
  module: Module,
  tags: readonly TagInput[],
  how: 'add' | 'replace' | 'remove',
  caller: User,
): RecordId[] {
  return tags.flatMap((tag) => {
    const [known] = findByKey(set, tagKey(module.apiName, tag.name));
    if (known) return [known];
    if (how === 'remove') return [];
    const made = createTag(set, module.apiName, tag, caller, '$');
    return made.ok ? [made.value.id] : [];
  });
}

const tooManyTags = (id: RecordId): Refusal => ({
  ...invalidValue('$', 'tags', { maximum_length: MAX_TAGS_PER_RECORD }),
  details: { maximum_length: MAX_TAGS_PER_RECORD, api_name: 'tags', id },
});
