import { describe, expect, it } from 'vitest';
import { ANSWER_LIFE_MS, answerKey } from '../../../src/domain/idempotency.ts';
import type { RecordId, UserId } from '../../../src/domain/ids.ts';
import { type KeyRef, recordKey, type StoredRecord } from '../../../src/domain/record.ts';
import { putRecord, type WorkingSet } from '../../../src/domain/working-set.ts';
import { addOrgs, addRecord, type Open, ORG, OTHER_ORG, openBatches } from './sample.ts';

const ACCOUNT = '3652397000000000900' as RecordId;
const USER = 'u' as UserId;
const FIRST_PAGE = { page: 1, perPage: 2, sortBy: 'created', ascending: false } as const;

const pointing = (target: string): KeyRef => ({ module: 'Contacts', field: 'Account_Name', value: target });

/** A contact that points at the account, with its look-up entry. */
function addPointing(set: WorkingSet, target: RecordId = ACCOUNT): StoredRecord {
  const record = addRecord(set, { Account_Name: { id: target } });
  putRecord(set, record, [pointing(target)]);
  return record;
}

const keep = (set: WorkingSet, key: string, at: number): void => {
  set.writes.answers.push({ userId: USER, key, fingerprint: 'f', answer: `"${key}"`, at });
};

export function relatedSuite(open: Open): void {
  describe('related records', () => {
    it('are found by what they point at, in pages and in any order', async () => {
      const { store } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const batches = openBatches(store);
      const [a, b, c] = await batches.run(ORG, {}, (set) => [addPointing(set), addPointing(set), addPointing(set)]);
      await batches.run(ORG, {}, (set) => addPointing(set, '3652397000000000901' as RecordId));
      const ids = async (org: typeof ORG, query: typeof FIRST_PAGE | object = FIRST_PAGE) => {
        const found = await store.related.page(org, 'Contacts', ['Account_Name', 'Other'], ACCOUNT, {
          ...FIRST_PAGE,
          ...query,
        });
        return [found.records.map(({ id }) => id), found.moreRecords];
      };
      expect(await ids(ORG)).toEqual([[c?.id, b?.id], true]);
      expect(await ids(ORG, { page: 2 })).toEqual([[a?.id], false]);
      expect(await ids(ORG, { ascending: true, perPage: 200 })).toEqual([[a?.id, b?.id, c?.id], false]);
      expect(await ids(ORG, { sortBy: 'modified', perPage: 200 })).toEqual([[c?.id, b?.id, a?.id], false]);
      expect(await ids(OTHER_ORG)).toEqual([[], false]);
      const after = (from: string) => store.related.ids(ORG, 'Contacts', ['Account_Name'], [ACCOUNT], from, 2);
      expect(await after('')).toEqual([a?.id, b?.id]);
      expect(await after(b?.id ?? '')).toEqual([c?.id]);
      expect(await store.related.count(ORG, 'Contacts', 'Account_Name', ACCOUNT)).toBe(3);
      expect(await store.related.count(OTHER_ORG, 'Contacts', 'Account_Name', ACCOUNT)).toBe(0);
    });

    it('say who holds a value: the oldest, and nobody of another organisation', async () => {
      const { store } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const [first] = await openBatches(store).run(ORG, {}, (set) => [addPointing(set), addPointing(set)]);
      const find = (org: typeof ORG) => store.related.holders(org, 'Contacts', 'Account_Name', [ACCOUNT, 'x']);
      expect(await find(ORG)).toEqual(new Map([[ACCOUNT, first?.id]]));
      expect(await find(OTHER_ORG)).toEqual(new Map());
    });
  });

  describe('what a batch loads', () => {
    it('says of what the records loaded point at whether it is there', async () => {
      const { store } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const batches = openBatches(store);
      const account = await batches.run(ORG, {}, (set) => addRecord(set, { Account_Name: 'A' }, 'Accounts'));
      const [there, gone] = await batches.run(ORG, {}, (set) => [
        addPointing(set, account.id),
        addPointing(set, '3652397000000000999' as RecordId),
      ]);
      const records = [there, gone].flatMap((record) => (record ? [{ module: record.module, id: record.id }] : []));
      const present = await batches.run(ORG, { records }, (set) => [...set.present]);
      expect(present).toEqual([recordKey('Accounts', account.id)]);
    });

    it('has the answer kept for a key, over a restart, and lets go of those that lapsed', async () => {
      const { store, reopen } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const batches = openBatches(store);
      await batches.run(ORG, {}, (set) => keep(set, 'old', 1000));
      await batches.run(ORG, {}, (set) => keep(set, 'kept', 1001));
      const again = openBatches(await reopen());
      const answers = [
        { userId: USER, key: 'old' },
        { userId: USER, key: 'kept' },
        { userId: USER, key: 'new' },
      ];
      const keys = (org: typeof ORG) => again.run(org, { answers }, (set) => [...set.answers.keys()].sort());
      const named = (...of: string[]) => of.map((key) => answerKey(USER, key)).sort();
      expect(await keys(ORG)).toEqual(named('old', 'kept'));
      expect(await keys(OTHER_ORG)).toEqual([]);
      await again.run(ORG, {}, (set) => keep(set, 'new', 1000 + ANSWER_LIFE_MS));
      expect(await keys(ORG)).toEqual(named('kept', 'new'));
    });
  });
}
