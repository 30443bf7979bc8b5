import { MAX_RECORDS_PER_CHANGE } from '../domain/change.ts';
import { AppError } from '../domain/error.ts';
import type { OrgId, RecordId, UserId } from '../domain/ids.ts';
import type { Json } from '../domain/json.ts';
import type { Module } from '../domain/module.ts';
import { type Catalog, findModule, mayUse } from '../domain/modules/catalog.ts';
import type { Principal, User } from '../domain/org.ts';
import { type RecordRef, recordKey, type StoredRecord } from '../domain/record.ts';
import { createAll, deleteAll, updateAll, upsertAll, type Written } from '../domain/records/call.ts';
import { readRecordId } from '../domain/records/ids.ts';
import { lookupTarget, type RecordInput, readInput, userTarget } from '../domain/records/input.ts';
import { checkFields } from '../domain/records/keys.ts';
import { needsOf, recordsNeeded } from '../domain/records/needs.ts';
import { malformedId } from '../domain/records/refusals.ts';
import { done, type Result, refused } from '../domain/records/result.ts';
import type { Names } from '../domain/records/shown.ts';
import type { Needs, WorkingSet } from '../domain/working-set.ts';
import type { AccountStore, RecordReads } from '../storage/store.ts';
import type { Writer } from './writer.ts';

export interface WriteResults {
  /** In request order. */
  readonly results: readonly Result<Written>[];
  /** Whoever created or modified a record written. */
  readonly user: (id: UserId) => User | undefined;
}

export interface FoundRecords {
  readonly module: Module;
  readonly records: readonly StoredRecord[];
  readonly moreRecords: boolean;
  readonly names: Names;
}

interface ListQuery {
  /** From 1. */
  readonly page: number;
  /** 1 … 200. */
  readonly perPage: number;
  /** Only these, at most 100. */
  readonly ids?: readonly string[];
}

/**
 * Records of one module for one caller. Every method refuses a module that has none (INVALID_MODULE) or that the caller
 * may not use (NO_PERMISSION); a write takes 1 … 100 records and judges each alone.
 */
export interface Records {
  create(principal: Principal, module: string, items: readonly Json[]): Promise<WriteResults>;
  /** Each item names its record by `id`, unless `id` says it for the only one. */
  update(principal: Principal, module: string, items: readonly Json[], id?: string): Promise<WriteResults>;
  /** `checkFields` are those compared to find the record, in this order; the module's own when absent. */
  upsert(
    principal: Principal,
    module: string,
    items: readonly Json[],
    checkFields?: readonly string[],
  ): Promise<WriteResults>;
  remove(principal: Principal, module: string, ids: readonly string[]): Promise<WriteResults>;
  /** At most one record. An id that is none at all is refused (INVALID_DATA). */
  find(principal: Principal, module: string, id: string): Promise<FoundRecords>;
  /** Newest first. */
  list(principal: Principal, module: string, query: ListQuery): Promise<FoundRecords>;
}

export interface RecordsParts {
  readonly writer: Writer;
  readonly reads: RecordReads;
  readonly accounts: AccountStore;
}

/** Rows that one record write makes, about: itself, its keys, its share of the change. */
const ROWS_PER_RECORD = 3;

export function createRecords({ writer, reads, accounts }: RecordsParts): Records {
  async function write(
    { org, user }: Principal,
    size: number,
    needs: Needs,
    decide: (set: WorkingSet) => Result<Written>[],
  ): Promise<WriteResults> {
    const results = await writer.submit(org.id, { needs, weight: size * ROWS_PER_RECORD, decide });
    const creators = results.flatMap((result) => (result.ok ? [result.value.record.createdBy] : []));
    return { results, user: await findUsers(org.id, creators, user) };
  }

  async function findUsers(org: OrgId, ids: readonly UserId[], caller: User): Promise<WriteResults['user']> {
    const others = [...new Set(ids)].filter((id) => id !== caller.id);
    const found = others.length > 0 ? await accounts.findUsers(org, others) : [];
    const byId = new Map([caller, ...found].map((user) => [user.id, user]));
    return (id) => byId.get(id);
  }

  async function named(
    { org, user, catalog }: Principal,
    module: Module,
    records: readonly StoredRecord[],
  ): Promise<Names> {
    const refs = records.flatMap((record) => lookupsOf(catalog, module, record));
    const [users, names] = await Promise.all([
      findUsers(
        org.id,
        records.flatMap((record) => usersOf(module, record)),
        user,
      ),
      refs.length > 0 ? reads.names(org.id, refs) : new Map<string, string>(),
    ]);
    return { timeZone: org.timeZone, user: users, record: (ref) => names.get(recordKey(ref.module, ref.id)) };
  }

  return {
    async create(principal, moduleName, items) {
      const module = usable(principal, moduleName, 'Create');
      const inputs = readAll(module, items);
      return write(principal, items.length, needsOf(module, inputs), (set) =>
        createAll(set, module, inputs, principal.user),
      );
    },

    async update(principal, moduleName, items, id) {
      const module = usable(principal, moduleName, 'Edit');
      const only = id === undefined ? undefined : pathId(id);
      if (only !== undefined && items.length > 1) throw tooMany(1);
      const inputs = readAll(module, items);
      const needs = needsOf(module, inputs, { only });
      return write(principal, items.length, needs, (set) => updateAll(set, module, inputs, principal.user, only));
    },

    async upsert(principal, moduleName, items, asked) {
      const module = usable(principal, moduleName, 'Create');
      const compared = asked ? checkable(module, asked) : checkFields(module);
      const inputs = readAll(module, items);
      return write(principal, items.length, needsOf(module, inputs, { checkFields: compared }), (set) =>
        upsertAll(set, module, inputs, compared, principal.user),
      );
    },

    async remove(principal, moduleName, texts) {
      const module = usable(principal, moduleName, 'Delete');
      if (texts.length > MAX_RECORDS_PER_CHANGE) throw tooManyIds();
      const ids = texts.map(readId);
      return write(principal, ids.length, recordsNeeded(module, ids), (set) =>
        deleteAll(set, module, ids, principal.user),
      );
    },

    async find(principal, moduleName, text) {
      const module = usable(principal, moduleName, 'View');
      const records = await reads.findMany(principal.org.id, module.apiName, [pathId(text)]);
      return { module, records, moreRecords: false, names: await named(principal, module, records) };
    },

    async list(principal, moduleName, { page, perPage, ids }) {
      const module = usable(principal, moduleName, 'View');
      const { records, moreRecords } = ids
        ? pageOf(await reads.findMany(principal.org.id, module.apiName, listIds(ids)), page, perPage)
        : await reads.list(principal.org.id, module.apiName, page, perPage);
      return { module, records, moreRecords, names: await named(principal, module, records) };
    },
  };
}

function usable(
  { profile, catalog }: Principal,
  moduleName: string,
  act: 'View' | 'Create' | 'Edit' | 'Delete',
): Module {
  const module = findModule(catalog, moduleName);
  if (!module?.hasRecords) throw new AppError('INVALID_MODULE', 'the module name given seems to be invalid');
  if (!mayUse(profile, module.apiName)) {
    throw new AppError('NO_PERMISSION', 'permission denied', {
      permissions: [`Crm_Implied_${act}_${module.apiName}`],
    });
  }
  return module;
}

function readAll(module: Module, items: readonly Json[]): Result<RecordInput>[] {
  if (items.length > MAX_RECORDS_PER_CHANGE) throw tooMany(MAX_RECORDS_PER_CHANGE);
  return items.map((item, i) => readInput(module, item, `$.data[${i}]`));
}

const tooMany = (maximum: number): AppError =>
  new AppError('INVALID_DATA', 'invalid data', { maximum_length: maximum, api_name: 'data', json_path: '$.data' });

const tooManyIds = (): AppError =>
  new AppError('INVALID_DATA', 'invalid data', { maximum_length: MAX_RECORDS_PER_CHANGE, api_name: 'ids' });

function checkable(module: Module, asked: readonly string[]): readonly string[] {
  const fields = checkFields(module);
  const unknown = asked.findIndex((name) => !fields.includes(name));
  if (unknown < 0) return asked;
  throw new AppError('INVALID_DATA', 'invalid data', {
    supported_values: fields,
    api_name: 'duplicate_check_fields',
    json_path: `$.duplicate_check_fields[${unknown}]`,
  });
}

function readId(text: string): Result<RecordId> {
  const id = readRecordId(text.trim());
  return id ? done(id) : refused(malformedId());
}

/** The id that a URL names; there is nothing to go on with when it is none. */
function pathId(text: string): RecordId {
  const id = readId(text);
  if (id.ok) return id.value;
  throw new AppError(id.refusal.code, id.refusal.message, id.refusal.details);
}

function listIds(texts: readonly string[]): RecordId[] {
  if (texts.length > MAX_RECORDS_PER_CHANGE) throw tooManyIds();
  return [...new Set(texts.map(pathId))];
}

function pageOf(all: readonly StoredRecord[], page: number, perPage: number) {
  const newestFirst = all.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const from = (page - 1) * perPage;
  return { records: newestFirst.slice(from, from + perPage), moreRecords: all.length > from + perPage };
}

const usersOf = (module: Module, record: StoredRecord): UserId[] => [
  record.createdBy,
  record.modifiedBy,
  ...module.fields.flatMap((field) => userTarget(field, record.values[field.apiName]) ?? []),
];

const lookupsOf = (
  catalog: Catalog,
  module: Module,
  record: StoredRecord,
): (RecordRef & { readonly nameField: string })[] =>
  module.fields.flatMap((field) => {
    const target = lookupTarget(field, record.values[field.apiName]);
    const nameField = target && findModule(catalog, target.module)?.nameField;
    return target && nameField !== undefined ? [{ ...target, nameField }] : [];
  });
