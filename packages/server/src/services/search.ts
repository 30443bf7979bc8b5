import { AppError } from '../domain/error.ts';
import type { OrgId, RecordId } from '../domain/ids.ts';
import type { Module } from '../domain/module.ts';
import type { Principal } from '../domain/org.ts';
import { candidatesFor } from '../domain/search/plan.ts';
import { conditionOf, type Question } from '../domain/search/question.ts';
import type { AccountStore, RecordReads, SearchReads } from '../storage/store.ts';
import { createNaming } from './naming.ts';
import { usable } from './record-access.ts';
import type { FoundRecords } from './records.ts';
import { createTurns } from './turns.ts';

/** A search finds this many records, however they are paged. */
const MAX_FOUND = 2000;

export interface SearchPolicy {
  /** Records that are looked at in one step, between which other reads come in. */
  readonly sliceSize: number;
  /** Records that one search may look at; beyond them it is refused. */
  readonly maxLookedAt: number;
  /** Searches of one organisation that look through records at a time, and that may wait for it. */
  readonly atOnce: number;
  readonly waiting: number;
}

export const DEFAULT_SEARCH_POLICY: SearchPolicy = {
  sliceSize: 2000,
  maxLookedAt: 5_000_000,
  atOnce: 2,
  waiting: 100,
};

interface Page {
  /** From 1. */
  readonly page: number;
  /** 1 … 200. */
  readonly perPage: number;
}

export interface Search {
  /**
   * The matching records of one module, newest first. Refuses a module that has none (INVALID_MODULE) or that the caller
   * may not use (NO_PERMISSION), what cannot be read (INVALID_QUERY), a page beyond 2000 records and a search that
   * would look at too many (LIMIT_EXCEEDED).
   */
  find(principal: Principal, module: string, question: Question, page: Page): Promise<FoundRecords>;
  /** How many there are, in the same way. */
  count(principal: Principal, module: string, question: Question): Promise<number>;
}

export interface SearchParts {
  readonly search: SearchReads;
  readonly reads: RecordReads;
  readonly accounts: AccountStore;
  readonly policy: SearchPolicy;
}

export function createSearch({ search, reads, accounts, policy }: SearchParts): Search {
  const naming = createNaming({ reads, accounts });
  const takeTurn = createTurns(policy);

  /** Ids of the records that match, newest first, step by step. `wanted` says how many more are of use. */
  async function* steps(org: OrgId, module: Module, question: Question, wanted: () => number) {
    const condition = conditionOf(module, question);
    const candidates = candidatesFor(module, condition);
    let below: RecordId | undefined;
    for (let lookedAt = 0; wanted() > 0; lookedAt += policy.sliceSize) {
      if (lookedAt >= policy.maxLookedAt) throw tooMuch(policy.maxLookedAt);
      const page = { candidates, condition, below, size: policy.sliceSize, limit: wanted() };
      const { ids, last } = await search.slice(org, module.apiName, page);
      yield ids;
      if (last === undefined) break;
      below = last;
    }
  }

  /** Ids of up to `limit` records that match, newest first. */
  async function matching(org: OrgId, module: Module, question: Question, limit: number): Promise<RecordId[]> {
    const found: RecordId[] = [];
    for await (const ids of steps(org, module, question, () => limit - found.length)) found.push(...ids);
    return found;
  }

  async function countMatching(org: OrgId, module: Module, question: Question): Promise<number> {
    let count = 0;
    for await (const ids of steps(org, module, question, () => policy.sliceSize)) count += ids.length;
    return count;
  }

  return {
    async find(principal, moduleName, question, { page, perPage }) {
      const module = usable(principal, moduleName, 'View');
      if (page * perPage > MAX_FOUND) throw tooFar();
      const { org } = principal;
      const from = (page - 1) * perPage;
      const ids = await takeTurn(org.id, () => matching(org.id, module, question, from + perPage + 1));
      const shown = ids.slice(from, from + perPage);
      const found = shown.length > 0 ? await reads.findMany(org.id, module.apiName, shown) : [];
      const records = found.toSorted((a, b) => (a.id < b.id ? 1 : -1));
      const names = await naming.named(principal, module, records);
      return { module, records, moreRecords: ids.length > from + perPage, names };
    },

    async count(principal, moduleName, question) {
      const module = usable(principal, moduleName, 'View');
      const { org } = principal;
      return takeTurn(org.id, () => countMatching(org.id, module, question));
    },
  };
}

const tooFar = (): AppError =>
  new AppError('LIMIT_EXCEEDED', `a search finds ${MAX_FOUND} records at most`, { limit: MAX_FOUND, param: 'page' });

const tooMuch = (limit: number): AppError =>
  new AppError('LIMIT_EXCEEDED', 'the search looks at too many records; narrow it by an email, phone or lookup', {
    limit,
  });
