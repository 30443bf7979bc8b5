import { describe, expect, it } from 'vitest';
import { channelKey } from '../../../src/domain/channel.ts';
import type { ChannelIndex } from '../../../src/domain/channel-index.ts';
import { loadedChannel } from '../../../src/domain/working-channels.ts';
import { emptyWrites } from '../../../src/domain/working-set.ts';
import {
  aboutChannel,
  addOrgs,
  channelId,
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

export function channelSuite(open: Open): void {
  describe('channels', () => {
    it('gives back a channel with its URL and token as it was opened', async () => {
      const { store, reopen } = await open();
      await addOrgs(store, ORG);
      const opened = await openBatches(store).run(ORG, {}, (set) =>
        openChannel(set, '-9223372036854775808', {
          token: null,
          conditions: [{ module: 'Deals', rule: { kind: 'field', field: 'Stage' } }],
        }),
      );
      expect(await (await reopen()).channels.listLive(ORG, PATRICIA, START)).toEqual([opened]);
    });

    it('lists what is live by time of opening, to its owner alone', async () => {
      const { store } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const batches = openBatches(store);
      await batches.run(ORG, {}, (set) => openChannel(set, '20'));
      await batches.run(ORG, {}, (set) => openChannel(set, '10', { openedAt: set.now - 5 }));
      await batches.run(ORG, {}, (set) => openChannel(set, '15', { expiresAt: set.now + 1 }));
      await batches.run(ORG, {}, (set) => openChannel(set, '11'));
      await batches.run(ORG, aboutChannel('11'), (set) => closeChannel(set, '11'));
      const ids = async (org: typeof ORG, user = PATRICIA) =>
        (await store.channels.listLive(org, user, START + 1)).map((channel) => channel.channelId);
      expect(await ids(ORG)).toEqual(['10', '20']);
      expect(await ids(OTHER_ORG)).toEqual([]);
      expect(await ids(ORG, '3652397000000186018' as typeof PATRICIA)).toEqual([]);
    });

    it("finds an owner's channel by its id, and an earlier generation of it by that", async () => {
      const { store } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const batches = openBatches(store);
      const first = await batches.run(ORG, {}, (set) => openChannel(set, '1'));
      const find = (generation?: typeof first.generation, channel = '1', user = PATRICIA, org = ORG) =>
        store.channels.findOwn(org, user, { channelId: channelId(channel), ...(generation && { generation }) });
      expect(await find()).toBe(first.generation);
      await batches.run(ORG, aboutChannel('1'), (set) => closeChannel(set, '1'));
      expect(await find()).toBeUndefined();
      const second = await batches.run(ORG, {}, (set) => openChannel(set, '1'));
      expect(await find()).toBe(second.generation);
      expect(await find(first.generation)).toBe(first.generation);
      expect(await find(first.generation, '2')).toBeUndefined();
      expect(await find(first.generation, '1', '3652397000000186018' as typeof PATRICIA)).toBeUndefined();
      expect(await find(first.generation, '1', PATRICIA, OTHER_ORG)).toBeUndefined();
    });

    it('gives back what was made of a channel and what it did not see, newest first, page by page', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      const { generation } = await batches.run(ORG, {}, (set) => openChannel(set, '1'));
      await batches.run(ORG, {}, (set) => openChannel(set, '2'));
      for (let life = 1; life <= 3; life += 1) {
        batches.now = START + life * HOUR;
        await passTime(batches, ORG);
        await batches.run(ORG, {}, (set) => createRecords(set));
        await batches.run(ORG, aboutChannel('1'), (set) => openChannel(set, '1', { expiresAt: set.now + HOUR }));
      }
      const { administration } = store;
      const all = await administration.revisions(ORG, generation, undefined, 100);
      expect(all.every(({ channel }) => channel.generation === generation)).toBe(true);
      expect(all.map(({ version }) => version)).toEqual(all.map(({ version }) => version).sort((a, b) => b - a));
      expect(all.filter(({ kind }) => kind === 'expired')).toHaveLength(3);
      expect(await administration.revisions(ORG, generation, all[1]?.version, 2)).toEqual(all.slice(2, 4));
      expect(await administration.revisions(ORG, generation, all.at(-1)?.version, 2)).toEqual([]);
      const lapses = await administration.newestLapses(ORG, generation, 2);
      expect(lapses.map(({ fromChange, toChange }) => [fromChange, toChange])).toEqual([
        [2, 3],
        [1, 2],
      ]);
      expect(lapses.every(({ endedAt }) => endedAt !== undefined)).toBe(true);
    });

    it('lists more channels than one read takes', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      await openBatches(store).run(ORG, {}, (set) => {
        for (let id = 1; id <= 2500; id += 1) openChannel(set, String(id));
      });
      const listed = await store.channels.listLive(ORG, PATRICIA, START);
      expect(new Set(listed.map((channel) => channel.channelId)).size).toBe(2500);
    });

    it('has the same index after a restart as before it', async () => {
      const { store, reopen } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      const indexOf = (from: typeof store) => openBatches(from).run(ORG, {}, (set) => plain(set.index));
      await batches.run(ORG, {}, (set) => {
        for (const id of ['1', '2', '3', '4']) openChannel(set, id, { expiresAt: set.now + HOUR });
        openChannel(set, '5', { expiresAt: set.now + 1 });
      });
      await batches.run(ORG, aboutChannel('2', '3'), (set) => {
        closeChannel(set, '2');
        openChannel(set, '3', { events: [{ module: 'Deals', operation: 'update' }] });
        createRecords(set, 2);
        createRecords(set, 1);
      });
      batches.now = START + 1;
      await passTime(batches, ORG);
      const before = await indexOf(store);
      expect(before.byKey.map(([key]) => key)).toEqual(['1', '3', '4'].map((id) => `${PATRICIA}/${id}`));
      expect(await indexOf(await reopen())).toEqual(before);
    });

    it('builds an index of more channels than one read takes', async () => {
      const { store, reopen } = await open();
      await addOrgs(store, ORG);
      const indexOf = (from: typeof store) => openBatches(from).run(ORG, {}, (set) => plain(set.index));
      const batches = openBatches(store);
      for (const first of [1, 801]) {
        // All of a batch are opened at one time.
        await batches.run(ORG, {}, (set) => {
          for (let id = first; id < first + 800; id += 1) openChannel(set, String(id), { expiresAt: set.now + HOUR });
        });
        batches.now += 1;
      }
      const before = await indexOf(store);
      expect(before.byKey).toHaveLength(1600);
      expect(await indexOf(await reopen())).toEqual(before);
    });

    it('keeps counting the numbers of a channel that is replaced', async () => {
      const { store, reopen } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      const { generation } = await batches.run(ORG, {}, (set) => openChannel(set, '1'));
      await batches.run(ORG, {}, (set) => createRecords(set));
      // A command that loaded the channel may hold an older count: the row keeps its own.
      await batches.run(ORG, aboutChannel('1'), (set) => openChannel(set, '1', { lastNumber: 0 }));
      const again = openBatches(await reopen());
      await again.run(ORG, {}, (set) => createRecords(set));
      expect(again.commits[0]?.notifications.map((owed) => [owed.generation, owed.number])).toEqual([[generation, 2]]);
    });

    it('leaves the count of an existing channel to the numbers given, whatever its row was saved with', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      const channel = await batches.run(ORG, {}, (set) => openChannel(set, '1'));
      await batches.run(ORG, {}, (set) => createRecords(set));
      await store.writing.inOrg(ORG, {}, ({ counters }) => {
        const writes = emptyWrites(counters);
        writes.channels.set(channel.generation, { ...channel, lastNumber: 0, modifiedAt: START + 1 });
        return { writes, result: undefined };
      });
      const saved = (await store.delivery.channel(ORG, channel.generation))?.channel;
      expect(saved).toMatchObject({ lastNumber: 1, modifiedAt: START + 1 });
    });

    it('starts a new generation at 1 after an end, and forgets the old one', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      const first = await batches.run(ORG, {}, (set) => openChannel(set, '1'));
      await batches.run(ORG, {}, (set) => createRecords(set));
      const second = await batches.run(ORG, aboutChannel('1'), (set) => {
        closeChannel(set, '1');
        return openChannel(set, '1');
      });
      await batches.run(ORG, {}, (set) => createRecords(set));
      expect(second.generation).not.toBe(first.generation);
      expect(batches.commits.at(-1)?.notifications.map((owed) => [owed.generation, owed.number])).toEqual([
        [second.generation, 1],
      ]);
      expect(await store.delivery.channel(ORG, first.generation)).toBeUndefined();
      expect((await store.delivery.channel(ORG, second.generation))?.channel.lastNumber).toBe(1);
    });

    it('marks an expired channel as lapsed, and takes the mark away when its owner renews it', async () => {
      const { store, reopen } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      const { generation } = await batches.run(ORG, {}, (set) => openChannel(set, '1'));
      await batches.run(ORG, {}, (set) => createRecords(set));
      batches.now = START + HOUR;
      await passTime(batches, ORG);
      await batches.run(ORG, {}, (set) => createRecords(set));
      expect((await store.delivery.channel(ORG, generation))?.channel.lapsedFrom).toBe(1);

      const renewing = openBatches(await reopen());
      renewing.now = batches.now;
      await renewing.run(ORG, aboutChannel('1'), (set) => openChannel(set, '1'));
      expect(renewing.commits[0]?.lapses).toMatchObject([{ generation, fromChange: 1, toChange: 2 }]);
      const { delivery } = await reopen();
      expect((await delivery.channel(ORG, generation))?.channel.lapsedFrom).toBeUndefined();
    });

    it('keeps a channel live that expired and was renewed in the same batch', async () => {
      const { store, reopen } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      await batches.run(ORG, {}, (set) => openChannel(set, '1'));
      batches.now = START + HOUR;
      await batches.run(ORG, aboutChannel('1'), (set) => openChannel(set, '1'));
      expect(batches.commits.at(-1)?.lapsed.size).toBe(1);
      const again = await reopen();
      expect(await again.channels.listLive(ORG, PATRICIA, batches.now)).toHaveLength(1);
      const counted = openBatches(again);
      counted.now = batches.now;
      await counted.run(ORG, {}, (set) => createRecords(set));
      expect(counted.commits[0]?.notifications).toHaveLength(1);
    });

    it("does not load another organisation's channel of the same user and id", async () => {
      const { store } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const batches = openBatches(store);
      await batches.run(ORG, {}, (set) => openChannel(set, '1'));
      await batches.run(OTHER_ORG, aboutChannel('1'), (set) => {
        expect(loadedChannel(set, PATRICIA, channelId('1'))).toBeUndefined();
        createRecords(set);
      });
      expect(batches.commits.at(-1)?.notifications).toEqual([]);
    });
  });
}

/** What matching sees of an index, comparable. The mark of the next expiry may be early, so it is left out. */
const plain = ({ byKey, byEvent, countByUser }: ChannelIndex) => ({
  byKey: [...byKey].map(([key, channel]) => [key, { ...channel }] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  byEvent: [...byEvent]
    .map(([event, groups]) => {
      const channels = [...groups].flatMap((group) => [...group.channels]);
      return [event, channels.map(({ userId, channelId }) => channelKey(userId, channelId)).sort()];
    })
    .sort(),
  countByUser: [...countByUser],
});
