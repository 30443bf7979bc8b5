import { afterEach, expect, test } from 'vitest';
import { ApiError, createClient, createInbox, expectSuccess, UnreachableError } from '../src/index.ts';
import { type Answer, type ApiServer, type Got, startApiServer } from './api-server.ts';

let server: ApiServer | undefined;
afterEach(() => server?.close());

const SIGN_IN = { clientId: '1000.A', clientSecret: 's', refreshToken: '1000.r' };

async function clientOn(
  answer: (got: Got) => Answer,
  options: { timeoutMs?: number; token?: (n: number) => unknown } = {},
) {
  server = await startApiServer(answer, options.token);
  const { timeoutMs } = options;
  return createClient({ base: `${server.base}/`, ...SIGN_IN, ...(timeoutMs !== undefined && { timeoutMs }) });
}

const requests = () => server?.got.map(({ method, url }) => `${method} ${url}`);
const bodies = () => server?.got.map(({ body }) => (body === '' ? undefined : (JSON.parse(body) as unknown)));

const success = (details: object) => ({ code: 'SUCCESS', details, message: 'done', status: 'success' });
const refused = (code: string, details: object = {}) => ({ code, details, message: `it is ${code}`, status: 'error' });

test('a channel is opened, listed, replaced, merged, relieved of events and deleted', async () => {
  const details = { events: [{ channel_id: '9223372036854775807', resource_name: 'Deals' }] };
  const row = { channel_id: '9223372036854775807', events: ['Deals.edit'] };
  const client = await clientOn(({ method }) => ({ body: { watch: [method === 'GET' ? row : success(details)] } }));
  const channel_id = '9223372036854775807';
  const entry = { channel_id, notify_url: 'http://127.0.0.1:9/x', events: ['Deals.all'] } as const;

  expect(expectSuccess(await client.watch.open([entry]))).toEqual([details]);
  expect(await client.watch.list({ module: 'Deals', channelId: channel_id, page: 1, perPage: 5 })).toEqual({
    watch: [row],
  });
  await client.watch.replace([{ channel_id, events: ['Deals.edit'] }]);
  await client.watch.merge([{ channel_id, token: 'new' }]);
  await client.watch.disableEvents([{ channel_id, events: ['Deals.edit'] }]);
  await client.watch.delete([channel_id, '2']);

  expect(requests()).toEqual([
    'POST /crm/v8/actions/watch',
    'GET /crm/v8/actions/watch?page=1&per_page=5&module=Deals&channel_id=9223372036854775807',
    'PUT /crm/v8/actions/watch',
    'PATCH /crm/v8/actions/watch',
    'PATCH /crm/v8/actions/watch',
    'DELETE /crm/v8/actions/watch?channel_ids=9223372036854775807%2C2',
  ]);
  expect(bodies()).toEqual([
    { watch: [entry] },
    undefined,
    { watch: [{ channel_id, events: ['Deals.edit'] }] },
    { watch: [{ channel_id, token: 'new' }] },
    { watch: [{ channel_id, events: ['Deals.edit'], _delete_events: true }] },
    undefined,
  ]);
});

test('records are created, updated, upserted, deleted, got and listed', async () => {
  const page = { data: [{ id: '7' }], info: { per_page: 1, count: 1, page: 2, more_records: true } };
  const client = await clientOn(({ method }) => ({ body: method === 'GET' ? page : { data: [success({ id: '7' })] } }));

  expect(expectSuccess(await client.records.create('Leads', [{ Last_Name: 'Hopper' }]))).toEqual([{ id: '7' }]);
  await client.records.update('Leads', [{ id: '7', Company: 'Harbour' }]);
  await client.records.upsert('Leads', [{ Email: 'a@example.com' }], ['Email']);
  await client.records.delete('Leads', ['7', '8']);
  expect(await client.records.get('Leads', '7')).toEqual({ id: '7' });
  expect(await client.records.list('Leads', { page: 2, perPage: 1, fields: ['id', 'Email'], ids: ['7'] })).toEqual(
    page,
  );

  expect(requests()).toEqual([
    'POST /crm/v8/Leads',
    'PUT /crm/v8/Leads',
    'POST /crm/v8/Leads/upsert',
    'DELETE /crm/v8/Leads?ids=7%2C8',
    'GET /crm/v8/Leads/7',
    'GET /crm/v8/Leads?page=2&per_page=1&fields=id%2CEmail&ids=7',
  ]);
  expect(bodies()?.slice(0, 3)).toEqual([
    { data: [{ Last_Name: 'Hopper' }] },
    { data: [{ id: '7', Company: 'Harbour' }] },
    { data: [{ Email: 'a@example.com' }], duplicate_check_fields: ['Email'] },
  ]);
});

test('an empty answer means that there is nothing', async () => {
  const client = await clientOn(() => ({ status: 204 }));
  expect(await client.records.get('Leads', '7')).toBeUndefined();
  expect((await client.records.list('Leads')).data).toEqual([]);
  expect(await client.watch.list()).toEqual({ watch: [] });
});

test('the organisation and the fields of a module can be asked for', async () => {
  const fields = [{ id: '1', api_name: 'Email', data_type: 'email' }];
  const client = await clientOn(({ url }) => ({
    body: url.includes('fields') ? { fields } : { org: [{ zgid: '5' }] },
  }));
  expect(await client.org()).toEqual({ zgid: '5' });
  expect(await client.settings.fields('Leads')).toEqual(fields);
  expect(requests()).toEqual(['GET /crm/v8/org', 'GET /crm/v8/settings/fields?module=Leads']);
});

test('calls at the same time share one access token, which later calls use again', async () => {
  const client = await clientOn(() => ({ status: 204 }));
  await Promise.all([client.records.get('Leads', '1'), client.records.get('Leads', '2')]);
  await client.records.get('Leads', '3');
  expect(server?.tokensGiven()).toBe(1);
  expect(server?.got.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Zoho-oauthtoken token-1'));
});

test('a token that is about to end is not used again', async () => {
  const token = (count: number) => ({ access_token: `token-${count}`, expires_in: 5 });
  const client = await clientOn(() => ({ status: 204 }), { token });
  await client.records.get('Leads', '1');
  await client.records.get('Leads', '1');
  expect(server?.tokensGiven()).toBe(2);
});

test('a refused token is renewed once and the call repeated', async () => {
  const client = await clientOn(({ headers }) =>
    headers.authorization?.endsWith('token-1')
      ? { status: 401, body: refused('INVALID_TOKEN') }
      : { body: { org: [{ zgid: '5' }] } },
  );
  expect(await client.org()).toEqual({ zgid: '5' });
  expect(server?.tokensGiven()).toBe(2);
});

test('a second refusal of the token is told', async () => {
  const client = await clientOn(() => ({ status: 401, body: refused('INVALID_TOKEN') }));
  await expect(client.org()).rejects.toMatchObject({ name: 'ApiError', code: 'INVALID_TOKEN', status: 401 });
  expect(server?.got).toHaveLength(2);
});

test('a call that is refused as a whole throws its code, status and details', async () => {
  const body = refused('REQUIRED_PARAM_MISSING', { param: 'channel_ids' });
  const client = await clientOn(() => ({ status: 400, body }));
  const error = await client.watch.delete([]).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    code: 'REQUIRED_PARAM_MISSING',
    status: 400,
    message: 'it is REQUIRED_PARAM_MISSING',
    details: { param: 'channel_ids' },
  });
});

test.each([202, 207, 400])('items are judged one by one when some were refused with status %i', async (status) => {
  const results = [success({ id: '7' }), refused('MANDATORY_NOT_FOUND', { api_name: 'Last_Name' })];
  const client = await clientOn(() => ({ status, body: { data: results } }));
  const answered = await client.records.create('Leads', [{ Last_Name: 'a' }, {}]);
  expect(answered).toEqual(results);
  expect(() => expectSuccess(answered)).toThrow(
    expect.objectContaining({ code: 'MANDATORY_NOT_FOUND', details: { api_name: 'Last_Name' } }),
  );
});

test('refused credentials are an error with the code that OAuth gives', async () => {
  const client = await clientOn(() => undefined, { token: () => ({ error: 'invalid_client_secret' }) });
  await expect(client.org()).rejects.toMatchObject({ name: 'ApiError', code: 'invalid_client_secret', status: 200 });
});

test.each([
  ['a page of HTML', 502, '<html>'],
  ['a refusal of another shape', 500, { message: 'no' }],
])('%s is an unexpected answer', async (_what, status, body) => {
  const client = await clientOn(() => ({ status, body }));
  await expect(client.records.list('Leads')).rejects.toMatchObject({ code: 'UNEXPECTED_ANSWER', status });
});

test('a redirect is not followed, since it would carry the token elsewhere', async () => {
  const elsewhere = await startApiServer(() => ({ body: { org: [{ zgid: '5' }] } }));
  const client = await clientOn(() => ({ status: 307, location: `${elsewhere.base}/crm/v8/org` }));
  await expect(client.records.get('Leads', '1')).rejects.toMatchObject({ code: 'UNEXPECTED_ANSWER', status: 307 });
  expect(elsewhere.got).toEqual([]);
  await elsewhere.close();
});

test('another fetch can be put in the place of the global one', async () => {
  server = await startApiServer(() => ({ status: 204 }));
  const sent: unknown[] = [];
  const client = createClient({
    base: server.base,
    ...SIGN_IN,
    fetch: (input, init) => {
      sent.push(init?.method);
      return fetch(input, init);
    },
  });
  await client.records.get('Leads', '1');
  expect(sent).toEqual(['POST', 'GET']);
});

test('a server that does not answer in time is unreachable', async () => {
  const client = await clientOn(() => undefined, { timeoutMs: 50 });
  const error = await client.org().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UnreachableError);
  expect(error).toMatchObject({ code: 'TIMEOUT' });
});

test('a server that is not there is unreachable, with the reason', async () => {
  const client = await clientOn(() => undefined);
  await server?.close();
  await expect(client.org()).rejects.toMatchObject({
    code: 'UNREACHABLE',
    message: expect.stringContaining('ECONNREFUSED'),
  });
  server = undefined;
});

test('the version of calls can be chosen', async () => {
  server = await startApiServer(() => ({ status: 204 }));
  const client = createClient({ base: server.base, ...SIGN_IN, version: 'v2.1' });
  await client.records.get('Leads', '1');
  expect(requests()).toEqual(['GET /crm/v2.1/Leads/1']);
});

test('the inbox is read and cleared with the admin token', async () => {
  const listing = { messages: [], dropped: 0 };
  server = await startApiServer(({ method }) => ({ body: method === 'GET' ? listing : { status: 'cleared' } }));
  const inbox = createInbox({ base: server.base, adminToken: 'dev-admin' });
  expect(await inbox.list('demo', { wait: 10, count: 2, after: 5 })).toEqual(listing);
  await inbox.clear('demo');
  expect(requests()).toEqual([
    'GET /_watchbell/v1/inbox/demo?wait=10&count=2&after=5',
    'DELETE /_watchbell/v1/inbox/demo',
  ]);
  expect(server.got[0]?.headers.authorization).toBe('Bearer dev-admin');
});
