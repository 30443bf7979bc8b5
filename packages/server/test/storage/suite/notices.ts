import { describe, expect, it } from 'vitest';
import type { Generation } from '../../../src/domain/ids.ts';
import { tellExpiring } from '../../../src/domain/life-cycle.ts';
import { type Notice, noticeId } from '../../../src/domain/notice.ts';
import { saveOrg } from '../../../src/domain/working-set.ts';
import {
  aboutChannel,
  addOrgs,
  closeChannel,
  createRecords,
  HOUR,
  type Open,
  ORG,
  OTHER_ORG,
  openBatches,
  openChannel,
  PATRICIA,
  passTime,
  START,
} from './sample.ts';

const MINUTE = 60_000;
const QUARTER = START + 45 * MINUTE;
const URL = 'https://owner.example/told?secret=plain-url-secret';

const notice = (version: number, more: Partial<Notice> = {}): Notice => ({
  version,
  part: 0,
  id: noticeId(ORG, { version, part: 0, at: START }),
  generation: 'g' as Generation,
  kind: 'expired',
  body: '{}',
  state: 'pending',
  at: START,
  attemptsMade: 0,
  dueAt: START,
  ...more,
});

export function noticeSuite(open: Open): void {
  describe('notices', () => {
    it('finds the channels whose time has come, and each only until it was told or has expired', async () => {
      const { store, reopen } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const batches = openBatches(store);
      await batches.run(ORG, {}, (set) => {
        for (const id of ['1', '2', '3']) openChannel(set, id);
        openChannel(set, '4', { expiresAt: set.now + 8 * HOUR });
      });
      await batches.run(ORG, aboutChannel('3'), (set) => closeChannel(set, '3'));
      const { notices } = store;
      expect(await notices.look(ORG)).toEqual({ org: ORG, version: 5, told: 0, lookAt: QUARTER });
      expect(await notices.look(OTHER_ORG)).toEqual({ org: OTHER_ORG, version: 0, told: 0 });
      expect(await notices.dueChannels(ORG, QUARTER - 1, 9)).toEqual([]);
      const due = await notices.dueChannels(ORG, QUARTER, 9);
      expect(due.map((channel) => channel.channelId).sort()).toEqual(['1', '2']);
      expect(await notices.dueChannels(ORG, QUARTER, 1)).toHaveLength(1);
      batches.now = QUARTER;
      const told = await batches.run(ORG, { channels: due }, (set) => tellExpiring(set, due));
      expect(told).toBe(2);
      expect((await store.notices.look(ORG))?.lookAt).toBe(START + 55 * MINUTE);
      expect((await notices.untold(ORG, 5, 9)).revisions.map(({ kind }) => kind)).toEqual(['expiring', 'expiring']);
      batches.now = START + HOUR;
      await passTime(batches, ORG);
      expect((await (await reopen()).notices.look(ORG))?.lookAt).toBe(START + 6 * HOUR);
    });

    it('keeps rows and how far it is told together, or neither', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      await expect(store.notices.add(ORG, 7, [notice(6), notice(7, { state: 'lost' as never })])).rejects.toThrow();
      expect(await store.notices.look(ORG)).toMatchObject({ told: 0 });
      await store.notices.add(ORG, 7, [notice(6), notice(7)]);
      // Whoever comes late makes nothing new, and sets nothing back.
      await store.notices.add(ORG, 6, [notice(6, { body: '{"late":true}', part: 0 })]);
      expect(await store.notices.look(ORG)).toMatchObject({ told: 7, dueAt: START });
      const { items } = await store.notices.list(ORG, {}, undefined, 9);
      expect(items.map(({ notice: { version, body } }) => [version, body])).toEqual([
        [7, '{}'],
        [6, '{}'],
      ]);
    });

    it('gives what is due with the URL and the secret of the channel, else of the organisation, as they are now', async () => {
      const { store, reopen } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const signing = { secret: 'whsec_c2VjcmV0', since: 1 };
      const [own, plain] = await openBatches(store).run(ORG, {}, (set) => [
        openChannel(set, '1', { lifecycleUrl: URL, signing }).generation,
        openChannel(set, '2').generation,
      ]);
      await store.notices.add(ORG, 9, [
        notice(7, { generation: own }),
        notice(8, { generation: plain }),
        notice(9, { dueAt: START + 1 }),
      ]);
      const due = async (now = START) =>
        (await (await reopen()).notices.due(ORG, now, undefined, 9)).map(({ url, signing }) => [url, signing?.secret]);
      expect(await due()).toEqual([
        [URL, 'whsec_c2VjcmV0'],
        [undefined, undefined],
      ]);
      const again = await reopen();
      await again.notices.setOrgUrl(ORG, 'https://org.example/');
      expect(await due(START + 1)).toEqual([
        [URL, 'whsec_c2VjcmV0'],
        ['https://org.example/', undefined],
        ['https://org.example/', undefined],
      ]);
      const { notices } = await reopen();
      expect(await notices.due(ORG, START, { dueAt: START, version: 7, part: 0 }, 9)).toHaveLength(1);
      expect(await notices.nextDue(ORG, START)).toBe(START + 1);
      expect(await notices.due(OTHER_ORG, START + HOUR, undefined, 9)).toEqual([]);
      expect(await notices.orgUrl(OTHER_ORG)).toBeUndefined();
    });

    it('finds nothing to do for a suspended organisation', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      await batches.run(ORG, {}, (set) => void openChannel(set, '1', { lifecycleUrl: URL }));
      await store.notices.add(ORG, 1, [notice(1)]);
      await batches.run(ORG, {}, (set) => saveOrg(set, { ...set.org, suspendedAt: set.now }));
      expect(await store.notices.look(ORG)).toBeUndefined();
      expect(await store.notices.looks('', 9)).toEqual([]);
      expect(await store.notices.due(ORG, START + HOUR, undefined, 9)).toEqual([]);
    });

    it('settles what is pending and no other, and makes it pending again', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const { generation } = await openBatches(store).run(ORG, {}, (set) => openChannel(set, '1'));
      await store.notices.add(ORG, 2, [notice(1, { generation }), notice(2, { generation })]);
      const outcome = { kind: 'rejected', status: 500 } as const;
      const failed = { ...notice(1), org: ORG, attemptsMade: 1, dueAt: START + 9, outcome };
      await store.notices.settle([failed, { ...notice(2), org: ORG, state: 'delivered', attemptsMade: 1 }]);
      await store.notices.settle([{ ...notice(2), org: ORG, state: 'parked', attemptsMade: 2 }]);
      const states = async () =>
        (await store.notices.list(ORG, {}, undefined, 9)).items.map(({ notice: { state, dueAt, attemptsMade } }) => [
          state,
          attemptsMade,
          dueAt,
        ]);
      expect(await states()).toEqual([
        ['delivered', 1, START],
        ['pending', 1, START + 9],
      ]);
      expect((await store.notices.find(ORG, { version: 1, part: 0 }))?.outcome).toEqual(outcome);
      for (const version of [1, 2]) await store.notices.sendAgain(ORG, { version, part: 0 }, START + 20);
      expect(await states()).toEqual([
        ['pending', 0, START + 20],
        ['pending', 1, START + 9],
      ]);
      expect(await store.notices.find(ORG, { version: 3, part: 0 })).toBeUndefined();
    });

    it('lists by user, channel and state, in pages', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const [one, two] = await openBatches(store).run(ORG, {}, (set) => [
        openChannel(set, '1').generation,
        openChannel(set, '2').generation,
      ]);
      const made = [notice(1, { generation: one }), notice(1, { generation: one, part: 1, id: 'another' })];
      await store.notices.add(ORG, 2, [...made, notice(2, { generation: two, state: 'parked' })]);
      const listed = async (filter: Parameters<typeof store.notices.list>[1], limit = 9) => {
        const found: string[] = [];
        let next: { version: number; part: number } | undefined;
        do {
          const page = await store.notices.list(ORG, filter, next, limit);
          found.push(...page.items.map(({ notice: { version, part } }) => `${version}/${part}`));
          next = page.next;
        } while (next);
        return found;
      };
      for (const limit of [1, 2, 9]) expect(await listed({}, limit)).toEqual(['2/0', '1/1', '1/0']);
      expect(await listed({ userId: PATRICIA })).toHaveLength(3);
      expect(await listed({ userId: '3652397000000186018' as typeof PATRICIA })).toEqual([]);
      for (const limit of [1, 9]) expect(await listed({ generation: one }, limit)).toEqual(['1/1', '1/0']);
      expect(await listed({ state: 'parked' })).toEqual(['2/0']);
    });

    it('knows the first number that was owed and is cancelled, also once housekeeping has written it down', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      const { generation } = await batches.run(ORG, {}, (set) => {
        const channel = openChannel(set, '1');
        for (let i = 0; i < 5; i += 1) createRecords(set);
        return channel;
      });
      const range = (from: number, to: number) => ({ generation, from, to });
      const asked = [range(0, 5), range(3, 5), range(5, 9), { ...range(0, 5), generation: 'x' as Generation }];
      const expected = [1, 4, undefined, undefined];
      expect(await store.notices.firstCancelled(ORG, asked)).toEqual(expected);
      await store.housekeeping.cancel(ORG, generation, { to: 5, reason: 'skipped', at: START }, 3);
      expect(await store.notices.firstCancelled(ORG, asked)).toEqual(expected);
      const removal = { runs: [{ from: 1, to: 2 }], undelivered: [{ from: 1, to: 2, reason: 'skipped' }] };
      await store.housekeeping.removeNotifications(ORG, generation, removal, START);
      expect(await store.notices.firstCancelled(ORG, asked)).toEqual(expected);
    });
  });
}
