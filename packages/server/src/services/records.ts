import { MAX_RECORDS_PER_CHANGE } from '../domain/change.ts';
import { AppError, type Refusal } from '../domain/error.ts';
import type { RecordId } from '../domain/ids.ts';
import type { Json } from '../domain/json.ts';
import type { Module } from '../domain/module.ts';
import type { Principal } from '../domain/org.ts';
import type { StoredRecord } from '../domain/record.ts';
import { createAll, deleteAll, updateAll, upsertAll } from '../domain/records/call.ts';
import { type RecordInput, readInput } from '../domain/records/input.ts';
import { checkFields } from '../domain/records/keys.ts';
import { needsOf, recordsNeeded } from '../domain/records/needs.ts';
import { done, type Result, refused } from '../domain/records/result.ts';
import type { Names } from '../domain/records/shown.ts';
import type { RecordReads } from '../storage/store.ts';
import type { ExternalIds } from './external-ids.ts';
import type { Naming } from './naming.ts';
import { orThrow, pathId, readId, tooMany, tooManyIds, usable } from './record-access.ts';
import type { WriteRecords, WriteResults } from './record-writes.ts';

export interface FoundRecords {
  readonly module: Module;
  readonly records: readonly StoredRecord[];
  readonly moreRecords: boolean;
  readonly names: Names;
}

/**
 * Records of one module for one caller. Every method refuses a module that has none (INVALID_MODULE) or that the caller
 * may not use (NO_PERMISSION); a write takes 1 … 100 records and judges each alone.
 */
export interface Records {
  create(principal: Principal, module: string, items: readonly Json[], how?: WriteOptions): Promise<WriteResults>;
  /** Each item names its record by `id`, unless `id` says it for the only one. */
  update(
    principal: Principal,
    module: string,
    items: readonly Json[],
    id?: string,
    how?: WriteOptions,
  ): Promise<WriteResults>;
  /** `checkFields` are those compared to find the record, in this order; the module's own when absent. */
  upsert(
    principal: Principal,
    module: string,
    items: readonly Json[],
    checkFields?: readonly string[],
    how?: WriteOptions,
  ): Promise<WriteResults>;
  remove(principal: Principal, module: string, ids: readonly string[], how?: WriteOptions): Promise<WriteResults>;
  /** At most one record. An id that is none at all is refused (INVALID_DATA). */
  find(principal: Principal, module: string, id: string, how?: WriteOptions): Promise<FoundRecords>;
}

export interface WriteOptions {
  /** The field whose values are given instead of ids. */
  readonly external?: string | undefined;
  /** Whether given rows of a subform take the place of all that it had. */
  readonly replacesRows?: boolean;
}

export interface RecordsParts {
  readonly write: WriteRecords;
  readonly naming: Naming;
  readonly externalIds: ExternalIds;
  readonly reads: RecordReads;
}

export function createRecords({ write, naming, externalIds, reads }: RecordsParts): Records {
  /** The records that a URL names, by id or by the external field. */
  async function resolve(
    { org }: Principal,
    module: Module,
    texts: readonly string[],
    external: string | undefined,
  ): Promise<Result<RecordId>[]> {
    if (external === undefined) return texts.map(readId);
    const ids = await externalIds.find(org.id, module, external, texts);
    return texts.map((text) => {
      const id = ids.get(text);
      return id ? done(id) : refused(unknownValue(external));
    });
  }

  return {
    async create(principal, moduleName, items, how) {
      const module = usable(principal, moduleName, 'Create');
      const inputs = readAll(module, items, how);
      return write(principal, items.length, needsOf(module, inputs), (set) =>
        createAll(set, module, inputs, principal.user),
      );
    },

    async update(principal, moduleName, items, text, how = {}) {
      const module = usable(principal, moduleName, 'Edit');
      if (text !== undefined && items.length > 1) throw tooMany(1);
      const [named] = text === undefined ? [] : await resolve(principal, module, [text], how.external);
      const only = named && orThrow(named);
      const read = readAll(module, items, how);
      const { external } = how;
      const inputs =
        only || external === undefined ? read : await externalIds.identify(principal.org.id, module, external, read);
      const needs = needsOf(module, inputs, { only });
      return write(principal, items.length, needs, (set) => updateAll(set, module, inputs, principal.user, only));
    },

    async upsert(principal, moduleName, items, asked, how) {
      const module = usable(principal, moduleName, 'Create');
      const compared = asked ? checkable(module, asked) : checkFields(module);
      const inputs = readAll(module, items, how);
      return write(principal, items.length, needsOf(module, inputs, { checkFields: compared }), (set) =>
        upsertAll(set, module, inputs, compared, principal.user),
      );
    },

    async remove(principal, moduleName, texts, how) {
      const module = usable(principal, moduleName, 'Delete');
      if (texts.length > MAX_RECORDS_PER_CHANGE) throw tooManyIds();
      const ids = await resolve(principal, module, texts, how?.external);
      return write(principal, ids.length, recordsNeeded(module, ids), (set) =>
        deleteAll(set, module, ids, principal.user),
      );
    },

    async find(principal, moduleName, text, how) {
      const module = usable(principal, moduleName, 'View');
      const [id] =
        how?.external === undefined ? [done(pathId(text))] : await resolve(principal, module, [text], how.external);
      const records = id?.ok ? await reads.findMany(principal.org.id, module.apiName, [id.value]) : [];
      return { module, records, moreRecords: false, names: await naming.named(principal, module, records) };
    },
  };
}

const unknownValue = (field: string): Refusal => ({
  code: 'INVALID_DATA',
  message: 'the id given seems to be invalid',
  details: { api_name: field },
});

function readAll(module: Module, items: readonly Json[], how: WriteOptions = {}): Result<RecordInput>[] {
  if (items.length > MAX_RECORDS_PER_CHANGE) throw tooMany(MAX_RECORDS_PER_CHANGE);
  return items.map((item, i) => {
    const input = readInput(module, item, `$.data[${i}]`);
    return input.ok && how.replacesRows ? done({ ...input.value, replacesRows: true }) : input;
  });
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
