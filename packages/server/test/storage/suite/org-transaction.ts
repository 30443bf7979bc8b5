import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/error.ts';
import type { NotificationId } from '../../../src/domain/ids.ts';
import { emptyWrites, takeId } from '../../../src/domain/working-set.ts';
import type { Loaded } from '../../../src/storage/store.ts';
import { addOrgs, addRecord, createRecords, type Open, ORG, OTHER_ORG, openBatches, openChannel } from './sample.ts';

const counters = ({ counters: found }: Loaded) => ({ writes: emptyWrites(found), result: found });

export function orgTransactionSuite(open: Open): void {
  describe('org transactions', () => {
    it('refuses an organisation that is not there', async () => {
      const { store } = await open();
      await expect(store.writing.inOrg(ORG, {}, counters)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
    });

    it('keeps the counters of an organisation over a restart', async () => {
      const { store, reopen } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const before = await store.writing.inOrg(ORG, {}, counters);
      const batches = openBatches(store);
      batches.now += 7;
      await batches.run(ORG, {}, (set) => {
        openChannel(set, '1');
        createRecords(set, 3);
      });
      const { writing } = await reopen();
      expect(await writing.inOrg(ORG, {}, counters)).toEqual({
        nextSerial: before.nextSerial + 4,
        lastChange: before.lastChange + 1,
        channelVersion: before.channelVersion + 1,
        catalogVersion: before.catalogVersion,
        lastTime: before.lastTime + 7,
      });
      expect(await writing.inOrg(OTHER_ORG, {}, counters)).toEqual(before);
    });

    it('never lets committed time run backwards', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      await batches.run(ORG, {}, (set) => addRecord(set));
      batches.now -= 60_000;
      const { createdAt } = await batches.run(ORG, {}, (set) => addRecord(set));
      expect(createdAt).toBe(batches.now + 60_000);
    });

    it('counts every one of many concurrent transactions of an organisation', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const add = () =>
        store.writing.inOrg(ORG, {}, ({ counters: found }) => ({
          writes: {
            ...emptyWrites({ ...found, nextSerial: found.nextSerial + 1, lastChange: found.lastChange + 1 }),
            changes: [
              {
                number: found.lastChange + 1,
                module: 'Leads',
                operation: 'insert',
                at: 1,
                channelVersion: 0,
                by: 'u' as never,
                records: [],
              },
            ],
          },
          result: found.lastChange + 1,
        }));
      const numbers = await Promise.all(Array.from({ length: 50 }, add));
      expect(numbers).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
      expect(
        await store.writing.inOrg(ORG, {}, ({ counters: c }) => counters({ counters: c } as Loaded)),
      ).toMatchObject({
        lastChange: 50,
      });
    });

    it('saves a write set as a whole or not at all, and leaves its neighbours saved', async () => {
      const { store } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const batches = openBatches(store);
      await batches.run(ORG, {}, (set) => openChannel(set, '1'));
      await batches.run(ORG, {}, (set) => createRecords(set));
      const taken = batches.commits.at(-1)?.notifications[0]?.id as NotificationId;

      // An id that another notification has: the store refuses the whole set. The other's commit waits beside it.
      const guilty = store.writing.inOrg(ORG, {}, (loaded) => {
        const writes = emptyWrites(loaded.counters);
        const set = { ...loaded, now: loaded.counters.lastTime, writes, randomId: () => taken } as never;
        createRecords(set);
        return { writes, result: undefined };
      });
      const innocent = batches.run(OTHER_ORG, {}, (set) => createRecords(set));
      await expect(guilty).rejects.toThrow();
      const [saved] = await innocent;
      expect(await store.records.findMany(OTHER_ORG, 'Contacts', saved ? [saved.id] : [])).toHaveLength(1);
      expect(await store.recordLists.count(ORG, 'Contacts')).toBe(1);
      expect(await store.writing.inOrg(ORG, {}, counters)).toMatchObject({ lastChange: 1 });
      // The index has forgotten the number that was never committed.
      await batches.run(ORG, {}, (set) => createRecords(set));
      expect(batches.commits.at(-1)?.notifications.map(({ number }) => number)).toEqual([2]);
    });

    it('saves nothing of a decision that throws, and forgets what it did to the index', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const broken = store.writing.inOrg(ORG, {}, (loaded) => {
        const set = { ...loaded, now: 1, writes: emptyWrites(loaded.counters), randomId: () => 'x' } as never;
        openChannel({ ...(set as object), channels: new Map() } as never, '1');
        takeId(set);
        throw new AppError('INVALID_DATA', 'refused');
      });
      await expect(broken).rejects.toMatchObject({ code: 'INVALID_DATA' });
      const channels = await store.writing.inOrg(ORG, {}, ({ counters: found, index }) => ({
        writes: emptyWrites(found),
        result: index.byKey.size,
      }));
      expect(channels).toBe(0);
    });

    it('refuses what comes after it was closed', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      await store.close();
      await expect(store.writing.inOrg(ORG, {}, counters)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
      expect(await store.check()).toMatchObject({ ok: false });
    });

    it('says that it works', async () => {
      const { store } = await open();
      expect(await store.check()).toEqual({ ok: true });
    });
  });
}
