import { describe, expect, test } from 'vitest';
import { BIN_MS } from '../../../src/domain/deleted-record.ts';
import { recordKey, type StoredRecord } from '../../../src/domain/record.ts';
import { deleteAll } from '../../../src/domain/records/call.ts';
import { keysOf } from '../../../src/domain/records/keys.ts';
import { type BinItem, removeForGood, restoreAll } from '../../../src/domain/records/restore.ts';
import { done } from '../../../src/domain/records/result.ts';
import type { WorkingSet } from '../../../src/domain/working-set.ts';
import { module, NOW, openSet, patricia, sam, stored } from './working-set.ts';

const item = (record: StoredRecord): BinItem => ({ id: record.id, module: module(record.module) });

/** A batch in which these records are in the bin since `age` milliseconds. */
function withBin(records: readonly StoredRecord[], age = 0): WorkingSet {
  const set = openSet();
  for (const record of records) {
    const bin = { displayName: 'n', deletedBy: sam.id, record };
    set.deleted.set(record.id, { module: record.module, id: record.id, deletedAt: NOW - age, bin });
  }
  return set;
}

const contact = stored('Contacts', 1, { Last_Name: 'Doe', Full_Name: 'Doe', Email: 'a@example.com' });

describe('the bin', () => {
  test('takes a record that is deleted, as it was', () => {
    const set = openSet([contact]);
    deleteAll(set, module('Contacts'), [done(contact.id)], patricia);
    const bin = { displayName: 'Doe', deletedBy: patricia.id, record: contact };
    expect([...set.writes.deleted.values()]).toEqual([{ module: 'Contacts', id: contact.id, deletedAt: NOW, bin }]);
  });

  test('gives it back with its look-up entries, modified now by the caller', () => {
    const set = withBin([contact]);
    expect(restoreAll(set, [item(contact)], patricia)).toEqual([done(contact.id)]);
    const record = { ...contact, modifiedAt: NOW, modifiedBy: patricia.id };
    expect(set.writes.records.get(recordKey('Contacts', contact.id))).toEqual(record);
    expect([...set.writes.keysAdded.values()]).toEqual(
      keysOf(module('Contacts'), contact.values).map((key) => ({ ...key, id: contact.id })),
    );
    expect(set.writes.deleted.get(contact.id)).toBe('restored');
    expect(set.writes.changes).toMatchObject([
      {
        module: 'Contacts',
        operation: 'update',
        by: patricia.id,
        records: [{ id: contact.id, fields: ['Modified_By', 'Record_Status__s'], values: { Record_Status__s: 1 } }],
      },
    ]);
  });

  test('lets go of a record for good without its values', () => {
    const set = withBin([contact]);
    expect(removeForGood(set, [item(contact)], patricia)).toEqual([done(contact.id)]);
    expect(set.writes.deleted.get(contact.id)).toEqual({ module: 'Contacts', id: contact.id, deletedAt: NOW });
    expect(set.writes.changes).toMatchObject([{ operation: 'delete', records: [{ id: contact.id }] }]);
    expect(restoreAll(set, [item(contact)], patricia)).toMatchObject([{ ok: false }]);
  });

  test.each([
    ['was deleted 60 days ago', withBin([contact], BIN_MS), item(contact)],
    ['was never deleted', withBin([]), item(contact)],
    ['is of a module that the caller may not use', withBin([contact]), { id: contact.id }],
    ['is of another module than was looked at', withBin([contact]), { id: contact.id, module: module('Leads') }],
  ] as const)('does not give back what %s', (_, set, asked) => {
    const refusal = { code: 'INVALID_DATA', details: { id: contact.id } };
    expect(restoreAll(set, [asked], patricia)).toMatchObject([{ ok: false, refusal }]);
    expect(removeForGood(set, [asked], patricia)).toMatchObject([{ ok: false, refusal }]);
    expect(set.writes.changes).toEqual([]);
    expect(set.writes.records.size + set.writes.deleted.size).toBe(0);
  });

  test('tells of at most 100 records of one module at a time, each once', () => {
    const contacts = Array.from({ length: 150 }, (_, i) => stored('Contacts', i + 1, { Last_Name: 'x' }));
    const leads = Array.from({ length: 3 }, (_, i) => stored('Leads', i + 501, { Last_Name: 'x' }));
    const mixed = [...leads, ...contacts];
    for (const act of [restoreAll, removeForGood]) {
      const set = withBin(mixed);
      act(set, mixed.map(item), patricia);
      expect(set.writes.changes.map((change) => [change.module, change.records.length])).toEqual([
        ['Leads', 3],
        ['Contacts', 100],
        ['Contacts', 50],
      ]);
      const told = set.writes.changes.flatMap(({ records }) => records.map(({ id }) => id));
      expect(told).toEqual(mixed.map(({ id }) => id));
    }
  });
});
