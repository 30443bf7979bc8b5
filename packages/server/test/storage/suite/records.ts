import { describe, expect, it } from 'vitest';
import type { RecordId } from '../../../src/domain/ids.ts';
import { type KeyRef, keyRef, recordKey } from '../../../src/domain/record.ts';
import { findByKey, findRecord, putRecord, removeRecord } from '../../../src/domain/working-set.ts';
import { addOrgs, addRecord, type Open, ORG, OTHER_ORG, openBatches } from './sample.ts';

const email = (value: string): KeyRef => ({ module: 'Contacts', field: 'Email', value });

export function recordSuite(open: Open): void {
  describe('records', () => {
    it('gives back values as they were stored, keys in their order', async () => {
      const { store, reopen } = await open();
      await addOrgs(store, ORG);
      const values = { Zulu: 'ü 😀 "quoted"', Amount: 12.5, Account_Name: { id: '12' }, Tags: ['b', 'a'], Done: false };
      const record = await openBatches(store).run(ORG, {}, (set) => addRecord(set, values));
      const [found] = await (await reopen()).records.findMany(ORG, 'Contacts', [record.id]);
      expect(found).toEqual(record);
      expect(JSON.stringify(found?.values)).toBe(JSON.stringify(values));
    });

    it('never shows a record to another organisation or under another module', async () => {
      const { store } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const batches = openBatches(store);
      const { id } = await batches.run(ORG, {}, (set) => addRecord(set));
      expect(await store.records.findMany(OTHER_ORG, 'Contacts', [id])).toEqual([]);
      expect(await store.records.findMany(ORG, 'Leads', [id])).toEqual([]);
      expect(await store.recordLists.count(OTHER_ORG, 'Contacts')).toBe(0);
      expect(await store.records.names(OTHER_ORG, [{ module: 'Contacts', id, nameField: 'Last_Name' }])).toEqual(
        new Map(),
      );
      const seen = await batches.run(OTHER_ORG, { records: [{ module: 'Contacts', id }] }, (set) =>
        findRecord(set, 'Contacts', id),
      );
      expect(seen).toBeUndefined();
    });

    it('names records by the field that each module says', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const { account, contact, nameless } = await openBatches(store).run(ORG, {}, (set) => ({
        account: addRecord(set, { Account_Name: 'Zylker' }, 'Accounts'),
        contact: addRecord(set, { Full_Name: "Ann O'Neil" }),
        nameless: addRecord(set, {}),
      }));
      const names = await store.records.names(ORG, [
        { module: 'Accounts', id: account.id, nameField: 'Account_Name' },
        { module: 'Contacts', id: contact.id, nameField: 'Full_Name' },
        { module: 'Contacts', id: nameless.id, nameField: 'Full_Name' },
        { module: 'Contacts', id: '3652397000009999999' as RecordId, nameField: 'Full_Name' },
      ]);
      expect(names).toEqual(
        new Map([
          [recordKey('Accounts', account.id), 'Zylker'],
          [recordKey('Contacts', contact.id), "Ann O'Neil"],
          [recordKey('Contacts', nameless.id), null],
        ]),
      );
      expect(await store.records.names(ORG, [])).toEqual(new Map());
    });

    it('finds records by their keys, until these are replaced or the record is removed', async () => {
      const { store } = await open();
      await addOrgs(store, ORG, OTHER_ORG);
      const batches = openBatches(store);
      const holders = (org: typeof ORG, value: string) =>
        batches.run(org, { keys: [email(value), email('nobody')] }, (set) => {
          const ids = findByKey(set, email(value));
          // The records found are loaded with them.
          for (const id of ids) expect(findRecord(set, 'Contacts', id)?.id).toBe(id);
          expect(set.keys.has(keyRef(email('nobody')))).toBe(false);
          return ids;
        });
      const record = await batches.run(ORG, {}, (set) => addRecord(set, { Email: 'a@x' }, 'Contacts', [email('a@x')]));
      expect(await holders(ORG, 'a@x')).toEqual([record.id]);
      expect(await holders(OTHER_ORG, 'a@x')).toEqual([]);
      await batches.run(ORG, {}, (set) => putRecord(set, record, [email('b@x')], [email('a@x')]));
      expect(await holders(ORG, 'a@x')).toEqual([]);
      expect(await holders(ORG, 'b@x')).toEqual([record.id]);
      await batches.run(ORG, {}, (set) => removeRecord(set, record, [email('b@x')]));
      expect(await holders(ORG, 'b@x')).toEqual([]);
      expect(await store.records.findMany(ORG, 'Contacts', [record.id])).toEqual([]);
    });

    it('finds the oldest hundred of those that hold a value', async () => {
      const { store } = await open();
      await addOrgs(store, ORG);
      const batches = openBatches(store);
      const keys = [email('a@x'), email('b@x'), email('a@x')];
      const made = await batches.run(ORG, {}, (set) =>
        Array.from({ length: 105 }, () => addRecord(set, { Email: 'a@x' }, 'Contacts', [email('a@x')]).id),
      );
      const other = await batches.run(ORG, {}, (set) => addRecord(set, { Email: 'b@x' }, 'Contacts', [email('b@x')]));
      const found = await batches.run(ORG, { keys }, (set) => keys.map((key) => findByKey(set, key).toSorted()));
      expect(found).toEqual([made.slice(0, 100), [other.id], made.slice(0, 100)]);
    });
  });
}
