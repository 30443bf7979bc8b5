import { describe, expect, test } from 'vitest';
import { createChannelIndex } from '../../src/domain/channel-index.ts';
import { AppError } from '../../src/domain/error.ts';
import {
  type ExternalChange,
  type ExternalRecord,
  kept,
  nobody,
  readChanges,
  takeChanges,
} from '../../src/domain/external-change.ts';
import { MAX_VALUE_LENGTH } from '../../src/domain/external-values.ts';
import type { Json } from '../../src/domain/json.ts';
import type { AddedField } from '../../src/domain/modules/additions.ts';
import { createCatalog } from '../../src/domain/modules/catalog.ts';
import { type FieldInput, readField } from '../../src/domain/modules/definition.ts';
import { addModule, removeModule } from '../../src/domain/modules/edit.ts';
import { recordKey } from '../../src/domain/record.ts';
import type { WorkingSet } from '../../src/domain/working-set.ts';
import { aChannel } from '../support/channel-set.ts';
import { openSet, patricia, recordId, stored } from './records/working-set.ts';

const FIELDS: readonly FieldInput[] = [
  { apiName: 'Stage', type: 'picklist', pickList: ['New', 'Paid'] },
  { apiName: 'Total', type: 'currency' },
  { apiName: 'Count', type: 'bigint' },
  { apiName: 'Gift', type: 'boolean' },
  { apiName: 'Labels', type: 'multiselectpicklist', pickList: ['A', 'B'] },
  { apiName: 'Note', type: 'text' },
  { apiName: 'Contact', type: 'lookup', lookup: 'Contacts' },
  { apiName: 'Customer', type: 'lookup', lookup: 'Customers' },
  { apiName: 'Seller', type: 'userlookup' },
  { apiName: 'Items', type: 'subform', rows: [{ apiName: 'Article', type: 'text' }] },
];

/** A batch of an organisation with the external modules Customers and Orders. */
function openOrders(index = createChannelIndex([])): WorkingSet {
  const set = openSet([stored('Contacts', 7, { Last_Name: 'Boyle' })], index);
  addModule(set, { apiName: 'Customers', singular: 'Customer', plural: 'Customers', external: true, fields: [] });
  addModule(set, { apiName: 'Orders', singular: 'Order', plural: 'Orders', external: true, fields: FIELDS });
  addModule(set, { apiName: 'Machines', singular: 'Machine', plural: 'Machines', fields: [] });
  return set;
}

const CONTACT = recordId(7);
const told = (operation: ExternalChange['operation'], ...records: ExternalRecord[]): ExternalChange => ({
  module: 'Orders',
  operation,
  records,
});

/** What a change of one record is read to. */
function readOne(operation: ExternalChange['operation'], record: Omit<ExternalRecord, 'id'>) {
  const [change] = readChanges(openOrders().catalog, [told(operation, { id: 'o-1', ...record })]);
  return change?.records[0];
}

function refusal(act: () => unknown): readonly [code: string, message: string, path: unknown] | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return [error.code, error.message, error.details.json_path];
    throw error;
  }
}

describe('what an update changed', () => {
  const row = (values: Record<string, Json>, old: Record<string, Json>, fields: readonly string[] | undefined) =>
    [values, old, fields] as const;

  test.each([
    row({ Stage: 'Paid', Total: 3 }, { Stage: 'New', Total: 3 }, ['Stage']),
    row({ Stage: 'Paid', Total: 3 }, {}, ['Stage', 'Total']),
    row({ Total: null }, { Total: 3 }, ['Total']),
    row({ Total: null }, {}, undefined),
    row({ Stage: 'Paid' }, { Stage: 'Paid', Total: 3 }, undefined),
    row({ Labels: ['A', 'B'] }, { Labels: ['A', 'B'] }, undefined),
    row({ Labels: ['B', 'A'] }, { Labels: ['A', 'B'] }, ['Labels']),
    row({ Labels: ['A'] }, { Labels: ['A', 'B'] }, ['Labels']),
    row({ Customer: { id: 'c', name: 'Ada' } }, { Customer: 'c' }, undefined),
    row({ Customer: { id: 'c' } }, { Customer: 'd' }, ['Customer']),
    row({ Customer: null }, { Customer: 'd' }, ['Customer']),
    row({ Seller: { id: '1', email: 'a' } }, { Seller: '1' }, undefined),
    // Not reported, and all the same something that changed.
    row({ Items: [{ Article: 'X' }] }, { Items: [] }, []),
    row({ Items: [{ a: 1, b: 2 }] }, { Items: [{ b: 2, a: 1 }] }, undefined),
    row({ Items: [{ a: 1 }] }, { Items: [{ b: 1 }] }, []),
    row({ Count: 2n ** 60n }, { Count: '1152921504606846976' }, undefined),
  ])('from its values %o and those before %o', (values, oldValues, fields) => {
    expect(readOne('update', { values, oldValues })?.fields).toEqual(fields);
  });

  test('is what is said to have changed, with its values', () => {
    const values = { Stage: 'Paid', Total: 3, Customer: 'c' };
    expect(readOne('update', { values, fields: ['Total', 'Note', 'Items'] })).toMatchObject({
      fields: ['Total', 'Note'],
      values: { Total: 3, Note: null },
      related: [{ module: 'Customers', id: 'c' }],
    });
    expect(readOne('update', { values, oldValues: values, fields: ['Stage'] })).toMatchObject({ fields: ['Stage'] });
    expect(readOne('update', { fields: [] })).toMatchObject({ fields: [], values: {} });
  });

  test('is all that is given, when nothing else says it', () => {
    expect(readOne('update', { values: { Total: 3, Note: null, Items: [] } })).toMatchObject({
      fields: ['Total', 'Note'],
      values: { Total: 3, Note: null },
    });
  });
});

test('a delete names what the record pointed at, and does not report it', () => {
  expect(readOne('delete', { oldValues: { Customer: 'c', Total: 3 } })).toEqual({
    id: 'o-1',
    fields: [],
    values: {},
    related: [{ module: 'Customers', id: 'c' }],
  });
});

test('an insert reports what is not empty, a delete what was given', () => {
  const values = { Total: 3, Note: null, Items: [], Customer: { id: 'c', name: 'Ada' } };
  const customer = { id: 'c', name: 'Ada' };
  const related = [{ module: 'Customers', id: 'c' }];
  expect(readOne('insert', { values })).toEqual({
    id: 'o-1',
    fields: [],
    values: { Total: 3, Customer: customer },
    related,
  });
  expect(readOne('insert', {})).toEqual({ id: 'o-1', fields: [], values: {}, related: [] });
  expect(readOne('delete', { values })).toMatchObject({
    values: { Total: 3, Note: null, Customer: customer },
    related,
  });
});

test.each<[string, Json, Json]>([
  ['Total', 12.5, 12.5],
  ['Total', '12.50', '12.50'],
  ['Count', 2n ** 60n, '1152921504606846976'],
  ['Stage', 'none of its choices', 'none of its choices'],
  ['Gift', false, false],
  ['Note', 'x'.repeat(MAX_VALUE_LENGTH), 'x'.repeat(MAX_VALUE_LENGTH)],
  ['Customer', 'c', { name: null, id: 'c' }],
  ['Customer', { id: 'c', more: 1 }, { name: null, id: 'c' }],
  ['Customer', { id: 'c', name: null }, { name: null, id: 'c' }],
  ['Seller', { id: '1', name: 'Ada', email: 'a@b' }, { name: 'Ada', id: '1', email: 'a@b' }],
  ['Seller', '1', { name: null, id: '1' }],
  ['Owner', '1', { name: null, id: '1' }],
  ['Tag', [{ name: 'x', id: '1' }], [{ name: 'x', id: '1' }]],
  ['Labels', ['A', 7n], ['A', '7']],
  ['Created_Time', 'whenever', 'whenever'],
])('the value of %s, given as %o, is %o', (name, given, value) => {
  expect(readOne('update', { values: { [name]: given } })?.values).toEqual({ [name]: value });
});

const deep = (levels: number): Json => (levels === 0 ? 1 : [deep(levels - 1)]);
const value = (name: string, given: Json) => [told('update', { id: 'a', values: { [name]: given } })];

test.each<[string, readonly ExternalChange[], string]>([
  ['is no text', value('Note', 1), '$.changes[0].records[0].values.Note'],
  ['is no text', value('Stage', ['A']), '$.changes[0].records[0].values.Stage'],
  ['is no number', value('Total', true), '$.changes[0].records[0].values.Total'],
  ['is a number too large', value('Total', Number.POSITIVE_INFINITY), '$.changes[0].records[0].values.Total'],
  ['is no boolean', value('Gift', 'true'), '$.changes[0].records[0].values.Gift'],
  ['is no jsonarray', value('Labels', 'A;B'), '$.changes[0].records[0].values.Labels'],
  ['is no jsonobject', value('Customer', 7), '$.changes[0].records[0].values.Customer'],
  ['must be a text of 1 to 64', value('Customer', ''), '$.changes[0].records[0].values.Customer'],
  ['must be a text of 1 to 64', value('Customer', { name: 'Ada' }), '$.changes[0].records[0].values.Customer.id'],
  ['is no text', value('Customer', { id: 'c', name: 7 }), '$.changes[0].records[0].values.Customer.name'],
  [
    'is longer than 255',
    value('Seller', { id: 'c', email: 'x'.repeat(256) }),
    '$.changes[0].records[0].values.Seller.email',
  ],
  ['cannot be stored', value('Note', 'a\0b'), '$.changes[0].records[0].values.Note'],
  ['cannot be stored', value('Items', [{ 'a\ud800': 1 }]), '$.changes[0].records[0].values.Items'],
  ['is longer than 65535', value('Note', 'x'.repeat(MAX_VALUE_LENGTH + 1)), '$.changes[0].records[0].values.Note'],
  ['is longer than 65535', value('Labels', Array(33_000).fill(1)), '$.changes[0].records[0].values.Labels'],
  ['is nested more than 8 deep', value('Items', deep(10)), '$.changes[0].records[0].values.Items'],
  ['is no field of Orders', value('Colour', 1), '$.changes[0].records[0].values.Colour'],
  ['is no field of Orders', value('__proto__x', 1), '$.changes[0].records[0].values.__proto__x'],
  [
    'is no field of Orders',
    [told('update', { id: 'a', fields: ['Stage', 'Colour'] })],
    '$.changes[0].records[0].fields[1]',
  ],
  ['repeats a field', [told('update', { id: 'a', fields: ['Stage', 'Stage'] })], '$.changes[0].records[0].fields[1]'],
  ['is missing, and so is fields', [told('update', { id: 'a' })], '$.changes[0].records[0].values'],
  [
    'is no field',
    [told('update', { id: 'a', values: {}, oldValues: { X: 1 } })],
    '$.changes[0].records[0].old_values.X',
  ],
  ['and this is an insert', [told('insert', { id: 'a', oldValues: {} })], '$.changes[0].records[0].old_values'],
  ['and this is a delete', [told('delete', { id: 'a', fields: [] })], '$.changes[0].records[0].fields'],
  ['is no module', [{ ...told('delete', { id: 'a' }), module: 'Nowhere' }], '$.changes[0].module'],
  [
    'is no external module',
    [told('delete', { id: 'a' }), { ...told('delete'), module: 'Machines' }],
    '$.changes[1].module',
  ],
  ['is no external module', [{ ...told('delete'), module: 'Contacts' }], '$.changes[0].module'],
  [
    'is that of a record before it',
    [told('delete', { id: 'a' }, { id: 'b' }, { id: 'a' })],
    '$.changes[0].records[2].id',
  ],
  ...['', '-a', '.', 'a/b', 'a b', 'é', 'x'.repeat(65)].map((id): [string, ExternalChange[], string] => [
    'must be a text of 1 to 64',
    [told('delete', { id })],
    '$.changes[0].records[0].id',
  ]),
  [
    'has more than 100 items',
    [told('delete', ...Array.from({ length: 101 }, (_, i) => ({ id: `${i}` })))],
    '$.changes[0].records',
  ],
  [
    'has more than 1000 records in all',
    Array.from({ length: 11 }, () => told('delete', ...Array.from({ length: 91 }, (_, i) => ({ id: `${i}` })))),
    '$.changes',
  ],
])('%s: refused', (said, changes, path) => {
  const refused = refusal(() => readChanges(openOrders().catalog, changes));
  expect(refused).toEqual(['INVALID_DATA', expect.stringContaining(said), path]);
});

test.each(['a', 'A-1', '_', '0', 'urn:order:7.1', 'x'.repeat(64)])('%j is the id of a record', (id) => {
  expect(readChanges(openOrders().catalog, [told('delete', { id })])[0]?.records[0]?.id).toBe(id);
});

describe('a call that is taken', () => {
  const by = { id: patricia.id, user: patricia };
  const take = (set: WorkingSet, changes: readonly ExternalChange[], whose = by) =>
    takeChanges(set, readChanges(set.catalog, changes), whose);
  const watching = (module: string, more: object = {}) =>
    createChannelIndex([
      {
        ...aChannel({ expiresAt: Number.MAX_SAFE_INTEGER, ...more }),
        events: (['insert', 'update', 'delete'] as const).map((operation) => ({ module, operation })),
      },
    ]);

  test('numbers its changes in their order, and skips one in which nothing changed', () => {
    const set = openOrders(watching('Orders'));
    const same = { values: { Total: 1 }, oldValues: { Total: 1 } };
    const taken = take(set, [
      told('insert', { id: 'a' }, { id: 'b' }),
      told('update', { id: 'a', ...same }),
      told('update', { id: 'a', ...same }, { id: 'b', values: { Total: 2 } }),
      told('delete', { id: 'b' }),
    ]);
    expect(taken).toEqual([
      { number: 7, records: 2, notifications: 1 },
      { number: null, records: 0, notifications: 0 },
      { number: 8, records: 1, notifications: 1 },
      { number: 9, records: 1, notifications: 1 },
    ]);
    const { writes } = set;
    expect(writes.changes.map(({ number, operation, by }) => [number, operation, by])).toEqual([
      [7, 'insert', patricia.id],
      [8, 'update', patricia.id],
      [9, 'delete', patricia.id],
    ]);
    expect(writes.notifications.map(({ number, ids }) => [number, ids])).toEqual([
      [4, ['a', 'b']],
      [5, ['b']],
      [6, ['b']],
    ]);
    // Nothing of the records themselves is kept.
    expect([writes.records.size, writes.deleted.size, writes.keysAdded.size]).toEqual([0, 0, 0]);
  });

  test('says of a delete who did it, or that nobody did', () => {
    const set = openOrders();
    take(set, [told('delete', { id: 'a', values: { Stage: 'New' } })]);
    take(set, [told('delete', { id: 'a' })], { id: nobody(set.org.id), user: undefined } as never);
    const [first, second] = set.writes.changes.map(({ records }) => records[0]);
    expect(first).toEqual({
      id: 'a',
      fields: ['Modified_By', 'Record_Status__s'],
      values: {
        Modified_By: { name: 'Patricia Boyle', id: patricia.id, email: 'patricia@example.com' },
        Record_Status__s: 0,
        Stage: 'New',
      },
      related: [],
    });
    expect(second?.values).toEqual({ Modified_By: { name: null, id: '3652397000000000000' }, Record_Status__s: 0 });
  });

  test('names what is pointed at, now or before, unless it would be kept here and is not', () => {
    const set = openOrders(watching('Contacts', { notifyOnRelated: true }));
    const change = told('update', {
      id: 'a',
      values: { Contact: CONTACT, Customer: 'c2' },
      oldValues: { Contact: recordId(8), Customer: 'c1' },
    });
    expect(kept(set.catalog, readChanges(set.catalog, [change]))).toEqual([
      { module: 'Contacts', id: CONTACT },
      { module: 'Contacts', id: recordId(8) },
    ]);
    take(set, [change]);
    expect(set.writes.changes[0]?.records[0]?.related).toEqual([
      { module: 'Contacts', id: CONTACT },
      { module: 'Customers', id: 'c2' },
      { module: 'Customers', id: 'c1' },
    ]);
    expect(set.writes.notifications).toMatchObject([{ module: 'Contacts', operation: 'update', ids: [CONTACT] }]);
    // One that is there, but was not loaded, is named, too.
    const other = { ...openOrders(), present: new Set([recordKey('Contacts', recordId(8))]) };
    take(other, [change]);
    expect(other.writes.changes[0]?.records[0]?.related).toContainEqual({ module: 'Contacts', id: recordId(8) });
  });

  test('notifies of a record of another module that has the same id', () => {
    const set = openOrders(watching('Customers', { notifyOnRelated: true }));
    take(set, [told('update', { id: '42', values: { Customer: '42' } })]);
    expect(set.writes.notifications).toMatchObject([{ module: 'Customers', operation: 'update', ids: ['42'] }]);
  });

  test('is refused as a whole, and leaves no trace, when a module went meanwhile', () => {
    const set = openOrders();
    const changes = readChanges(set.catalog, [
      told('insert', { id: 'a' }),
      { ...told('insert', { id: 'c' }), module: 'Orders' },
    ]);
    removeModule(set, 'Orders');
    expect(refusal(() => takeChanges(set, changes, by))).toEqual([
      'INVALID_DATA',
      'changes[0].module is no module',
      '$.changes[0].module',
    ]);
    expect(set.writes.changes).toEqual([]);
  });

  test('is refused when it may come to more than 20,000 notifications, but for a single change', () => {
    const channels = Array.from({ length: 1001 }, (_, i) => ({
      ...aChannel({ expiresAt: Number.MAX_SAFE_INTEGER }),
      channelId: `${i}` as never,
      generation: `g${i}` as never,
      events: [{ module: 'Orders', operation: 'insert' as const }],
    }));
    const set = openOrders(createChannelIndex(channels));
    const inserts = (count: number) => Array.from({ length: count }, (_, i) => told('insert', { id: `${i}` }));
    expect(refusal(() => take(set, inserts(20)))).toEqual([
      'LIMIT_EXCEEDED',
      'the changes may come to too many notifications; send fewer in a call',
      '$.changes',
    ]);
    expect(set.writes.changes).toEqual([]);
    expect(take(set, inserts(1))).toEqual([{ number: 7, records: 1, notifications: 1001 }]);
  });
});

describe('an external module', () => {
  const describeField = (field: FieldInput, of: string): unknown => {
    const set = openOrders();
    const module = set.catalog.byName.get(of);
    return module && readField(field, module, set.catalog, '$');
  };

  test('has metadata and no records', () => {
    expect(openOrders().catalog.byName.get('Orders')).toMatchObject({ isExternal: true, hasRecords: false });
    expect(openOrders().catalog.byName.get('Machines')).toMatchObject({ hasRecords: true });
  });

  test('is pointed at by external modules only', () => {
    const lookup: FieldInput = { apiName: 'Other', type: 'lookup', lookup: 'Orders' };
    expect(describeField(lookup, 'Customers')).toMatchObject({ lookup: 'Orders' });
    for (const own of ['Machines', 'Contacts']) {
      expect(refusal(() => describeField(lookup, own))).toEqual([
        'INVALID_DATA',
        'lookup cannot be Orders, which is external: whether a record of it is there cannot be told',
        '$.lookup',
      ]);
    }
    const row: FieldInput = { apiName: 'Lines', type: 'subform', rows: [lookup] };
    expect(refusal(() => describeField(row, 'Machines'))?.[2]).toBe('$.rows[0].lookup');
  });

  test('stays one when it was removed, for what still names it', () => {
    const set = openOrders();
    const fields: AddedField[] = [];
    removeModule(set, 'Machines');
    expect(createCatalog({ modules: set.catalog.additions.modules, fields }).byName.get('Orders')?.isExternal).toBe(
      true,
    );
  });
});
