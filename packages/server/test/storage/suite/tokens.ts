import { describe, expect, it } from 'vitest';
import type { UserId } from '../../../src/domain/ids.ts';
import type { Issue, Store, StoredToken } from '../../../src/storage/store.ts';
import { type Open, ORG, OTHER_ORG, PATRICIA, START } from './sample.ts';

const token: StoredToken = {
  hash: 'a1',
  kind: 'grant',
  orgId: ORG,
  userId: PATRICIA,
  clientId: '1000.A',
  scopes: ['ZohoCRM.modules.ALL'],
  redirectUri: 'https://app.example/back',
  expiresAt: START + 1000,
  createdAt: START,
};
const refresh: StoredToken = { ...token, hash: 'r0', kind: 'refresh', source: 'a1' };

/** An access token from the refresh token, so many milliseconds after the start. */
const access = (at: number, more: Omit<Issue, 'token'> = {}): Issue => ({
  token: {
    hash: `access-${at}`,
    kind: 'access',
    orgId: ORG,
    userId: PATRICIA,
    clientId: '1000.A',
    scopes: [],
    source: refresh.hash,
    expiresAt: START + at + 1000,
    createdAt: START + at,
  },
  ...more,
});

async function foundOf(store: Store, hashes: readonly string[]): Promise<string[]> {
  const found = await Promise.all(hashes.map((hash) => store.tokens.find(hash)));
  return found.flatMap((one) => one?.hash ?? []);
}

const admin: StoredToken = { hash: 'b2', kind: 'admin', orgId: ORG, scopes: [], createdAt: START };

export function tokenSuite(open: Open): void {
  describe('tokens', () => {
    it('keeps a token as it was given, over a restart', async () => {
      const { store, reopen } = await open();
      await store.tokens.add(token);
      await store.tokens.add(admin);
      const { tokens } = await reopen();
      expect(await tokens.find('a1')).toEqual(token);
      expect(await tokens.find('b2')).toEqual(admin);
      expect(await tokens.find('c3')).toBeUndefined();
    });

    it('lets exactly one of many callers spend a grant, which stays to be counted', async () => {
      const { store } = await open();
      await store.tokens.add(token);
      const spent = await Promise.all(Array.from({ length: 10 }, () => store.tokens.spend('a1', START + 5)));
      expect(spent.filter(Boolean)).toHaveLength(1);
      expect(await store.tokens.find('a1')).toEqual({ ...token, spentAt: START + 5 });
      expect(await store.tokens.spend('c3', START)).toBe(false);
    });

    it('removes what has expired and leaves what has no end', async () => {
      const { store } = await open();
      await store.tokens.add(token);
      await store.tokens.add({ ...token, hash: 'd4', expiresAt: START + 5000 });
      await store.tokens.add(admin);
      await store.tokens.removeExpired(START + 5000);
      expect(await Promise.all(['a1', 'b2', 'd4'].map(async (hash) => (await store.tokens.find(hash))?.hash))).toEqual([
        undefined,
        'b2',
        'd4',
      ]);
    });

    it('issues a token from what still stands, and what follows from it in the same step', async () => {
      const { store } = await open();
      await store.tokens.add({ ...token, spentAt: START });
      const issues = [{ token: { ...refresh, source: token.hash } }, access(1)] as const;
      expect(await store.tokens.issue(issues)).toEqual({ kind: 'issued', ended: [] });
      expect(await store.tokens.find('access-1')).toEqual(access(1).token);
      await store.tokens.remove(refresh.hash);
      expect(await store.tokens.issue([access(2)])).toEqual({ kind: 'refused', reason: 'gone' });
      expect(await foundOf(store, ['access-1', 'access-2'])).toEqual([]);
    });

    it('issues a token from a client that is there', async () => {
      const { store } = await open();
      const issue: Issue = { token: { ...access(1).token, source: '1000.A' } };
      expect(await store.tokens.issue([issue])).toEqual({ kind: 'refused', reason: 'gone' });
      const client = { id: '1000.A', orgId: ORG, name: 'A', secretHash: 'x', redirectUris: [], createdAt: START };
      await store.clients.add(client);
      expect(await store.tokens.issue([issue])).toEqual({ kind: 'issued', ended: [] });
    });

    it('issues no more from one source than the limit, however many race, and counts its window only', async () => {
      const { store } = await open();
      await store.tokens.add(refresh);
      const limited = (at: number) => access(at, { atMost: { count: 3, since: START + at - 100 } });
      const raced = await Promise.all([1, 2, 3, 4, 5, 6].map((at) => store.tokens.issue([limited(at)])));
      expect(raced.filter(({ kind }) => kind === 'issued')).toHaveLength(3);
      expect(raced).toContainEqual({ kind: 'refused', reason: 'limited' });
      expect((await store.tokens.issue([limited(100)])).kind).toBe('refused');
      expect((await store.tokens.issue([limited(110)])).kind).toBe('issued');
    });

    it('ends the oldest of a source beyond what may be kept, never the new one', async () => {
      const { store } = await open();
      await store.tokens.add(refresh);
      const kept = (at: number) => access(at, { keep: { count: 2, of: 'source' } });
      await store.tokens.issue([kept(3)]);
      await store.tokens.issue([kept(2)]);
      expect(await store.tokens.issue([kept(1)])).toEqual({ kind: 'issued', ended: ['access-2'] });
      expect(await foundOf(store, ['access-1', 'access-2', 'access-3'])).toEqual(['access-1', 'access-3']);
    });

    it('ends the oldest of a user with what was issued from it, and asks for no room from the expired', async () => {
      const { store } = await open();
      await store.tokens.add({ ...token, spentAt: START });
      const of = (hash: string, at: number, more: Partial<StoredToken> = {}): Issue => ({
        token: {
          hash,
          kind: 'refresh',
          orgId: ORG,
          userId: PATRICIA,
          scopes: [],
          createdAt: at,
          ...more,
          source: 'a1',
        },
        keep: { count: 2, of: 'user' },
      });
      await store.tokens.issue([of('other', START, { userId: '9' as UserId })]);
      await store.tokens.issue([of('old', START, { expiresAt: START + 1 })]);
      await store.tokens.issue([of(refresh.hash, START + 1)]);
      await store.tokens.issue([access(2)]);
      await store.tokens.issue([of('r1', START + 2)]);
      const answer = await store.tokens.issue([of('r2', START + 3)]);
      expect(answer.kind === 'issued' && answer.ended.toSorted()).toEqual(['access-2', refresh.hash]);
      expect(await foundOf(store, ['other', 'old', 'r0', 'access-2', 'r1', 'r2'])).toEqual([
        'other',
        'old',
        'r1',
        'r2',
      ]);
    });

    it('removes a token with what was issued from it', async () => {
      const { store } = await open();
      await store.tokens.add(refresh);
      await store.tokens.issue([access(1)]);
      expect((await store.tokens.remove(refresh.hash)).toSorted()).toEqual(['access-1', refresh.hash]);
      expect(await store.tokens.remove(refresh.hash)).toEqual([]);
    });

    it('lists what lives in one organisation, newest first, by user and client', async () => {
      const { store } = await open();
      const other = { ...refresh, hash: 'o1', clientId: '1000.B', userId: '9' as UserId, createdAt: START + 9 };
      for (const one of [token, admin, refresh, other]) await store.tokens.add(one);
      await store.tokens.add({ ...refresh, hash: 'x1', orgId: OTHER_ORG });
      await store.tokens.add({ ...token, hash: 'spent', spentAt: START });
      const { expiresAt: _end, ...endless } = refresh;
      await store.tokens.add({ ...endless, hash: 'r1' });
      const hashes = async (filter: object, now: number, page = 1, perPage = 10) =>
        (await store.tokens.list(ORG, filter, now, page, perPage)).tokens.map(({ hash }) => hash);
      expect(await hashes({}, START + 999)).toEqual(['o1', 'a1', 'b2', 'r0', 'r1']);
      expect(await hashes({}, START + 1000)).toEqual(['b2', 'r1']);
      expect(await hashes({ userId: PATRICIA }, START)).toEqual(['a1', 'r0', 'r1']);
      expect(await hashes({ clientId: '1000.B' }, START)).toEqual(['o1']);
      expect(await hashes({ clientId: '1000.B', userId: PATRICIA }, START)).toEqual([]);
      expect(await hashes({}, START, 2, 2)).toEqual(['b2', 'r0']);
      expect((await store.tokens.list(ORG, {}, START, 2, 2)).moreTokens).toBe(true);
      expect((await store.tokens.list(ORG, {}, START, 3, 2)).moreTokens).toBe(false);
    });

    it('finds a token by the beginning of its hash when it is the only one, in its own organisation', async () => {
      const { store } = await open();
      for (const hash of ['abc1', 'abc2', 'abd1']) await store.tokens.add({ ...refresh, hash });
      const found = async (org: typeof ORG, prefix: string) => (await store.tokens.findByPrefix(org, prefix))?.hash;
      expect(await found(ORG, 'abd')).toBe('abd1');
      expect(await found(ORG, 'abc1')).toBe('abc1');
      expect(await found(ORG, 'abc')).toBeUndefined();
      expect(await found(OTHER_ORG, 'abd')).toBeUndefined();
    });

    it('replaces the one of its kind that a user has, however many race', async () => {
      const { store } = await open();
      const key = (hash: string) => ({ ...admin, hash, kind: 'sign-in', userId: PATRICIA }) as const;
      await store.tokens.add(refresh);
      await store.tokens.add({ ...key('other'), userId: '9' as UserId });
      const raced = ['s1', 's2', 's3', 's4'];
      await Promise.all(raced.map((hash) => store.tokens.replace(key(hash))));
      expect(await foundOf(store, raced)).toHaveLength(1);
      expect(await foundOf(store, ['r0', 'other'])).toEqual(['r0', 'other']);
    });

    it('ends the tokens of a user or a client, all or of one kind', async () => {
      const { store } = await open();
      const signIn: StoredToken = { ...admin, hash: 's1', kind: 'sign-in', userId: PATRICIA };
      for (const one of [token, admin, refresh, signIn]) await store.tokens.add(one);
      await store.tokens.add({ ...refresh, hash: 'x1', orgId: OTHER_ORG });
      const all = ['a1', 'b2', 'r0', 's1', 'x1'];
      expect(await store.tokens.removeOf(ORG, { userId: PATRICIA }, 'sign-in')).toBe(1);
      expect(await foundOf(store, all)).toEqual(['a1', 'b2', 'r0', 'x1']);
      expect(await store.tokens.removeOf(ORG, { clientId: '1000.A' })).toBe(2);
      expect(await foundOf(store, all)).toEqual(['b2', 'x1']);
    });
  });
}
