import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { at, type Caller, type LiveApp, startLiveApp } from '../support/live-app.ts';

let app: LiveApp;
const WATCH = '/crm/v8/actions/watch';
const URL = 'http://127.0.0.1:9/hook';

beforeAll(async () => {
  app = await startLiveApp();
  const { status } = await app.owner.call('POST', WATCH, {
    watch: [{ channel_id: '1', events: ['Leads.all'], notify_url: URL, token: 'mine' }],
  });
  expect(status).toBe(201);
});

afterAll(() => app.stop());

/** All that a caller can see of the owner's data: what bad input must leave as it was. */
async function state(): Promise<unknown> {
  const [watch, leads, contacts] = await Promise.all([
    app.owner.call('GET', WATCH),
    app.owner.call('GET', '/crm/v8/Leads'),
    app.owner.call('GET', '/crm/v8/Contacts'),
  ]);
  return { watch: watch.body, leads: leads.body, contacts: contacts.body };
}

const channel = (more: object = {}) => ({ channel_id: '2', events: ['Leads.all'], notify_url: URL, ...more });
const lead = (more: object = {}) => ({ Last_Name: 'L', Company: 'C', ...more });
const bodyError = {
  code: 'INVALID_DATA',
  message: 'body',
  details: { expected_data_type: 'jsonobject' },
  status: 'error',
};
const deep = `${'{"watch":['.repeat(500)}${']}'.repeat(500)}`;

describe('a call with', () => {
  test.each<[string, string, string, unknown, number, object]>([
    ['an empty body', 'POST', WATCH, '', 400, bodyError],
    ['an array for a body', 'POST', WATCH, [], 400, bodyError],
    ['a body that is no JSON', 'POST', WATCH, '{"watch":', 400, bodyError],
    ['deep nesting', 'POST', WATCH, deep, 400, { code: 'INVALID_DATA', status: 'error' }],
    [
      '2 MiB',
      'POST',
      WATCH,
      JSON.stringify({ watch: [channel({ token: 'x'.repeat(2 ** 21) })] }),
      413,
      { status: 'error' },
    ],
    ['2 MiB of records', 'POST', '/crm/v8/Leads', `{"data":["${'x'.repeat(2 ** 21)}"]}`, 413, { status: 'error' }],
    ['invalid UTF-8', 'POST', WATCH, new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 400, bodyError],
    ['no watch list', 'POST', WATCH, {}, 400, { code: 'MANDATORY_NOT_FOUND', details: { api_name: 'watch' } }],
    [
      '101 channels',
      'POST',
      WATCH,
      { watch: Array.from({ length: 101 }, (_, i) => channel({ channel_id: i })) },
      400,
      { status: 'error', code: expect.stringMatching(/^LIMIT_/) },
    ],
    [
      '101 records',
      'POST',
      '/crm/v8/Leads',
      { data: Array.from({ length: 101 }, () => lead()) },
      400,
      { code: 'INVALID_DATA', details: { api_name: 'data', maximum_length: 100 } },
    ],
    ['no records', 'POST', '/crm/v8/Leads', { data: [] }, 400, { status: 'error' }],
    ['an unknown module to write', 'POST', '/crm/v8/Nothings', { data: [lead()] }, 400, { code: 'INVALID_MODULE' }],
    [
      'an unknown module to read fields of',
      'GET',
      '/crm/v8/settings/fields?module=Nothings',
      undefined,
      400,
      { code: 'INVALID_MODULE' },
    ],
    [
      'no channel ids to delete',
      'DELETE',
      WATCH,
      undefined,
      400,
      { code: 'REQUIRED_PARAM_MISSING', details: { param: 'channel_ids' } },
    ],
    ['another method', 'PUT', '/crm/v8/org', {}, 400, { code: 'INVALID_REQUEST_METHOD' }],
    ['an unknown path', 'GET', '/crm/v8/actions/watch/1', undefined, 404, { code: 'INVALID_URL_PATTERN' }],
    ['an unknown kind of setting', 'GET', '/crm/v8/settings/layouts', undefined, 404, { code: 'INVALID_URL_PATTERN' }],
    ['a count of users', 'GET', '/crm/v8/users/actions/count', undefined, 404, { code: 'INVALID_URL_PATTERN' }],
    ['a path below org', 'GET', '/crm/v8/org/currencies', undefined, 404, { code: 'INVALID_URL_PATTERN' }],
  ])('%s is refused as a whole', async (_title, method, path, body, status, error) => {
    const before = await state();
    const answer = await app.owner.call(method, path, body);
    expect(answer.body).toMatchObject(error);
    expect(answer.status).toBe(status);
    expect(await state()).toEqual(before);
  });

  test.each<[string, object, object]>([
    [
      'an unknown module',
      channel({ events: ['Nothings.create'] }),
      { code: 'INVALID_DATA', details: { api_name: 'events', json_path: '$.watch[0].events' } },
    ],
    [
      'an unknown operation',
      channel({ events: ['Leads.insert'] }),
      { code: 'INVALID_DATA', details: { api_name: 'events' } },
    ],
    [
      'a token of 51 characters',
      channel({ token: 'x'.repeat(51) }),
      { code: 'INVALID_DATA', details: { api_name: 'token', maximum_length: 50 } },
    ],
    ['a token that is a number', channel({ token: 5 }), { code: 'INVALID_DATA', details: { api_name: 'token' } }],
    ['NUL in its token', channel({ token: 'a\0b' }), { code: 'INVALID_DATA', details: { api_name: 'token' } }],
    [
      'a channel id that is no number',
      channel({ channel_id: '6d7e-uuid' }),
      { code: 'INVALID_DATA', details: { api_name: 'channel_id' } },
    ],
    [
      'a channel id beyond 64 bits',
      channel({ channel_id: '9223372036854775808' }),
      { code: 'INVALID_DATA', details: { api_name: 'channel_id' } },
    ],
    [
      'an expiry with milliseconds',
      channel({ channel_expiry: '2026-11-22T10:00:00.000Z' }),
      { code: 'INVALID_DATA', details: { api_name: 'channel_expiry', expected_data_type: 'datetime' } },
    ],
    [
      'a notify URL that is none',
      channel({ notify_url: 'ftp://example.com/' }),
      { code: 'INVALID_DATA', details: { api_name: 'notify_url' } },
    ],
  ])('a channel that has %s is refused by name', async (_title, entry, error) => {
    const before = await state();
    const { status, body } = await app.owner.call('POST', WATCH, { watch: [entry] });
    expect(body).toMatchObject({ watch: [{ ...error, status: 'error' }] });
    expect(status).toBe(400);
    expect(await state()).toEqual(before);
  });

  test.each<[string, object, object]>([
    [
      'NUL in a value',
      lead({ Company: 'a\0b' }),
      { code: 'INVALID_DATA', details: { api_name: 'Company', json_path: '$.data[0].Company' } },
    ],
    [
      'a lone surrogate in a value',
      lead({ Company: 'a\ud800' }),
      { code: 'INVALID_DATA', details: { api_name: 'Company' } },
    ],
    [
      'no mandatory field',
      { Company: 'C' },
      { code: 'MANDATORY_NOT_FOUND', details: { api_name: 'Last_Name', json_path: '$.data[0].Last_Name' } },
    ],
    [
      'a value of the wrong type',
      lead({ No_of_Employees: 'many' }),
      { code: 'INVALID_DATA', details: { api_name: 'No_of_Employees' } },
    ],
    [
      'a pick list value that is not in the list',
      lead({ Lead_Status: 'Sold' }),
      { code: 'INVALID_DATA', details: { api_name: 'Lead_Status' } },
    ],
    [
      'a value that is too long',
      lead({ Last_Name: 'x'.repeat(81) }),
      { code: 'INVALID_DATA', details: { api_name: 'Last_Name', maximum_length: 80 } },
    ],
  ])('a record that has %s is refused by name', async (_title, record, error) => {
    const before = await state();
    const { status, body } = await app.owner.call('POST', '/crm/v8/Leads', { data: [record] });
    expect(body).toMatchObject({ data: [{ ...error, status: 'error' }] });
    expect(status).toBe(400);
    expect(await state()).toEqual(before);
  });
});

describe('scopes', () => {
  test.each<[string, string, string, string, unknown]>([
    ['ZohoCRM.notifications.READ', 'POST', 'a channel', WATCH, { watch: [channel()] }],
    ['ZohoCRM.notifications.CREATE', 'GET', 'channels', WATCH, undefined],
    ['ZohoCRM.notifications.READ', 'PUT', 'a channel', WATCH, { watch: [channel()] }],
    ['ZohoCRM.notifications.READ', 'PATCH', 'a channel', WATCH, { watch: [channel()] }],
    ['ZohoCRM.notifications.WRITE', 'DELETE', 'a channel', `${WATCH}?channel_ids=1`, undefined],
    ['ZohoCRM.notifications.ALL', 'POST', 'a lead', '/crm/v8/Leads', { data: [lead()] }],
    ['ZohoCRM.modules.Contacts.ALL', 'POST', 'a lead', '/crm/v8/Leads', { data: [lead()] }],
    ['ZohoCRM.modules.ALL', 'GET', 'fields', '/crm/v8/settings/fields?module=Leads', undefined],
  ])('%s does not allow to %s %s', async (scope, method, _what, path, body) => {
    const before = await state();
    const caller = await app.colleague({ scopes: [scope] });
    const answer = await caller.call(method, path, body);
    expect(answer.status).toBe(401);
    expect(answer.body).toEqual({
      code: 'OAUTH_SCOPE_MISMATCH',
      details: {},
      message: 'invalid oauth scope to access this URL',
      status: 'error',
    });
    expect(await state()).toEqual(before);
  });

  test('no token and a bad token have an answer each', async () => {
    const none = await fetch(`${app.base}${WATCH}`);
    expect(none.status).toBe(401);
    expect(await none.json()).toMatchObject({ code: 'AUTHENTICATION_FAILURE', details: {}, status: 'error' });
    const bad = await fetch(`${app.base}${WATCH}`, { headers: { authorization: 'Zoho-oauthtoken 1000.a.b' } });
    expect(bad.status).toBe(401);
    expect(await bad.json()).toMatchObject({ code: 'INVALID_TOKEN', message: 'invalid oauth token', status: 'error' });
  });
});

describe("somebody else's channel", () => {
  const others: [string, () => Promise<Caller>][] = [
    ['another user', () => app.colleague()],
    ['another organisation', () => app.stranger()],
  ];
  const calls: [string, string, unknown, string][] = [
    ['PUT', WATCH, { watch: [channel({ channel_id: '1' })] }, 'Not subscribed for actions-watch of the given channel'],
    [
      'PATCH',
      WATCH,
      { watch: [{ channel_id: '1', token: 'x' }] },
      'Not subscribed for actions-watch of the given channel',
    ],
    [
      'PATCH',
      WATCH,
      { watch: [{ channel_id: '1', events: ['Leads.all'], _delete_events: true }] },
      'Not subscribed for actions-watch of the given module/channel',
    ],
    ['DELETE', `${WATCH}?channel_ids=1`, undefined, 'Not subscribed for actions-watch of the given module/channel'],
  ];
  test.each(others.flatMap(([who, sign]) => calls.map((call) => [call[0], who, sign, call] as const)))(
    '%s by %s is answered as if it were not there',
    async (_method, _who, sign, [method, path, body, message]) => {
      const before = await state();
      const caller = await sign();
      const answer = await caller.call(method, path, body);
      expect(answer.body).toEqual({ watch: [{ code: 'NOT_SUBSCRIBED', details: {}, message, status: 'error' }] });
      expect(answer.status).toBe(400);
      expect(await state()).toEqual(before);
    },
  );

  test.each(others)('is not listed to %s', async (_who, sign) => {
    expect((await (await sign()).call('GET', WATCH)).status).toBe(204);
  });

  test("another organisation's records cannot be read, changed or deleted by id", async () => {
    const created = await app.owner.call('POST', '/crm/v8/Leads', { data: [lead()] });
    const id = at(created.body, 'data', 0, 'details', 'id');
    const stranger = await app.stranger();
    expect((await stranger.call('GET', `/crm/v8/Leads/${id}`)).status).toBe(204);
    const before = await state();
    for (const [method, body] of [
      ['PUT', { data: [lead()] }],
      ['DELETE', undefined],
    ] as const) {
      const { status, body: answer } = await stranger.call(method, `/crm/v8/Leads/${id}`, body);
      expect(status).toBe(400);
      expect(answer).toMatchObject({ data: [{ code: 'INVALID_DATA', details: { id } }] });
    }
    expect(await state()).toEqual(before);
  });
});
