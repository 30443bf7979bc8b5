import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { API_VERSIONS } from '../../src/domain/wire/api-version.ts';
import { BASE, openWatch, type WatchFixture } from './watch-fixture.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const notify_url = 'https://example.com/hook?key=a b';
const channel = (channel_id: unknown, ...events: string[]) => ({ channel_id, notify_url, events });
const of = (...watch: unknown[]) => ({ watch });

const SUBSCRIBED = 'Successfully subscribed for actions-watch of the given module';
const ids = { Contacts: '3652397000000002179', Leads: '3652397000000002175' };

let api: WatchFixture;
/** As callers write it: an offset, whole seconds. */
const inMs = (ms: number): string => new Date(api.clock.now() + ms).toISOString().replace(/\.\d+Z$/, 'Z');
const event = (module: 'Contacts' | 'Leads', channel_id: string, version = 'v8') => ({
  resource_uri: `${BASE}/crm/${version}/${module}`,
  resource_id: ids[module],
  resource_name: module,
  channel_id,
});

describe('shapes', () => {
  beforeEach(async () => {
    api = await openWatch();
  });
  afterEach(() => api.close());

  test.each(API_VERSIONS)('POST on %s answers 201 with one item for each module, word for word', async (version) => {
    const body = of(channel(1000000068001, 'Contacts.create', 'Leads.edit', 'Contacts.edit'));
    const { status, text } = await api.call('POST', body, { version });
    expect(status).toBe(201);
    const channel_expiry = '2026-01-05T15:30:00+05:30';
    expect(text).toBe(
      JSON.stringify({
        watch: [
          {
            code: 'SUCCESS',
            details: {
              events: [
                { channel_expiry, ...event('Contacts', '1000000068001', version) },
                { channel_expiry, ...event('Leads', '1000000068001', version) },
              ],
            },
            message: SUBSCRIBED,
            status: 'success',
          },
        ],
      }),
    );
  });

  test('PUT answers 200 in the shape and the words of POST', async () => {
    await api.call('POST', of(channel('1', 'Contacts.create')));
    const { status, body } = await api.call('PUT', of({ channel_id: '1', events: ['Leads.edit'] }));
    expect(status).toBe(200);
    expect(body).toEqual({
      watch: [
        {
          code: 'SUCCESS',
          details: { events: [{ channel_expiry: '2026-01-05T15:30:00+05:30', ...event('Leads', '1') }] },
          message: SUBSCRIBED,
          status: 'success',
        },
      ],
    });
  });

  test('PATCH answers 200 with every module of the channel', async () => {
    await api.call('POST', of(channel('1', 'Contacts.create')));
    const { status, items } = await api.call('PATCH', of({ channel_id: '1', events: ['Leads.edit'] }));
    expect(status).toBe(200);
    expect(items).toEqual([
      {
        code: 'SUCCESS',
        details: {
          events: [
            { channel_expiry: '2026-01-05T15:30:00+05:30', ...event('Contacts', '1') },
            { channel_expiry: '2026-01-05T15:30:00+05:30', ...event('Leads', '1') },
          ],
        },
        message: 'Successfully updated the subscribe details',
        status: 'success',
      },
    ]);
  });

  test('PATCH with _delete_events answers 200 with the modules named and no expiry', async () => {
    await api.call('POST', of(channel('1', 'Contacts.create', 'Leads.edit')));
    const { status, text } = await api.call(
      'PATCH',
      of({ channel_id: '1', events: ['Contacts.create'], _delete_events: true }),
    );
    expect(status).toBe(200);
    expect(text).toBe(
      JSON.stringify({
        watch: [
          {
            code: 'SUCCESS',
            details: { events: [event('Contacts', '1')] },
            message: 'Successfully removed the subscribe details',
            status: 'success',
          },
        ],
      }),
    );
  });

  test('DELETE answers 200 with one flat entry for each module of each channel', async () => {
    await api.call('POST', of(channel('1', 'Contacts.create', 'Leads.edit'), channel('2', 'Leads.all')));
    const { status, text } = await api.call('DELETE', undefined, { query: 'channel_ids=1%2C2' });
    const entry = (module: 'Contacts' | 'Leads', id: string) => {
      const { resource_name: _name, ...details } = event(module, id);
      return { code: 'SUCCESS', details, message: 'Successfully un-subscribed from actions-watch', status: 'success' };
    };
    expect(status).toBe(200);
    expect(text).toBe(JSON.stringify({ watch: [entry('Contacts', '1'), entry('Leads', '1'), entry('Leads', '2')] }));
    expect((await api.call('GET')).status).toBe(204);
  });

  test('GET lists one row for each module, its events as edit, create, delete', async () => {
    const field = (api_name: string) => ({ field: { api_name } });
    const condition = {
      type: 'field_selection',
      module: { api_name: 'Leads' },
      field_selection: { group_operator: 'and', group: [field('Last_Name'), field('Phone')] },
    };
    const entry = {
      ...channel('1', 'Leads.all', 'Contacts.create'),
      token: 'xyz',
      notification_condition: [condition],
      notify_on_related_action: false,
      channel_expiry: inMs(DAY),
    };
    await api.call('POST', of(entry));
    const { status, text, body } = await api.call('GET');
    const [row] = body.watch;
    const leaf = (api_name: string, i: number) => ({
      field: { api_name, id: row.notification_condition[0].field_selection.group[i].field.id },
      group_operator: null,
      group: null,
    });
    const common = {
      notify_on_related_action: false,
      channel_expiry: '2026-01-06T14:30:00+05:30',
      return_affected_field_values: false,
    };
    expect(status).toBe(200);
    expect(text).toBe(
      JSON.stringify({
        watch: [
          {
            ...common,
            resource_uri: `${BASE}/crm/v8/Leads`,
            resource_id: ids.Leads,
            notify_url,
            resource_name: 'Leads',
            fields: null,
            notification_condition: [
              {
                field_selection: { group_operator: 'and', group: [leaf('Last_Name', 0), leaf('Phone', 1)] },
                module: { api_name: 'Leads', id: ids.Leads },
                type: 'field_selection',
              },
            ],
            channel_id: '1',
            events: ['Leads.edit', 'Leads.create', 'Leads.delete'],
            token: 'xyz',
          },
          {
            ...common,
            resource_uri: `${BASE}/crm/v8/Contacts`,
            resource_id: ids.Contacts,
            notify_url,
            resource_name: 'Contacts',
            fields: null,
            notification_condition: null,
            channel_id: '1',
            events: ['Contacts.create'],
            token: 'xyz',
          },
        ],
        info: { per_page: 200, count: 2, page: 1, more_records: false },
      }),
    );
    expect(row.notification_condition[0].field_selection.group[0].field.id).toMatch(/^3652397\d{12}$/);
    const again = await api.call('POST', of({ ...row, token: 'again' }));
    expect(again.status).toBe(201);
    expect((await api.call('GET')).body.watch[0]).toEqual({ ...row, token: 'again' });
  });

  test.each([
    [
      'v2',
      'notify_on_related_action channel_expiry resource_uri resource_id notify_url resource_name channel_id events token',
    ],
    [
      'v3',
      'notify_on_related_action channel_expiry return_affected_field_values resource_uri resource_id notify_url resource_name channel_id events token',
    ],
  ])('GET on %s gives the keys of that version', async (version, keys) => {
    await api.call('POST', of(channel('1', 'Leads.create')));
    const { body } = await api.call('GET', undefined, { version });
    expect(Object.keys(body.watch[0]).join(' ')).toBe(keys);
    expect(body.watch[0]).toMatchObject({ resource_uri: `${BASE}/crm/${version}/Leads`, token: null });
  });

  test('GET pages by channels and filters by module and id', async () => {
    await api.call('POST', of(channel('1', 'Leads.all', 'Contacts.all')));
    await api.call('POST', of(channel('2', 'Contacts.edit'), channel('3', 'Leads.all')));
    const list = async (query: string) => {
      const { status, body } = await api.call('GET', undefined, { query });
      const rows = body?.watch?.map((row: Record<string, string>) => `${row.channel_id} ${row.resource_name}`);
      return status === 200 ? [rows, body.info.count, body.info.page, body.info.more_records] : status;
    };
    expect(await list('per_page=1')).toEqual([['1 Leads', '1 Contacts'], 2, 1, true]);
    expect(await list('page=2&per_page=1')).toEqual([['2 Contacts'], 1, 2, true]);
    expect(await list('page=3&per_page=1')).toEqual([['3 Leads'], 1, 3, false]);
    expect(await list('page=4&per_page=1')).toBe(204);
    expect(await list('module=Contacts')).toEqual([['1 Contacts', '2 Contacts'], 2, 1, false]);
    expect(await list('channel_id=3&module=Leads&page=1&per_page=150')).toEqual([['3 Leads'], 1, 1, false]);
    expect(await list('channel_id=3&module=Contacts')).toBe(204);
    expect(await list('channel_id=99')).toBe(204);
    const { status, text } = await api.call('GET', undefined, { query: 'channel_id=99' });
    expect([status, text]).toEqual([204, '']);
  });
});

describe('statuses', () => {
  const missingUrl = { channel_id: '2', events: ['Leads.create'] };
  const table = API_VERSIONS.map((version) => [version, version === 'v8' ? 207 : 202] as const);

  describe('as documented', () => {
    beforeAll(async () => {
      api = await openWatch();
    });
    afterAll(() => api.close());

    test.each(table)('on %s all failed is 400 and some failed %i', async (version, mixed) => {
      const all = await api.call('POST', of(missingUrl), { version });
      expect(all.status).toBe(400);
      const some = await api.call('POST', of(channel('1', 'Leads.create'), missingUrl), { version });
      expect(some.status).toBe(mixed);
      expect(some.items.map(({ code }) => code)).toEqual(['SUCCESS', 'MANDATORY_NOT_FOUND']);
      expect(some.items[1]).toEqual({
        code: 'MANDATORY_NOT_FOUND',
        details: { api_name: 'notify_url', json_path: '$.watch[1].notify_url' },
        message: 'required field not found',
        status: 'error',
      });
    });

    test('a deleted channel with an unknown one is mixed', async () => {
      await api.call('POST', of(channel('1', 'Leads.create')));
      const { status, items } = await api.call('DELETE', undefined, { query: 'channel_ids=1,99,x' });
      expect(status).toBe(207);
      expect(items.map(({ code }) => code)).toEqual(['SUCCESS', 'NOT_SUBSCRIBED', 'INVALID_DATA']);
    });
  });

  describe('as observed', () => {
    beforeAll(async () => {
      api = await openWatch({ compat: { failedStatus: 'observed' } });
    });
    afterAll(() => api.close());

    test.each(table)('on %s failures are 202, but for v8', async (version) => {
      const all = await api.call('POST', of(missingUrl), { version });
      const some = await api.call('POST', of(channel('1', 'Leads.create'), missingUrl), { version });
      expect([all.status, some.status]).toEqual(version === 'v8' ? [400, 207] : [202, 202]);
      expect((await api.call('POST', of(channel('1', 'Leads.create')), { version })).status).toBe(201);
    });
  });
});

describe('bare errors', () => {
  beforeAll(async () => {
    api = await openWatch();
  });
  afterAll(() => api.close());

  test.each([
    ['POST', '', undefined, 'INVALID_DATA', 'body', { expected_data_type: 'jsonobject' }],
    ['PUT', '[]', undefined, 'INVALID_DATA', 'body', { expected_data_type: 'jsonobject' }],
    [
      'PATCH',
      '{}',
      undefined,
      'MANDATORY_NOT_FOUND',
      'required field not found',
      { api_name: 'watch', json_path: '$.watch' },
    ],
    ['GET', undefined, 'page=x', 'INVALID_DATA', 'invalid data', { expected_data_type: 'int', api_name: 'page' }],
    [
      'GET',
      undefined,
      'per_page=201',
      'INVALID_DATA',
      'invalid data',
      { expected_data_type: 'int', api_name: 'per_page' },
    ],
    ['GET', undefined, 'module=Nope', 'INVALID_MODULE', 'the module name given seems to be invalid', {}],
    [
      'DELETE',
      '',
      undefined,
      'REQUIRED_PARAM_MISSING',
      'One of the expected parameter is missing',
      { param: 'channel_ids' },
    ],
  ] as const)('%s of %j with %s', async (method, payload, query, code, message, details) => {
    const { status, body } = await api.call(method, payload, query === undefined ? {} : { query });
    expect(status).toBe(400);
    expect(body).toEqual({ code, details, message, status: 'error' });
  });
});

describe('scopes', () => {
  beforeAll(async () => {
    api = await openWatch();
  });
  afterAll(() => api.close());

  const merge = of({ channel_id: '1', token: 't' });
  const prune = of({ channel_id: '1', events: ['Leads.all'], _delete_events: true });
  const both = of(...merge.watch, { channel_id: '2', events: ['Leads.all'], _delete_events: true });
  const operations = ['ALL', 'READ', 'CREATE', 'UPDATE', 'WRITE', 'DELETE'] as const;
  test.each([
    ['POST', of(channel('1', 'Leads.create')), 'v8', 'ALL CREATE WRITE'],
    ['GET', undefined, 'v8', 'ALL READ'],
    ['PUT', of({ channel_id: '1', events: ['Leads.create'] }), 'v8', 'ALL UPDATE WRITE'],
    ['PATCH', merge, 'v8', 'ALL UPDATE WRITE'],
    ['PATCH', prune, 'v8', 'ALL UPDATE WRITE DELETE'],
    ['PATCH', both, 'v8', 'ALL UPDATE WRITE'],
    ['DELETE', undefined, 'v8', 'ALL DELETE'],
    ['DELETE', undefined, 'v3', 'ALL DELETE'],
    ['DELETE', undefined, 'v2', 'ALL WRITE DELETE'],
    ['DELETE', undefined, 'v2.1', 'ALL WRITE DELETE'],
  ] as const)('%s %j on %s opens to %s', async (method, body, version, expected) => {
    const open: string[] = [];
    for (const operation of operations) {
      const scopes = [`ZohoCRM.notifications.${operation}`];
      const query = method === 'DELETE' ? { query: 'channel_ids=7' } : {};
      const { status } = await api.call(method, body, { version, scopes, ...query });
      if (status !== 401) open.push(operation);
    }
    expect(open.join(' ')).toBe(expected);
  });
});

describe('a channel in time', () => {
  beforeEach(async () => {
    api = await openWatch();
  });
  afterEach(() => api.close());

  const expiryOf = async (): Promise<number> => {
    const { body } = await api.call('GET', undefined, { query: 'channel_id=1' });
    return Date.parse(body.watch[0].channel_expiry) - api.clock.now();
  };

  test.each([
    ['v3', DAY, DAY],
    ['v3', DAY + 1000, HOUR],
    ['v4', 7 * DAY, 7 * DAY],
    ['v4', 7 * DAY + 1000, HOUR],
    ['v8', -1000, HOUR],
  ])('on %s, asked for %i ms, lives %i ms', async (version, asked, lives) => {
    const { items } = await api.call('POST', of({ ...channel('1', 'Leads.create'), channel_expiry: inMs(asked) }), {
      version,
    });
    const said = items[0]?.details.events?.[0]?.channel_expiry as string;
    expect(Date.parse(said) - api.clock.now()).toBe(lives);
    expect(await expiryOf()).toBe(lives);
  });

  test('POST, PUT and PATCH renew while it is alive', async () => {
    await api.call('POST', of(channel('1', 'Leads.create')));
    api.clock.advance(HOUR - 1);
    await api.call('POST', of(channel('1', 'Leads.create')));
    api.clock.advance(HOUR - 1000);
    await api.call('PUT', of({ channel_id: '1', events: ['Leads.create'] }));
    api.clock.advance(HOUR - 1000);
    const { status } = await api.call('PATCH', of({ channel_id: '1', channel_expiry: inMs(2 * HOUR) }));
    expect(status).toBe(200);
    api.clock.advance(HOUR);
    expect((await api.call('GET')).status).toBe(200);
  });

  test('once expired it is listed no more, and only POST takes it up again', async () => {
    await api.call('POST', of(channel('1', 'Leads.create')));
    api.clock.advance(HOUR);
    expect((await api.call('GET')).status).toBe(204);
    const notSubscribed = (what: string) => ({
      code: 'NOT_SUBSCRIBED',
      details: {},
      message: `Not subscribed for actions-watch of the given ${what}`,
      status: 'error',
    });
    const put = await api.call('PUT', of({ channel_id: '1', events: ['Leads.create'] }));
    expect([put.status, put.items]).toEqual([400, [notSubscribed('channel')]]);
    const patch = await api.call('PATCH', of({ channel_id: '1', channel_expiry: inMs(HOUR) }));
    expect([patch.status, patch.items]).toEqual([400, [notSubscribed('channel')]]);
    const prune = await api.call('PATCH', of({ channel_id: '1', events: ['Leads.all'], _delete_events: true }));
    expect([prune.status, prune.items]).toEqual([400, [notSubscribed('module/channel')]]);
    const deleted = await api.call('DELETE', undefined, { query: 'channel_ids=1' });
    expect([deleted.status, deleted.items]).toEqual([400, [notSubscribed('module/channel')]]);
    expect((await api.call('POST', of(channel('1', 'Leads.create')))).status).toBe(201);
    expect((await api.call('GET')).status).toBe(200);
  });
});

describe('whose a channel is', () => {
  beforeEach(async () => {
    api = await openWatch();
    await api.call('POST', of(channel('1', 'Leads.create')));
  });
  afterEach(() => api.close());

  test.each(['amelia', 'stranger'] as const)('%s neither sees nor changes it', async (user) => {
    const before = await api.call('GET');
    expect((await api.call('GET', undefined, { user })).status).toBe(204);
    const codes = async (...[method, body, query]: readonly ['PUT' | 'PATCH' | 'DELETE', unknown, string?]) => {
      const { status, items } = await api.call(method, body, { user, ...(query && { query }) });
      return [status, items.map(({ code }) => code).join()];
    };
    expect(await codes('PUT', of({ channel_id: '1', events: ['Leads.all'] }))).toEqual([400, 'NOT_SUBSCRIBED']);
    expect(await codes('PATCH', of({ channel_id: '1', token: 'mine' }))).toEqual([400, 'NOT_SUBSCRIBED']);
    expect(await codes('DELETE', undefined, 'channel_ids=1')).toEqual([400, 'NOT_SUBSCRIBED']);
    expect((await api.call('GET')).text).toBe(before.text);
  });

  test.each(['amelia', 'stranger'] as const)('%s may open one of the same id beside it', async (user) => {
    const before = await api.call('GET');
    expect((await api.call('POST', of(channel('1', 'Contacts.all')), { user })).status).toBe(201);
    expect((await api.call('GET', undefined, { user })).body.info.count).toBe(1);
    await api.call('DELETE', undefined, { user, query: 'channel_ids=1' });
    expect((await api.call('GET')).text).toBe(before.text);
  });
});

describe('limits and strictness', () => {
  afterEach(() => api.close());

  test('beyond the limit a channel is refused; its neighbours are not', async () => {
    api = await openWatch({ policy: { maxPerUser: 2 } });
    const { status, items } = await api.call(
      'POST',
      of(channel('1', 'Leads.all'), channel('2', 'Leads.all'), channel('3', 'Leads.all')),
    );
    expect(status).toBe(207);
    expect(items[2]).toEqual({
      code: 'LIMIT_REACHED',
      details: { limit: 2 },
      message: 'limit reached',
      status: 'error',
    });
    await api.call('DELETE', undefined, { query: 'channel_ids=1' });
    expect((await api.call('POST', of(channel('3', 'Leads.all')))).status).toBe(201);
  });

  test('an expiry that is not allowed is refused when strictness is asked for', async () => {
    api = await openWatch({ policy: { strictExpiry: true } });
    const { status, items } = await api.call(
      'POST',
      of({ ...channel('1', 'Leads.all'), channel_expiry: inMs(8 * DAY) }),
    );
    expect([status, items]).toEqual([
      400,
      [
        {
          code: 'INVALID_DATA',
          details: { api_name: 'channel_expiry', json_path: '$.watch[0].channel_expiry' },
          message: 'invalid data',
          status: 'error',
        },
      ],
    ]);
  });
});
