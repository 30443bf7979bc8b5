import type { Clock } from '../domain/clock.ts';
import { AppError } from '../domain/error.ts';
import type { Module } from '../domain/module.ts';
import type { Principal } from '../domain/org.ts';
import type { StoredRecord } from '../domain/record.ts';
import { type Position, reversed, type SortField, type SortOrder } from '../domain/record-list.ts';
import type { AccountStore, RecordListReads, RecordReads } from '../storage/store.ts';
import { createNaming } from './naming.ts';
import { type Cursor, PAGE_TOKEN_LIFE_MS, type PageTokens } from './page-tokens.ts';
import { listIds, usable } from './record-access.ts';
import type { FoundRecords } from './records.ts';

export interface ListQuery {
  /** By id when absent. */
  readonly sortBy?: SortField;
  /** Newest first when absent. */
  readonly order?: SortOrder;
  /** Only what was modified after this time. */
  readonly since?: number;
  /** From 1. */
  readonly page: number;
  /** 1 … 200. */
  readonly perPage: number;
  /** Goes on where another page ended, in that page's order; then `page` says nothing. */
  readonly pageToken?: string;
  /** Only these, at most 100. */
  readonly ids?: readonly string[];
}

export interface RecordList extends FoundRecords {
  readonly sortBy: SortField;
  readonly order: SortOrder;
  readonly page: number;
  readonly nextToken?: string;
  readonly previousToken?: string;
  readonly tokensExpireAt?: number;
}

export interface RecordLists {
  list(principal: Principal, module: string, query: ListQuery): Promise<RecordList>;
  count(principal: Principal, module: string): Promise<number>;
}

export interface RecordListsParts {
  readonly lists: RecordListReads;
  readonly reads: RecordReads;
  readonly accounts: AccountStore;
  readonly tokens: PageTokens;
  readonly clock: Clock;
}

/** One page, in the list's order. */
interface Page {
  readonly sortBy: SortField;
  readonly order: SortOrder;
  readonly since?: number;
  readonly page: number;
  readonly records: readonly StoredRecord[];
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
}

export function createRecordLists({ lists, reads, accounts, tokens, clock }: RecordListsParts): RecordLists {
  const naming = createNaming({ reads, accounts });

  async function firstPages(principal: Principal, module: Module, query: ListQuery): Promise<Page> {
    const { sortBy = 'id', order = 'desc', since, page, perPage } = query;
    const records = await lists.page(principal.org.id, module.apiName, {
      by: keyOf(sortBy),
      order,
      since,
      skip: (page - 1) * perPage,
      limit: perPage + 1,
    });
    return {
      ...{ sortBy, order, page, ...(since !== undefined && { since }) },
      records: records.slice(0, perPage),
      hasBefore: page > 1,
      hasAfter: records.length > perPage,
    };
  }

  async function pageBeyond(principal: Principal, module: Module, query: ListQuery, cursor: Cursor): Promise<Page> {
    const { sortBy, order, since, page, isBack, position } = cursor;
    const found = await lists.page(principal.org.id, module.apiName, {
      by: keyOf(sortBy),
      order: isBack ? reversed(order) : order,
      since,
      after: position,
      skip: 0,
      limit: query.perPage + 1,
    });
    const records = found.slice(0, query.perPage);
    const hasMore = found.length > query.perPage;
    return {
      ...{ sortBy, order, page, ...(since !== undefined && { since }) },
      records: isBack ? records.toReversed() : records,
      hasBefore: isBack ? hasMore : true,
      hasAfter: isBack ? true : hasMore,
    };
  }

  async function chosen(principal: Principal, module: Module, query: ListQuery, ids: readonly string[]): Promise<Page> {
    const { sortBy = 'id', order = 'desc', since, page, perPage } = query;
    const found = await reads.findMany(principal.org.id, module.apiName, listIds(ids));
    const all = found
      .filter(({ modifiedAt }) => since === undefined || modifiedAt > since)
      .toSorted((a, b) => compare(positionOf(a, sortBy), positionOf(b, sortBy)));
    const ordered = order === 'asc' ? all : all.reverse();
    const records = ordered.slice((page - 1) * perPage, page * perPage);
    return { sortBy, order, page, records, hasBefore: false, hasAfter: all.length > page * perPage };
  }

  /** The tokens that lead on from a page and back. Pages of chosen ids have none. */
  function tokensOf(principal: Principal, module: Module, page: Page) {
    const first = page.records[0];
    const last = page.records.at(-1);
    const { sortBy, order, since } = page;
    const expiresAt = clock.now() + PAGE_TOKEN_LIFE_MS;
    const token = (record: StoredRecord, isBack: boolean, number: number): string =>
      tokens.seal(principal.org.id, {
        ...{ module: module.apiName, sortBy, order, isBack, expiresAt, ...(since !== undefined && { since }) },
        position: positionOf(record, sortBy),
        page: number,
      });
    return {
      ...(last && page.hasAfter && { nextToken: token(last, false, page.page + 1) }),
      ...(first && page.hasBefore && { previousToken: token(first, true, Math.max(1, page.page - 1)) }),
      ...((page.hasAfter || page.hasBefore) && { tokensExpireAt: expiresAt }),
    };
  }

  return {
    async list(principal, moduleName, query) {
      const module = usable(principal, moduleName, 'View');
      const page = query.ids
        ? await chosen(principal, module, query, query.ids)
        : query.pageToken === undefined
          ? await firstPages(principal, module, query)
          : await pageBeyond(principal, module, query, opened(principal, module, query, query.pageToken));
      return {
        module,
        ...{ records: page.records, moreRecords: page.hasAfter },
        names: await naming.named(principal, module, page.records),
        ...{ sortBy: page.sortBy, order: page.order, page: page.page },
        ...(!query.ids && tokensOf(principal, module, page)),
      };
    },

    count(principal, moduleName) {
      const module = usable(principal, moduleName, 'View');
      return lists.count(principal.org.id, module.apiName);
    },
  };

  /** The token's cursor, if it is still good and belongs to this query. */
  function opened({ org }: Principal, module: Module, query: ListQuery, token: string): Cursor {
    const cursor = tokens.open(org.id, token);
    const isOurs =
      cursor.module === module.apiName &&
      (query.sortBy ?? cursor.sortBy) === cursor.sortBy &&
      (query.order ?? cursor.order) === cursor.order &&
      (query.since ?? cursor.since) === cursor.since;
    const named = { param_name: 'page_token' };
    if (!isOurs) throw new AppError('TOKEN_BOUND_DATA_MISMATCH', 'the page token belongs to another query', named);
    if (clock.now() >= cursor.expiresAt) throw new AppError('EXPIRED_VALUE', 'the page token has expired', named);
    return cursor;
  }
}

/** Ids grow with committed time, which never runs backwards: sorted by one is sorted by the other. */
const keyOf = (sortBy: SortField): 'id' | 'modified' => (sortBy === 'Modified_Time' ? 'modified' : 'id');

const positionOf = ({ id, modifiedAt }: StoredRecord, sortBy: SortField): Position => ({
  at: keyOf(sortBy) === 'id' ? 0 : modifiedAt,
  id,
});

const compare = (a: Position, b: Position): number => a.at - b.at || (a.id < b.id ? -1 : 1);
