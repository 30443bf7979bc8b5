import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type RawAnswer, rawCall } from '../support/raw-call.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { change, create, expectSuccess, watchPath, written } from './watch-client.ts';

/** What clients do around their channels: signing in, asking what there is, reading what a notification names. */
let app: LiveApp;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await startReceiver();
  app = await startLiveApp();
});

afterAll(async () => {
  await app.stop();
  await receiver.close();
});

const CREDENTIALS = {
  refresh_token: '1000.dev.refresh',
  client_id: '1000.DEV',
  client_secret: 'dev-secret',
  grant_type: 'refresh_token',
};

type SignIn = () => Promise<RawAnswer>;
const token = (init: object, query = '') => rawCall(`${app.base}/oauth/v2/token${query}`, { method: 'POST', ...init });

function multipart(): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(CREDENTIALS)) form.set(name, value);
  return form;
}

describe('a client that signs in', () => {
  const ways: [string, SignIn][] = [
    ['by the query', () => token({}, `?${new URLSearchParams(CREDENTIALS)}`)],
    ['by a form', () => token({ body: new URLSearchParams(CREDENTIALS) })],
    ['by multipart', () => token({ body: multipart() })],
  ];

  test.each(ways)(
    '%s calls the API where the answer says it is, and refreshes once after a 401',
    async (_way, signIn) => {
      const first = JSON.parse((await signIn()).text) as {
        access_token: string;
        api_domain: string;
        expires_in: number;
      };
      expect(first).toMatchObject({ expires_in: 3600, api_domain: app.base });
      const list = (accessToken: string) =>
        rawCall(`${first.api_domain}/crm/v7/Contacts?per_page=1`, {
          headers: { authorization: `Zoho-oauthtoken ${accessToken}` },
        });
      expect((await list(first.access_token)).status).toBe(200);
      await rawCall(`${app.base}/oauth/v2/token/revoke?token=${first.access_token}`, { method: 'POST' });
      const refused = await list(first.access_token);
      expect([refused.status, JSON.parse(refused.text).code]).toEqual([401, 'INVALID_TOKEN']);
      const second = JSON.parse((await signIn()).text) as { access_token: string };
      expect((await list(second.access_token)).status).toBe(200);
    },
  );

  test('for creating and deleting channels only can do these two, and is told so of the rest', async () => {
    const scopes = ['ZohoCRM.notifications.CREATE', 'ZohoCRM.notifications.DELETE'];
    const narrow = await app.colleague({ scopes });
    const entry = { channel_id: '1', events: ['Leads.create'], notify_url: receiver.origin };
    expectSuccess(await narrow.call('POST', watchPath('v2'), { watch: [entry] }), '1', ['Leads']);
    expect(await narrow.call('GET', watchPath('v8'))).toMatchObject({
      status: 401,
      body: { code: 'OAUTH_SCOPE_MISMATCH' },
    });
    expect((await narrow.call('DELETE', `${watchPath('v2')}?channel_ids=1`)).status).toBe(200);
  });
});

describe('a client that asks what there is before it subscribes', () => {
  interface Named {
    readonly id: unknown;
    readonly api_name: unknown;
    readonly module_name?: unknown;
  }
  const ask = async (path: string) => {
    const { status, body } = await app.owner.call('GET', path);
    expect(status).toBe(200);
    return body as { modules: Named[]; fields: Named[] };
  };

  test('finds one module by its name as it stands in the list of all', async () => {
    const { modules } = await ask('/crm/v7/settings/modules');
    for (const name of ['Leads', 'Contacts', 'Price_Books']) {
      const [one, ...others] = (await ask(`/crm/v7/settings/modules/${name}`)).modules;
      expect(others).toEqual([]);
      const listed = modules.find(({ api_name }) => api_name === name);
      expect(one).toMatchObject({ ...listed });
      for (const key of ['id', 'api_name', 'module_name'] as const) expect(typeof one?.[key]).toBe('string');
    }
  });

  test('filters the modules by what can be done to their records', async () => {
    const { modules } = await ask('/crm/v2/settings/modules');
    for (const flag of ['creatable', 'editable', 'deletable'] as const) {
      const able = modules.filter((module) => (module as unknown as Record<string, unknown>)[flag] === true);
      expect(able.map(({ api_name }) => api_name)).toEqual(expect.arrayContaining(['Leads', 'Deals', 'Notes']));
      expect(able.map(({ api_name }) => api_name)).not.toContain('users');
    }
  });

  test.each(['v2', 'v6', 'v8'])('on %s gets all fields with type=all, and no others without it', async (version) => {
    const { fields } = await ask(`/crm/${version}/settings/fields?type=all&module=Leads`);
    expect(fields).toEqual((await ask(`/crm/${version}/settings/fields?module=Leads`)).fields);
    expect(fields.map(({ api_name }) => api_name)).toEqual(
      expect.arrayContaining(['Company', 'Phone', 'Modified_Time']),
    );
    for (const { id, api_name } of fields) expect([typeof id, typeof api_name]).toEqual(['string', 'string']);
  });

  test('uses the ids it found there in its condition', async () => {
    const { modules } = await ask('/crm/v7/settings/modules/Leads');
    const { fields } = await ask('/crm/v6/settings/fields?type=all&module=Leads');
    const reference = (named: Named[], name: string) => {
      const found = named.find(({ api_name }) => api_name === name);
      return { api_name: found?.api_name, id: found?.id };
    };
    const notification_condition = [
      {
        type: 'field_selection',
        module: reference(modules, 'Leads'),
        field_selection: { field: reference(fields, 'Phone') },
      },
    ];
    const entry = { channel_id: '2', events: ['Leads.edit'], notify_url: receiver.origin, notification_condition };
    expectSuccess(await app.owner.call('POST', watchPath('v7'), { watch: [entry] }), '2', ['Leads']);
    await app.owner.call('DELETE', `${watchPath('v7')}?channel_ids=2`);
  });

  test('asks who it is', async () => {
    const { body } = await app.owner.call('GET', '/crm/v8/users?type=CurrentUser');
    expect(at(body, 'users', 0, 'id')).toMatch(/^\d{19}$/);
  });
});

describe('a client that reads what a notification names', () => {
  async function notified(version: string): Promise<{ uri: string; ids: readonly string[]; at: number }> {
    const before = receiver.received.length;
    const entry = { channel_id: '3', events: ['Leads.create'], notify_url: receiver.origin };
    await app.owner.call('POST', watchPath(version), { watch: [entry] });
    const data = ['A', 'B'].map((Last_Name) => ({ Last_Name, Company: 'Zylker' }));
    expect((await app.owner.call('POST', '/crm/v8/Leads', { data })).status).toBe(201);
    const body = (await receiver.first(before + 1)).at(-1)?.body;
    await app.owner.call('DELETE', `${watchPath(version)}?channel_ids=3`);
    return { uri: body?.resource_uri ?? '', ids: body?.ids ?? [], at: app.clock.now() };
  }
  const get = (url: string, headers: Record<string, string> = {}) =>
    rawCall(url, { headers: { authorization: `Zoho-oauthtoken ${app.owner.accessToken}`, ...headers } });
  const idsOf = ({ text }: RawAnswer) => (JSON.parse(text) as { data: { id: string }[] }).data.map(({ id }) => id);

  test.each(['v2', 'v3', 'v6', 'v8'])('on %s finds each record under the address given with it', async (version) => {
    const { uri, ids } = await notified(version);
    expect(uri).toBe(`${app.base}/crm/v2/Leads`);
    expect(ids).toHaveLength(2);
    for (const id of ids) {
      const answer = await get(`${uri}/${id}`);
      expect([answer.status, idsOf(answer)]).toEqual([200, [id]]);
    }
  });

  test('finds all of them by their ids between commas, under its own version too', async () => {
    const { ids } = await notified('v8');
    for (const version of ['v2', 'v8']) {
      const answer = await get(`${app.base}/crm/${version}/Leads?ids=${ids.join(',')}`);
      expect([...idsOf(answer)].sort()).toEqual([...ids].sort());
    }
  });

  test('of a record that is gone by then hears 204, without a body to parse', async () => {
    const { uri, ids } = await notified('v8');
    await app.owner.call('DELETE', `/crm/v8/Leads?ids=${ids[0]}`);
    const answer = await get(`${uri}/${ids[0]}`);
    expect([answer.status, answer.text]).toEqual([204, '']);
  });

  test('sweeps what was modified since it last looked, and hears 304 when nothing was', async () => {
    const id = await create(app, 'Leads');
    app.clock.advance(60_000);
    const since = written(app.clock.now(), '+00:00');
    const sweep = () => get(`${app.base}/crm/v8/Leads?fields=id,Modified_Time`, { 'if-modified-since': since });
    expect((await sweep()).status).toBe(304);
    app.clock.advance(1000);
    await change(app, 'Leads', id);
    expect(idsOf(await sweep())).toEqual([id]);
  });

  test.each(['v2', 'v8'])(
    'is told by %s that there is no query language, as of any path that is not there',
    async (version) => {
      const select_query = "select Last_Name from Leads where Modified_Time >= '2026-01-05T08:00:00+00:00'";
      expect(await app.owner.call('POST', `/crm/${version}/coql`, { select_query })).toMatchObject({
        status: 404,
        body: { code: 'INVALID_URL_PATTERN', details: {}, status: 'error' },
      });
    },
  );
});
