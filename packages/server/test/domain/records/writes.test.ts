import { describe, expect, test } from 'vitest';
import { addField } from '../../../src/domain/modules/edit.ts';
import { createAll, deleteAll, updateAll, upsertAll } from '../../../src/domain/records/call.ts';
import { checkFields } from '../../../src/domain/records/keys.ts';
import { done } from '../../../src/domain/records/result.ts';
import { findByKey } from '../../../src/domain/working-set.ts';
import { module, NOW, openSet, outcomes, patricia, read, recordId, sam, stored } from './working-set.ts';

const acme = stored('Accounts', 11, { Account_Name: 'Acme', Account_Number: 'A-1', Owner: { id: sam.id } });
const globex = stored('Accounts', 12, { Account_Name: 'Globex', Owner: { id: sam.id } });
const jane = stored('Contacts', 21, {
  First_Name: 'Jane',
  Last_Name: 'Doe',
  Full_Name: 'Jane Doe',
  Email: 'jane@example.com',
  Account_Name: { id: acme.id },
  Owner: { id: sam.id },
});
const deal = stored('Deals', 31, { Deal_Name: 'Big', Stage: 'Qualification', Probability: 10, Owner: { id: sam.id } });

describe('creating records', () => {
  test('gives each an id, an owner, a full name, and makes one change of all', () => {
    const set = openSet([acme]);
    const results = createAll(
      set,
      module('Contacts'),
      read(
        'Contacts',
        {
          Last_Name: 'Roe',
          First_Name: 'Ann',
          Account_Name: { id: acme.id },
          Email: null,
          Nonsense: 1,
          Full_Name: 'x',
        },
        { Last_Name: 'Poe', Owner: sam.id },
      ),
      patricia,
    );
    expect(outcomes(results)).toEqual(['insert', 'insert']);
    expect(set.records.get(`Contacts/${recordId(1001)}`)).toEqual({
      module: 'Contacts',
      id: recordId(1001),
      values: {
        Owner: { id: patricia.id },
        Last_Name: 'Roe',
        First_Name: 'Ann',
        Full_Name: 'Ann Roe',
        Account_Name: { id: acme.id },
      },
      createdAt: NOW,
      createdBy: patricia.id,
      modifiedAt: NOW,
      modifiedBy: patricia.id,
    });
    expect(set.writes.changes).toEqual([
      {
        number: 7,
        module: 'Contacts',
        operation: 'insert',
        at: NOW,
        by: patricia.id,
        channelVersion: 0,
        records: [
          {
            id: recordId(1001),
            fields: [],
            values: { Last_Name: 'Roe', First_Name: 'Ann', Account_Name: { name: 'Acme', id: acme.id } },
            related: [{ module: 'Accounts', id: acme.id }],
          },
          {
            id: recordId(1002),
            fields: [],
            values: { Last_Name: 'Poe', Owner: { name: 'Sam Reed', id: sam.id, email: 'sam@example.com' } },
            related: [],
          },
        ],
      },
    ]);
  });

  test('refuses what is missing, dangling, malformed or taken, and goes on with the neighbours', () => {
    const set = openSet([acme]);
    const results = createAll(
      set,
      module('Accounts'),
      read(
        'Accounts',
        { Industry: 'Education' },
        { Account_Name: null },
        { Account_Name: 'A', Parent_Account: recordId(99) },
        { Account_Name: 'B', Owner: { id: recordId(98) } },
        { Account_Name: 'C', Account_Number: ' a-1 ' },
        'text',
        { Account_Name: 'D', Account_Number: 'new' },
        { Account_Name: 'E', Account_Number: 'NEW' },
      ),
      patricia,
    );
    expect(outcomes(results)).toEqual([
      { code: 'MANDATORY_NOT_FOUND', details: { api_name: 'Account_Name', json_path: '$.data[0].Account_Name' } },
      { code: 'MANDATORY_NOT_FOUND', details: { api_name: 'Account_Name', json_path: '$.data[1].Account_Name' } },
      {
        code: 'INVALID_DATA',
        details: { api_name: 'id', json_path: '$.data[2].Parent_Account.id', parent_api_name: 'Parent_Account' },
      },
      { code: 'INVALID_DATA', details: { api_name: 'id', json_path: '$.data[3].Owner.id', parent_api_name: 'Owner' } },
      {
        code: 'DUPLICATE_DATA',
        details: { api_name: 'Account_Number', json_path: '$.data[4].Account_Number', id: acme.id },
      },
      { code: 'INVALID_DATA', details: { expected_data_type: 'jsonobject', json_path: '$.data[5]' } },
      'insert',
      {
        code: 'DUPLICATE_DATA',
        details: { api_name: 'Account_Number', json_path: '$.data[7].Account_Number', id: recordId(1001) },
      },
    ]);
    expect(set.writes.changes.map((change) => change.records.length)).toEqual([1]);
    expect(set.writes.records.size).toBe(1);
  });

  test('writes nothing and makes no change when every record is refused', () => {
    const set = openSet();
    createAll(set, module('Leads'), read('Leads', {}, { Company: 'x' }), patricia);
    expect(set.writes).toMatchObject({ changes: [], counters: { nextSerial: 1001, lastChange: 6 } });
    expect(set.writes.records.size).toBe(0);
  });

  test('a deal takes the probability of its stage unless one is given', () => {
    const set = openSet();
    createAll(
      set,
      module('Deals'),
      read(
        'Deals',
        { Deal_Name: 'a', Stage: 'Needs Analysis', Amount: 1000 },
        { Deal_Name: 'b', Stage: 'Needs Analysis', Probability: 33 },
        { Deal_Name: 'c', Stage: 'Needs Analysis', Probability: null },
      ),
      patricia,
    );
    const values = [...set.records.values()].map((record) => record?.values);
    expect(values).toMatchObject([{ Probability: 20, Expected_Revenue: 200 }, { Probability: 33 }, {}]);
    expect(values[2]).not.toHaveProperty('Probability');
  });
});

describe('updating records', () => {
  test('a move to another stage affects the stage, then the probability', () => {
    const set = openSet([deal]);
    updateAll(set, module('Deals'), read('Deals', { id: deal.id, Stage: 'Proposal/Price Quote' }), patricia);
    expect(set.writes.changes[0]).toMatchObject({
      operation: 'update',
      records: [
        { id: deal.id, fields: ['Stage', 'Probability'], values: { Stage: 'Proposal/Price Quote', Probability: 75 } },
      ],
    });
  });

  test.each([
    [{ Stage: 'Proposal/Price Quote', Probability: 50 }, ['Stage', 'Probability']],
    [{ Probability: 10, Stage: 'Proposal/Price Quote' }, ['Stage']],
    [{ Stage: 'Qualification', Amount: 5 }, ['Amount']],
    [{ Amount: null, Next_Step: '', Type: '-None-' }, undefined],
    [{ Modified_Time: '2020-01-01T00:00:00Z', Deal_Name: 'Big' }, undefined],
  ])('%j on a deal affects %j', (given, fields) => {
    const set = openSet([deal]);
    const results = updateAll(set, module('Deals'), read('Deals', { id: deal.id, ...given }), patricia);
    expect(outcomes(results)).toEqual(['update']);
    expect(set.writes.changes[0]?.records[0]?.fields).toEqual(fields);
  });

  test('the same stage again leaves a probability that was set by hand', () => {
    const set = openSet([{ ...deal, values: { ...deal.values, Probability: 50 } }]);
    updateAll(set, module('Deals'), read('Deals', { id: deal.id, Stage: 'Qualification' }), patricia);
    expect(set.records.get(`Deals/${deal.id}`)?.values.Probability).toBe(50);
    expect(set.writes.changes).toEqual([]);
  });

  test('one that changes nothing succeeds and moves Modified_Time, and nothing fires', () => {
    const set = openSet([deal]);
    updateAll(set, module('Deals'), read('Deals', { id: deal.id, Deal_Name: 'Big' }), patricia);
    expect(set.records.get(`Deals/${deal.id}`)).toEqual({ ...deal, modifiedAt: NOW, modifiedBy: patricia.id });
    expect(set.writes.changes).toEqual([]);
  });

  test('tells the account that a contact left and the one it joined', () => {
    const set = openSet([acme, globex, jane]);
    updateAll(set, module('Contacts'), read('Contacts', { id: jane.id, Account_Name: globex.id }), patricia);
    expect(set.writes.changes[0]?.records[0]).toEqual({
      id: jane.id,
      fields: ['Account_Name'],
      values: { Account_Name: { name: 'Globex', id: globex.id } },
      related: [
        { module: 'Accounts', id: globex.id },
        { module: 'Accounts', id: acme.id },
      ],
    });
  });

  test('empties a field, keeps the rest, and renews the full name and the look-up entries', () => {
    const set = openSet([acme, jane]);
    updateAll(
      set,
      module('Contacts'),
      read('Contacts', { id: jane.id, First_Name: null, Email: 'New@example.com' }),
      patricia,
    );
    expect(set.records.get(`Contacts/${jane.id}`)?.values).toEqual({
      Last_Name: 'Doe',
      Full_Name: 'Doe',
      Email: 'New@example.com',
      Account_Name: { id: acme.id },
      Owner: { id: sam.id },
    });
    expect(set.writes.changes[0]?.records[0]).toMatchObject({
      fields: ['First_Name', 'Email'],
      values: { First_Name: null, Email: 'New@example.com' },
    });
    const holders = (value: string) => findByKey(set, { module: 'Contacts', field: 'Email', value });
    expect([holders('jane@example.com'), holders('new@example.com')]).toEqual([[], [jane.id]]);
  });

  test('leaves subforms out of the affected fields, but they are a change', () => {
    const quote = stored('Quotes', 41, { Subject: 'Q' });
    const product = stored('Products', 42, { Product_Name: 'P' });
    const set = openSet([quote, product]);
    const row = { Product_Name: { id: product.id }, Quantity: 2 };
    const results = updateAll(set, module('Quotes'), read('Quotes', { id: quote.id, Quoted_Items: [row] }), patricia);
    expect(outcomes(results)).toEqual(['update']);
    expect(set.records.get(`Quotes/${quote.id}`)?.values.Quoted_Items).toEqual([{ ...row, id: recordId(1001) }]);
    expect(set.writes.changes[0]?.records).toEqual([{ id: quote.id, fields: [], values: {}, related: [] }]);
  });

  test('puts choices in the place of those that a multi-select has, or adds them where asked', () => {
    const lead = stored('Leads', 51, { Last_Name: 'L', Colours: ['A'] });
    const after = (addsChoices: boolean) => {
      const set = openSet([lead]);
      addField(set, 'Leads', { apiName: 'Colours', type: 'multiselectpicklist', pickList: ['A', 'B'] });
      const given = new Map([['Colours', ['B', 'A']]]);
      updateAll(set, module('Leads'), [{ ok: true, value: { path: '$', id: lead.id, given, addsChoices } }], patricia);
      return set.records.get(`Leads/${lead.id}`)?.values.Colours;
    };
    expect([after(false), after(true)]).toEqual([
      ['B', 'A'],
      ['A', 'B'],
    ]);
  });

  test('refuses an unknown or missing id, an emptied mandatory field and a value that another holds', () => {
    const set = openSet([acme, globex]);
    const results = updateAll(
      set,
      module('Accounts'),
      read(
        'Accounts',
        { id: recordId(99), Phone: '1' },
        { Phone: '1' },
        { id: 'x', Phone: '1' },
        { id: acme.id, Account_Name: '' },
        { id: acme.id, Owner: null },
        { id: globex.id, Account_Number: 'A-1' },
        { id: acme.id, Account_Number: 'a-1' },
      ),
      patricia,
    );
    expect(outcomes(results)).toEqual([
      { code: 'INVALID_DATA', details: { id: recordId(99), api_name: 'id', json_path: '$.data[0].id' } },
      { code: 'MANDATORY_NOT_FOUND', details: { api_name: 'id', json_path: '$.data[1].id' } },
      { code: 'INVALID_DATA', details: { expected_data_type: 'bigint', api_name: 'id', json_path: '$.data[2].id' } },
      { code: 'MANDATORY_NOT_FOUND', details: { api_name: 'Account_Name', json_path: '$.data[3].Account_Name' } },
      { code: 'MANDATORY_NOT_FOUND', details: { api_name: 'Owner', json_path: '$.data[4].Owner' } },
      {
        code: 'DUPLICATE_DATA',
        details: { api_name: 'Account_Number', json_path: '$.data[5].Account_Number', id: acme.id },
      },
      'update',
    ]);
  });

  test('the same record twice in a call is reported once, with what it came to', () => {
    const set = openSet([deal]);
    updateAll(
      set,
      module('Deals'),
      read('Deals', { id: deal.id, Amount: 1 }, { id: deal.id, Stage: 'Closed Won', Amount: 2 }),
      patricia,
    );
    expect(set.writes.changes).toHaveLength(1);
    expect(set.writes.changes[0]?.records).toEqual([
      {
        id: deal.id,
        fields: ['Amount', 'Stage', 'Probability'],
        values: { Amount: 2, Stage: 'Closed Won', Probability: 100 },
        related: [],
      },
    ]);
  });
});

describe('upserting records', () => {
  const upsert = (set: ReturnType<typeof openSet>, name: string, fields: readonly string[], ...items: object[]) =>
    upsertAll(set, module(name), read(name, ...(items as [])), fields, patricia);

  test('updates what the check fields find, in their order, and inserts the rest', () => {
    const set = openSet([acme, globex]);
    const results = upsert(
      set,
      'Accounts',
      checkFields(module('Accounts')),
      { Account_Name: ' ACME ', Phone: '1' },
      { Account_Name: 'Initech' },
      { Account_Name: 'Other name', Account_Number: 'a-1', Phone: '2' },
      { id: globex.id, Phone: '3' },
      { id: recordId(99), Account_Name: 'gone' },
    );
    expect(results.map((result) => (result.ok ? [result.value.operation, result.value.matchedBy] : 'refused'))).toEqual(
      [
        ['update', 'Account_Name'],
        ['insert', undefined],
        ['update', 'Account_Number'],
        ['update', undefined],
        'refused',
      ],
    );
    expect(set.writes.changes.map(({ operation, number, records }) => [operation, number, records.length])).toEqual([
      ['insert', 7, 1],
      ['update', 8, 2],
    ]);
  });

  test('compares the fields of the duplicate check before the unique ones', () => {
    expect(checkFields(module('Accounts'))).toEqual(['Account_Name', 'Account_Number']);
  });

  test('a record inserted by the call is found by the next of it', () => {
    const set = openSet();
    const results = upsert(set, 'Leads', ['Email'], lead('a@example.com', 'One'), lead('A@example.com', 'Two'));
    expect(outcomes(results)).toEqual(['insert', 'update']);
    expect(set.writes.records.size).toBe(1);
    expect(set.writes.changes.map(({ operation }) => operation)).toEqual(['insert', 'update']);
  });

  test('of several with the value the oldest is updated', () => {
    const twins = [stored('Leads', 52, lead('t@example.com', 'B')), stored('Leads', 51, lead('t@example.com', 'A'))];
    const set = openSet(twins);
    upsert(set, 'Leads', ['Email'], lead('t@example.com', 'New'));
    expect(set.writes.changes[0]?.records.map(({ id }) => id)).toEqual([recordId(51)]);
  });

  const lead = (Email: string, Last_Name: string) => ({ Email, Last_Name, Company: 'c' });
});

describe('deleting records', () => {
  test('removes them, frees their values and tells what they pointed at', () => {
    const set = openSet([acme, jane]);
    const ids = [done(jane.id), done(recordId(99)), done(jane.id)];
    const results = deleteAll(set, module('Contacts'), ids, patricia);
    expect(outcomes(results)).toEqual([
      'delete',
      { code: 'INVALID_DATA', details: { id: recordId(99) } },
      { code: 'INVALID_DATA', details: { id: jane.id } },
    ]);
    expect(set.writes.records.get(`Contacts/${jane.id}`)).toEqual({ module: 'Contacts', id: jane.id, removed: true });
    expect(findByKey(set, { module: 'Contacts', field: 'Email', value: 'jane@example.com' })).toEqual([]);
    expect(set.writes.changes).toMatchObject([
      {
        operation: 'delete',
        records: [
          {
            id: jane.id,
            fields: ['Modified_By', 'Record_Status__s'],
            values: {
              Modified_By: { name: 'Patricia Boyle', id: patricia.id, email: 'patricia@example.com' },
              Record_Status__s: 0,
            },
            related: [{ module: 'Accounts', id: acme.id }],
          },
        ],
      },
    ]);
  });
});
