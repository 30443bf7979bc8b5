import { describe, expect, it } from 'vitest';
import type { OrgId, RecordId } from '../../src/domain/ids.ts';
import { createSearch, DEFAULT_SEARCH_POLICY, type SearchPolicy } from '../../src/services/search.ts';
import { createTurns } from '../../src/services/turns.ts';
import { openRecords } from '../http/records-fixture.ts';

const PAGE = { page: 1, perPage: 200 };

/** Contacts in a store of their own, and a search over them. */
async function openSearch(policy: Partial<SearchPolicy>, count: number) {
  const { http, send } = await openRecords();
  const data = Array.from({ length: count }, (_, i) => ({ Last_Name: `Name ${i}`, Email: `n${i}@x.example` }));
  const { body } = await send('POST', 'v8/Contacts', { data });
  const { store, principal } = http;
  const search = createSearch({
    search: store.search,
    reads: store.records,
    accounts: store.accounts,
    policy: { ...DEFAULT_SEARCH_POLICY, ...policy },
  });
  const ids: RecordId[] = body.data.map((entry: { details: { id: RecordId } }) => entry.details.id);
  return { search, principal, ids, close: () => http.close() };
}

describe('a search through a large module', () => {
  it('is refused when it would look at too many records, unless it can be narrowed or has found enough', async () => {
    const { search, principal, ids, close } = await openSearch({ sliceSize: 2, maxLookedAt: 4 }, 5);
    const find = (by: 'criteria' | 'email', text: string, perPage = 200) =>
      search.find(principal, 'Contacts', { by, text }, { page: 1, perPage });
    const words = '(Last_Name:starts_with:Name)';
    await expect(find('criteria', words)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', details: { limit: 4 } });
    expect((await find('email', 'n0@x.example')).records.map(({ id }) => id)).toEqual([ids[0]]);
    expect((await find('criteria', words, 2)).records.map(({ id }) => id)).toEqual([ids[4], ids[3]]);
    await close();
  });

  it('goes through all of it in slices', async () => {
    const { search, principal, ids, close } = await openSearch({ sliceSize: 1 }, 3);
    const found = await search.find(principal, 'Contacts', { by: 'word', text: 'name' }, PAGE);
    expect(found.records.map(({ id }) => id)).toEqual(ids.toReversed());
    await close();
  });
});

describe('turns', () => {
  const ORG = '1000001' as OrgId;
  const OTHER = '1000002' as OrgId;

  it('let each organisation do so many works at a time, the others in order', async () => {
    const take = createTurns({ atOnce: 2, waiting: 10 });
    const begun: string[] = [];
    const ends = new Map<string, () => void>();
    const work = (org: OrgId, name: string) =>
      take(org, () => {
        begun.push(name);
        return new Promise<void>((resolve) => ends.set(name, resolve));
      });
    const works = [work(ORG, 'a'), work(ORG, 'b'), work(ORG, 'c'), work(ORG, 'd'), work(OTHER, 'e')];
    expect(begun).toEqual(['a', 'b', 'e']);
    ends.get('b')?.();
    await works[1];
    expect(begun).toEqual(['a', 'b', 'e', 'c']);
    ends.get('a')?.();
    await works[0];
    expect(begun).toEqual(['a', 'b', 'e', 'c', 'd']);
    for (const end of ends.values()) end();
    await Promise.all(works);
  });

  it('are refused when too many wait, and free again after a failure', async () => {
    const take = createTurns({ atOnce: 1, waiting: 1 });
    let fail: (error: Error) => void = () => {};
    const failing = take(ORG, () => new Promise<void>((_, reject) => (fail = reject)));
    const waiting = take(ORG, async () => 'done');
    await expect(take(ORG, async () => 'never')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    fail(new Error('broken'));
    await expect(failing).rejects.toThrow('broken');
    expect(await waiting).toBe('done');
    expect(await take(ORG, async () => 'free')).toBe('free');
  });
});
