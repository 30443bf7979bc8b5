import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/domain/attempt.ts';
import type { ChannelHealth } from '../../../src/domain/channel-health.ts';
import type { Generation, OrgId } from '../../../src/domain/ids.ts';
import { resumeChannel, suspendChannel } from '../../../src/domain/suspension.ts';
import { loadedChannel, saveChannel } from '../../../src/domain/working-channels.ts';
import type { WorkingSet } from '../../../src/domain/working-set.ts';
import type { RecordSearch, Settlement, Store } from '../../../src/storage/store.ts';
import {
  aboutChannel,
  addOrgs,
  change,
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

const DELIVERED: Outcome = { kind: 'delivered', status: 200 };
const REJECTED: Outcome = { kind: 'rejected', status: 500, retryAfterMs: 2000, excerpt: 'broken' };
const loadedOne = (set: WorkingSet) => loadedChannel(set, PATRICIA, channelId('1'))!;
const PLENTY = 1_000_000;

async function opened(store: Store) {
  await addOrgs(store, ORG);
  const batches = openBatches(store);
  const { generation } = await batches.run(ORG, {}, (set) => openChannel(set, '1'));
  const add = (records: number, values?: Record<string, string>) =>
    batches.run(ORG, {}, (set) => createRecords(set, records, values));
  const numbers = async (from = 1, limit = 100, maxBytes = PLENTY) =>
    (await store.delivery.window(ORG, generation, from, limit, maxBytes)).map(({ number }) => number);
  return { batches, generation, add, numbers };
}

const settlement = (
  generation: Generation,
  number: number,
  attempt: number,
  rest: Partial<Settlement> & { outcome?: Outcome } = {},
): Settlement => ({
  org: ORG,
  generation,
  number,
  attempt: { attempt, at: START, durationMs: 12, outcome: rest.outcome ?? DELIVERED },
  state: 'delivered',
  ...rest,
});

/** The number of each search, or undefined, or how far it got. */
async function firstAbout(
  store: Store,
  generation: Generation,
  searches: readonly RecordSearch[],
  maxBytes = PLENTY,
): Promise<(number | { lookedTo: number } | undefined)[]> {
  const answers = await store.delivery.firstAbout(ORG, generation, searches, maxBytes);
  return answers.map(({ owed, lookedTo }, i) => {
    if (owed) return owed.number;
    return lookedTo === searches[i]?.before ? undefined : { lookedTo };
  });
}

export function deliverySuite(open: Open): void {
  describe('delivery', () => {
    it('reads back exactly what was committed, in order of numbers, with the change it is about', async () => {
      const { store, reopen } = await open();
      const { batches, generation, add } = await opened(store);
      await add(3, { Last_Name: 'Boyle', Note: 'zwölf 😀' });
      await add(1);
      const committed = batches.commits.flatMap(({ notifications }) => notifications);
      expect(committed).toHaveLength(2);
      const { delivery } = await reopen();
      const window = await delivery.window(ORG, generation, 1, 100, PLENTY);
      expect(window).toEqual(committed.map((notification) => ({ ...notification, attemptsMade: 0 })));
    });

    it('owes no more what was cancelled while an attempt was made', async () => {
      const { store } = await open();
      const { generation, add, numbers } = await opened(store);
      await add(1);
      await add(1);
      await store.delivery.settle([settlement(generation, 1, 1, { state: 'cancelled' })]);
      await store.delivery.settle(
        [1, 2].map((number) => settlement(generation, number, 2, { state: 'pending', dueAt: START })),
      );
      expect(await numbers()).toEqual([2]);
    });

    it('bounds a window by its start, its count and its bytes, and always moves on', async () => {
      const { store } = await open();
      const { add, numbers } = await opened(store);
      for (let i = 0; i < 5; i += 1) await add(1, { Note: 'x'.repeat(1000) });
      expect(await numbers(3)).toEqual([3, 4, 5]);
      expect(await numbers(2, 2)).toEqual([2, 3]);
      expect(await numbers(2, 100, 1)).toEqual([2]);
      expect(await numbers(1, 100, 2500)).toEqual([1, 2, 3]);
      expect(await numbers(6)).toEqual([]);
    });

    it('keeps how a channel fails, as the last of its settlements says, until it is well, moved, resumed or ended', async () => {
      const { store, reopen } = await open();
      const { generation, add } = await opened(store);
      for (let i = 0; i < 4; i += 1) await add(1);
      const health = (failedAttempts: number): ChannelHealth => ({
        failingSince: START,
        failedAttempts,
        lastFailedAt: START + failedAttempts,
        failedNumbers: [1, 2],
      });
      const failed = { outcome: REJECTED, state: 'pending' } as const;
      const failTwice = () =>
        store.delivery.settle([
          settlement(generation, 1, 1, { ...failed, health: health(1) }),
          settlement(generation, 2, 1, { ...failed, health: health(2) }),
        ]);
      const known = async (from = store) => (await from.delivery.channel(ORG, generation))?.health;
      await failTwice();
      await store.delivery.settle([settlement(generation, 3, 1)]);
      const again = await reopen();
      expect(await known(again)).toEqual(health(2));
      const filter = { ended: false };
      expect((await again.administration.listChannels(ORG, filter, 1, 10)).items).toMatchObject([
        { health: health(2) },
      ]);
      await again.delivery.settle([
        settlement(generation, 1, 2, { ...failed, health: health(3) }),
        settlement(generation, 2, 2, { health: null }),
      ]);
      expect(await known(again)).toBeUndefined();
    });

    it.each([
      ['moved', { notifyUrl: 'https://example.com/elsewhere' }, undefined],
      ['resumed', { suspension: undefined }, undefined],
      ['renewed', { token: 'other' }, 1],
    ])('forgives the failures of a channel that is %s, or not', async (_, differing, left) => {
      const { store } = await open();
      const { batches, generation, add } = await opened(store);
      await add(1);
      const failing = { failingSince: START, failedAttempts: 1, lastFailedAt: START, failedNumbers: [1] };
      await batches.run(ORG, aboutChannel('1'), (set) => suspendChannel(set, loadedOne(set), 'operator'));
      await store.delivery.settle([
        settlement(generation, 1, 1, { outcome: REJECTED, state: 'pending', health: failing }),
      ]);
      const { suspension, ...rest } = (await store.administration.findChannel(ORG, generation))!.channel;
      expect(suspension).toEqual({ at: START, why: 'operator' });
      await batches.run(ORG, aboutChannel('1'), (set) =>
        saveChannel(set, 'suspension' in differing ? rest : { ...loadedOne(set), ...differing }, 'merged'),
      );
      const entry = await store.administration.findChannel(ORG, generation);
      expect(entry?.health?.failedAttempts).toBe(left);
      expect(entry?.channel.suspension === undefined).toBe('suspension' in differing);
    });

    it('starts no lane for a suspended channel, whatever it owes', async () => {
      const { store } = await open();
      const { batches, generation, add } = await opened(store);
      await add(1);
      await batches.run(ORG, aboutChannel('1'), (set) => suspendChannel(set, loadedOne(set), 'operator'));
      expect(await store.delivery.lanes()).toEqual([]);
      expect(await store.delivery.lanes(ORG)).toEqual([]);
      await batches.run(ORG, aboutChannel('1'), (set) => resumeChannel(set, loadedOne(set), 'backlog'));
      expect(await store.delivery.lanes()).toEqual([{ org: ORG, generation }]);
      await batches.run(ORG, aboutChannel('1'), (set) => suspendChannel(set, loadedOne(set), 'operator'));
      await batches.run(ORG, aboutChannel('1'), (set) => resumeChannel(set, loadedOne(set), 'skip'));
      expect(await store.delivery.lanes()).toEqual([]);
    });

    it('leaves what was settled out of the window and keeps what failed with its next time', async () => {
      const { store, reopen } = await open();
      const { generation, add, numbers } = await opened(store);
      for (let i = 0; i < 4; i += 1) await add(1);
      await store.delivery.settle([
        settlement(generation, 1, 1),
        settlement(generation, 2, 1, { outcome: REJECTED, state: 'pending', dueAt: START + 5000 }),
        settlement(generation, 3, 1, { outcome: REJECTED, state: 'parked' }),
        settlement(generation, 2, 2, { outcome: REJECTED, state: 'pending', dueAt: START + 30_000 }),
      ]);
      expect(await numbers()).toEqual([2, 4]);
      const [retried] = await (await reopen()).delivery.window(ORG, generation, 1, 1, PLENTY);
      expect(retried).toMatchObject({ number: 2, attemptsMade: 2, dueAt: START + 30_000 });
    });

    it('takes the same settlement twice', async () => {
      const { store } = await open();
      const { generation, add, numbers } = await opened(store);
      await add(1);
      await store.delivery.settle([settlement(generation, 1, 1)]);
      await store.delivery.settle([settlement(generation, 1, 1)]);
      expect(await numbers()).toEqual([]);
    });

    it('finds the first pending notification about a record within a range', async () => {
      const { store } = await open();
      const { batches, generation } = await opened(store);
      const [one, two] = await batches.run(ORG, aboutChannel('1'), (set) => {
        openChannel(set, '1', {
          events: [
            { module: 'Contacts', operation: 'insert' },
            { module: 'Contacts', operation: 'update' },
          ],
        });
        return createRecords(set, 2);
      });
      if (!one || !two) throw new Error('Two records were made');
      await batches.run(ORG, {}, (set) => change(set, 'update', [two]));
      await batches.run(ORG, {}, (set) => change(set, 'update', [one, two]));
      const first = async (record: typeof one, from: number, before: number) =>
        (await firstAbout(store, generation, [{ record, from, before }]))[0];
      expect(await first(one, 1, 100)).toBe(1);
      expect(await first(one, 2, 100)).toBe(3);
      expect(await first(two, 2, 100)).toBe(2);
      expect(await first(one, 2, 3)).toBeUndefined();
      expect(await first({ ...one, module: 'Leads' }, 1, 100)).toBeUndefined();
      await store.delivery.settle([settlement(generation, 2, 1)]);
      expect(await first(two, 2, 100)).toBe(3);
    });

    it('finds a record far behind others, beyond what one search takes', async () => {
      const { store } = await open();
      const { batches, generation } = await opened(store);
      const [last] = await batches.run(ORG, {}, (set) => {
        for (let i = 0; i < 11_000; i += 1) createRecords(set);
        return createRecords(set);
      });
      if (!last) throw new Error('A record was made');
      const [far, near] = await firstAbout(store, generation, [
        { record: last, from: 1, before: 20_000 },
        { record: last, from: 10_900, before: 20_000 },
      ]);
      expect(far).toEqual({ lookedTo: 2501 });
      expect(near).toBe(11_001);
      const search = async (before: number) => {
        let asked = 0;
        for (let from = 1; ; ) {
          const [answer] = await firstAbout(store, generation, [{ record: last, from, before }]);
          asked += 1;
          if (typeof answer === 'number' || answer === undefined) return { answer, asked };
          from = answer.lookedTo;
        }
      };
      expect(await search(20_000)).toEqual({ answer: 11_001, asked: 3 });
      expect(await search(11_001)).toEqual({ answer: undefined, asked: 3 });
      // Numbers that are owed no more are passed over.
      await store.delivery.settle(Array.from({ length: 10_990 }, (_, i) => settlement(generation, i + 2, 1)));
      expect(await search(20_000)).toEqual({ answer: 11_001, asked: 2 });
      expect(await search(11_001)).toEqual({ answer: undefined, asked: 2 });
    });

    it('answers each of many searches for itself, with what several of them found, as far as bytes allow', async () => {
      const { store } = await open();
      const { batches, generation } = await opened(store);
      const records = await batches.run(ORG, aboutChannel('1'), (set) => {
        openChannel(set, '1', { events: [{ module: 'Contacts', operation: 'update' }] });
        return createRecords(set, 30, { Note: 'x'.repeat(500) });
      });
      const [one, two, three] = records;
      if (!one || !two || !three) throw new Error('Records were made');
      for (const edited of [records, [one], [three, two]]) {
        await batches.run(ORG, {}, (set) => change(set, 'update', edited));
      }
      const all = records.map((record) => ({ record, from: 1, before: 4 }));
      expect(await firstAbout(store, generation, all)).toEqual(records.map(() => 1));
      const from2 = records.map((record) => ({ record, from: 2, before: 4 }));
      const rest = records.slice(3).map(() => undefined);
      expect(await firstAbout(store, generation, from2)).toEqual([2, 3, 3, ...rest]);
      expect(await firstAbout(store, generation, from2.toReversed())).toEqual([...rest, 3, 3, 2]);
      expect(await firstAbout(store, generation, from2, 1)).toEqual([2, { lookedTo: 3 }, { lookedTo: 3 }, ...rest]);
      const [window] = await store.delivery.window(ORG, generation, 3, 1, PLENTY);
      const answers = await store.delivery.firstAbout(ORG, generation, from2.slice(1, 3), PLENTY);
      expect(answers).toEqual([{ owed: window }, { owed: window }]);
    });

    it('knows after a restart which channels owe something, live or lapsed, but not those that ended', async () => {
      const { store, reopen } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const batches = openBatches(store);
      const make = (org: OrgId, id: string, expiresAt = START + HOUR) =>
        batches.run(org, {}, (set) => openChannel(set, id, { expiresAt }).generation);
      const settled = await make(ORG, '1');
      await batches.run(ORG, {}, (set) => createRecords(set));
      await store.delivery.settle([settlement(settled, 1, 1)]);
      await batches.run(ORG, aboutChannel('1'), (set) =>
        openChannel(set, '1', { events: [{ module: 'Leads', operation: 'insert' }] }),
      );
      const live = await make(ORG, '2');
      const lapsed = await make(ORG, '3', START + 1);
      await make(ORG, '4');
      const foreign = await make(OTHER_ORG, '2');
      await batches.run(ORG, {}, (set) => createRecords(set));
      await batches.run(OTHER_ORG, {}, (set) => createRecords(set));
      await batches.run(ORG, aboutChannel('4'), (set) => closeChannel(set, '4'));
      batches.now = START + 1;
      await passTime(batches, ORG);

      const lanes = await (await reopen()).delivery.lanes();
      expect(new Set(lanes.map(({ org, generation }) => `${org} ${generation}`))).toEqual(
        new Set([`${ORG} ${live}`, `${ORG} ${lapsed}`, `${OTHER_ORG} ${foreign}`]),
      );
    });

    it('counts what is cancelled as owed no more, and what came after it as owed', async () => {
      const { store, reopen } = await open();
      const { batches, generation, add } = await opened(store);
      await add(1);
      await add(1);
      const cancelTo = (cancelledTo: number) =>
        batches.run(ORG, aboutChannel('1'), (set) => openChannel(set, '1', { cancelledTo, cancelledWhy: 'expired' }));
      await cancelTo(1);
      expect(await store.delivery.lanes(ORG)).toEqual([{ org: ORG, generation }]);
      await cancelTo(2);
      const { delivery } = await reopen();
      expect(await delivery.lanes(ORG)).toEqual([]);
      expect((await delivery.channel(ORG, generation))?.channel.cancelledTo).toBe(2);
    });

    it('remembers how the newest attempt of a channel ended', async () => {
      const { store, reopen } = await open();
      const { generation, add } = await opened(store);
      await add(1);
      await add(1);
      expect(await store.delivery.channel(ORG, generation)).not.toHaveProperty('lastSucceeded');
      await store.delivery.settle([
        settlement(generation, 1, 1),
        settlement(generation, 2, 1, { outcome: REJECTED, state: 'pending', dueAt: START }),
      ]);
      expect(await store.delivery.channel(ORG, generation)).toHaveProperty('lastSucceeded', false);
      await store.delivery.settle([settlement(generation, 2, 2)]);
      expect(await (await reopen()).delivery.channel(ORG, generation)).toHaveProperty('lastSucceeded', true);
    });

    it("does not read one organisation's notifications in another", async () => {
      const { store } = await open();
      const { generation, add } = await opened(store);
      await add(1);
      expect(await store.delivery.window(OTHER_ORG, generation, 1, 10, PLENTY)).toEqual([]);
      expect(await store.delivery.channel(OTHER_ORG, generation)).toBeUndefined();
    });
  });
}
