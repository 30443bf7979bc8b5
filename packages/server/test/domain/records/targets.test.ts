import { describe, expect, test } from 'vitest';
import { STANDARD_CATALOG } from '../../../src/domain/modules/catalog.ts';
import { recordKey, type StoredRecord } from '../../../src/domain/record.ts';
import { createAll, deleteAll, updateAll } from '../../../src/domain/records/call.ts';
import { done } from '../../../src/domain/records/result.ts';
import { unknownTargets } from '../../../src/domain/records/targets.ts';
import type { WorkingSet } from '../../../src/domain/working-set.ts';
import { module, openSet, patricia, read, recordId, stored } from './working-set.ts';

const acme = stored('Accounts', 1, { Account_Name: 'Acme' });
const globex = stored('Accounts', 2, { Account_Name: 'Globex' });
const jane = stored('Contacts', 11, { Last_Name: 'Jane', Account_Name: { id: acme.id } });
const note = stored('Notes', 21, { Note_Content: 'n', Parent_Id: { id: jane.id, module: 'Contacts' } });

/** A batch that loaded these, and knows of what they point at that these are there. */
const setWith = (records: readonly StoredRecord[], present: readonly StoredRecord[] = []): WorkingSet => ({
  ...openSet(records),
  present: new Set(present.map((record) => recordKey(record.module, record.id))),
});
const relatedIds = (set: WorkingSet) => set.writes.changes.at(-1)?.records[0]?.related.map(({ id }) => id);
const rename = (set: WorkingSet) =>
  updateAll(set, module('Contacts'), read('Contacts', { id: jane.id, First_Name: 'J' }), patricia);

describe('what a change names as related', () => {
  test('is what the record points at, loaded or known to be there', () => {
    const loaded = setWith([jane, acme]);
    rename(loaded);
    const known = setWith([jane], [acme]);
    rename(known);
    expect([relatedIds(loaded), relatedIds(known)]).toEqual([[acme.id], [acme.id]]);
  });

  test('is nothing that was deleted before the batch, or earlier in it', () => {
    const before = setWith([jane]);
    rename(before);
    const during = setWith([jane, acme]);
    deleteAll(during, module('Accounts'), [done(acme.id)], patricia);
    rename(during);
    expect([relatedIds(before), relatedIds(during)]).toEqual([[], []]);
  });

  test('is what was created earlier in the batch', () => {
    const set = setWith([jane], [acme]);
    createAll(set, module('Accounts'), read('Accounts', { Account_Name: 'New' }), patricia);
    const made = set.writes.changes[0]?.records[0]?.id;
    updateAll(set, module('Contacts'), read('Contacts', { id: jane.id, Account_Name: { id: made ?? '' } }), patricia);
    expect(relatedIds(set)).toEqual([made, acme.id]);
  });

  test('leaves out an old target that is gone when a lookup moves', () => {
    const set = setWith([jane, globex]);
    updateAll(set, module('Contacts'), read('Contacts', { id: jane.id, Account_Name: { id: globex.id } }), patricia);
    expect(relatedIds(set)).toEqual([globex.id]);
  });

  test('is the parent of a note, in whichever module, when it is written or deleted', () => {
    const set = setWith([note], [jane]);
    updateAll(set, module('Notes'), read('Notes', { id: note.id, Note_Title: 'T' }), patricia);
    expect(set.writes.changes.at(-1)?.records[0]?.related).toEqual([{ module: 'Contacts', id: jane.id }]);
    deleteAll(set, module('Notes'), [done(note.id)], patricia);
    expect(relatedIds(set)).toEqual([jane.id]);
  });

  test('is no product of a line item', () => {
    const product = stored('Products', 31, { Product_Name: 'P' });
    const set = setWith([acme, product]);
    const row = { Product_Name: { id: product.id }, Quantity: 1 };
    const quote = { Subject: 'Q', Account_Name: { id: acme.id }, Quoted_Items: [row] };
    createAll(set, module('Quotes'), read('Quotes', quote), patricia);
    expect(relatedIds(set)).toEqual([acme.id]);
  });
});

test('asks only for targets that were not loaded, each once', () => {
  const twin = stored('Contacts', 12, { Last_Name: 'Twin', Account_Name: { id: acme.id } });
  const loaded = new Map(
    [jane, twin, note, globex].map((record) => [recordKey(record.module, record.id), record] as const),
  );
  expect(unknownTargets(STANDARD_CATALOG, loaded)).toEqual([{ module: 'Accounts', id: acme.id }]);
  expect(unknownTargets(STANDARD_CATALOG, new Map())).toEqual([]);
  expect(recordId(1)).toBe(acme.id);
});
