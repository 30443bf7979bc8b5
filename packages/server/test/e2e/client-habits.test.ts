import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { rawCall } from '../support/raw-call.ts';
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts';
import { conditionOn, five, habits } from './client-habits.ts';
import {
  change,
  changeThrice,
  create,
  expectSuccess,
  HOUR,
  items,
  listed,
  liveIds,
  watchPath,
  written,
} from './watch-client.ts';

let app: LiveApp;
let receiver: Receiver;
/** How many notifications had come before the test. */
let before = 0;

beforeAll(async () => {
  receiver = await startReceiver();
  app = await startLiveApp({ flags: { timeZone: 'Asia/Singapore' } });
  const own = { api_name: 'Visits', singular: 'Visit', plural: 'Visits' };
  expect((await operatorOf(app.base)('POST', '/orgs/3652397/modules', own)).status).toBe(201);
});

afterEach(async () => {
  const ids = await liveIds(app.owner);
  if (ids.length > 0) await app.owner.call('DELETE', `${V8}?channel_ids=${ids}`);
  await app.app.idle();
  before = receiver.received.length;
});

afterAll(async () => {
  await app.stop();
  await receiver.close();
});

/** All that the test was told, once nothing more is owed. */
async function told(): Promise<readonly Received[]> {
  await app.app.idle();
  return receiver.received.slice(before);
}

const V8 = watchPath('v8');
const entry = (channel_id: unknown, more: object = {}) => ({
  channel_id,
  events: ['Leads.create'],
  notify_url: `${receiver.origin}/hook`,
  ...more,
});
const subscribe = (...watch: unknown[]) => app.owner.call('POST', V8, { watch });

describe('a client that subscribes with', () => {
  test.each(Object.entries(habits))('%s', async (_what, habit) => {
    const notify_url = `${receiver.origin}/hook${habit.query ?? ''}`;
    const rest = JSON.stringify({ ...habit.entry(app.clock.now()), notify_url });
    const text = `{"watch":[{"channel_id":${habit.sent},${rest.slice(1)}]}`;
    const answer = await app.owner.call('POST', watchPath(habit.version), text);
    expect(answer.status).toBe(201);
    const modules = Object.keys(habit.rows);
    expect(expectSuccess(answer, habit.id, modules)).toBe(app.clock.now() + habit.lasts);

    const plan = modules.map((module) => ({
      channel_id: habit.id,
      resource_name: module,
      resource_uri: `${app.base}/crm/${habit.version}/${module}`,
      resource_id: expect.stringMatching(/^3652397\d{12}$/),
      channel_expiry: written(app.clock.now() + habit.lasts, '+08:00'),
      events: habit.rows[module],
      notify_url,
      token: habit.token ?? null,
      notify_on_related_action: habit.related,
      ...(habit.values !== undefined && { return_affected_field_values: habit.values }),
    }));
    const rows = await listed(app.owner, habit.version, `?channel_id=${habit.id}&page=1&per_page=2`);
    expect(rows.map(({ fields: _fields, notification_condition: _condition, ...row }) => row)).toEqual(plan);

    const id = await changeThrice(app, modules[0] ?? '');
    const came = (await told()).map(({ body }) => [body.operation, body.ids, body.channel_id, body.token]);
    expect(came).toEqual(habit.told.map((operation) => [operation, [id], habit.id, habit.token ?? null]));
  });

  test('a condition of five fields in pairs reads it back as it was, with ids, and is told when one changed', async () => {
    const more = { events: ['Leads.all', 'Contacts.all'], notification_condition: conditionOn('Leads', five) };
    expectSuccess(await subscribe(entry('-7046029254386353131', more)), '-7046029254386353131', ['Leads', 'Contacts']);
    const [row, other] = await listed(app.owner, 'v8');
    const ids: unknown[] = [];
    const bare = JSON.stringify(row?.notification_condition, (key, value) => {
      if (key === 'id') ids.push(value);
      return key === 'id' || value === null ? undefined : value;
    });
    expect(JSON.parse(bare)).toEqual([
      { field_selection: five, module: { api_name: 'Leads' }, type: 'field_selection' },
    ]);
    expect(ids).toHaveLength(6);
    expect(ids.every((id) => /^3652397\d{12}$/.test(String(id)))).toBe(true);
    expect(other?.notification_condition).toBeNull();

    const id = await create(app, 'Leads');
    await change(app, 'Leads', id, { Website: 'https://example.com' });
    await change(app, 'Leads', id, { City: 'Pune' });
    expect((await told()).map(({ body }) => [body.operation, body.affected_fields])).toEqual([
      ['insert', []],
      ['update', [{ [id]: ['City'] }]],
    ]);
  });

  test('a constant id in each of two organisations shares nothing with itself', async () => {
    const stranger = await app.stranger();
    const theirs = await stranger.call('POST', V8, { watch: [entry(2718281, { token: 'theirs' })] });
    expectSuccess(theirs, '2718281', ['Leads']);
    expectSuccess(await subscribe(entry(2718281, { token: 'ours' })), '2718281', ['Leads']);
    expect((await listed(stranger, 'v8')).map((row) => row.token)).toEqual(['theirs']);
    expect((await app.owner.call('DELETE', `${V8}?channel_ids=2718281`)).status).toBe(200);
    expect(await liveIds(stranger)).toEqual(['2718281']);
    await create(app, 'Leads');
    await stranger.call('POST', '/crm/v8/Leads', { data: [{ Last_Name: 'Boyle', Company: 'Zylker' }] });
    expect((await told()).map(({ body }) => body.token)).toEqual(['theirs']);
  });
});

describe('a client that says it otherwise than the pages', () => {
  const body = (more: object = {}) => JSON.stringify({ watch: [entry('5', more)] });

  test.each([
    ['a form type over a JSON body', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['the scheme Bearer', { 'content-type': 'application/json', authorization: 'Bearer ' }],
    ['no content type at all', { 'content-type': '' }],
  ])(
    'with %s is understood',
    async (_what, { authorization = 'Zoho-oauthtoken ', ...headers }: Record<string, string>) => {
      const answer = await rawCall(app.base + V8, {
        method: 'POST',
        headers: { ...headers, authorization: authorization + app.owner.accessToken },
        body: body(),
      });
      expect(answer.headers.get('content-type')).toBe('application/json;charset=UTF-8');
      expectSuccess({ status: answer.status, body: JSON.parse(answer.text) }, '5', ['Leads']);
      expect(await liveIds(app.owner)).toEqual(['5']);
    },
  );

  const refusals: [string, object, object][] = [
    [
      'an id that is no number',
      { channel_id: 'own_1767603600000_0' },
      { expected_data_type: 'long', api_name: 'channel_id' },
    ],
    [
      'milliseconds',
      { channel_expiry: '2026-01-06T08:00:00.000Z' },
      { expected_data_type: 'datetime', api_name: 'channel_expiry' },
    ],
    ['events as objects', { events: [{ module: 'Leads', operation: 'create' }] }, { api_name: 'events' }],
    ['a label instead of the API name', { events: ['Sales Orders.all'] }, { api_name: 'events' }],
  ];

  test.each(refusals)(
    'with %s is told which key is wrong, and its other entries go on',
    async (_what, bad, details) => {
      const answer = await subscribe(entry('6', bad), entry('7'));
      expect(answer.status).toBe(207);
      const [refused, taken] = items(answer);
      const api_name = Object.keys(bad)[0];
      expect(refused).toEqual({
        code: 'INVALID_DATA',
        details: { ...details, json_path: `$.watch[0].${api_name}` },
        message: 'invalid data',
        status: 'error',
      });
      expect(taken?.status).toBe('success');
      expect(await liveIds(app.owner)).toEqual(['7']);
    },
  );

  test('with one bad entry alone has the error in an entry of a 400', async () => {
    const answer = await subscribe(entry('own_1767603600000_0', { channel_expiry: '2026-01-06T08:00:00.000Z' }));
    expect(answer.status).toBe(400);
    expect(items(answer)).toMatchObject([{ code: 'INVALID_DATA', status: 'error' }]);
    expect(await liveIds(app.owner)).toEqual([]);
  });

  test('with _delete_events as text is refused by that key, and nothing is taken away', async () => {
    await subscribe(entry('8', { events: ['Leads.all'] }));
    const answer = await app.owner.call('PATCH', V8, {
      watch: [{ channel_id: '8', events: ['Leads.create'], _delete_events: 'true' }],
    });
    expect(answer.status).toBe(400);
    expect(items(answer)[0]?.details).toEqual({
      expected_data_type: 'boolean',
      api_name: '_delete_events',
      json_path: '$.watch[0]._delete_events',
    });
    expect((await listed(app.owner, 'v8'))[0]?.events).toHaveLength(3);
  });
});

describe('a client that unsubscribes', () => {
  const gone = { code: 'NOT_SUBSCRIBED', details: {}, status: 'error' };

  test('from several at once names them between commas; one that is unknown stops no other', async () => {
    await subscribe(entry('1001'), entry('1002', { events: ['Leads.all', 'Contacts.all'] }), entry('1003'));
    const answer = await app.owner.call('DELETE', `${V8}?channel_ids=1001,4711,1002`);
    expect(answer.status).toBe(207);
    expect(items(answer).map(({ code, details }) => [code, details.channel_id])).toEqual([
      ['SUCCESS', '1001'],
      ['NOT_SUBSCRIBED', undefined],
      ['SUCCESS', '1002'],
      ['SUCCESS', '1002'],
    ]);
    expect(await liveIds(app.owner)).toEqual(['1003']);
  });

  test.each(['unknown', 'deleted', 'lapsed'])('from a channel that is %s has an ordinary answer', async (state) => {
    if (state !== 'unknown') await subscribe(entry('1001'));
    if (state === 'deleted') await app.owner.call('DELETE', `${V8}?channel_ids=1001`);
    if (state === 'lapsed') app.clock.advance(HOUR);
    const answer = await app.owner.call('DELETE', `${V8}?channel_ids=1001`);
    expect(answer.status).toBe(400);
    const message = 'Not subscribed for actions-watch of the given module/channel';
    expect(items(answer)).toEqual([{ ...gone, message }]);
  });

  test('by a body alone has ended nothing; beside the parameter a body does no harm', async () => {
    await subscribe(entry('1001'), entry('1002'));
    const body = { watch: [{ channel_id: '1002' }] };
    expect(await app.owner.call('DELETE', V8, body)).toMatchObject({
      status: 400,
      body: { code: 'REQUIRED_PARAM_MISSING', details: { param: 'channel_ids' } },
    });
    expect(await liveIds(app.owner)).toEqual(['1001', '1002']);
    expect((await app.owner.call('DELETE', `${V8}?channel_ids=1001`, body)).status).toBe(200);
    expect(await liveIds(app.owner)).toEqual(['1002']);
  });

  test('from the last one lists none: 204 and no body', async () => {
    await subscribe(entry(-1));
    expect((await app.owner.call('DELETE', `${V8}?channel_ids=-1`)).status).toBe(200);
    for (const query of ['', '?channel_id=-1', '?page=1&per_page=2', '?module=Leads']) {
      expect(await app.owner.call('GET', V8 + query)).toEqual({ status: 204, body: undefined });
    }
  });
});

describe('a notify URL comes back byte for byte', () => {
  const urls: [string, string, string, object][] = [
    [
      'a literal space and several keys',
      '/callback?authorization=Zoho-oauthtoken 1000.23dn&key1=val1&key2=',
      '/callback?authorization=Zoho-oauthtoken%201000.23dn&key1=val1&key2=',
      { '?authorization': 'Zoho-oauthtoken 1000.23dn', key1: 'val1', key2: '' },
    ],
    ['escapes as they were written', '/%7Ea%2fb?x=%c3%A9&y=a+b', '/%7Ea%2fb?x=%c3%A9&y=a+b', { '?x': 'é', y: 'a+b' }],
    ['letters beyond ASCII', '/höök?n=日本', '/h%C3%B6%C3%B6k?n=%E6%97%A5%E6%9C%AC', { '?n': '日本' }],
    ['quotes, angles and a backslash', `/a'"<b>?q=\\"`, `/a'%22%3Cb%3E?q=\\%22`, { '?q': '\\"' }],
    ['an empty query', '/a?', '/a', {}],
    ['a fragment, which is for nobody else', '/a?x=1#top', '/a?x=1', { '?x': '1' }],
    ['dots in its path', '/a/../b/./c', '/b/c', {}],
    [
      'the keys of a notification',
      '/a?module=M&channel_id=9&token=t',
      '/a?module=M&channel_id=9&token=t',
      { '?module': 'M', channel_id: '9', token: 't' },
    ],
  ];

  test.each(urls)('%s', async (_what, path, target, query_params) => {
    const notify_url = receiver.origin.toUpperCase() + path;
    await subscribe(entry('1', { notify_url, token: 'real' }));
    for (const version of ['v2', 'v3', 'v8']) {
      const { text } = await rawCall(app.base + watchPath(version), {
        headers: { authorization: `Zoho-oauthtoken ${app.owner.accessToken}` },
      });
      // An ampersand is an ampersand, not an escape of one.
      expect(text).toContain(`"notify_url":${JSON.stringify(notify_url)},`);
    }
    await create(app, 'Leads');
    const [came] = await told();
    expect(came?.target).toBe(target);
    expect(came?.body.query_params).toEqual(query_params);
    expect(came?.body).toMatchObject({ module: 'Leads', channel_id: '1', token: 'real' });
  });
});
