import { describe, expect, it } from 'vitest';
import type { ProfileId, UserId } from '../../../src/domain/ids.ts';
import type { User } from '../../../src/domain/org.ts';
import {
  addOrgs,
  createRecords,
  markErasing,
  type Open,
  ORG,
  OTHER_ORG,
  openBatches,
  PATRICIA,
  START,
} from './sample.ts';

export function accountSuite(open: Open): void {
  describe('accounts', () => {
    it('keeps organisations and members over a restart', async () => {
      const { store, reopen } = await open();
      await addOrgs(store, OTHER_ORG, ORG);
      const { accounts } = await reopen();
      expect((await accounts.listOrgs()).map(({ id }) => id)).toEqual([ORG, OTHER_ORG]);
      expect(await accounts.findOrg(ORG)).toEqual({ id: ORG, name: `Org ${ORG}`, timeZone: 'Europe/Berlin' });
      expect(await accounts.findMember(ORG, PATRICIA)).toMatchObject({
        org: { id: ORG },
        user: { id: PATRICIA, email: 'p@example.com', firstName: 'Patricia', lastName: 'Boyle' },
        profile: { name: 'Administrator', deniedModules: [] },
      });
    });

    it('takes out an organisation that is being erased, and nothing of another or of one that was made anew', async () => {
      const { store } = await open();
      const { accounts, erasure } = store;
      await addOrgs(store, ORG, OTHER_ORG);
      const batches = openBatches(store);
      for (const org of [ORG, OTHER_ORG]) await batches.run(org, {}, (set) => createRecords(set, 3));
      const takeOut = async () => {
        let rows = 0;
        for (const table of await erasure.tables()) rows += await erasure.removeSome(ORG, table);
        await erasure.removeOrg(ORG);
        return rows;
      };
      expect(await takeOut()).toBe(0);
      await markErasing(batches, ORG);
      expect(await takeOut()).toBeGreaterThan(3);
      expect((await accounts.listOrgs()).map(({ id }) => id)).toEqual([OTHER_ORG]);
      // Another node that was at it as well comes too late.
      await addOrgs(store, ORG);
      expect(await takeOut()).toBe(0);
      expect(await accounts.findMember(ORG, PATRICIA)).toBeDefined();
    });

    it('finds a member in their own organisation only', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      await store.accounts.addOrg({ id: OTHER_ORG, name: 'Other', timeZone: 'UTC' }, START);
      expect(await store.accounts.findMember(OTHER_ORG, PATRICIA)).toBeUndefined();
      expect(await store.accounts.findUsers(OTHER_ORG, [PATRICIA])).toEqual([]);
      expect(await store.accounts.findUsers(ORG, [PATRICIA, '1' as UserId])).toHaveLength(1);
    });

    it('lists members of an organisation by id, in pages that say whether there is more', async () => {
      const { store } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const patricia = (await store.accounts.findMember(ORG, PATRICIA))?.user as User;
      for (const serial of ['9', '1']) {
        const id = `365239700000018600${serial}` as UserId;
        await store.accounts.addUser(ORG, { ...patricia, id, email: `${serial}@example.com` }, START);
      }
      const page = async (number: number) => {
        const { members, moreMembers } = await store.accounts.listMembers(ORG, number, 2);
        return { ids: members.map(({ user }) => user.id.slice(-6)), moreMembers };
      };
      expect(await page(1)).toEqual({ ids: ['186001', '186009'], moreMembers: true });
      expect(await page(2)).toEqual({ ids: ['186017'], moreMembers: false });
    });

    it('denies modules to one profile of one organisation', async () => {
      const { store } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const profile = (await store.accounts.findMember(ORG, PATRICIA))?.profile.id as ProfileId;
      await store.accounts.setDeniedModules(ORG, profile, ['Leads', 'Deals']);
      const denied = async (org: typeof ORG) => (await store.accounts.findMember(org, PATRICIA))?.profile.deniedModules;
      expect(await denied(ORG)).toEqual(['Leads', 'Deals']);
      expect(await denied(OTHER_ORG)).toEqual([]);
    });
  });
}
