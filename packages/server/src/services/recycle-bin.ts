import type { Clock } from '../domain/clock.ts';
import { type Binned, binned, type DeletedRecord } from '../domain/deleted-record.ts';
import { AppError } from '../domain/error.ts';
import type { RecordId, UserId } from '../domain/ids.ts';
import type { Module } from '../domain/module.ts';
import { findField, findModule } from '../domain/modules/catalog.ts';
import type { Principal, User } from '../domain/org.ts';
import type { SortOrder } from '../domain/record-list.ts';
import { keysOf } from '../domain/records/keys.ts';
import { userTarget } from '../domain/records/lookup.ts';
import { type BinItem, removeForGood, restoreAll } from '../domain/records/restore.ts';
import type { Result } from '../domain/records/result.ts';
import { pointsAt } from '../domain/records/targets.ts';
import type { Needs, WorkingSet } from '../domain/working-set.ts';
import type { AccountStore, DeletedRecordStore, RecordReads } from '../storage/store.ts';
import { createNaming } from './naming.ts';
import { pathId, readId, tooManyIds, usable, usableModules } from './record-access.ts';
import type { Writer } from './writer.ts';

/** Most records that one call restores or removes. */
const MAX_IDS = 200;
/** Rows that one of them makes, about: itself, its keys, its place in the bin, its share of the change. */
const ROWS_PER_RECORD = 5;

interface Paging {
  /** From 1. */
  readonly page: number;
  /** 1 … 200. */
  readonly perPage: number;
}

export interface DeletedQuery extends Paging {
  readonly type: 'all' | 'recycle' | 'permanent';
  /** Only what was deleted after this time. */
  readonly since?: number;
}

/** A deleted record as it is shown; without `bin` it is gone for good. */
export interface ShownDeleted {
  readonly module: Module;
  readonly id: RecordId;
  readonly deletedAt: number;
  readonly bin?: Binned & { readonly owner?: UserId };
}

export interface FoundDeleted {
  readonly records: readonly ShownDeleted[];
  readonly moreRecords: boolean;
  readonly user: (id: UserId) => User | undefined;
}

/**
 * Records that were deleted, of the modules that the caller may use. They can be restored for 60 days and are listed for
 * 120.
 */
export interface RecycleBin {
  /** Of one module, newest first. */
  listDeleted(principal: Principal, module: string, query: DeletedQuery): Promise<FoundDeleted>;
  /** What can be restored, by time of deletion. */
  list(principal: Principal, query: Paging & { readonly order: SortOrder }): Promise<FoundDeleted>;
  /** Those of these that can be restored, at most 200. */
  find(principal: Principal, ids: readonly string[]): Promise<FoundDeleted>;
  count(principal: Principal): Promise<number>;
  restore(principal: Principal, ids: readonly string[]): Promise<readonly Result<RecordId>[]>;
  /** For good. */
  remove(principal: Principal, ids: readonly string[]): Promise<readonly Result<RecordId>[]>;
}

export interface RecycleBinParts {
  readonly writer: Writer;
  readonly deleted: DeletedRecordStore;
  readonly reads: RecordReads;
  readonly accounts: AccountStore;
  readonly clock: Clock;
}

export function createRecycleBin({ writer, deleted, reads, accounts, clock }: RecycleBinParts): RecycleBin {
  const naming = createNaming({ reads, accounts });

  async function shown(principal: Principal, found: readonly DeletedRecord[], limit: number): Promise<FoundDeleted> {
    const now = clock.now();
    const records = found.slice(0, limit).flatMap((record): ShownDeleted[] => {
      const module = findModule(principal.catalog, record.module);
      if (!module) return [];
      const bin = binned(record, now);
      const owner = bin && ownerOf(module, bin);
      return [
        {
          ...{ module, id: record.id, deletedAt: record.deletedAt },
          ...(bin && { bin: { ...bin, ...(owner && { owner }) } }),
        },
      ];
    });
    const ids = records.flatMap(({ bin }) =>
      bin ? [bin.deletedBy, bin.record.createdBy, ...(bin.owner ? [bin.owner] : [])] : [],
    );
    const user = await naming.users(principal.org.id, ids, principal.user);
    return { records, moreRecords: found.length > limit, user };
  }

  async function inBin(principal: Principal, ids: readonly RecordId[]): Promise<DeletedRecord[]> {
    const usableNames = new Set(usableModules(principal));
    const found = await deleted.findMany(principal.org.id, ids);
    return found.filter((record) => usableNames.has(record.module) && binned(record, clock.now()));
  }

  /** Decides on each id once, in the order given. What restoring looks at is asked for as the records are now. */
  async function decide(
    principal: Principal,
    texts: readonly string[],
    act: (set: WorkingSet, items: readonly BinItem[], caller: User) => Result<RecordId>[],
  ): Promise<readonly Result<RecordId>[]> {
    if (texts.length > MAX_IDS) throw tooManyIds(MAX_IDS);
    const given = texts.map(readId);
    const ids = [...new Set(given.flatMap((id) => (id.ok ? [id.value] : [])))];
    const found = new Map((await inBin(principal, ids)).map((record) => [record.id, record]));
    const items = ids.map((id): BinItem => {
      const module = findModule(principal.catalog, found.get(id)?.module ?? '');
      return { id, ...(module && { module }) };
    });
    const decided = await writer.submit(principal.org.id, {
      needs: needsOf(items, found),
      weight: ids.length * ROWS_PER_RECORD,
      decide(set) {
        requireSame(set, found);
        return act(set, items, principal.user);
      },
    });
    const byId = new Map(ids.map((id, i) => [id, decided[i]]));
    return given.map((id) => (id.ok ? (byId.get(id.value) ?? id) : id));
  }

  return {
    async listDeleted(principal, moduleName, { type, since = 0, page, perPage }) {
      const module = usable(principal, moduleName, 'View');
      const query = { type, since, now: clock.now(), offset: (page - 1) * perPage, limit: perPage + 1 };
      return shown(principal, await deleted.listModule(principal.org.id, module.apiName, query), perPage);
    },

    async list(principal, { page, perPage, order }) {
      const query = { now: clock.now(), order, offset: (page - 1) * perPage, limit: perPage + 1 };
      const found = await deleted.listBin(principal.org.id, usableModules(principal), query);
      return shown(principal, found, perPage);
    },

    async find(principal, texts) {
      if (texts.length > MAX_IDS) throw tooManyIds(MAX_IDS);
      const found = await inBin(principal, [...new Set(texts.map(pathId))]);
      return shown(principal, found, found.length);
    },

    count: (principal) => deleted.countBin(principal.org.id, usableModules(principal), clock.now()),
    restore: (principal, ids) => decide(principal, ids, restoreAll),
    remove: (principal, ids) => decide(principal, ids, removeForGood),
  };
}

function ownerOf(module: Module, { record }: Binned): UserId | undefined {
  const field = module.fields.find(({ type }) => type === 'ownerlookup');
  return field && userTarget(field, record.values[field.apiName]);
}

function needsOf(items: readonly BinItem[], found: ReadonlyMap<RecordId, DeletedRecord>): Needs {
  const restorable = items.flatMap(({ id, module }) => {
    const record = found.get(id)?.bin?.record;
    return module && record ? [{ module, record }] : [];
  });
  return {
    deleted: items.map(({ id }) => id),
    keys: restorable.flatMap(({ module, record }) =>
      keysOf(module, record.values).filter(({ field }) => findField(module, field)?.unique),
    ),
    records: restorable.flatMap(({ module, record }) => pointsAt(module, record.values)),
  };
}

/** Restored and deleted anew in between, a record may have other values than those whose holders were looked up. */
function requireSame(set: WorkingSet, found: ReadonlyMap<RecordId, DeletedRecord>): void {
  for (const [id, { deletedAt, bin }] of found) {
    const now = set.deleted.get(id);
    if (now?.bin && (now.deletedAt !== deletedAt || now.bin.record.modifiedAt !== bin?.record.modifiedAt)) {
      throw new AppError('SERVICE_UNAVAILABLE', 'The record was changed meanwhile');
    }
  }
}
