import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NotificationId } from '../../src/domain/ids.ts';
import { createRecordServices } from '../../src/services/record-services.ts';
import { seedSample } from '../../src/services/sample.ts';
import { createWriter } from '../../src/services/writer.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { openRecords, type RecordsFixture } from './records-fixture.ts';

let api: RecordsFixture;

beforeAll(async () => {
  api = await openRecords();
});
afterAll(() => api.http.close());

const TIME = '2026-01-05T14:30:00+05:30';

async function create(module: string, ...records: readonly object[]): Promise<string[]> {
  const { body } = await api.send('POST', `v8/${module}`, { data: records });
  return body.data.map((entry: { details: { id: string } }) => entry.details.id);
}

describe('reading records', () => {
  test('one record has every field of its module, lookups and users with their names', async () => {
    const [account] = await create('Accounts', { Account_Name: 'Acme' });
    const [contact] = await create('Contacts', {
      First_Name: 'Jane',
      Last_Name: 'Doe',
      Account_Name: { id: account },
      Email: 'jane@example.com',
      Date_of_Birth: '1990-02-01',
    });
    const { status, body } = await api.send('GET', `v8/Contacts/${contact}`);
    const { user } = api.http.principal;
    const patricia = { name: 'Patricia Boyle', id: user.id, email: user.email };
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['data']);
    expect(body.data[0]).toMatchObject({
      id: contact,
      Owner: patricia,
      Created_By: patricia,
      Modified_By: patricia,
      Created_Time: TIME,
      Modified_Time: TIME,
      First_Name: 'Jane',
      Last_Name: 'Doe',
      Full_Name: 'Jane Doe',
      Account_Name: { name: 'Acme', id: account },
      Email: 'jane@example.com',
      Date_of_Birth: '1990-02-01',
      Phone: null,
      Email_Opt_Out: false,
      Tag: [],
      $editable: true,
    });
    const fields = await api.send('GET', 'v8/settings/fields?module=Contacts');
    const names = fields.body.fields.map((field: { api_name: string }) => field.api_name);
    expect(Object.keys(body.data[0])).toEqual(expect.arrayContaining(names));
  });

  test('a lookup at a record without a name has its id', async () => {
    const [contact] = await create('Contacts', { Last_Name: 'Doe' });
    const [service] = await create('Services__s', { Service_Name: 'Tuning', Duration: 1, Location: 'Client Address' });
    const [appointment] = await create('Appointments__s', {
      Appointment_For: { id: contact },
      Service_Name: { id: service },
      Appointment_Start_Time: '2026-01-05T10:00:00Z',
      Location: 'Client Address',
    });
    const [moved] = await create('Appointments_Rescheduled_History__s', {
      Appointment_Name: { id: appointment },
      Rescheduled_From: '2026-01-05T10:00:00Z',
      Rescheduled_To: '2026-01-06T10:00:00Z',
    });
    const { body } = await api.send('GET', `v8/Appointments_Rescheduled_History__s/${moved}`);
    expect(body.data[0].Appointment_Name).toEqual({ name: null, id: appointment });
  });

  test('a lookup whose record was deleted reads as empty', async () => {
    const [account] = await create('Accounts', { Account_Name: 'Gone' });
    const [contact] = await create('Contacts', { Last_Name: 'Left', Account_Name: account });
    await api.send('DELETE', `v8/Accounts/${account}`);
    const { body } = await api.send('GET', `v8/Contacts/${contact}?fields=Account_Name`);
    expect(body.data).toEqual([{ id: contact, Account_Name: null }]);
  });

  test('an unknown id is nothing, one that is none is refused', async () => {
    expect(await api.send('GET', 'v8/Leads/3652397999999999999')).toEqual({ status: 204, body: undefined });
    expect(await api.send('GET', 'v8/Leads/12')).toEqual({ status: 204, body: undefined });
    expect(await api.send('GET', 'v8/Leads/abc')).toEqual({
      status: 400,
      body: {
        code: 'INVALID_DATA',
        details: { expected_data_type: 'bigint', api_name: 'id' },
        message: 'the id given seems to be invalid',
        status: 'error',
      },
    });
  });

  test('a list comes newest first, in pages, with the fields asked for', async () => {
    expect(await api.send('GET', 'v8/Campaigns')).toEqual({ status: 204, body: undefined });
    const ids = await create('Campaigns', ...['A', 'B', 'C'].map((Campaign_Name) => ({ Campaign_Name })));
    const first = await api.send('GET', 'v8/Campaigns?fields=Campaign_Name%2CNonsense&page=1&per_page=2');
    expect(first).toEqual({
      status: 200,
      body: {
        data: [
          { id: ids[2], Campaign_Name: 'C' },
          { id: ids[1], Campaign_Name: 'B' },
        ],
        info: expect.objectContaining({ per_page: 2, count: 2, page: 1, more_records: true }),
      },
    });
    const second = await api.send('GET', 'v8/Campaigns?fields=Campaign_Name&page=2&per_page=2');
    expect(second.body).toEqual({
      data: [{ id: ids[0], Campaign_Name: 'A' }],
      info: expect.objectContaining({ per_page: 2, count: 1, page: 2, more_records: false }),
    });
    expect((await api.send('GET', 'v8/Campaigns?page=3&per_page=2')).status).toBe(204);
    expect((await api.send('GET', 'v8/Campaigns')).body.info).toMatchObject({ per_page: 200, count: 3 });
  });

  test('a list of ids has those that are there, in pages too', async () => {
    const ids = await create('Vendors', ...['A', 'B', 'C'].map((Vendor_Name) => ({ Vendor_Name })));
    const asked = [ids[0], ids[2], ids[0], '3652397999999999999'].join(',');
    const { body } = await api.send('GET', `v8/Vendors?ids=${asked}&fields=Vendor_Name&per_page=1`);
    expect(body).toEqual({
      data: [{ id: ids[2], Vendor_Name: 'C' }],
      info: {
        ...{ per_page: 1, count: 1, page: 1, more_records: true, sort_by: 'id', sort_order: 'desc' },
        ...{ next_page_token: null, previous_page_token: null, page_token_expiry: null },
      },
    });
  });

  test.each([
    ['page=0', 'page'],
    ['page=1.5', 'page'],
    ['page=x', 'page'],
    ['page=1000001', 'page'],
    ['per_page=201', 'per_page'],
    ['per_page=-1', 'per_page'],
    ['ids=1,x', 'id'],
    [`ids=${Array.from({ length: 101 }, (_, i) => i)}`, 'ids'],
  ])('a bad parameter is refused by name: %#', async (query, name) => {
    const { status, body } = await api.send('GET', `v8/Leads?${query}`);
    expect([status, body.code, body.details.api_name]).toEqual([400, 'INVALID_DATA', name]);
  });

  test('records of one module are not found in another', async () => {
    const [lead] = await create('Leads', { Last_Name: 'l', Company: 'c' });
    expect((await api.send('GET', `v8/Contacts/${lead}`)).status).toBe(204);
  });
});

test('the sample fills an organisation with accounts, their contacts, leads and deals', async () => {
  const sample = await openRecords();
  try {
    const { store, principal } = sample.http;
    const writer = createWriter({
      store: store.writing,
      clock: createManualClock(),
      randomId: () => randomUUID() as NotificationId,
      onCommitted: () => {},
      maxQueued: 10,
      maxBatchWeight: 1000,
    });
    await seedSample(
      createRecordServices({ writer, reads: store.records, relatedReads: store.related, accounts: store.accounts })
        .records,
      principal,
    );
    const count = async (module: string) => (await sample.send('GET', `v8/${module}`)).body.info.count;
    expect(await Promise.all(['Accounts', 'Contacts', 'Leads', 'Deals'].map(count))).toEqual([5, 10, 6, 6]);
    const { body } = await sample.send('GET', 'v8/Contacts?fields=Account_Name,Email');
    for (const contact of body.data) {
      expect(contact).toMatchObject({
        Account_Name: { name: expect.any(String) },
        Email: expect.stringMatching(/@[a-z]+\.example\.com$/),
      });
    }
  } finally {
    await sample.http.close();
  }
});
