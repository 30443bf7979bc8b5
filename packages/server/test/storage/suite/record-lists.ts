import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordId } from '../../../src/domain/ids.ts';
import type { StoredRecord } from '../../../src/domain/record.ts';
import type { Position, SortOrder } from '../../../src/domain/record-list.ts';
import { putRecord, removeRecord } from '../../../src/domain/working-set.ts';
import type { RecordPageQuery, Store } from '../../../src/storage/store.ts';
import { addOrgs, addRecord, type Open, ORG, openBatches } from './sample.ts';

const CONTACTS = 'Contacts';
const SOME = 6200;

const page = async (store: Store, query: Partial<RecordPageQuery>): Promise<RecordId[]> => {
  const whole = { by: 'id', order: 'asc', skip: 0, limit: 200, ...query } as const;
  return (await store.recordLists.page(ORG, CONTACTS, whole)).map(({ id }) => id);
};

export function recordListSuite(open: Open): void {
  describe('lists of records', () => {
    it('are in order of ids or of the time of change, both ways, equal times by id', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      const [a, b, c, d] = (await batches.run(ORG, {}, (set) =>
        Array.from({ length: 4 }, () => addRecord(set, {}, CONTACTS)),
      )) as [StoredRecord, StoredRecord, StoredRecord, StoredRecord];
      await batches.run(ORG, {}, (set) => {
        addRecord(set, {}, 'Leads');
        putRecord(set, { ...b, modifiedAt: b.modifiedAt + 5 }, []);
        putRecord(set, { ...a, modifiedAt: a.modifiedAt + 5 }, []);
      });
      expect(await page(store, {})).toEqual([a.id, b.id, c.id, d.id]);
      expect(await page(store, { order: 'desc' })).toEqual([d.id, c.id, b.id, a.id]);
      expect(await page(store, { by: 'modified' })).toEqual([c.id, d.id, a.id, b.id]);
      expect(await page(store, { by: 'modified', order: 'desc' })).toEqual([b.id, a.id, d.id, c.id]);
      const after: Position = { at: a.modifiedAt, id: c.id };
      expect(await page(store, { by: 'modified', after })).toEqual([d.id, a.id, b.id]);
      expect(await page(store, { by: 'modified', order: 'desc', after })).toEqual([]);
      for (const by of ['id', 'modified'] as const) {
        expect(new Set(await page(store, { by, since: a.modifiedAt }))).toEqual(new Set([a.id, b.id]));
        expect(await page(store, { by, since: a.modifiedAt + 5 })).toEqual([]);
      }
      expect(await store.recordLists.count(ORG, CONTACTS)).toBe(4);
    });

    it('of many records are read in steps: far pages, those modified since, and the count', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      const all = await batches.run(ORG, {}, (set) => Array.from({ length: SOME }, () => addRecord(set, {}, CONTACTS)));
      const changed = all.filter((_, i) => i % 3 !== 1);
      await batches.run(ORG, {}, (set) => {
        for (const record of changed) putRecord(set, { ...record, modifiedAt: record.modifiedAt + 1 }, []);
      });
      const ids = all.map(({ id }) => id);
      const since = all[0]?.modifiedAt ?? 0;
      const modified = new Set(changed.map(({ id }) => id));
      const byTime = [...ids.filter((id) => !modified.has(id)), ...modified];
      const ordered = (of: readonly RecordId[], order: SortOrder) => (order === 'asc' ? [...of] : of.toReversed());
      for (const order of ['asc', 'desc'] as const) {
        const wanted = ordered(ids, order);
        expect(await page(store, { order, skip: 6100, limit: 50 })).toEqual(wanted.slice(6100, 6150));
        expect(await page(store, { order, by: 'modified', skip: 6100, limit: 50 })).toEqual(
          ordered(byTime, order).slice(6100, 6150),
        );
        expect(await page(store, { order, skip: SOME + 1, limit: 50 })).toEqual([]);
        const recent = ordered([...modified], order);
        expect(await page(store, { order, since, limit: 201 })).toEqual(recent.slice(0, 201));
        expect(await page(store, { order, since, skip: 2500, limit: 201 })).toEqual(recent.slice(2500, 2701));
        const after = { at: 0, id: recent[2700] as RecordId };
        expect(await page(store, { order, since, after, limit: 201 })).toEqual(recent.slice(2701, 2902));
      }
      expect(await store.recordLists.count(ORG, CONTACTS)).toBe(SOME);
    });

    it('shows what lives throughout exactly once, page after page, whatever is added and removed meanwhile', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      const step = fc.record({ added: fc.nat(4), removed: fc.nat(4), limit: fc.integer({ min: 1, max: 7 }) });
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 12 }),
          fc.constantFrom('id' as const, 'modified' as const),
          fc.constantFrom('asc' as const, 'desc' as const),
          fc.nat(25),
          async (steps, by, order, size) => {
            const first = await batches.run(ORG, {}, (set) => Array.from({ length: size }, () => addRecord(set)));
            const alive = new Map(first.map((record) => [record.id, record]));
            const lasting = new Set(await page(store, { limit: 100_000 }));
            const seen: RecordId[] = [];
            let after: Position | undefined;
            for (let i = 0; ; i += 1) {
              const { added, removed, limit } = steps[i % steps.length] ?? { added: 0, removed: 0, limit: 7 };
              const found = await store.recordLists.page(ORG, CONTACTS, { by, order, after, skip: 0, limit });
              seen.push(...found.map(({ id }) => id));
              const last = found.at(-1);
              if (!last) break;
              after = { at: by === 'id' ? 0 : last.modifiedAt, id: last.id };
              // New ones come for a while only: in ascending order the list would never end.
              const more = i < steps.length ? added : 0;
              await batches.run(ORG, {}, (set) => {
                for (const record of [...alive.values()].slice(0, removed)) {
                  removeRecord(set, record, []);
                  alive.delete(record.id);
                  lasting.delete(record.id);
                }
                for (let n = 0; n < more; n += 1) addRecord(set);
              });
            }
            expect(new Set(seen).size).toBe(seen.length);
            expect(seen).toEqual(expect.arrayContaining([...lasting]));
          },
        ),
        { numRuns: 25 },
      );
    });
  });
}
