import { describe, expect, it } from 'vitest';
import { BIN_MS, LISTED_MS } from '../../../src/domain/deleted-record.ts';
import type { RecordId } from '../../../src/domain/ids.ts';
import type { StoredRecord } from '../../../src/domain/record.ts';
import { dropDeleted, putDeleted, removeRecord, type WorkingSet } from '../../../src/domain/working-set.ts';
import { addOrgs, addRecord, type Open, ORG, OTHER_ORG, openBatches, PATRICIA, START } from './sample.ts';

const ALL = { type: 'all', since: 0, offset: 0, limit: 10 } as const;

function bin(set: WorkingSet, record: StoredRecord, displayName?: string): void {
  removeRecord(set, record, []);
  const named = displayName === undefined ? {} : { displayName };
  putDeleted(set, {
    module: record.module,
    id: record.id,
    deletedAt: set.now,
    bin: { ...named, deletedBy: PATRICIA, record },
  });
}

export function deletedRecordSuite(open: Open): void {
  describe('deleted records', () => {
    it('come back whole, to the batch that asks for them and to readers', async () => {
      const { store, reopen } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const batches = openBatches(store);
      const values = { Zulu: 'ü 😀', Account_Name: { id: '12' } };
      const [named, nameless] = await batches.run(ORG, {}, (set) => {
        const both = [addRecord(set, values), addRecord(set, {}, 'Leads')] as const;
        bin(set, both[0], 'Name');
        bin(set, both[1]);
        return both;
      });
      const again = await reopen();
      const ids = [named.id, nameless.id];
      const kept = [
        {
          module: 'Contacts',
          id: named.id,
          deletedAt: START,
          bin: { displayName: 'Name', deletedBy: PATRICIA, record: named },
        },
        { module: 'Leads', id: nameless.id, deletedAt: START, bin: { deletedBy: PATRICIA, record: nameless } },
      ];
      expect(await again.deleted.findMany(ORG, ids)).toEqual(kept);
      expect(await again.deleted.findMany(OTHER_ORG, ids)).toEqual([]);
      expect(await again.deleted.listModule(ORG, 'Leads', { ...ALL, now: START })).toEqual([kept[1]]);
      expect(await again.deleted.listModule(OTHER_ORG, 'Leads', { ...ALL, now: START })).toEqual([]);
      const loaded = await openBatches(again).run(ORG, { deleted: ids }, (set) => [...set.deleted.values()]);
      expect(loaded).toEqual(kept);
    });

    it('are forgotten when they are restored, and keep no value when they are gone for good', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      const [a, b] = await batches.run(ORG, {}, (set) => {
        const both = [addRecord(set), addRecord(set)] as const;
        for (const record of both) bin(set, record);
        return both;
      });
      await batches.run(ORG, {}, (set) => {
        dropDeleted(set, a.id);
        putDeleted(set, { module: 'Contacts', id: b.id, deletedAt: START });
      });
      expect(await store.deleted.findMany(ORG, [a.id, b.id])).toEqual([
        { module: 'Contacts', id: b.id, deletedAt: START },
      ]);
      expect(await store.deleted.countBin(ORG, ['Contacts'], START)).toBe(0);
    });

    it('are listed by the time of deletion, of some modules only, page by page', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      const ids: RecordId[] = [];
      for (const module of ['Contacts', 'Leads', 'Deals', 'Contacts']) {
        batches.now += 1000;
        const record = await batches.run(ORG, {}, (set) => {
          const made = addRecord(set, {}, module);
          bin(set, made);
          return made;
        });
        ids.push(record.id);
      }
      const [a, b, , d] = ids;
      const some = async (order: 'asc' | 'desc', offset: number, limit: number) => {
        const query = { now: batches.now, order, offset, limit };
        return (await store.deleted.listBin(ORG, ['Contacts', 'Leads'], query)).map(({ id }) => id);
      };
      expect(await some('desc', 0, 10)).toEqual([d, b, a]);
      expect(await some('asc', 0, 2)).toEqual([a, b]);
      expect(await some('asc', 2, 2)).toEqual([d]);
      expect(await store.deleted.countBin(ORG, ['Contacts', 'Leads'], batches.now)).toBe(3);
      const since = START + 1000;
      const listed = await store.deleted.listModule(ORG, 'Contacts', { ...ALL, since, now: batches.now });
      expect(listed.map(({ id }) => id)).toEqual([d]);
    });

    it('are counted in steps, however many there are', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      for (let times = 0; times < 2; times += 1) {
        batches.now += 1000;
        await batches.run(ORG, {}, (set) => {
          for (let i = 0; i < 2600; i += 1) bin(set, addRecord(set, {}, i % 2 === 0 ? 'Contacts' : 'Leads'));
        });
      }
      expect(await store.deleted.countBin(ORG, ['Contacts', 'Leads'], batches.now)).toBe(5200);
      expect(await store.deleted.countBin(ORG, ['Leads'], batches.now)).toBe(2600);
      expect(await store.deleted.countBin(ORG, ['Leads'], batches.now + BIN_MS - 1000)).toBe(1300);
      expect(await store.deleted.countBin(ORG, ['Leads'], batches.now + BIN_MS)).toBe(0);
    });

    it('lose their values after 60 days and leave nothing after 120, in parts', async () => {
      const { store } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const batches = openBatches(store);
      const records = await batches.run(ORG, {}, (set) => {
        const made = Array.from({ length: 501 }, () => addRecord(set, { Last_Name: 'Gone' }));
        for (const record of made) bin(set, record, 'Gone');
        return made;
      });
      const ids = records.map(({ id }) => id);
      expect(await store.deleted.purge(ORG, START + BIN_MS - 1)).toBe(false);
      expect(await store.deleted.purge(OTHER_ORG, START + BIN_MS)).toBe(false);
      const withValues = async () => (await store.deleted.findMany(ORG, ids)).filter((record) => record.bin).length;
      expect(await withValues()).toBe(501);
      expect(await store.deleted.purge(ORG, START + BIN_MS)).toBe(true);
      expect(await withValues()).toBe(1);
      expect(await store.deleted.purge(ORG, START + BIN_MS)).toBe(false);
      expect(await withValues()).toBe(0);
      expect(await store.deleted.findMany(ORG, ids)).toHaveLength(501);
      expect(await store.deleted.purge(ORG, START + LISTED_MS)).toBe(true);
      expect(await store.deleted.purge(ORG, START + LISTED_MS)).toBe(false);
      expect(await store.deleted.findMany(ORG, ids)).toEqual([]);
    });
  });
}
