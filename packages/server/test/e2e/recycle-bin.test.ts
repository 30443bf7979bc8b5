import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { at, type Caller, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

const DAY_MS = 24 * 3_600_000;

let live: LiveApp;
let owner: Caller;

beforeAll(async () => {
  live = await startLiveApp({ flags: { timeZone: 'Asia/Kolkata' } });
  owner = live.owner;
});
afterAll(() => live.stop());

async function create(module: string, record: object): Promise<string> {
  const { status, body } = await owner.call('POST', `/crm/v8/${module}`, { data: [record] });
  expect(status).toBe(201);
  return at(body, 'data', 0, 'details', 'id');
}

const remove = (module: string, ...ids: string[]) => owner.call('DELETE', `/crm/v8/${module}?ids=${ids.join(',')}`);
const restore = (...ids: string[]) => owner.call('POST', '/crm/v8/settings/recycle_bin/actions/restore', { ids });
const deleted = (module: string, query = '') => owner.call('GET', `/crm/v8/${module}/deleted${query}`);

const done = (message: string, ...ids: string[]) => ({
  status: 200,
  body: { recycle_bin: ids.map((id) => ({ code: 'SUCCESS', details: { id }, message, status: 'success' })) },
});
const unknown = (id: string) => ({
  code: 'INVALID_DATA',
  details: { id },
  message: 'the id given seems to be invalid',
  status: 'error',
});

describe('deleted records', () => {
  test('are listed with who deleted them, and can be restored as they were', async () => {
    const id = await create('Vendors', { Vendor_Name: 'Acme', Email: 'a@example.com', Phone: '1', Description: 'x' });
    const before = (await owner.call('GET', `/crm/v8/Vendors/${id}`)).body as { data: object[] };
    live.clock.advance(60_000);
    await remove('Vendors', id);
    expect((await owner.call('GET', `/crm/v8/Vendors/${id}`)).status).toBe(204);
    const person = { name: 'Patricia Boyle', id: expect.any(String) };
    const row = { id, display_name: 'Acme', deleted_by: person, deleted_time: '2026-01-05T14:31:00+05:30' };
    expect(await deleted('Vendors')).toEqual({
      status: 200,
      body: {
        data: [{ ...row, type: 'recycle', created_by: person }],
        info: { per_page: 200, count: 1, page: 1, more_records: false },
      },
    });
    const vendors = { api_name: 'Vendors', id: '3652397000000002209' };
    const inBin = { ...row, owner: person, module: vendors };
    expect(await owner.call('GET', `/crm/v8/settings/recycle_bin/${id}`)).toEqual({
      status: 200,
      body: { recycle_bin: [inBin] },
    });
    expect((await owner.call('GET', '/crm/v8/settings/recycle_bin?sort_by=deleted_time&sort_order=asc')).body).toEqual({
      recycle_bin: [inBin],
      info: { per_page: 200, count: 1, page: 1, more_records: false },
    });
    expect((await owner.call('GET', '/crm/v8/settings/recycle_bin/actions/count')).body).toEqual({ count: 1 });

    live.clock.advance(60_000);
    expect(await restore(id)).toEqual(done('record restored', id));
    const after = (await owner.call('GET', `/crm/v8/Vendors/${id}`)).body as { data: object[] };
    expect(after.data[0]).toEqual({ ...before.data[0], Modified_Time: '2026-01-05T14:32:00+05:30' });
    expect((await deleted('Vendors')).status).toBe(204);
    expect((await owner.call('GET', '/crm/v8/settings/recycle_bin/actions/count')).body).toEqual({ count: 0 });
    // Its look-up entries are there again.
    const found = await owner.call('GET', '/crm/v8/Vendors/search?email=a@example.com');
    expect(at(found.body, 'data', 0, 'id')).toBe(id);
    expect(await restore(id)).toEqual({ status: 400, body: { recycle_bin: [unknown(id)] } });
  });

  test('cannot be restored while another holds the value of a unique field', async () => {
    const id = await create('Accounts', { Account_Name: 'One', Account_Number: '77' });
    await remove('Accounts', id);
    const holder = await create('Accounts', { Account_Name: 'Two', Account_Number: '77' });
    const other = await create('Accounts', { Account_Name: 'Three' });
    await remove('Accounts', other);
    const answer = await restore(id, other, '3652397000999999999');
    expect(answer).toMatchObject({
      status: 207,
      body: {
        recycle_bin: [
          { code: 'DUPLICATE_DATA', details: { api_name: 'Account_Number', id: holder }, status: 'error' },
          { code: 'SUCCESS', details: { id: other } },
          unknown('3652397000999999999'),
        ],
      },
    });
    await remove('Accounts', holder);
    expect(await restore(id)).toEqual(done('record restored', id));
  });

  test('of two deleted holders of a unique value one can be restored, whatever the order in the call', async () => {
    const first = await create('Accounts', { Account_Name: 'First', Account_Number: '88' });
    await remove('Accounts', first);
    const second = await create('Accounts', { Account_Name: 'Second', Account_Number: '88' });
    await remove('Accounts', second);
    expect(await restore(second, first)).toMatchObject({
      status: 207,
      body: { recycle_bin: [{ code: 'SUCCESS' }, { code: 'DUPLICATE_DATA', details: { id: second } }] },
    });
  });

  test('are gone for good when they are removed or after 60 days, and forgotten after 120', async () => {
    const [byHand, byAge] = [
      await create('Solutions', { Solution_Title: 'h' }),
      await create('Solutions', { Solution_Title: 'a' }),
    ];
    await remove('Solutions', byHand, byAge);
    const time = live.clock.now();
    expect(await owner.call('DELETE', `/crm/v8/settings/recycle_bin?ids=${byHand}`)).toEqual(
      done('record deleted', byHand),
    );
    const types = async (query = '') => {
      const { body } = await deleted('Solutions', query);
      const data = (body as { data: { id: string; type: string }[] } | undefined)?.data ?? [];
      return Object.fromEntries(data.map(({ id, type }) => [id, type]));
    };
    expect(await types()).toEqual({ [byHand]: 'permanent', [byAge]: 'recycle' });
    expect(await types('?type=recycle')).toEqual({ [byAge]: 'recycle' });
    expect(await types('?type=permanent')).toEqual({ [byHand]: 'permanent' });
    const gone = (await deleted('Solutions', '?type=permanent')).body as { data: object[] };
    expect(gone.data[0]).toEqual({
      deleted_by: null,
      id: byHand,
      display_name: null,
      type: 'permanent',
      created_by: null,
      deleted_time: '2026-01-05T14:32:00+05:30',
    });
    expect(await restore(byHand)).toMatchObject({ status: 400 });

    live.clock.set(time + 60 * DAY_MS - 1);
    expect(await types('?type=recycle')).toEqual({ [byAge]: 'recycle' });
    live.clock.set(time + 60 * DAY_MS);
    expect(await types()).toEqual({ [byHand]: 'permanent', [byAge]: 'permanent' });
    expect(await restore(byAge)).toMatchObject({ status: 400 });
    live.clock.set(time + 120 * DAY_MS);
    expect(await types()).toEqual({});
  });

  test('are listed page by page and since a time', async () => {
    const ids = [await create('Cases', CASE), await create('Cases', CASE), await create('Cases', CASE)];
    for (const id of ids) {
      live.clock.advance(1000);
      await remove('Cases', id);
    }
    const page = async (query: string, since?: string) => {
      const response = await fetch(`${live.base}/crm/v8/Cases/deleted?${query}`, {
        headers: {
          authorization: `Zoho-oauthtoken ${owner.accessToken}`,
          ...(since !== undefined && { 'if-modified-since': since }),
        },
      });
      const text = await response.text();
      const data = text === '' ? [] : JSON.parse(text).data;
      return { status: response.status, ids: data.map(({ id }: { id: string }) => id) };
    };
    expect(await page('per_page=2')).toEqual({ status: 200, ids: [ids[2], ids[1]] });
    expect(await page('per_page=2&page=2')).toEqual({ status: 200, ids: [ids[0]] });
    expect(await page('per_page=2&page=3')).toEqual({ status: 204, ids: [] });
    const lastButOne = new Date(live.clock.now() - 1000).toISOString();
    expect(await page('', lastButOne)).toEqual({ status: 200, ids: [ids[2]] });
    expect(await page('', new Date(live.clock.now()).toUTCString())).toEqual({ status: 304, ids: [] });
  });

  test('of modules that a caller may not use are not there for it', async () => {
    const id = await create('Campaigns', { Campaign_Name: 'Secret' });
    await remove('Campaigns', id);
    const limited = await live.colleague({ deniedModules: ['Campaigns'] });
    expect((await limited.call('GET', '/crm/v8/Campaigns/deleted')).status).toBe(403);
    const strangers = [limited, await live.stranger()];
    for (const caller of strangers) {
      expect((await caller.call('GET', `/crm/v8/settings/recycle_bin/${id}`)).status).toBe(204);
      const answer = await caller.call('POST', `/crm/v8/settings/recycle_bin/${id}/actions/restore`);
      expect(answer).toEqual({ status: 400, body: { recycle_bin: [unknown(id)] } });
      expect((await caller.call('DELETE', `/crm/v8/settings/recycle_bin/${id}`)).status).toBe(400);
    }
    const reader = await live.colleague({ scopes: ['ZohoCRM.settings.recycle_bin.READ'] });
    expect((await reader.call('GET', `/crm/v8/settings/recycle_bin/${id}`)).status).toBe(200);
    expect((await reader.call('DELETE', `/crm/v8/settings/recycle_bin/${id}`)).status).toBe(401);
    expect(await owner.call('POST', `/crm/v8/settings/recycle_bin/${id}/actions/restore`)).toEqual(
      done('record restored', id),
    );
  });

  test.each<[string, string, string, unknown, object]>([
    [
      'GET',
      'Leads/deleted?type=some',
      'a type that there is not',
      undefined,
      { code: 'PATTERN_NOT_MATCHED', details: { param_name: 'type' } },
    ],
    [
      'GET',
      'Leads/deleted?page=501',
      'a page too far',
      undefined,
      { code: 'INVALID_DATA', details: { api_name: 'page', range: { from: 1, to: 500 } } },
    ],
    ['GET', 'Nonsense/deleted', 'an unknown module', undefined, { code: 'INVALID_MODULE' }],
    [
      'GET',
      'settings/recycle_bin?sort_by=owner',
      'another order',
      undefined,
      { code: 'INVALID_DATA', details: { param_name: 'sort_by', supported_values: ['deleted_time'] } },
    ],
    [
      'GET',
      'settings/recycle_bin?filters={}',
      'filters',
      undefined,
      { code: 'INVALID_DATA', details: { param_name: 'filters' } },
    ],
    ['GET', 'settings/recycle_bin/abc', 'no id', undefined, { code: 'INVALID_DATA', details: { api_name: 'id' } }],
    [
      'DELETE',
      'settings/recycle_bin',
      'no ids',
      undefined,
      { code: 'REQUIRED_PARAM_MISSING', details: { param: 'ids' } },
    ],
    [
      'POST',
      'settings/recycle_bin/actions/restore',
      'an empty body',
      {},
      { code: 'EXPECTED_FIELD_MISSING', details: { expected_fields: [{ api_name: 'ids', json_path: '$.ids' }] } },
    ],
    [
      'POST',
      'settings/recycle_bin/actions/restore',
      'one id alone',
      { ids: '1' },
      { code: 'INVALID_DATA', details: { expected_data_type: 'jsonarray', json_path: '$.ids' } },
    ],
    [
      'POST',
      'settings/recycle_bin/actions/restore',
      'what is no id',
      { ids: [true] },
      { code: 'INVALID_DATA', details: { json_path: '$.ids[0]' } },
    ],
    [
      'POST',
      'settings/recycle_bin/actions/restore',
      'all at once',
      { restore_all_records: true },
      { code: 'INVALID_DATA', details: { api_name: 'restore_all_records' } },
    ],
    [
      'POST',
      'settings/recycle_bin/actions/restore',
      'too many ids',
      { ids: Array(201).fill('1') },
      { code: 'INVALID_DATA', details: { maximum_length: 200, api_name: 'ids' } },
    ],
  ])('%s %s is refused with %s', async (method, path, _reason, body, refusal) => {
    expect(await owner.call(method, `/crm/v8/${path}`, body)).toMatchObject({ status: 400, body: refusal });
  });
});

describe('restoring and removing for good', () => {
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await startReceiver();
  });
  afterAll(() => receiver.close());

  test('tell those who watch, with what points at them', async () => {
    const account = await create('Accounts', { Account_Name: 'Target' });
    const id = await create('Contacts', { Last_Name: 'Back', Account_Name: account });
    await owner.call('POST', '/crm/v8/actions/watch', {
      watch: [
        {
          channel_id: '9',
          events: ['Contacts.all', 'Accounts.edit'],
          notify_url: `${receiver.origin}/`,
          return_affected_field_values: true,
        },
      ],
    });
    await remove('Contacts', id);
    await restore(id);
    await remove('Contacts', id);
    await owner.call('DELETE', `/crm/v8/settings/recycle_bin/${id}`);
    const received = (await receiver.first(7)).map(({ body }) => body);
    const told = (module: string) =>
      received
        .filter((notification) => notification.module === module)
        .map(({ operation, ids, affected_fields }) => ({ operation, ids, affected_fields }));
    const affected_fields = [{ [id]: ['Modified_By', 'Record_Status__s'] }];
    expect(told('Contacts')).toEqual([
      { operation: 'delete', ids: [id], affected_fields },
      { operation: 'update', ids: [id], affected_fields },
      { operation: 'delete', ids: [id], affected_fields },
      { operation: 'delete', ids: [id], affected_fields },
    ]);
    expect(told('Accounts')).toEqual(
      Array.from({ length: 3 }, () => ({ operation: 'update', ids: [account], affected_fields: [{ [account]: [] }] })),
    );
    const restored = received.find(({ module, operation }) => module === 'Contacts' && operation === 'update');
    expect(restored?.affected_values).toMatchObject([{ record_id: id, values: { Record_Status__s: 1 } }]);
  });
});

const CASE = { Subject: 's', Status: 'New', Case_Origin: 'Email' };
