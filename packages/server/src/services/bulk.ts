import { AppError } from '../domain/error.ts';
import type { RecordId } from '../domain/ids.ts';
import type { Json, JsonObject } from '../domain/json.ts';
import type { Principal } from '../domain/org.ts';
import { deleteAll, updateAll } from '../domain/records/call.ts';
import { readInput } from '../domain/records/input.ts';
import { needsOf, recordsNeeded } from '../domain/records/needs.ts';
import { done, type Result } from '../domain/records/result.ts';
import { putRecord, takeId, type WorkingSet } from '../domain/working-set.ts';
import type { RecordReads } from '../storage/store.ts';
import { inChunks, type MassResult, withKeyOf } from './chunks.ts';
import { once } from './idempotency.ts';
import { orThrow, pathId, readId, tooManyIds, usable } from './record-access.ts';
import type { WriteRecords } from './record-writes.ts';
import type { Writer } from './writer.ts';

export type MassAction = 'mass_update' | 'mass_delete';

/** What a mass action came to, in numbers. */
export interface Job {
  readonly total: number;
  readonly done: number;
  /** Of an update: records that had the values already. */
  readonly unchanged: number;
  readonly failed: number;
}

/** A small action is answered record by record, a large one with a job to ask about. */
export type MassAnswer =
  | { readonly kind: 'results'; readonly results: readonly MassResult[] }
  | { readonly kind: 'job'; readonly id: string };

/** Updates or deletes up to 5000 records of a module in one call. */
export interface Bulk {
  /** `values` are given to each record; choices of multi-selects are added unless `overwrite`. */
  update(
    principal: Principal,
    module: string,
    ids: readonly string[],
    values: JsonObject,
    overwrite: boolean,
  ): Promise<MassAnswer>;
  remove(principal: Principal, module: string, ids: readonly string[]): Promise<MassAnswer>;
  /** INVALID_DATA when there is no such job of this action and module. */
  job(principal: Principal, module: string, action: MassAction, id: string): Promise<Job>;
}

const MAX_MASS_IDS = 5000;
/** So many are answered one by one, as the API does; more become a job. */
const MAX_ANSWERED = 500;
const JOB_WEIGHT = 1;

/** Jobs are kept as records under this name, which is no module that callers could name. */
const jobModule = (module: string, action: MassAction): string => `jobs.${action}.${module}`;

interface BulkParts {
  readonly writer: Writer;
  readonly write: WriteRecords;
  readonly reads: RecordReads;
}

export function createBulk({ writer, write, reads }: BulkParts): Bulk {
  async function answer(
    principal: Principal,
    module: string,
    action: MassAction,
    results: readonly MassResult[],
  ): Promise<MassAnswer> {
    if (results.length <= MAX_ANSWERED) return { kind: 'results', results };
    const job = countsOf(results);
    const decide = (set: WorkingSet): string => keepJob(set, principal, jobModule(module, action), job);
    const id = await writer.submit(
      principal.org.id,
      once(withKeyOf(principal, 'job'), { needs: {}, weight: JOB_WEIGHT, decide }),
    );
    return { kind: 'job', id };
  }

  return {
    async update(principal, moduleName, texts, values, overwrite) {
      const module = usable(principal, moduleName, 'Edit');
      const ids = readIds(texts);
      const { given } = orThrow(readInput(module, { ...values, id: null }, '$.data[0]'));
      if (given.size === 0)
        throw new AppError('INVALID_DATA', 'invalid data', { api_name: 'data', json_path: '$.data[0]' });
      const results = await inChunks(principal, ids, (once, chunk) => {
        const inputs = chunk.map((id) => done({ path: '$.data[0]', id, given, addsChoices: !overwrite }));
        return write(once, chunk.length, needsOf(module, inputs), (set) =>
          updateAll(set, module, inputs, principal.user),
        );
      });
      return answer(principal, module.apiName, 'mass_update', results);
    },

    async remove(principal, moduleName, texts) {
      const module = usable(principal, moduleName, 'Delete');
      const results = await inChunks(principal, readIds(texts), (once, chunk) => {
        const ids = chunk.map(done);
        return write(once, ids.length, recordsNeeded(module, ids), (set) =>
          deleteAll(set, module, ids, principal.user),
        );
      });
      return answer(principal, module.apiName, 'mass_delete', results);
    },

    async job(principal, moduleName, action, text) {
      const module = usable(principal, moduleName, 'View');
      const [kept] = await reads.findMany(principal.org.id, jobModule(module.apiName, action), [pathId(text)]);
      if (!kept) throw new AppError('INVALID_DATA', 'the job id given seems to be invalid', { api_name: 'job_id' });
      const count = (value: Json | undefined): number => (typeof value === 'number' ? value : 0);
      const { total, done: worked, unchanged, failed } = kept.values;
      return { total: count(total), done: count(worked), unchanged: count(unchanged), failed: count(failed) };
    },
  };
}

function readIds(texts: readonly string[]): (readonly [string, Result<RecordId>])[] {
  if (texts.length > MAX_MASS_IDS) throw tooManyIds(MAX_MASS_IDS);
  return texts.map((text) => [text, readId(text)] as const);
}

function countsOf(results: readonly MassResult[]): Job {
  const written = results.flatMap(({ result }) => (result.ok ? [result.value] : []));
  const changed = written.filter(({ isChanged }) => isChanged).length;
  return {
    total: results.length,
    done: changed,
    unchanged: written.length - changed,
    failed: results.length - written.length,
  };
}

function keepJob(set: WorkingSet, { user }: Principal, module: string, job: Job): string {
  const id = takeId(set) as RecordId;
  const at = { createdAt: set.now, createdBy: user.id, modifiedAt: set.now, modifiedBy: user.id };
  putRecord(set, { module, id, values: { ...job }, ...at }, []);
  return id;
}
