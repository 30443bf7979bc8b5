import { describe, expect, it } from 'vitest';
import type { UserId } from '../../../src/domain/ids.ts';
import type { OAuthClient } from '../../../src/storage/store.ts';
import { type Open, ORG, OTHER_ORG, PATRICIA, START } from './sample.ts';

const client: OAuthClient = {
  id: '1000.A',
  orgId: ORG,
  name: 'Self client',
  secretHash: 'aa',
  redirectUris: ['https://app.example/back', 'http://localhost:3000/'],
  actingUserId: PATRICIA,
  createdAt: START,
};
const plain: OAuthClient = {
  id: '1000.B',
  orgId: ORG,
  name: 'B',
  secretHash: 'bb',
  redirectUris: [],
  createdAt: START + 1,
};

export function clientSuite(open: Open): void {
  describe('clients', () => {
    it('keeps clients as they were given, over a restart', async () => {
      const { store, reopen } = await open();
      await store.clients.add(client);
      await store.clients.add(plain);
      const { clients } = await reopen();
      expect(await clients.find('1000.A')).toEqual(client);
      expect(await clients.find('1000.B')).toEqual(plain);
      expect(await clients.find('1000.C')).toBeUndefined();
    });

    it('lists the clients of one organisation by age, in pages that say whether there is more', async () => {
      const { store } = await open();
      await store.clients.add(plain);
      await store.clients.add(client);
      await store.clients.add({ ...client, id: '1000.0', orgId: OTHER_ORG });
      expect(await store.clients.list(ORG, 1, 1)).toEqual({ clients: [client], moreClients: true });
      expect(await store.clients.list(ORG, 2, 1)).toEqual({ clients: [plain], moreClients: false });
    });

    it('changes what is given and leaves the rest', async () => {
      const { store } = await open();
      await store.clients.add(client);
      expect(await store.clients.change(ORG, client.id, { name: 'New' })).toBe(true);
      expect(await store.clients.find(client.id)).toEqual({ ...client, name: 'New' });
      await store.clients.change(ORG, client.id, { redirectUris: [], actingUserId: '7' as UserId });
      expect(await store.clients.find(client.id)).toEqual({
        ...client,
        name: 'New',
        redirectUris: [],
        actingUserId: '7',
      });
      await store.clients.change(ORG, client.id, { actingUserId: null });
      expect(await store.clients.find(client.id)).not.toHaveProperty('actingUserId');
    });

    it('keeps the secret before the last rotation, and no older one', async () => {
      const { store } = await open();
      await store.clients.add(client);
      expect(await store.clients.rotateSecret(ORG, client.id, 'cc', START + 10)).toBe(true);
      expect(await store.clients.find(client.id)).toEqual({
        ...client,
        secretHash: 'cc',
        formerSecret: { hash: 'aa', until: START + 10 },
      });
      await store.clients.rotateSecret(ORG, client.id, 'dd', START + 20);
      expect((await store.clients.find(client.id))?.formerSecret).toEqual({ hash: 'cc', until: START + 20 });
    });

    it('removes a client with all of its tokens, and nobody else’s', async () => {
      const { store } = await open();
      await store.clients.add(client);
      const token = { kind: 'refresh', orgId: ORG, scopes: [], createdAt: START } as const;
      await store.tokens.add({ ...token, hash: 'a1', clientId: client.id });
      await store.tokens.add({ ...token, hash: 'b2', clientId: plain.id });
      expect(await store.clients.remove(ORG, client.id)).toBe(true);
      expect(await store.clients.find(client.id)).toBeUndefined();
      expect([await store.tokens.find('a1'), (await store.tokens.find('b2'))?.hash]).toEqual([undefined, 'b2']);
      expect(await store.clients.remove(ORG, client.id)).toBe(false);
    });

    it('lets no organisation change, rotate or remove the client of another', async () => {
      const { store } = await open();
      await store.clients.add(client);
      const done = await Promise.all([
        store.clients.change(OTHER_ORG, client.id, { name: 'Taken' }),
        store.clients.rotateSecret(OTHER_ORG, client.id, 'ff', START),
        store.clients.remove(OTHER_ORG, client.id),
      ]);
      expect(done).toEqual([false, false, false]);
      expect(await store.clients.find(client.id)).toEqual(client);
    });
  });
}
