import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { API_VERSIONS, type ApiVersion } from '../../src/domain/wire/api-version.ts';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts';
import { receivers } from './receivers.ts';
import { change, create, watchPath } from './watch-client.ts';

/**
 * Notifications of a real server, of every operation and version, read by decoders as strict as the receivers seen in
 * the wild.
 */
let app: LiveApp;
let receiver: Receiver;
/** Ids of what the story below changed. */
let story: Readonly<Record<'contacts' | 'pair' | 'account' | 'linked', readonly string[]>>;

/** Of each version's channel: what it asked for, and what it got, in the order of arrival. */
const channelOf = (version: ApiVersion) => ({
  id: `-${API_VERSIONS.indexOf(version) + 1}`,
  token: `token of ${version}`,
});
const got = (version: ApiVersion) => receiver.received.filter(({ body }) => body.channel_id === channelOf(version).id);

/** The steps of the story in order: what each owes a channel on all of Contacts and Accounts. */
const OWED: readonly (readonly [module: string, operation: string, ids: keyof typeof story])[] = [
  ['Contacts', 'insert', 'contacts'],
  ['Contacts', 'update', 'contacts'],
  ['Contacts', 'update', 'pair'],
  ['Accounts', 'insert', 'account'],
  ['Contacts', 'update', 'linked'],
  ['Accounts', 'update', 'account'],
  ['Contacts', 'delete', 'pair'],
];

beforeAll(async () => {
  receiver = await startReceiver();
  app = await startLiveApp();
  for (const version of API_VERSIONS) {
    const { id, token } = channelOf(version);
    const text = JSON.stringify({
      events: ['Contacts.all', 'Accounts.all'],
      notify_url: `${receiver.origin}/hook?secret=in the url`,
      token,
      notify_on_related_action: true,
      return_affected_field_values: true,
    });
    // As a number, as many register it; every receiver wants it back as text.
    const { status } = await app.owner.call(
      'POST',
      watchPath(version),
      `{"watch":[{"channel_id":${id},${text.slice(1)}]}`,
    );
    expect(status).toBe(201);
  }
  const ids = (body: unknown) =>
    (body as { data: { details: { id: string } }[] }).data.map(({ details }) => details.id);
  const call = async (method: string, path: string, data?: readonly object[]) => {
    // Real changes are apart in time; those of one moment are the last tests' matter.
    app.clock.advance(1);
    const answer = await app.owner.call(method, `/crm/v8/${path}`, data && { data });
    expect([200, 201]).toContain(answer.status);
    return ids(answer.body);
  };
  const contacts = await call(
    'POST',
    'Contacts',
    ['A', 'B', 'C'].map((Last_Name) => ({ Last_Name })),
  );
  await call(
    'PUT',
    'Contacts',
    contacts.map((id, i) => ({ id, Phone: `555-010${i}`, Mailing_City: 'Pune' })),
  );
  const pair = contacts.slice(0, 2);
  await call(
    'PUT',
    'Contacts',
    pair.map((id) => ({ id, Phone: null })),
  );
  const account = await call('POST', 'Accounts', [{ Account_Name: 'Zylker' }]);
  const linked = contacts.slice(2);
  await call('PUT', 'Contacts', [{ id: linked[0], Account_Name: { id: account[0] } }]);
  await call('DELETE', `Contacts?ids=${pair.join(',')}`);
  story = { contacts, pair, account, linked };
  await receiver.first(API_VERSIONS.length * OWED.length);
  await app.app.idle();
});

afterAll(async () => {
  await app.stop();
  await receiver.close();
});

const parsed = ({ text }: Received): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

describe.each(API_VERSIONS)('of a channel of %s', (version) => {
  test('just what is owed came, as a POST of compact JSON', () => {
    const came = got(version);
    const told = came.map(({ body }) => [body.module, body.operation, [...body.ids].sort()]);
    const owed = OWED.map(([module, operation, ids]) => [module, operation, [...story[ids]].sort()]);
    expect(told).toHaveLength(owed.length);
    expect(told).toEqual(expect.arrayContaining(owed));
    for (const { text, headers } of came) {
      expect(text).toBe(JSON.stringify(JSON.parse(text)));
      expect(headers['content-type']).toBe('application/json;charset=utf-8');
      expect(headers['content-length']).toBe(String(Buffer.byteLength(text)));
    }
  });

  const reading = receivers.filter(
    ({ from }) => from === undefined || API_VERSIONS.indexOf(version) >= API_VERSIONS.indexOf(from),
  );
  test.each(reading.map((each) => [each.what, each] as const))('%s reads every one', (_what, { decode }) => {
    const { id, token } = channelOf(version);
    for (const one of got(version)) {
      const { operation, module, ids, body } = { ...one.body, body: parsed(one) };
      const read = decode(body, { channelId: id, token });
      expect(read.map((event) => event.id).sort()).toEqual([...ids].sort());
      for (const event of read) expect(event).toMatchObject({ module, operation });
    }
  });

  test('the changes of each record came in their order', () => {
    const operations = (id: string) =>
      got(version).flatMap(({ body }) => (body.ids.includes(id) ? [body.operation] : []));
    for (const id of story.pair) expect(operations(id)).toEqual(['insert', 'update', 'update', 'delete']);
    for (const id of story.linked) expect(operations(id)).toEqual(['insert', 'update', 'update']);
    for (const id of story.account) expect(operations(id)).toEqual(['insert', 'update']);
  });
});

test.each([
  ['channel_id', (body: object) => ({ ...body, channel_id: -8 })],
  ['ids', (body: object) => ({ ...body, ids: [3652397000000186017n.toString(), 5] })],
  ['token', ({ token: _token, ...body }: Record<string, unknown>) => body],
  ['server_time', (body: object) => ({ ...body, server_time: '1767603600000' })],
  ['affected_values', ({ affected_values: _values, ...body }: Record<string, unknown>) => body],
  ['operation', (body: object) => ({ ...body, operation: 'edit' })],
  ['module', ({ module: _module, ...body }: Record<string, unknown>) => body],
  ['resource_uri', (body: object) => ({ ...body, resource_uri: {} })],
])('a wrong %s would be noticed', (_key, spoil) => {
  const [one] = got('v8');
  const spoilt = spoil(parsed(one!));
  const context = { channelId: channelOf('v8').id, token: channelOf('v8').token };
  const reads = ({ decode }: (typeof receivers)[number]) => {
    try {
      return decode(spoilt, context).length > 0;
    } catch {
      return false;
    }
  };
  expect(receivers.every(reads)).toBe(false);
});

test('without a token of its own, a channel sends null, and its key is there', async () => {
  const before = receiver.received.length;
  const watch = [{ channel_id: '99', events: ['Leads.create'], notify_url: receiver.origin }];
  await app.owner.call('POST', watchPath('v8'), { watch });
  await create(app, 'Leads');
  const came = (await receiver.first(before + 1)).at(-1);
  expect(parsed(came!)).toMatchObject({ token: null, query_params: {} });
  expect('affected_values' in parsed(came!)).toBe(false);
});

describe('what receivers drop repeats by', () => {
  const open = async (channel_id: string, notify_url: string) =>
    app.owner.call('POST', watchPath('v8'), { watch: [{ channel_id, events: ['Deals.all'], notify_url }] });

  test('module, id, operation and server_time differ between changes that are apart in time', () => {
    for (const version of API_VERSIONS.slice(API_VERSIONS.indexOf('v3'))) {
      const keys = got(version)
        .map(parsed)
        .flatMap(({ ids, module, operation, server_time }) =>
          (ids as string[]).map((id) => [module, id, operation, server_time].join()),
        );
      expect(new Set(keys).size).toBe(keys.length);
    }
  });

  test('two changes of one moment may be the same to the last byte: webhook-id and the sequence tell them apart', async () => {
    const own = await startReceiver();
    await open('98', own.origin);
    const id = await create(app, 'Deals');
    await change(app, 'Deals', id, { Amount: 1 });
    await change(app, 'Deals', id, { Amount: 2 });
    const [, first, second] = await own.first(3);
    expect(second?.text).toBe(first?.text);
    expect(second?.headers['webhook-id']).not.toBe(first?.headers['webhook-id']);
    const sequence = (one: Received | undefined) => Number(one?.headers['watchbell-sequence']);
    expect(sequence(second)).toBe(sequence(first) + 1);
    await own.close();
  });

  test('a repeat has the webhook-id, the sequence and the body of the first attempt', async () => {
    const own = await startReceiver((_request, response) => response.writeHead(502).end());
    await open('97', own.origin);
    await create(app, 'Deals');
    await own.first(1);
    await app.app.idle();
    own.behave((_request, response) => response.writeHead(202).end());
    app.clock.advance(60_000);
    const [first, second] = await own.first(2);
    expect(second?.text).toBe(first?.text);
    for (const header of ['webhook-id', 'watchbell-sequence', 'watchbell-generation']) {
      expect(second?.headers[header]).toBe(first?.headers[header]);
    }
    await app.app.idle();
    app.clock.advance(86_400_000);
    await app.app.idle();
    expect(own.received).toHaveLength(2);
    await own.close();
  });
});
