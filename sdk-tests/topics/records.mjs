import assert from 'node:assert/strict';
import { done, entries, has, info, rows } from '../crm.mjs';

export const title = 'records';

export const cases = {
  async 'creates many, and one notification tells all of them'({ create, get, notified }) {
    const ids = await create('Contacts', { Last_Name: 'Curie', Email: 'marie@example.com' }, { Last_Name: 'Meitner' });
    await notified('Contacts', 'insert', ids);
    has(await get('Contacts', ids[0]), {
      id: ids[0],
      Last_Name: 'Curie',
      Email: 'marie@example.com',
      Owner: { email: 'patricia@example.com' },
      Tag: [],
    });
  },

  async 'updates many and one'({ operations, create, body, notified }) {
    const [first, second] = await create('Contacts', { Last_Name: 'Noether' }, { Last_Name: 'Hopper' });
    await notified('Contacts', 'insert', [first, second]);
    const many = body({ id: first, Phone: '555-0100' }, { id: second, Phone: '555-0101' });
    done(await operations('Contacts').updateRecords(many), 200, 'record updated');
    await notified('Contacts', 'update', [first, second], ['Phone']);
    done(
      await operations('Contacts').updateRecord(BigInt(second), body({ Department: 'Compilers' })),
      200,
      'record updated',
    );
    await notified('Contacts', 'update', [second], ['Department']);
  },

  async 'upserts by duplicate check fields: one is new, one is there'({ operations, create, body, notified }) {
    const [there] = await create('Contacts', { Last_Name: 'Lovelace', Email: 'ada@example.com' });
    await notified('Contacts', 'insert', [there]);
    const both = body(
      { Last_Name: 'Lovelace', Email: 'ada@example.com', Department: 'Engines' },
      { Last_Name: 'Somerville', Email: 'mary@example.com' },
    );
    both.setDuplicateCheckFields(['Email']);
    const response = await operations('Contacts').upsertRecords(both);
    has(entries(response), [
      { class: 'SuccessResponse', action: 'update', duplicateField: 'Email', details: { id: there } },
      { class: 'SuccessResponse', action: 'insert' },
    ]);
    const [, { details }] = entries(response);
    await notified('Contacts', 'insert', [details.id]);
    await notified('Contacts', 'update', [there], ['Department']);
  },

  async 'writes pick lists, dates, times, numbers, booleans and lists'({ create, get, choice, notified }) {
    const [lead] = await create('Leads', {
      Last_Name: 'Franklin',
      Company: 'Kings',
      Lead_Source: choice('Advertisement'),
      Annual_Revenue: 1234.5,
      No_of_Employees: 12,
      Email_Opt_Out: true,
    });
    await notified('Leads', 'insert', [lead]);
    has(await get('Leads', lead), {
      Lead_Source: 'Advertisement',
      Annual_Revenue: 1234.5,
      No_of_Employees: 12,
      Email_Opt_Out: true,
    });
    const start = new Date('2027-01-05T09:00:00Z');
    const [event] = await create('Events', {
      Event_Title: 'Colloquium',
      Start_DateTime: start,
      End_DateTime: new Date('2027-01-05T10:00:00Z'),
    });
    await notified('Events', 'insert', [event]);
    has(await get('Events', event), { Start_DateTime: start.toISOString() });
    const [task] = await create('Tasks', { Subject: 'Prepare', Due_Date: new Date('2027-01-05T12:00:00Z') });
    await notified('Tasks', 'insert', [task]);
    assert.match((await get('Tasks', task)).Due_Date, /^2027-01-05/);
  },

  async 'writes lookups and changes them; a stage takes its probability along'(crm) {
    const { create, get, link, choice, operations, body, notified } = crm;
    const [account, other] = await create('Accounts', { Account_Name: 'Radium Ltd' }, { Account_Name: 'Polonium Ltd' });
    await notified('Accounts', 'insert', [account, other]);
    const [deal] = await create('Deals', {
      Deal_Name: 'Lamp',
      Stage: choice('Qualification'),
      Account_Name: link(account),
    });
    await notified('Deals', 'insert', [deal]);
    has(await get('Deals', deal), { Account_Name: { id: account, name: 'Radium Ltd' } });
    const changed = body({ Stage: choice('Proposal/Price Quote'), Account_Name: link(other) });
    done(await operations('Deals').updateRecord(BigInt(deal), changed), 200, 'record updated');
    const { affected_values: told } = await notified('Deals', 'update', [deal]);
    has(told, [{ record_id: deal, values: { Stage: 'Proposal/Price Quote', Probability: 75 } }]);
    has(await get('Deals', deal), { Account_Name: { id: other }, Probability: 75 });
  },

  async 'lists with fields and pages'({ sdk: { Record }, operations, params, headers }) {
    const page = async (number) => {
      const query = await params(Record.GetRecordsParam, { FIELDS: 'Last_Name', PAGE: number, PER_PAGE: 2 });
      return operations('Contacts').getRecords(query, await headers());
    };
    const [first, second] = [await page(1), await page(2)];
    has(info(first), { page: 1, perPage: 2, count: 2, moreRecords: true });
    assert.deepEqual(Object.keys(rows(first)[0]).toSorted(), ['Last_Name', 'id']);
    assert.equal(new Set([...rows(first), ...rows(second)].map(({ id }) => id)).size, 4);
  },

  async 'lists by ids'({ sdk: { Record }, operations, create, params, headers, notified }) {
    const ids = await create('Accounts', { Account_Name: 'One' }, { Account_Name: 'Two' });
    await notified('Accounts', 'insert', ids);
    const map = await params(Record.GetRecordsParam, { IDS: ids.join(','), FIELDS: 'Account_Name' });
    const found = rows(await operations('Accounts').getRecords(map, await headers()));
    assert.deepEqual(found.map(({ Account_Name }) => Account_Name).toSorted(), ['One', 'Two']);
  },

  async 'deletes many and one; what is gone is answered with nothing'({ sdk: { Record }, ...crm }) {
    const { operations, create, params, notified } = crm;
    const [first, second, third] = await create('Contacts', { Last_Name: 'A' }, { Last_Name: 'B' }, { Last_Name: 'C' });
    await notified('Contacts', 'insert', [first, second, third]);
    const both = await params(Record.DeleteRecordsParam, { IDS: `${first},${second}`, WF_TRIGGER: true });
    done(await operations('Contacts').deleteRecords(both), 200, 'record deleted');
    await notified('Contacts', 'delete', [first, second]);
    done(await operations('Contacts').deleteRecord(BigInt(third), await params()), 200, 'record deleted');
    await notified('Contacts', 'delete', [third]);
    assert.equal(await crm.get('Contacts', third), undefined);
  },
};
