import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRecords, type RecordsFixture } from './records-fixture.ts';

let api: RecordsFixture;

beforeAll(async () => {
  api = await openRecords();
});
afterAll(() => api.http.close());

const TIME = '2026-01-05T14:30:00+05:30';
const by = () => ({ name: 'Patricia Boyle', id: api.http.principal.user.id });
const details = (id: unknown) => ({
  Modified_Time: TIME,
  Modified_By: by(),
  Created_Time: TIME,
  id,
  Created_By: by(),
});
const anyId = expect.stringMatching(/^3652397\d{12}$/);

async function create(module: string, record: object): Promise<string> {
  const { status, body } = await api.send('POST', `v8/${module}`, { data: [record] });
  expect(status).toBe(201);
  return body.data[0].details.id;
}

const NO_SUCH_ID = '3652397999999999999';

describe('writing records', () => {
  test('create answers 201 with the system fields of each record', async () => {
    const { status, body } = await api.send('POST', 'v8/Leads', {
      data: [{ Last_Name: 'x', Company: 'y' }],
      trigger: ['workflow'],
      process: ['review_process'],
      lar_id: '1',
    });
    expect(status).toBe(201);
    expect(body).toEqual({
      data: [{ code: 'SUCCESS', details: details(anyId), message: 'record added', status: 'success' }],
    });
  });

  test('update answers 200, for many records by body id and for one by path', async () => {
    const id = await create('Leads', { Last_Name: 'x', Company: 'y' });
    const updated = {
      data: [{ code: 'SUCCESS', details: details(id), message: 'record updated', status: 'success' }],
    };
    const many = await api.send('PUT', 'v8/Leads', { data: [{ id, Company: 'z' }] });
    const one = await api.send('PUT', `v2/Leads/${id}`, { data: [{ City: 'Pune' }] });
    expect([many, one]).toEqual([
      { status: 200, body: updated },
      { status: 200, body: updated },
    ]);
    const { body } = await api.send('GET', `v8/Leads/${id}?fields=Company,City`);
    expect(body).toEqual({ data: [{ id, Company: 'z', City: 'Pune' }] });
  });

  test('upsert says what it did and by which field: 201 when all are new, else 200', async () => {
    const record = { Last_Name: 'Up', Company: 'c', Email: 'up@example.com' };
    const first = await api.send('POST', 'v8/Leads/upsert', { data: [record], duplicate_check_fields: ['Email'] });
    expect(first).toEqual({
      status: 201,
      body: {
        data: [
          {
            code: 'SUCCESS',
            duplicate_field: null,
            action: 'insert',
            details: details(anyId),
            message: 'record added',
            status: 'success',
          },
        ],
      },
    });
    const { id } = first.body.data[0].details;
    const other = { ...record, Email: 'up2@example.com' };
    const second = await api.send('POST', 'v8/Leads/upsert', { data: [{ ...record, City: 'Oslo' }, other] });
    expect(second.status).toBe(200);
    expect(second.body.data).toMatchObject([
      { duplicate_field: 'Email', action: 'update', details: { id }, message: 'record updated', status: 'success' },
      { duplicate_field: null, action: 'insert', message: 'record added', status: 'success' },
    ]);
  });

  test('delete answers with the ids, by parameter and by path', async () => {
    const ids = await Promise.all(['a', 'b', 'c'].map((name) => create('Leads', { Last_Name: name, Company: 'c' })));
    const deleted = (id: string | undefined) => ({
      code: 'SUCCESS',
      details: { id },
      message: 'record deleted',
      status: 'success',
    });
    const two = await api.send('DELETE', `v8/Leads?ids=${ids[0]}%2C${ids[1]}&wf_trigger=true&`);
    expect(two).toEqual({ status: 200, body: { data: [deleted(ids[0]), deleted(ids[1])] } });
    const one = await api.send('DELETE', `v8/Leads/${ids[2]}`);
    expect(one).toEqual({ status: 200, body: { data: [deleted(ids[2])] } });
    expect((await api.send('GET', `v8/Leads?ids=${ids.join(',')}`)).status).toBe(204);
  });

  test('refused records stand at their place among the good ones: 207 on v8, 202 before', async () => {
    const data = [{ Last_Name: 'ok', Company: 'c' }, { Company: 'c' }, { Last_Name: 'nul\0', Company: 'c' }, 7];
    const refused = [
      {
        code: 'MANDATORY_NOT_FOUND',
        details: { api_name: 'Last_Name', json_path: '$.data[1].Last_Name' },
        message: 'required field not found',
        status: 'error',
      },
      {
        code: 'INVALID_DATA',
        details: { expected_data_type: 'text', api_name: 'Last_Name', json_path: '$.data[2].Last_Name' },
        message: 'invalid data',
        status: 'error',
      },
      {
        code: 'INVALID_DATA',
        details: { expected_data_type: 'jsonobject', json_path: '$.data[3]' },
        message: 'invalid data',
        status: 'error',
      },
    ];
    const v8 = await api.send('POST', 'v8/Leads', { data });
    expect(v8).toEqual({ status: 207, body: { data: [expect.objectContaining({ code: 'SUCCESS' }), ...refused] } });
    expect((await api.send('POST', 'v7/Leads', { data })).status).toBe(202);
    expect(await api.send('POST', 'v8/Leads', { data: data.slice(1, 2) })).toMatchObject({
      status: 400,
      body: { data: [{ code: 'MANDATORY_NOT_FOUND' }] },
    });
  });

  test('an unknown id is refused on update and delete, and so is one that is none', async () => {
    const unknown = { code: 'INVALID_DATA', message: 'the id given seems to be invalid', status: 'error' };
    expect(await api.send('PUT', 'v8/Leads', { data: [{ id: NO_SUCH_ID, City: 'x' }] })).toEqual({
      status: 400,
      body: { data: [{ ...unknown, details: { id: NO_SUCH_ID, api_name: 'id', json_path: '$.data[0].id' } }] },
    });
    const byPath = { status: 400, body: { data: [{ ...unknown, details: { id: NO_SUCH_ID } }] } };
    expect(await api.send('PUT', `v8/Leads/${NO_SUCH_ID}`, { data: [{ City: 'x' }] })).toEqual(byPath);
    expect(await api.send('DELETE', `v8/Leads/${NO_SUCH_ID}`)).toEqual(byPath);
    expect(await api.send('DELETE', 'v8/Leads?ids=abc')).toMatchObject({
      status: 400,
      body: { data: [{ ...unknown, details: { expected_data_type: 'bigint', api_name: 'id' } }] },
    });
    expect(await api.send('PUT', 'v8/Leads/abc', { data: [{ City: 'x' }] })).toMatchObject({
      status: 400,
      body: unknown,
    });
  });

  test('a value that a unique field already has is refused with the id of its record', async () => {
    const id = await create('Accounts', { Account_Name: 'U1', Account_Number: 'N-1' });
    const again = await api.send('POST', 'v8/Accounts', { data: [{ Account_Name: 'U2', Account_Number: 'n-1' }] });
    expect(again.body.data[0]).toMatchObject({
      code: 'DUPLICATE_DATA',
      details: { api_name: 'Account_Number', json_path: '$.data[0].Account_Number', id },
    });
  });

  test('ten racing upserts of one new value make one record', async () => {
    const record = { Last_Name: 'Race', Company: 'c', Email: 'race@example.com' };
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => api.send('POST', 'v8/Leads/upsert', { data: [record] })),
    );
    const entries = replies.map(({ body }) => body.data[0]);
    expect(new Set(entries.map((entry) => entry.details.id)).size).toBe(1);
    expect(entries.filter((entry) => entry.action === 'insert')).toHaveLength(1);
  });

  test('100 records are taken in one call, 101 are refused as a whole', async () => {
    const data = Array.from({ length: 101 }, (_, i) => ({ Last_Name: `Bulk ${i}`, Company: 'Bulk' }));
    const before = await newestLead();
    const tooMany = {
      code: 'INVALID_DATA',
      details: { maximum_length: 100, api_name: 'data', json_path: '$.data' },
      message: 'invalid data',
      status: 'error',
    };
    expect(await api.send('POST', 'v8/Leads', { data })).toEqual({ status: 400, body: tooMany });
    expect(await newestLead()).toBe(before);

    const hundred = await api.send('POST', 'v8/Leads', { data: data.slice(1) });
    expect([hundred.status, hundred.body.data.length]).toEqual([201, 100]);
    const ids = hundred.body.data.map((entry: { details: { id: string } }) => entry.details.id);
    expect(new Set(ids).size).toBe(100);
    const removed = await api.send('DELETE', `v8/Leads?ids=${[...ids, before].join(',')}`);
    expect(removed).toMatchObject({ status: 400, body: { details: { maximum_length: 100, api_name: 'ids' } } });
    expect((await api.send('DELETE', `v8/Leads?ids=${ids.join(',')}`)).status).toBe(200);
  });

  const newestLead = async (): Promise<string> => (await api.send('GET', 'v8/Leads?per_page=1')).body.data[0].id;
});

describe('a write that is refused as a whole', () => {
  const at = { api_name: 'data', json_path: '$.data' };
  test.each([
    ['without data', 'POST', 'v8/Leads', {}, 'MANDATORY_NOT_FOUND', at],
    [
      'with data that is no list',
      'POST',
      'v8/Leads',
      { data: {} },
      'INVALID_DATA',
      { expected_data_type: 'jsonarray', ...at },
    ],
    ['with an empty list', 'PUT', 'v8/Leads', { data: [] }, 'INVALID_DATA', { minimum_length: 1, ...at }],
    ['with no body', 'POST', 'v8/Leads', '', 'INVALID_DATA', { expected_data_type: 'jsonobject' }],
    ['for an unknown module', 'POST', 'v8/leads', { data: [{}] }, 'INVALID_MODULE', {}],
    [
      'of several records by one path',
      'PUT',
      `v8/Leads/${NO_SUCH_ID}`,
      { data: [{}, {}] },
      'INVALID_DATA',
      { maximum_length: 1, ...at },
    ],
    [
      'with check fields that find nothing',
      'POST',
      'v8/Leads/upsert',
      { data: [{}], duplicate_check_fields: ['Email', 'City'] },
      'INVALID_DATA',
      {
        supported_values: ['Email'],
        api_name: 'duplicate_check_fields',
        json_path: '$.duplicate_check_fields[1]',
      },
    ],
    [
      'with check fields that are no list',
      'POST',
      'v8/Leads/upsert',
      { data: [{}], duplicate_check_fields: 'Email' },
      'INVALID_DATA',
      {
        expected_data_type: 'jsonarray',
        api_name: 'duplicate_check_fields',
        json_path: '$.duplicate_check_fields',
      },
    ],
    ['a delete without ids, v8', 'DELETE', 'v8/Leads', undefined, 'REQUIRED_PARAM_MISSING', { param: 'ids' }],
    [
      'a delete without ids, v2',
      'DELETE',
      'v2/Leads?ids=,',
      undefined,
      'REQUIRED_PARAM_MISSING',
      { param_name: 'ids', param: 'ids' },
    ],
    ['by a method that is not offered', 'PATCH', 'v8/Leads', { data: [{}] }, 'INVALID_REQUEST_METHOD', {}],
  ] as const)('%s', async (_title, method, path, body, code, details) => {
    const reply = await api.send(method, path, body);
    expect(reply.status).toBe(400);
    expect(reply.body).toMatchObject({ code, status: 'error' });
    expect(reply.body.details).toEqual(details);
  });

  test('by a profile that denies the module: 403 for every operation, and its name', async () => {
    const limited = await api.colleague({ deniedModules: ['Deals'] });
    const replies = await Promise.all([
      limited.send('GET', 'v8/Deals'),
      limited.send('GET', `v8/Deals/${NO_SUCH_ID}`),
      limited.send('POST', 'v8/Deals', { data: [{ Deal_Name: 'x', Stage: 'Closed Won' }] }),
      limited.send('POST', 'v8/Deals/upsert', { data: [{ Deal_Name: 'x', Stage: 'Closed Won' }] }),
      limited.send('PUT', 'v8/Deals', { data: [{ id: NO_SUCH_ID }] }),
      limited.send('DELETE', `v8/Deals/${NO_SUCH_ID}`),
    ]);
    expect(replies.map(({ status, body }) => [status, body.code, body.details.permissions[0]])).toEqual(
      ['View', 'View', 'Create', 'Create', 'Edit', 'Delete'].map((act) => [
        403,
        'NO_PERMISSION',
        `Crm_Implied_${act}_Deals`,
      ]),
    );
    expect((await limited.send('GET', 'v8/Leads?per_page=1')).status).toBe(200);
  });

  test('without the scope for it: WRITE creates and updates, READ only reads', async () => {
    const record = { data: [{ Last_Name: 's', Company: 's' }] };
    const attempts = async (scope: string) => {
      const caller = await api.colleague({ scopes: [scope] });
      const replies = await Promise.all([
        caller.send('GET', `v8/Leads/${NO_SUCH_ID}`),
        caller.send('POST', 'v8/Leads', record),
        caller.send('POST', 'v8/Leads/upsert', record),
        caller.send('PUT', `v8/Leads/${NO_SUCH_ID}`, record),
        caller.send('DELETE', `v8/Leads/${NO_SUCH_ID}`),
      ]);
      return replies.map(({ status }) => status !== 401);
    };
    expect(await attempts('ZohoCRM.modules.leads.READ')).toEqual([true, false, false, false, false]);
    expect(await attempts('ZohoCRM.modules.WRITE')).toEqual([false, true, true, true, false]);
    expect(await attempts('ZohoCRM.modules.DELETE')).toEqual([false, false, false, false, true]);
    expect(await attempts('ZohoCRM.modules.Deals.ALL')).toEqual([false, false, false, false, false]);
  });
});
