import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { at, type Caller, type LiveApp, startLiveApp } from '../support/live-app.ts';

let live: LiveApp;
/** Ids of five campaigns, oldest first. */
let ids: string[];

interface Listed {
  readonly status: number;
  readonly ids: readonly string[];
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire is looked into freely.
  readonly body: any;
}

async function list(query = '', headers: Record<string, string> = {}, path = 'v8/Campaigns'): Promise<Listed> {
  const response = await fetch(`${live.base}/crm/${path}?${query}`, {
    headers: { authorization: `Zoho-oauthtoken ${live.owner.accessToken}`, ...headers },
  });
  const text = await response.text();
  const body = text === '' ? undefined : JSON.parse(text);
  return { status: response.status, body, ids: body?.data?.map(({ id }: { id: string }) => id) ?? [] };
}

async function create(name: string, caller: Caller = live.owner): Promise<string> {
  const { body } = await caller.call('POST', '/crm/v8/Campaigns', { data: [{ Campaign_Name: name }] });
  return at(body, 'data', 0, 'details', 'id');
}

const update = (id: string, name: string) =>
  live.owner.call('PUT', `/crm/v8/Campaigns/${id}`, { data: [{ Campaign_Name: name }] });

beforeAll(async () => {
  live = await startLiveApp({ flags: { timeZone: 'Asia/Kolkata' } });
  const all = await list();
  if (all.ids.length > 0) await live.owner.call('DELETE', `/crm/v8/Campaigns?ids=${all.ids.join(',')}`);
  ids = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    live.clock.advance(1000);
    ids.push(await create(name));
  }
});
afterAll(() => live.stop());

const newestFirst = () => ids.toReversed();

describe('lists of records', () => {
  test('lead on by tokens and back, in the order that was asked for', async () => {
    const first = await list('per_page=2');
    expect(first.ids).toEqual(newestFirst().slice(0, 2));
    expect(first.body.info).toEqual({
      per_page: 2,
      next_page_token: expect.any(String),
      count: 2,
      sort_by: 'id',
      page: 1,
      previous_page_token: null,
      page_token_expiry: '2026-01-06T14:30:05+05:30',
      sort_order: 'desc',
      more_records: true,
    });
    const second = await list(`per_page=2&page_token=${first.body.info.next_page_token}`);
    expect(second.ids).toEqual(newestFirst().slice(2, 4));
    expect(second.body.info).toMatchObject({ page: 2, more_records: true });
    const third = await list(`per_page=2&page_token=${second.body.info.next_page_token}`);
    expect(third.ids).toEqual(newestFirst().slice(4));
    expect(third.body.info).toMatchObject({ page: 3, more_records: false, next_page_token: null });
    const back = await list(`per_page=2&page_token=${third.body.info.previous_page_token}`);
    expect(back.ids).toEqual(second.ids);
    expect(back.body.info).toMatchObject({ page: 2, more_records: true });
    const start = await list(`per_page=2&page_token=${back.body.info.previous_page_token}`);
    expect(start.ids).toEqual(first.ids);
    expect(start.body.info).toMatchObject({ page: 1, previous_page_token: null });
    const whole = await list('per_page=200');
    expect(whole.body.info).toMatchObject({
      next_page_token: null,
      previous_page_token: null,
      page_token_expiry: null,
      more_records: false,
    });
  });

  test('can be sorted three ways, and by nothing else', async () => {
    expect((await list('sort_order=asc')).ids).toEqual(ids);
    expect((await list('sort_by=Created_Time&sort_order=asc')).ids).toEqual(ids);
    expect((await list('sort_by=Created_Time')).ids).toEqual(newestFirst());
    live.clock.advance(1000);
    await update(ids[1] as string, 'b2');
    const [a, b, c, d, e] = ids;
    expect((await list('sort_by=Modified_Time')).ids).toEqual([b, e, d, c, a]);
    expect((await list('sort_by=Modified_Time&sort_order=asc')).ids).toEqual([a, c, d, e, b]);
    expect((await list(`sort_by=Modified_Time&ids=${a},${b},${c}`)).ids).toEqual([b, c, a]);
    expect(await list('sort_by=Campaign_Name')).toMatchObject({
      status: 400,
      body: {
        code: 'INVALID_DATA',
        details: { param_name: 'sort_by', supported_values: ['id', 'Created_Time', 'Modified_Time'] },
      },
    });
    expect(await list('sort_order=up')).toMatchObject({
      status: 400,
      body: { code: 'INVALID_DATA', details: { param_name: 'sort_order', supported_values: ['asc', 'desc'] } },
    });
  });

  test('a token belongs to its module, its order, its organisation, and to one day', async () => {
    const { body } = await list('per_page=2&sort_by=Modified_Time');
    const token = body.info.next_page_token as string;
    const mismatch = {
      status: 400,
      body: { code: 'TOKEN_BOUND_DATA_MISMATCH', details: { param_name: 'page_token' } },
    };
    expect(await list(`page_token=${token}&sort_by=id`)).toMatchObject(mismatch);
    expect(await list(`page_token=${token}&sort_order=asc`)).toMatchObject(mismatch);
    expect(await list(`page_token=${token}`, { 'if-modified-since': '2020-01-01T00:00:00Z' })).toMatchObject(mismatch);
    expect(await list(`page_token=${token}`, {}, 'v8/Leads')).toMatchObject(mismatch);
    expect(await list(`page_token=${token}&sort_by=Modified_Time&sort_order=desc&per_page=3`)).toMatchObject({
      status: 200,
      body: { info: { count: 3, page: 2 } },
    });
    for (const other of ['page=2', 'ids=1']) {
      expect(await list(`page_token=${token}&${other}`)).toMatchObject({
        status: 400,
        body: {
          code: 'AMBIGUITY_DURING_PROCESSING',
          details: { ambiguity_due_to: [{ param_name: other.split('=')[0] }, { param_name: 'page_token' }] },
        },
      });
    }
    const stranger = await live.stranger();
    expect(await stranger.call('GET', `/crm/v8/Campaigns?page_token=${token}`)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_DATA', details: { param_name: 'page_token' } },
    });
    expect((await list('page_token=nonsense')).body).toMatchObject({ code: 'INVALID_DATA' });
    live.clock.advance(24 * 3_600_000);
    expect(await list(`page_token=${token}`)).toMatchObject({
      status: 400,
      body: { code: 'EXPIRED_VALUE', details: { param_name: 'page_token' } },
    });
  });

  test('only tokens lead beyond the first 2000 records, but in v2', async () => {
    const refusal = { code: 'DISCRETE_PAGINATION_LIMIT_EXCEEDED', details: { limit: 2000 } };
    expect(await list('page=11&per_page=200')).toMatchObject({ status: 400, body: refusal });
    expect(await list('page=21&per_page=100', {}, 'v3/Campaigns')).toMatchObject({ status: 400, body: refusal });
    expect(await list('page=10&per_page=200')).toMatchObject({ status: 204 });
    for (const version of ['v2', 'v2.1']) {
      expect(await list('page=900000&per_page=200', {}, `${version}/Campaigns`)).toMatchObject({ status: 204 });
      expect((await list('', {}, `${version}/Campaigns`)).body.info).toEqual({
        per_page: 200,
        count: 5,
        page: 1,
        more_records: false,
      });
    }
  });

  test('show what was modified since a time, or say that nothing was', async () => {
    live.clock.advance(1000);
    const before = live.clock.now();
    live.clock.advance(60_000);
    await update(ids[3] as string, 'd2');
    const [, , , d] = ids;
    for (const since of [
      new Date(before).toISOString(),
      '2026-01-06T14:30:30+05:30',
      new Date(before).toUTCString(),
      String(new Date(before)),
    ]) {
      expect(await list('', { 'if-modified-since': since })).toMatchObject({ status: 200, ids: [d] });
      expect(await list('sort_by=Modified_Time', { 'if-modified-since': since })).toMatchObject({ ids: [d] });
      expect(await list(`ids=${ids.join(',')}`, { 'if-modified-since': since })).toMatchObject({ ids: [d] });
      expect((await list('', { 'if-modified-since': since }, `v8/Campaigns/${d}`)).status).toBe(200);
      expect((await list('', { 'if-modified-since': since }, `v8/Campaigns/${ids[0]}`)).status).toBe(304);
    }
    expect(await list('', { 'if-modified-since': '2026-01-06T23:00:00Z' })).toMatchObject({
      status: 304,
      body: undefined,
    });
    const exactly = { 'if-modified-since': new Date(live.clock.now()).toISOString() };
    for (const query of ['', 'sort_by=Modified_Time', `ids=${d}`])
      expect((await list(query, exactly)).status).toBe(304);
    expect((await list('', exactly, `v8/Campaigns/${d}`)).status).toBe(304);
    expect((await list('', { 'if-modified-since': 'yesterday' })).ids).toHaveLength(5);
    const paged = await list('per_page=2', { 'if-modified-since': '2026-01-01T00:00:00Z' });
    const rest = await list(`page_token=${paged.body.info.next_page_token}`);
    expect([...paged.ids, ...rest.ids]).toEqual(newestFirst());
  });

  test('fields are at most fifty; names of none are left out; what has no effect is ignored', async () => {
    const many = Array.from({ length: 51 }, (_, i) => `Field_${i}`).join(',');
    expect(await list(`fields=${many}`)).toMatchObject({
      status: 400,
      body: { code: 'LIMIT_EXCEEDED', details: { limit: 50, param_name: 'fields' } },
    });
    const { body } = await list('fields=Campaign_Name,Nonsense&cvid=1&converted=both&approved=true&include_child=true');
    expect(body.data.map((record: object) => Object.keys(record).sort())).toEqual(
      ids.map(() => ['Campaign_Name', 'id']),
    );
  });

  test('are counted, whole or by what a search would find', async () => {
    const count = (query = '') => live.owner.call('GET', `/crm/v8/Campaigns/actions/count${query}`);
    expect(await count()).toEqual({ status: 200, body: { count: 5 } });
    expect(await count('?criteria=(Campaign_Name:equals:a)')).toEqual({ status: 200, body: { count: 1 } });
    expect(await count('?criteria=(Campaign_Name:equals:nobody)')).toEqual({ status: 200, body: { count: 0 } });
    const limited = await live.colleague({ deniedModules: ['Campaigns'] });
    expect((await limited.call('GET', '/crm/v8/Campaigns/actions/count')).status).toBe(403);
    const scoped = await live.colleague({ scopes: ['ZohoCRM.modules.Leads.READ'] });
    expect((await scoped.call('GET', '/crm/v8/Campaigns/actions/count')).status).toBe(401);
  });

  test('a token goes on after what was deleted and added meanwhile', async () => {
    const first = await list('per_page=2&sort_order=asc');
    await live.owner.call('DELETE', `/crm/v8/Campaigns?ids=${ids[1]},${ids[2]}`);
    ids.push(await create('f'));
    const rest = await list(`page_token=${first.body.info.next_page_token}`);
    expect(rest.ids).toEqual(ids.slice(3));
  });
});
