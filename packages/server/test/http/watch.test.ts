import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openWatch, type WatchFixture } from './watch-fixture.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const notify_url = 'https://example.com/hook?key=a b';
const channel = (channel_id: unknown, ...events: string[]) => ({ channel_id, notify_url, events });
const of = (...watch: unknown[]) => ({ watch });

let api: WatchFixture;
/** As callers write it: an offset, whole seconds. */
const inMs = (ms: number): string => new Date(api.clock.now() + ms).toISOString().replace(/\.\d+Z$/, 'Z');

describe('a list of channels', () => {
  beforeEach(async () => {
    api = await openWatch();
  });
  afterEach(() => api.close());

  test('is paged by channels and filtered by module and id', async () => {
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
