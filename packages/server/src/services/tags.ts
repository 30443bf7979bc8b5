import { MAX_RECORDS_PER_CHANGE } from '../domain/change.ts';
import { AppError } from '../domain/error.ts';
import type { RecordId, UserId } from '../domain/ids.ts';
import type { Principal, User } from '../domain/org.ts';
import { keyValue, type StoredRecord } from '../domain/record.ts';
import type { Result } from '../domain/records/result.ts';
import { applyTags, createTag, removeTag, renameTag, type TagInput } from '../domain/records/tagging.ts';
import { TAG_FIELD, TAG_NAME, tagKey, tagModule, tagRefs } from '../domain/records/tags.ts';
import type { RecordReads, RelatedReads } from '../storage/store.ts';
import { once } from './idempotency.ts';
import type { Naming } from './naming.ts';
import { pathId, readId, tooManyIds, usable, usableModules } from './record-access.ts';
import type { WriteRecords, WriteResults } from './record-writes.ts';
import type { Writer } from './writer.ts';

export interface FoundTags {
  readonly tags: readonly StoredRecord[];
  readonly user: (id: UserId) => User | undefined;
}

/** The tags of a module, and which records have which. */
export interface Tags {
  list(principal: Principal, module: string): Promise<FoundTags>;
  /** Each is judged alone: DUPLICATE_DATA for a name that the module has. */
  create(principal: Principal, module: string, tags: readonly TagInput[]): Promise<readonly Result<StoredRecord>[]>;
  rename(
    principal: Principal,
    module: string,
    tags: readonly (TagInput & { readonly id: string })[],
  ): Promise<readonly Result<StoredRecord>[]>;
  /** Records lose it, without a change of theirs. */
  remove(principal: Principal, id: string): Promise<Result<StoredRecord>>;
  count(principal: Principal, module: string, id: string): Promise<number>;
  /** Makes tags that the module lacks. `overwrite`: in the place of those that the records have. */
  add(
    principal: Principal,
    module: string,
    ids: readonly string[],
    tags: readonly TagInput[],
    overwrite: boolean,
  ): Promise<TaggedRecords>;
  /** Names that the records do not have are ignored. */
  take(principal: Principal, module: string, ids: readonly string[], names: readonly string[]): Promise<TaggedRecords>;
}

export interface TaggedRecords extends WriteResults {
  /** The tags of a record written, as they are now. */
  readonly tagsOf: (id: RecordId) => readonly { readonly id: RecordId; readonly name: string }[];
}

const MAX_TAGS_PER_MODULE = 200;

interface TagsParts {
  readonly writer: Writer;
  readonly write: WriteRecords;
  readonly naming: Naming;
  readonly reads: RecordReads;
  readonly relatedReads: RelatedReads;
}

export function createTags({ writer, write, naming, reads, relatedReads }: TagsParts): Tags {
  const all = ({ org }: Principal, module: string) => relatedReads.all(org.id, tagModule(module));

  const apply = async (
    principal: Principal,
    moduleName: string,
    texts: readonly string[],
    tags: readonly TagInput[],
    how: 'add' | 'replace' | 'remove',
  ): Promise<TaggedRecords> => {
    const module = usable(principal, moduleName, 'Edit');
    if (texts.length > MAX_RECORDS_PER_CHANGE) throw tooManyIds();
    const ids = texts.map(readId);
    const known = await all(principal, module.apiName);
    if (how !== 'remove') requireRoom(known, tags);
    const needs = {
      records: [
        ...ids.flatMap((id) => (id.ok ? [{ module: module.apiName, id: id.value }] : [])),
        ...known.map(({ module: tagsOf, id }) => ({ module: tagsOf, id })),
      ],
      keys: tags.map(({ name }) => tagKey(module.apiName, name)),
    };
    const written = await write(principal, ids.length, needs, (set) =>
      applyTags(set, module, ids, tags, how, principal.user),
    );
    const writtenIds = written.results.flatMap((result) => (result.ok ? [result.value.record.id] : []));
    const now = await reads.findMany(principal.org.id, module.apiName, writtenIds);
    const names = new Map((await all(principal, module.apiName)).map((tag) => [tag.id, String(tag.values[TAG_NAME])]));
    const byRecord = new Map(now.map((record) => [record.id, tagsIn(record, names)]));
    return { ...written, tagsOf: (id) => byRecord.get(id) ?? [] };
  };

  return {
    async list(principal, moduleName) {
      const module = usable(principal, moduleName, 'View');
      const tags = await all(principal, module.apiName);
      const ids = tags.flatMap(({ createdBy, modifiedBy }) => [createdBy, modifiedBy]);
      return { tags, user: await naming.users(principal.org.id, ids, principal.user) };
    },

    async create(principal, moduleName, tags) {
      const module = usable(principal, moduleName, 'Create');
      requireRoom(await all(principal, module.apiName), tags);
      const needs = { keys: tags.map(({ name }) => tagKey(module.apiName, name)) };
      return writer.submit(
        principal.org.id,
        once(principal, {
          needs,
          weight: tags.length,
          decide: (set) => tags.map((tag, i) => createTag(set, module.apiName, tag, principal.user, `$.tags[${i}]`)),
        }),
      );
    },

    async rename(principal, moduleName, tags) {
      const module = usable(principal, moduleName, 'Edit');
      const ids = tags.map(({ id }) => pathId(id));
      const needs = {
        records: ids.map((id) => ({ module: tagModule(module.apiName), id })),
        keys: tags.map(({ name }) => tagKey(module.apiName, name)),
      };
      return writer.submit(
        principal.org.id,
        once(principal, {
          needs,
          weight: tags.length,
          decide: (set) =>
            tags.map((tag, i) => renameTag(set, module.apiName, pathId(tag.id), tag, principal.user, `$.tags[${i}]`)),
        }),
      );
    },

    async remove(principal, text) {
      const id = pathId(text);
      const modules = usableModules(principal);
      const needs = { records: modules.map((module) => ({ module: tagModule(module), id })) };
      return writer.submit(
        principal.org.id,
        once(principal, { needs, weight: 1, decide: (set) => removeTag(set, modules, id) }),
      );
    },

    async count(principal, moduleName, text) {
      const module = usable(principal, moduleName, 'View');
      return relatedReads.count(principal.org.id, module.apiName, TAG_FIELD, pathId(text));
    },

    add: (principal, module, ids, tags, overwrite) =>
      apply(principal, module, ids, tags, overwrite ? 'replace' : 'add'),
    take: (principal, module, ids, names) =>
      apply(
        principal,
        module,
        ids,
        names.map((name) => ({ name })),
        'remove',
      ),
  };
}

function tagsIn({ values }: StoredRecord, names: ReadonlyMap<RecordId, string>): { id: RecordId; name: string }[] {
  return tagRefs(values[TAG_FIELD]).flatMap(({ id }) => {
    const name = names.get(id);
    return name === undefined ? [] : [{ id, name }];
  });
}

function requireRoom(known: readonly StoredRecord[], tags: readonly TagInput[]): void {
  const names = new Set(known.map(({ values }) => keyValue(String(values[TAG_NAME]))));
  for (const { name } of tags) names.add(keyValue(name));
  if (names.size > Math.max(MAX_TAGS_PER_MODULE, known.length)) {
    throw new AppError('LIMIT_EXCEEDED', 'the module has as many tags as it may have', { limit: MAX_TAGS_PER_MODULE });
  }
}
