import { MAX_RECORDS_PER_CHANGE } from '../domain/change.ts';
import { AppError } from '../domain/error.ts';
import type { UserId } from '../domain/ids.ts';
import type { Json } from '../domain/json.ts';
import type { Module } from '../domain/module.ts';
import type { Principal, User } from '../domain/org.ts';
import type { StoredRecord } from '../domain/record.ts';
import { createAll, deleteAll, updateAll, upsertAll, type Written } from '../domain/records/call.ts';
import { type RecordInput, readInput } from '../domain/records/input.ts';
import { checkFields } from '../domain/records/keys.ts';
import { needsOf, recordsNeeded } from '../domain/records/needs.ts';
import type { Result } from '../domain/records/result.ts';
import type { Names } from '../domain/records/shown.ts';
import type { Needs, WorkingSet } from '../domain/working-set.ts';
import type { AccountStore, RecordReads } from '../storage/store.ts';
import { createNaming } from './naming.ts';
import { listIds, pathId, readId, tooMany, tooManyIds, usable } from './record-access.ts';
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
  const naming = createNaming({ reads, accounts });

  async function write(
    { org, user }: Principal,
    size: number,
    needs: Needs,
    decide: (set: WorkingSet) => Result<Written>[],
  ): Promise<WriteResults> {
    const results = await writer.submit(org.id, { needs, weight: size * ROWS_PER_RECORD, decide });
    const creators = results.flatMap((result) => (result.ok ? [result.value.record.createdBy] : []));
    return { results, user: await naming.users(org.id, creators, user) };
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
      return { module, records, moreRecords: false, names: await naming.named(principal, module, records) };
    },

    async list(principal, moduleName, { page, perPage, ids }) {
      const module = usable(principal, moduleName, 'View');
      const { records, moreRecords } = ids
        ? pageOf(await reads.findMany(principal.org.id, module.apiName, listIds(ids)), page, perPage)
        : await reads.list(principal.org.id, module.apiName, page, perPage);
      return { module, records, moreRecords, names: await naming.named(principal, module, records) };
    },
  };
}

function readAll(module: Module, items: readonly Json[]): Result<RecordInput>[] {
  if (items.length > MAX_RECORDS_PER_CHANGE) throw tooMany(MAX_RECORDS_PER_CHANGE);
  return items.map((item, i) => readInput(module, item, `$.data[${i}]`));
}

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

function pageOf(all: readonly StoredRecord[], page: number, perPage: number) {
  const newestFirst = all.toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const from = (page - 1) * perPage;
  return { records: newestFirst.slice(from, from + perPage), moreRecords: all.length > from + perPage };
}
