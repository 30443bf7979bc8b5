import type { ServerResponse } from 'node:http';
import { verify } from '@watchbell/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, at, type Caller, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { failing, hanging, ok, type Receiver, startReceiver } from '../support/receiver.ts';

const ORG = '3652397';
const HOUR_MS = 3_600_000;
const SECOND_MS = 1000;

let app: LiveApp;
let receiver: Receiver;
let generation: string;

beforeEach(async () => {
  receiver = await startReceiver();
  app = await startLiveApp();
  expect((await watch('POST')).status).toBe(201);
  generation = at((await operate('GET', '/channels')).body, 'channels', 0, 'generation');
});
afterEach(async () => {
  await app.stop();
  await receiver.close();
});

const expiryIn = (ms: number) => `${new Date(app.clock.now() + ms).toISOString().slice(0, 19)}Z`.replace('Z', '+00:00');
const watch = (method: string, more: object = {}, caller: Caller = app.owner) =>
  caller.call(method, '/crm/v8/actions/watch', {
    watch: [
      {
        channel_id: '1',
        events: ['Contacts.all'],
        notify_url: `${receiver.origin}/hook?key=hidden`,
        token: 'secret-token',
        channel_expiry: expiryIn(24 * HOUR_MS),
        ...more,
      },
    ],
  });
const unwatch = () => app.owner.call('DELETE', '/crm/v8/actions/watch?channel_ids=1');
const create = (count = 1) =>
  app.owner.call('POST', '/crm/v8/Contacts', { data: Array(count).fill({ Last_Name: 'Boyle' }) });
const operate = (method: string, path: string, body?: unknown) =>
  operatorOf(app.base)(method, `/orgs/${ORG}${path}`, body);

/** Calls about the channel: as its owner, or as the operator. */
type Ask = (method: string, path?: string, body?: unknown) => Promise<Answer>;
const surfaces: Readonly<Record<string, Ask>> = {
  owner: (method, path = '', body) => app.owner.call(method, `/_watchbell/v1/channels/1${path}`, body),
  operator: (method, path = '', body) => operate(method, `/channels/${generation}${path}`, body),
};
const each = describe.each(Object.entries(surfaces));
const asOwner: Ask = (...call) => (surfaces.owner as Ask)(...call);
const asOperator: Ask = (...call) => (surfaces.operator as Ask)(...call);

describe('what is shown of a channel', () => {
  test('is the same for its owner and for an operator, without a secret of it', async () => {
    await watch('PUT', {
      notification_condition: [
        {
          type: 'field_selection',
          module: { api_name: 'Contacts' },
          field_selection: {
            group_operator: 'or',
            group: [{ field: { api_name: 'Email' } }, { field: { api_name: 'Phone' } }],
          },
        },
      ],
    });
    const { body } = await asOwner('GET');
    expect((await asOperator('GET')).body).toEqual(body);
    expect(body).toMatchObject({
      channel_id: '1',
      generation,
      state: 'live',
      api_version: 'v8',
      events: ['Contacts.edit', 'Contacts.create', 'Contacts.delete'],
      conditions: [
        {
          module: 'Contacts',
          field_selection: {
            group_operator: 'or',
            group: [{ field: { api_name: 'Email' } }, { field: { api_name: 'Phone' } }],
          },
        },
      ],
      receiver: `${receiver.origin}/hook`,
      expires_in_seconds: 24 * 3600,
      owed: 0,
      oldest_owed_at: null,
      overflowing: false,
      signed: false,
      concurrency: null,
      lifecycle_url: null,
      lapses: [],
    });
    expect(JSON.stringify(body)).not.toMatch(/hidden|secret-token/);
    const { lapses: _, ...listed } = body as Record<string, unknown>;
    expect((await app.owner.call('GET', '/_watchbell/v1/channels')).body).toMatchObject({ channels: [listed] });
  });

  test('counts down to its expiry, and tells the changes that it did not see, and where that ended', async () => {
    const left = async () => Number((await asOwner('GET')).body?.['expires_in_seconds' as never]);
    app.clock.advance(24 * HOUR_MS - 1.5 * SECOND_MS);
    expect(await left()).toBe(2);
    app.clock.advance(1.5 * SECOND_MS);
    expect(await asOwner('GET')).toMatchObject({ body: { state: 'expired', expires_in_seconds: 0 } });
    await create();
    const began = app.clock.now();
    expect((await asOwner('GET')).body).toMatchObject({
      state: 'expired',
      lapses: [{ kind: 'expired', to_change: null, began_at: new Date(began).toISOString(), ended_at: null }],
    });
    app.clock.advance(HOUR_MS);
    await watch('POST');
    expect((await asOwner('GET')).body).toMatchObject({
      state: 'live',
      expires_in_seconds: 24 * 3600,
      lapses: [{ kind: 'expired', ended_at: new Date(began + HOUR_MS).toISOString(), rematched_to: null }],
    });
  });

  test('goes on after its end by its generation only', async () => {
    await create();
    await app.app.idle();
    await unwatch();
    expect((await asOwner('GET')).status).toBe(404);
    const ended = { state: 'ended', ended_reason: 'deleted', expires_in_seconds: 0, last_number: 1 };
    expect(await asOwner('GET', `?generation=${generation}`)).toMatchObject({ status: 200, body: ended });
    expect((await asOperator('GET')).body).toMatchObject(ended);
    await watch('POST');
    expect((await asOwner('GET')).body).toMatchObject({ state: 'live', last_number: 0 });
    expect((await asOwner('GET', `?generation=${generation}`)).body).toMatchObject(ended);
    const listed = (query: string) => app.owner.call('GET', `/_watchbell/v1/channels${query}`);
    expect((await listed('?ended=true')).body).toMatchObject({ channels: [{ generation, ...ended }] });
    expect((await listed('')).body).toMatchObject({ channels: [{ state: 'live' }], info: { count: 1 } });
    expect((await asOwner('GET', '/revisions?generation=3652397000000000001')).status).toBe(404);
  });

  test('is listed page by page, in the order in which channels were opened, of one client or all', async () => {
    for (const channel_id of ['3', '2']) await watch('POST', { channel_id });
    const list = async (query: string) => {
      const { status, body } = await app.owner.call('GET', `/_watchbell/v1/channels?${query}`);
      if (status !== 200) return status;
      const { channels, info } = body as { channels: { channel_id: string }[]; info: { more_records: boolean } };
      return [...channels.map(({ channel_id }) => channel_id), info.more_records];
    };
    expect(await list('')).toEqual(['1', '3', '2', false]);
    expect(await list('per_page=2')).toEqual(['1', '3', true]);
    expect(await list('per_page=2&page=2')).toEqual(['2', false]);
    expect(await list('client=1000.DEV&per_page=1')).toEqual(['1', true]);
    expect(await list('client=1000.OTHER')).toEqual([false]);
    for (const wrong of ['per_page=0', 'per_page=201', 'page=0', 'ended=maybe', 'user=3652397000000186017']) {
      expect(await list(wrong)).toBe(400);
    }
  });

  test('is not for another user, whatever it is named by', async () => {
    const colleague = await app.colleague();
    const own = '/_watchbell/v1/channels';
    expect((await colleague.call('GET', own)).body).toMatchObject({ channels: [], info: { count: 0 } });
    for (const path of [`${own}/1`, `${own}/1?generation=${generation}`, `${own}/x`]) {
      expect(await colleague.call('GET', path)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    }
    await watch('POST', {}, colleague);
    expect((await colleague.call('GET', `${own}/1?generation=${generation}`)).status).toBe(404);
    expect(at((await colleague.call('GET', `${own}/1`)).body, 'generation')).not.toBe(generation);
  });

  test('needs a scope of the watch operations: reading READ, changing another', async () => {
    const reader = await app.colleague({ scopes: ['ZohoCRM.notifications.READ'] });
    const path = '/_watchbell/v1/channels/1';
    expect((await reader.call('GET', path)).status).toBe(404);
    expect((await reader.call('POST', `${path}/suspend`)).body).toMatchObject({ code: 'OAUTH_SCOPE_MISMATCH' });
    const other = await app.colleague({ scopes: ['ZohoCRM.modules.ALL', 'ZohoCRM.notifications.CREATE'] });
    expect((await other.call('GET', path)).body).toMatchObject({ code: 'OAUTH_SCOPE_MISMATCH' });
    expect((await other.call('POST', `${path}/suspend`)).status).toBe(404);
  });
});

each('as %s', (_name, ask) => {
  test('lists what was made of a channel, page by page, newest first', async () => {
    await watch('PATCH', { events: ['Leads.create'] });
    await ask('PATCH', '/settings', { concurrency: 3 });
    await ask('PUT', '/signing');
    await ask('POST', '/suspend');
    await ask('POST', '/resume');
    app.clock.advance(24 * HOUR_MS);
    await create();
    await watch('POST');
    const pages: { kind: string; events: string[] }[][] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { status, body } = await ask('GET', `/revisions?limit=3${cursor && `&cursor=${cursor}`}`);
      expect(status).toBe(200);
      const page = body as { revisions: { kind: string; events: string[] }[]; next: string | null };
      pages.push(page.revisions);
      cursor = page.next;
    }
    const all = pages.flat();
    expect(pages.slice(0, -1).every((page) => page.length === 3)).toBe(true);
    expect(all.map(({ kind }) => kind).filter((kind) => kind !== 'expiring')).toEqual([
      'renewed',
      'expired',
      'resumed',
      'suspended',
      'signing',
      'settings',
      'merged',
      'opened',
    ]);
    expect(all.find(({ kind }) => kind === 'merged')?.events).toContain('Leads.create');
    expect(all.at(-1)?.events).not.toContain('Leads.create');
  });

  test.each(['x', 'e30', 'eyJiZWZvcmUiOiIxIn0', '%00'])('refuses the cursor %s', async (cursor) => {
    const refused = { status: 400, body: { code: 'INVALID_DATA', details: { api_name: 'cursor' } } };
    expect(await ask('GET', `/revisions?cursor=${cursor}`)).toMatchObject(refused);
  });

  test('keeps settings over POST, PUT, PATCH and an expiry, until the channel is deleted', async () => {
    const lifecycle_url = `${receiver.origin}/life?key=hidden`;
    const shown = { concurrency: 5, lifecycle_url: `${receiver.origin}/life` };
    expect((await ask('GET', '/settings')).body).toEqual({ concurrency: null, lifecycle_url: null });
    expect((await ask('PATCH', '/settings', { concurrency: 5, lifecycle_url })).body).toEqual(shown);
    for (const method of ['POST', 'PUT', 'PATCH']) {
      await watch(method, { notify_url: `${receiver.origin}/other` });
      expect((await ask('GET', '/settings')).body).toEqual(shown);
    }
    app.clock.advance(25 * HOUR_MS);
    expect((await ask('PATCH', '/settings', {})).body).toEqual(shown);
    expect((await ask('PATCH', '/settings', { concurrency: null })).body).toEqual({ ...shown, concurrency: null });
    await watch('POST');
    expect((await ask('GET')).body).toMatchObject({ state: 'live', ...shown, concurrency: null });
    await unwatch();
    expect((await ask('PATCH', '/settings', { concurrency: 1 })).status).toBe(404);
    await watch('POST');
    expect((await asOwner('GET', '/settings')).body).toEqual({ concurrency: null, lifecycle_url: null });
  });

  test.each<[change: object, name: string]>([
    [{ concurrency: 0 }, 'concurrency'],
    [{ concurrency: 17 }, 'concurrency'],
    [{ concurrency: 1.5 }, 'concurrency'],
    [{ concurrency: '3' }, 'concurrency'],
    [{ lifecycle_url: '' }, 'lifecycle_url'],
    [{ lifecycle_url: 'ftp://example.com/' }, 'lifecycle_url'],
    [{ lifecycle_url: 'https://user:pass@example.com/' }, 'lifecycle_url'],
    [{ lifecycle_url: 'http://169.254.169.254/latest' }, 'lifecycle_url'],
    [{ lifecycle_url: 'http://10.1.2.3/' }, 'lifecycle_url'],
    [{ lifecycle_url: `https://example.com/${'x'.repeat(2048)}` }, 'lifecycle_url'],
    [{ signed: true }, 'signed'],
  ])('refuses the settings %j', async (change, api_name) => {
    const refused = { status: 400, body: { code: 'INVALID_DATA', details: { api_name } } };
    expect(await ask('PATCH', '/settings', change)).toMatchObject(refused);
    expect((await ask('GET', '/settings')).body).toEqual({ concurrency: null, lifecycle_url: null });
  });

  test('signs a channel, and suspends and resumes it', async () => {
    const secret = at((await ask('PUT', '/signing', { keep_seconds: 0 })).body, 'secret');
    await create();
    const [first] = await receiver.first(1);
    await verify(first?.text ?? '', first?.headers ?? {}, secret);
    expect((await ask('GET')).body).toMatchObject({ signed: true });
    expect((await ask('GET', '/signing')).body).toMatchObject({ signed: true });
    expect((await ask('DELETE', '/signing')).body).toEqual({ status: 'ended' });
    await app.app.idle();
    expect((await ask('POST', '/suspend')).body).toMatchObject({ state: 'suspended', suspended_reason: 'operator' });
    await create();
    await app.app.idle();
    expect((await ask('GET')).body).toMatchObject({ owed: 1, oldest_owed_at: new Date(app.clock.now()).toISOString() });
    expect((await ask('POST', '/resume', { mode: 'skip' })).body).toMatchObject({ state: 'live', owed: 0 });
    await create();
    await app.app.idle();
    expect(receiver.received.map(({ headers }) => headers['watchbell-sequence'])).toEqual(['1', '3']);
  });

  test('sends a test notification of the shape of all others, which takes no number', async () => {
    const secret = at((await ask('PUT', '/signing')).body, 'secret');
    const { status, body } = await ask('POST', '/test');
    const [sent] = await receiver.first(1);
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        id: sent?.headers['webhook-id'],
        outcome: 'delivered',
        status: 200,
        receiver: `${receiver.origin}/hook`,
        address: receiver.origin.replace('http://', ''),
        sent_ms: expect.any(Number),
        answered_ms: expect.any(Number),
        duration_ms: expect.any(Number),
      },
    });
    expect(sent?.target).toBe('/hook?key=hidden');
    expect(sent?.headers).toMatchObject({ 'watchbell-test': 'true', 'webhook-id': expect.stringMatching(/^test_/) });
    for (const name of ['watchbell-sequence', 'watchbell-generation', 'watchbell-attempt']) {
      expect(sent?.headers).not.toHaveProperty(name);
    }
    await verify(sent?.text ?? '', sent?.headers ?? {}, secret);
    expect(sent?.body).toEqual({
      server_time: app.clock.now(),
      query_params: { '?key': 'hidden' },
      module: 'Contacts',
      resource_uri: `${app.base}/crm/v2/Contacts`,
      ids: [],
      affected_fields: [],
      operation: 'update',
      channel_id: '1',
      token: 'secret-token',
    });
    expect((await ask('GET')).body).toMatchObject({ last_number: 0, owed: 0, failing_since: null });
    await create();
    const [, first] = await receiver.first(2);
    expect(first?.headers['watchbell-sequence']).toBe('1');
  });

  test('finds out by a test whether the receiver of a suspended channel is back, which stays suspended', async () => {
    await ask('POST', '/suspend');
    receiver.behave(failing);
    expect((await ask('POST', '/test')).body).toMatchObject({
      outcome: 'rejected',
      status: 500,
      excerpt: 'out of order',
    });
    receiver.behave(ok);
    expect((await ask('POST', '/test')).body).toMatchObject({ outcome: 'delivered', excerpt: null });
    expect((await ask('GET')).body).toMatchObject({ state: 'suspended', failed_attempts: 0 });
  });

  test('sends no test to a channel that has expired or ended', async () => {
    app.clock.advance(24 * HOUR_MS);
    const refused = { status: 400, body: { code: 'INVALID_DATA', details: { api_name: 'channel' } } };
    expect(await ask('POST', '/test')).toMatchObject(refused);
    await watch('POST');
    await unwatch();
    expect((await ask('POST', '/test')).status).toBe(404);
    expect(receiver.received).toEqual([]);
  });

  test('sends ten tests a minute for a channel', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 11; i += 1) statuses.push((await ask('POST', '/test')).status);
    expect(statuses).toEqual([...Array(10).fill(200), 429]);
    expect(receiver.received).toHaveLength(10);
    expect((await ask('GET')).status).toBe(200);
  });

  test('says of a test why it did not arrive', async () => {
    await watch('PATCH', { notify_url: 'http://127.0.0.1:9/' });
    expect((await ask('POST', '/test')).body).toMatchObject({
      outcome: 'unreachable',
      reason: 'connect',
      status: null,
      answered_ms: null,
    });
    await watch('PATCH', { notify_url: 'http://internal.example.invalid/' });
    expect((await ask('POST', '/test')).body).toMatchObject({ outcome: 'unreachable', reason: 'dns', address: null });
  });
});

describe('a test', () => {
  test('ends at the deadline', async () => {
    await app.stop();
    app = await startLiveApp({ flags: { attemptTimeout: '1' } });
    await watch('POST');
    receiver.behave(hanging);
    expect((await asOwner('POST', '/test')).body).toMatchObject({ outcome: 'unreachable', reason: 'timeout' });
  });
});

describe('the concurrency of a channel', () => {
  /** Holds answers back until they are let go. */
  function holding() {
    const held: ServerResponse[] = [];
    receiver.behave((_request, response) => held.push(response));
    return () => {
      for (const response of held.splice(0)) response.end();
    };
  }

  /** So many successes that the lane has earned all flights there are. */
  async function earnSlots(): Promise<void> {
    receiver.behave(ok);
    for (let i = 0; i < 5; i += 1) {
      await create();
      await app.app.idle();
    }
  }

  /** What is under way to the receiver has arrived when this has been answered. */
  const roundTrip = () => asOperator('GET');

  test.each([
    [undefined, 16],
    [1, 1],
    [3, 3],
  ])('of %s lets so many requests be answered at once: %i', async (concurrency, most) => {
    if (concurrency !== undefined) await asOwner('PATCH', '/settings', { concurrency });
    await earnSlots();
    const letGo = holding();
    for (let i = 0; i < 20; i += 1) await create();
    for (let done = 5; done < 25; ) {
      done = Math.min(25, done + most);
      await receiver.first(done);
      await roundTrip();
      expect(receiver.received).toHaveLength(done);
      letGo();
    }
    await app.app.idle();
  });

  test('is taken by a lane that is sending', async () => {
    await asOwner('PATCH', '/settings', { concurrency: 2 });
    await earnSlots();
    const letGo = holding();
    for (let i = 0; i < 20; i += 1) await create();
    await receiver.first(7);
    await roundTrip();
    expect(receiver.received).toHaveLength(7);
    await asOwner('PATCH', '/settings', { concurrency: 6 });
    await receiver.first(11);
    await roundTrip();
    expect(receiver.received).toHaveLength(11);
    await asOwner('PATCH', '/settings', { concurrency: 1 });
    letGo();
    for (let count = 12; count <= 25; count += 1) {
      await receiver.first(count);
      await roundTrip();
      expect(receiver.received).toHaveLength(count);
      letGo();
    }
    await app.app.idle();
  });
});
