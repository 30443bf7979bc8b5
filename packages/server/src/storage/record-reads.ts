import type { DeletedRecord } from '../domain/deleted-record.ts';
import type { OrgId, RecordId } from '../domain/ids.ts';
import type { RecordRef, StoredRecord } from '../domain/record.ts';
import type { Position, SortOrder } from '../domain/record-list.ts';
import type { Condition } from '../domain/search/condition.ts';
import type { Candidates } from '../domain/search/plan.ts';

/** Reads for answers; they run beside the writer and never delay it. */
export interface RecordReads {
  findMany(org: OrgId, module: string, ids: readonly RecordId[]): Promise<StoredRecord[]>;
  /** Values of the name field for lookups, by `recordKey`; null where it has none, absent where the record is gone. */
  names(org: OrgId, refs: readonly (RecordRef & { readonly nameField: string })[]): Promise<Map<string, string | null>>;
}

/** A part of a list of records. */
export interface RecordPageQuery {
  readonly by: 'id' | 'modified';
  readonly order: SortOrder;
  /** Only what was modified after this time. */
  readonly since?: number | undefined;
  /** Beyond this position, in the list's order. */
  readonly after?: Position | undefined;
  /** So many further on; a big number takes several steps. */
  readonly skip: number;
  readonly limit: number;
}

/** Lists of any length, read in steps that delay nobody. */
export interface RecordListReads {
  page(org: OrgId, module: string, query: RecordPageQuery): Promise<StoredRecord[]>;
  count(org: OrgId, module: string): Promise<number>;
}

interface DeletedQuery {
  readonly type: 'all' | 'recycle' | 'permanent';
  /** Deleted after this time. */
  readonly since: number;
  readonly now: number;
  readonly offset: number;
  readonly limit: number;
}

interface BinQuery {
  readonly now: number;
  /** By the time of deletion. */
  readonly order: 'asc' | 'desc';
  readonly offset: number;
  readonly limit: number;
}

/** Deleted records; what changes them besides age goes through the org's writer. */
export interface DeletedRecordStore {
  findMany(org: OrgId, ids: readonly RecordId[]): Promise<DeletedRecord[]>;
  /** Newest first. */
  listModule(org: OrgId, module: string, query: DeletedQuery): Promise<DeletedRecord[]>;
  /** What can be restored, of these modules. */
  listBin(org: OrgId, modules: readonly string[], query: BinQuery): Promise<DeletedRecord[]>;
  countBin(org: OrgId, modules: readonly string[], now: number): Promise<number>;
  /** Removes some of what is too old, values or all; says whether there may be more. */
  purge(org: OrgId, now: number): Promise<boolean>;
}

export interface SearchSliceQuery {
  readonly candidates: Candidates;
  readonly condition: Condition;
  /** Only candidates older than this one. */
  readonly below?: RecordId | undefined;
  /** Candidates that are looked at. */
  readonly size: number;
  /** Most ids that are wanted. */
  readonly limit: number;
}

export interface SearchSlice {
  /** Of the records that match, newest first. */
  readonly ids: readonly RecordId[];
  /** The oldest candidate looked at; undefined when there are no more. */
  readonly last?: RecordId;
}

/** Searches go slice by slice, so that other reads come in between. */
export interface SearchReads {
  slice(org: OrgId, module: string, query: SearchSliceQuery): Promise<SearchSlice>;
}

export interface RelatedQuery {
  /** From 1. */
  readonly page: number;
  /** 1 … 200. */
  readonly perPage: number;
  readonly sortBy: 'created' | 'modified';
  readonly ascending: boolean;
}

/** Finds records by what they point at, and by external ids. */
export interface RelatedReads {
  /** The oldest record that holds each of these folded values, by value. */
  holders(org: OrgId, module: string, field: string, values: readonly string[]): Promise<Map<string, RecordId>>;
  /** Records of the module that point at `target` by one of the fields. */
  page(
    org: OrgId,
    module: string,
    fields: readonly string[],
    target: RecordId,
    query: RelatedQuery,
  ): Promise<{ readonly records: readonly StoredRecord[]; readonly moreRecords: boolean }>;
  /** Ids of those that point at one of the targets, ascending from after `after` (empty: from the first). */
  ids(
    org: OrgId,
    module: string,
    fields: readonly string[],
    targets: readonly RecordId[],
    after: string,
    limit: number,
  ): Promise<RecordId[]>;
  count(org: OrgId, module: string, field: string, target: RecordId): Promise<number>;
  /** Of a small module, such as the tags of another: its first 1000 records. */
  all(org: OrgId, module: string): Promise<StoredRecord[]>;
}
