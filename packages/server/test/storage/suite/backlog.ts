import { describe, expect, it } from 'vitest';
import type { Generation } from '../../../src/domain/ids.ts';
import { resumeChannel, suspendChannel } from '../../../src/domain/suspension.ts';
import { loadedChannel } from '../../../src/domain/working-channels.ts';
import type { Store } from '../../../src/storage/store.ts';
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

const ALL = 1_000_000;

async function opened(store: Store, org = ORG) {
  await addOrgs(store, org);
  const batches = openBatches(store);
  const open = async (id: string) => (await batches.run(org, {}, (set) => openChannel(set, id))).generation;
  const add = (count: number) =>
    batches.run(org, {}, (set) => {
      for (let i = 0; i < count; i += 1) createRecords(set);
    });
  const settle = (generation: Generation, ...numbers: readonly number[]) =>
    store.delivery.settle(
      numbers.map((number) => ({
        org,
        generation,
        number,
        attempt: { attempt: 1, at: START, durationMs: 1, outcome: { kind: 'delivered', status: 200 } },
        state: 'delivered',
      })),
    );
  const owed = (generation: Generation, most = ALL) => store.backlog.owed([{ org, generation }], most);
  return { batches, open, add, settle, owed };
}

export function backlogSuite(open: Open): void {
  describe('backlog', () => {
    it('counts what is pending, and since when the oldest of it is owed', async () => {
      const { store } = await open();
      const { batches, open: openOne, add, settle, owed } = await opened(store);
      const generation = await openOne('1');
      expect(await owed(generation)).toEqual([{ count: 0 }]);
      await add(2);
      batches.now += 60_000;
      await add(3);
      expect(await owed(generation)).toEqual([{ count: 5, oldestAt: START }]);
      await settle(generation, 1, 2, 4);
      expect(await owed(generation)).toEqual([{ count: 2, oldestAt: START + 60_000 }]);
      await settle(generation, 3, 5);
      expect(await owed(generation)).toEqual([{ count: 0 }]);
    });

    it('answers for each channel in the order asked, of any organisation', async () => {
      const { store } = await open();
      const mine = await opened(store);
      const theirs = await opened(store, OTHER_ORG);
      const one = await mine.open('1');
      await mine.add(1);
      const two = await mine.open('2');
      await mine.add(2);
      const other = await theirs.open('1');
      await theirs.add(4);
      const counted = await store.backlog.owed(
        [
          { org: OTHER_ORG, generation: other },
          { org: ORG, generation: two },
          { org: ORG, generation: 'none' as Generation },
          { org: OTHER_ORG, generation: one },
          { org: ORG, generation: one },
        ],
        ALL,
      );
      expect(counted.map(({ count }) => count)).toEqual([4, 2, 0, 0, 3]);
    });

    it('counts no further than it is asked to', async () => {
      const { store } = await open();
      const { open: openOne, add, owed } = await opened(store);
      const generation = await openOne('1');
      await add(9);
      for (const most of [1, 5, 9, 10])
        expect(await owed(generation, most)).toMatchObject([{ count: Math.min(most, 9) }]);
    });

    it('counts all of a backlog that takes many statements', { timeout: 60_000 }, async () => {
      const { store } = await open();
      const { batches, open: openOne, add, settle, owed } = await opened(store);
      const generation = await openOne('1');
      for (let i = 0; i < 41; i += 1) await add(1000);
      await settle(generation, 7, 20_001, 40_999);
      expect(await owed(generation)).toEqual([{ count: 40_997, oldestAt: START }]);
      expect(await owed(generation, 25_000)).toMatchObject([{ count: 25_000 }]);
      expect(await owed(generation, Number.POSITIVE_INFINITY)).toMatchObject([{ count: 40_997 }]);
      await batches.run(ORG, aboutChannel('1'), (set) => closeChannel(set, '1'));
    });

    it('counts what is held, and nothing that is cancelled', async () => {
      const { store } = await open();
      const { batches, open: openOne, add, owed } = await opened(store);
      const generation = await openOne('1');
      const other = await openOne('2');
      await add(2);
      const channel = (set: Parameters<typeof loadedChannel>[0]) => {
        const found = loadedChannel(set, PATRICIA, channelId('1'));
        if (!found) throw new Error('The channel was not loaded');
        return found;
      };
      await batches.run(ORG, aboutChannel('1'), (set) => suspendChannel(set, channel(set), 'operator'));
      expect(await owed(generation)).toMatchObject([{ count: 2 }]);
      await batches.run(ORG, aboutChannel('1'), (set) => resumeChannel(set, channel(set), 'skip'));
      expect(await owed(generation)).toEqual([{ count: 0 }]);
      batches.now += 1000;
      await add(1);
      expect(await owed(generation)).toEqual([{ count: 1, oldestAt: START + 1000 }]);
      batches.now += HOUR;
      await passTime(batches, ORG);
      expect(await owed(generation)).toMatchObject([{ count: 1 }]);
      await batches.run(ORG, aboutChannel('2'), (set) => closeChannel(set, '2'));
      expect(await owed(other)).toEqual([{ count: 0 }]);
    });
  });
}
