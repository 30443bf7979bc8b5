import { describe, expect, it } from 'vitest';
import type { StoredToken } from '../../../src/storage/store.ts';
import { type Open, ORG, PATRICIA, START } from './sample.ts';

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
  });
}
