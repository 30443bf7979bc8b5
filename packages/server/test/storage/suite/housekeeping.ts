import { describe, expect, it } from 'vitest';
import { ANSWER_LIFE_MS } from '../../../src/domain/idempotency.ts';
import type { Generation, JobId } from '../../../src/domain/ids.ts';
import { removalOf } from '../../../src/domain/retention.ts';
import { saveChannel } from '../../../src/domain/working-channels.ts';
import type { Store } from '../../../src/storage/store.ts';
import {
  aboutChannel,
  addOrgs,
  addRecord,
  type Batches,
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

const ALL = Number.MAX_SAFE_INTEGER;

async function opened(store: Store, options: { maxBacklog?: number } = {}) {
  await addOrgs(store, ORG, OTHER_ORG);
  const batches = openBatches(store, options);
  const { generation } = await batches.run(ORG, {}, (set) => openChannel(set, '1', { expiresAt: START + 100 * HOUR }));
  return { batches, generation };
}

async function write(batches: Batches, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) await batches.run(ORG, {}, (set) => createRecords(set));
}

const settle = (
  store: Store,
  generation: Generation,
  numbers: readonly number[],
  state: 'delivered' | 'parked',
  more: { readonly isCancelled?: true } = {},
) =>
  store.delivery.settle(
    numbers.map((number) => ({
      org: ORG,
      generation,
      number,
      attempt: { attempt: 1, at: START + number, durationMs: 0, outcome: { kind: 'delivered', status: 200 } },
      state,
      ...more,
    })),
  );

const kept = async (store: Store, generation: Generation, from = 0, through = ALL, limit = 100) =>
  (await store.housekeeping.notifications(ORG, generation, from, through, limit)).map(
    ({ number, state, reason, settledAt }) => [number, state, reason, settledAt],
  );

async function remove(store: Store, generation: Generation, until: number) {
  const all = await store.housekeeping.notifications(ORG, generation, 0, ALL, 100);
  const removal = removalOf(all, until);
  await store.housekeeping.removeNotifications(ORG, generation, removal, START);
  return { notifications: removal.notifications, attempts: removal.attempts };
}

const ranges = async (store: Store, generation: Generation) =>
  (await store.housekeeping.removedRanges(ORG, generation)).map(({ from, to, reason }) => [from, to, reason]);

export function housekeepingSuite(open: Open): void {
  describe('housekeeping', () => {
    it('knows since when a notification is finished, and that one which is tried again is not', async () => {
      const { store } = await open();
      const { batches, generation } = await opened(store);
      await write(batches, 3);
      await settle(store, generation, [1], 'delivered');
      await settle(store, generation, [2], 'parked');
      expect(await kept(store, generation)).toEqual([
        [1, 'delivered', undefined, START + 1],
        [2, 'parked', undefined, START + 2],
        [3, 'pending', undefined, undefined],
      ]);
    });

    it('reads notifications in pieces, by number and up to a change', async () => {
      const { store } = await open();
      const { batches, generation } = await opened(store);
      await write(batches, 5);
      const numbers = async (...query: [from: number, through: number, limit: number]) =>
        (await kept(store, generation, ...query)).map(([number]) => number);
      expect(await numbers(2, ALL, 2)).toEqual([2, 3]);
      expect(await numbers(1, 3, 100)).toEqual([1, 2, 3]);
      expect(await store.housekeeping.notifications(OTHER_ORG, generation, 0, ALL, 100)).toEqual([]);
    });

    it('writes down what an ended channel and a skip cancel, in pieces, and counts it as owed no more', async () => {
      const { store } = await open();
      const { batches, generation } = await opened(store);
      await write(batches, 4);
      await settle(store, generation, [2], 'delivered');
      const cancel = (to: number | undefined, limit: number) =>
        store.housekeeping.cancel(
          ORG,
          generation,
          { ...(to !== undefined && { to }), reason: to === undefined ? 'deleted' : 'skipped', at: START + 9 },
          limit,
        );
      expect(await cancel(3, 1)).toBe(1);
      expect(await cancel(3, 1)).toBe(1);
      expect(await cancel(3, 1)).toBe(0);
      expect(await kept(store, generation)).toEqual([
        [1, 'cancelled', 'skipped', START + 9],
        [2, 'delivered', undefined, START + 2],
        [3, 'cancelled', 'skipped', START + 9],
        [4, 'pending', undefined, undefined],
      ]);
      expect((await store.delivery.window(ORG, generation, 1, 9, ALL)).map(({ number }) => number)).toEqual([4]);
      expect(await store.delivery.lanes(ORG)).toHaveLength(1);
      expect(await cancel(undefined, 9)).toBe(1);
      expect(await store.delivery.lanes(ORG)).toEqual([]);
      // What was in the air all the same was delivered.
      await settle(store, generation, [4], 'delivered', { isCancelled: true });
      expect((await kept(store, generation)).at(-1)).toEqual([4, 'delivered', undefined, START + 4]);
      const { counts } = await store.jobs.counts(ORG, generation, 1, 9, 9);
      expect(counts).toEqual({ pending: 0, delivered: 2, parked: 0, cancelled: 2 });
    });

    it('keeps what was delivered by hand delivered, whatever comes of an attempt that was in the air', async () => {
      const { store } = await open();
      const { batches, generation } = await opened(store);
      await write(batches, 3);
      await store.housekeeping.cancel(ORG, generation, { reason: 'skipped', at: START + 9 }, 9);
      const attempt = {
        attempt: 1,
        at: START + 20,
        durationMs: 1,
        outcome: { kind: 'delivered', status: 200 },
      } as const;
      const step = {
        id: 'job_1' as JobId,
        state: 'running',
        progress: { position: 0, done: 0, failed: 0, passed: 0 },
      } as const;
      await store.jobs.settle({ org: ORG, generation, resent: [{ number: 1, attempt }], step, at: START + 21 });
      await settle(store, generation, [1, 2], 'parked');
      expect(await kept(store, generation)).toEqual([
        [1, 'delivered', undefined, START + 21],
        [2, 'parked', undefined, START + 2],
        [3, 'cancelled', 'skipped', START + 9],
      ]);
      const { counts } = await store.jobs.counts(ORG, generation, 1, 9, 9);
      expect(counts).toEqual({ pending: 0, delivered: 1, parked: 1, cancelled: 1 });
    });

    it('tells of each channel what it keeps', async () => {
      const { store, reopen } = await open();
      const { batches, generation } = await opened(store);
      const { generation: second } = await batches.run(ORG, {}, (set) => openChannel(set, '2'));
      await write(batches, 2);
      await settle(store, generation, [1], 'delivered');
      await batches.run(ORG, aboutChannel('2'), (set) => closeChannel(set, '2'));
      const { housekeeping } = await reopen();
      expect(await housekeeping.channels(ORG, '', 9)).toMatchObject([
        { generation, userId: PATRICIA, channelId: '1', firstNumber: 1, firstPending: 2, hasRanges: false },
        { generation: second, endedAt: START, endedReason: 'deleted', firstNumber: 1, firstPending: 1 },
      ]);
      expect(await housekeeping.channels(ORG, '', 1)).toHaveLength(1);
      expect(await housekeeping.channels(ORG, generation, 9)).toHaveLength(1);
      expect(await housekeeping.channels(OTHER_ORG, '', 9)).toEqual([]);
    });

    it('removes what is finished with its attempts, never what is pending, and keeps joined ranges of the undelivered', async () => {
      const { store, reopen } = await open();
      const { batches, generation } = await opened(store);
      await write(batches, 8);
      await settle(store, generation, [1, 4], 'delivered');
      await settle(store, generation, [2, 3, 5, 7], 'parked');
      expect(await remove(store, generation, START + 3)).toEqual({ notifications: 3, attempts: 3 });
      expect(await ranges(store, generation)).toEqual([[2, 3, 'parked']]);
      expect(await remove(store, generation, START + 5)).toEqual({ notifications: 2, attempts: 2 });
      expect(await ranges(store, generation)).toEqual([
        [2, 3, 'parked'],
        [5, 5, 'parked'],
      ]);
      await settle(store, generation, [6], 'parked');
      await remove(store, generation, START + 9);
      const again = await reopen();
      expect(await ranges(again, generation)).toEqual([
        [2, 3, 'parked'],
        [5, 7, 'parked'],
      ]);
      expect(await kept(again, generation)).toEqual([[8, 'pending', undefined, undefined]]);
      // That the last attempt succeeded is known no more.
      expect(await again.delivery.channel(ORG, generation)).not.toHaveProperty('lastSucceeded');
      expect(await again.housekeeping.channels(ORG, '', 9)).toMatchObject([{ firstNumber: 8, hasRanges: true }]);
      // Numbers that were given are not given again.
      const more = openBatches(again);
      await write(more, 1);
      expect(more.commits[0]?.notifications.map(({ number }) => number)).toEqual([9]);
    });

    it('does not remove what turned out to be owed after all', async () => {
      const { store } = await open();
      const { batches, generation } = await opened(store);
      await write(batches, 2);
      const removal = { runs: [{ from: 1, to: 2 }], undelivered: [] };
      await store.housekeeping.removeNotifications(ORG, generation, removal, START);
      expect(await kept(store, generation)).toHaveLength(2);
    });

    it.each([1, 2, 3, 10, 33])('finds the newest change of a time among %i', async (changes) => {
      const { store } = await open();
      const { batches } = await opened(store);
      for (let i = 1; i <= changes; i += 1) {
        batches.now = START + 10 * Math.ceil(i / 3);
        await write(batches, 1);
      }
      for (let i = 0; i <= changes; i += 1) {
        const expected = Math.min(changes, 3 * Math.floor(i));
        expect(await store.housekeeping.newestChange(ORG, START + 10 * i + 5)).toBe(expected);
      }
      expect(await store.housekeeping.newestChange(OTHER_ORG, ALL)).toBe(0);
      await store.housekeeping.removeChanges(ORG, changes, 100);
      expect(await store.housekeeping.newestChange(ORG, START)).toBe(changes - 1);
      expect(await store.housekeeping.newestChange(ORG, ALL)).toBe(changes);
    });

    it('removes changes in pieces below a number', async () => {
      const { store } = await open();
      const { batches } = await opened(store);
      await write(batches, 5);
      expect(await store.housekeeping.removeChanges(ORG, 4, 2)).toBe(2);
      expect(await store.housekeeping.removeChanges(ORG, 4, 2)).toBe(1);
      expect(await store.housekeeping.removeChanges(ORG, 4, 2)).toBe(0);
      expect(await store.housekeeping.oldestChange(ORG)).toEqual({ number: 4, at: START });
      expect(await store.housekeeping.oldestChange(OTHER_ORG)).toBeUndefined();
    });

    it('removes big changes one or a few at a time', async () => {
      const { store } = await open();
      const { batches } = await opened(store);
      const half = { Description: 'x'.repeat(600_000) };
      for (let i = 0; i < 5; i += 1) await batches.run(ORG, {}, (set) => createRecords(set, 1, half));
      const removed: number[] = [];
      for (let rows = -1; rows !== 0; removed.push(rows)) rows = await store.housekeeping.removeChanges(ORG, 6, 100);
      expect(removed).toEqual([2, 2, 1, 0]);
    });

    it('removes revisions that newer ones have replaced, in pieces, but never the newest of a channel that has not ended', async () => {
      const { store } = await open();
      const { batches } = await opened(store);
      const change = (id: string, at: number) => {
        batches.now = START + at;
        return batches.run(ORG, aboutChannel(id), (set) => openChannel(set, id, { expiresAt: START + 100 * HOUR }));
      };
      await change('1', 1); // 2
      await change('2', 2); // 3
      await change('2', 3); // 4
      batches.now = START + 4;
      await batches.run(ORG, aboutChannel('2'), (set) => closeChannel(set, '2')); // 5
      await change('1', 5); // 6
      const removed = async (before: number, limit: number) => {
        let sum = 0;
        for (let after: number | undefined = 0; after !== undefined; ) {
          const answer: { removed: number; last?: number } = await store.housekeeping.removeRevisions(
            ORG,
            after,
            START + before,
            limit,
          );
          sum += answer.removed;
          after = answer.last;
        }
        return sum;
      };
      // The one of 1 says what the channel was at that time.
      expect(await removed(1, 100)).toBe(0);
      expect(await removed(2, 100)).toBe(1);
      expect(await removed(4, 2)).toBe(1);
      expect(await removed(5, 2)).toBe(2);
      expect(await removed(100, 1)).toBe(1);
      expect(await removed(100, 100)).toBe(0);
    });

    it('removes lapses of which no change is kept, and ended channels of which nothing is', async () => {
      const { store } = await open();
      const { batches } = await opened(store);
      const { generation } = await batches.run(ORG, {}, (set) => openChannel(set, '2', { expiresAt: START + 1 }));
      batches.now = START + 1;
      await passTime(batches, ORG);
      await write(batches, 2);
      expect(await store.housekeeping.openLapse(ORG)).toBe(0);
      expect(await store.housekeeping.openLapse(OTHER_ORG)).toBeUndefined();
      expect(await store.housekeeping.removeLapses(ORG, 100, 9)).toBe(0);
      await batches.run(ORG, aboutChannel('2'), (set) => closeChannel(set, '2'));
      expect(await store.housekeeping.openLapse(ORG)).toBeUndefined();
      expect(await store.housekeeping.removeLapses(ORG, 2, 9)).toBe(0);
      expect(await store.housekeeping.removeLapses(ORG, 3, 9)).toBe(1);
      const channels = async () => (await store.housekeeping.channels(ORG, '', 9)).map(({ channelId }) => channelId);
      const [live] = await store.housekeeping.channels(ORG, '', 1);
      await store.housekeeping.removeChannels(ORG, [generation, live?.generation ?? generation]);
      expect(await channels()).toEqual(['1']);
    });

    it('removes answers, results of mass actions and look-up entries of removed fields when they are old', async () => {
      const { store } = await open();
      const { batches } = await opened(store);
      await batches.run(ORG, {}, (set) => {
        set.writes.answers.push({ userId: PATRICIA, key: 'k', fingerprint: 'f', answer: '1', at: START });
        addRecord(set, { total: 1 }, 'jobs.mass_update.Leads');
        addRecord(set, { Last_Name: 'x' }, 'Contacts', [{ module: 'Contacts', field: 'Gone', value: 'v' }]);
        addRecord(set, { Last_Name: 'y' }, 'Contacts', [{ module: 'Contacts', field: 'Email', value: 'v' }]);
        const definition = { apiName: 'Gone', label: 'Gone', type: 'email', length: 100, serial: 1 } as const;
        set.writes.additions.fields.set('Contacts/Gone', {
          module: 'Contacts',
          field: definition as never,
          modifiedAt: START,
          removedAt: START,
        });
      });
      const { housekeeping } = store;
      expect(await housekeeping.removeAnswers(ORG, START - 1, 9)).toBe(0);
      expect(await housekeeping.removeAnswers(ORG, START + ANSWER_LIFE_MS, 9)).toBe(1);
      expect(await housekeeping.removeJobs(ORG, START - 1, 9)).toBe(0);
      expect(await housekeeping.removeJobs(ORG, START, 9)).toBe(1);
      expect(await housekeeping.removeLookUps(OTHER_ORG, 9)).toBe(0);
      expect(await housekeeping.removeLookUps(ORG, 9)).toBe(1);
      expect(await housekeeping.removeLookUps(ORG, 9)).toBe(0);
      expect(await store.recordLists.count(ORG, 'Contacts')).toBe(2);
    });
  });

  describe('overflow', () => {
    const MAX = 20;
    /** Numbers that the last of so many writes took. */
    const taken = (batches: Batches) => batches.commits.at(-1)?.notifications.map(({ number }) => number) ?? [];

    /** Writes until the channel takes a number, or no more. It is counted beside the writes. */
    async function until(batches: Batches, takes: boolean): Promise<void> {
      for (let i = 0; i < 5000; i += 1) {
        await write(batches, 1);
        if (taken(batches).length > 0 === takes) return;
      }
      throw new Error(`It never came that numbers are taken: ${takes}`);
    }

    it('begins at the limit, lasts over a restart, and ends when a tenth less is owed, with a range of what was missed', async () => {
      const { store, reopen } = await open();
      const { batches, generation } = await opened(store, { maxBacklog: MAX });
      await until(batches, false);
      const began = await store.housekeeping.openLapse(ORG);
      const owed = (await store.delivery.window(ORG, generation, 1, 10_000, ALL)).length;
      expect(owed).toBeGreaterThanOrEqual(MAX);
      expect(began).toBe(owed);
      await write(batches, 5);

      const again = await reopen();
      const later = openBatches(again, { maxBacklog: MAX });
      await write(later, 5);
      expect(later.commits.flatMap(({ notifications }) => notifications)).toEqual([]);
      expect(await again.housekeeping.openLapse(ORG)).toBe(began);
      await settle(
        again,
        generation,
        Array.from({ length: owed - 17 }, (_, i) => i + 1),
        'delivered',
      );
      await until(later, true);
      expect(taken(later)).toEqual([owed + 1]);
      expect(await again.housekeeping.openLapse(ORG)).toBeUndefined();
      const closed = later.commits.flatMap(({ lapses }) => lapses);
      expect(closed).toMatchObject([{ kind: 'overflow', fromChange: began, toChange: expect.any(Number) }]);
      // It stays listed, whatever becomes of its changes.
      expect(await again.housekeeping.removeLapses(ORG, ALL, 9)).toBe(0);
    });

    it('of one channel leaves the others alone, and is nothing for one whose notifications arrive', async () => {
      const { store } = await open();
      const { batches, generation } = await opened(store, { maxBacklog: MAX });
      for (let i = 1; i <= 4 * MAX; i += 1) {
        await write(batches, 1);
        await settle(store, generation, [i], 'delivered');
      }
      const { generation: second } = await batches.run(ORG, {}, (set) => openChannel(set, '2'));
      for (let i = 4 * MAX + 1; ; i += 1) {
        await write(batches, 1);
        await settle(store, generation, [i], 'delivered');
        const takers = batches.commits.at(-1)?.notifications.map((owed) => owed.generation);
        expect(takers).toContain(generation);
        if (!takers?.includes(second)) break;
        expect(i).toBeLessThan(5000);
      }
      expect(batches.commits.flatMap(({ lapses }) => lapses.map((lapse) => lapse.generation))).toEqual([second]);
    });

    it('is over for a channel whose owed notifications are all skipped', async () => {
      const { store } = await open();
      const { batches } = await opened(store, { maxBacklog: MAX });
      await until(batches, false);
      await batches.run(ORG, aboutChannel('1'), (set) => {
        const [channel] = set.channels.values();
        if (!channel) throw new Error('It was opened');
        saveChannel(set, { ...channel, cancelledTo: channel.lastNumber, cancelledWhy: 'skipped' }, 'merged');
      });
      await write(batches, 1);
      expect(taken(batches)).toHaveLength(1);
    });
  });
}
