import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Operate, operatorOf } from '../support/operator.ts';
import { failing, type Receiver, startReceiver } from '../support/receiver.ts';

const HOUR = 3_600_000;

let app: LiveApp;
let receiver: Receiver;
let operate: Operate;

beforeEach(async () => {
  receiver = await startReceiver();
  app = await startLiveApp();
  operate = operatorOf(app.base);
});
afterEach(async () => {
  await receiver.close();
  await app.stop();
});

interface Item {
  readonly number: number;
  readonly id: string;
  readonly generation: string;
  readonly sequence: number;
  readonly state: string;
  readonly reason: string | null;
  readonly body: string;
}
interface Page {
  readonly notifications: readonly Item[];
  readonly removed: readonly { readonly from: number; readonly to: number; readonly reason: string }[];
  readonly through: number;
  readonly last_number: number;
  readonly more: boolean;
}

const pageOf = ({ status, body }: Answer): Page => {
  expect(status, JSON.stringify(body)).toBe(200);
  return body as Page;
};

async function open(id: string, more: object = {}): Promise<void> {
  const { status } = await app.owner.call('POST', '/crm/v8/actions/watch', {
    watch: [{ channel_id: id, events: ['Contacts.create'], notify_url: receiver.origin, token: 'told back', ...more }],
  });
  expect(status).toBe(201);
}

async function write(name = 'Boyle'): Promise<string> {
  const { status, body } = await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: name }] });
  expect(status).toBe(201);
  return (body as { data: [{ details: { id: string } }] }).data[0].details.id;
}

const read = async (query = '', channel = '1'): Promise<Page> =>
  pageOf(await app.owner.call('GET', `/_watchbell/v1/channels/${channel}/feed${query}`));

const generationOf = async (channel = '1'): Promise<string> => {
  const { body } = await app.owner.call('GET', `/_watchbell/v1/channels/${channel}`);
  return (body as { generation: string }).generation;
};

const after = (seconds: number) => `${new Date(app.clock.now() + seconds * 1000).toISOString().slice(0, 19)}Z`;

test('the feed holds what the receiver was sent: number, id, names and text, to the byte', async () => {
  await open('1', { return_affected_field_values: true });
  for (const name of ['Boyle', 'Ünal "x"', 'Zoë']) await write(name);
  const sent = await receiver.first(3);
  await app.app.idle();

  const page = await read();
  expect(page).toMatchObject({ through: 3, last_number: 3, more: false, removed: [] });
  expect(page.notifications.map(({ number, state }) => [number, state])).toEqual([
    [1, 'delivered'],
    [2, 'delivered'],
    [3, 'delivered'],
  ]);
  for (const item of page.notifications) {
    const one = sent.find(({ headers }) => headers['webhook-id'] === item.id);
    expect(one?.text).toBe(item.body);
    expect(one?.headers['watchbell-generation']).toBe(item.generation);
    expect(one?.headers['watchbell-sequence']).toBe(String(item.sequence));
  }
  const same = await operate('GET', `/orgs/3652397/channels/${await generationOf()}/feed`);
  expect(pageOf(same)).toEqual(page);

  expect((await read('?after=1&limit=1')).notifications.map(({ number }) => number)).toEqual([2]);
  expect(await read('?after=1&limit=1')).toMatchObject({ through: 2, last_number: 3, more: true });
  expect(await read('?after=3')).toMatchObject({ notifications: [], through: 3, more: false });
  // Who is ahead, as after a restore, is told to go on from where the channel is, and does not wait past it.
  expect(await read('?after=9&wait=60')).toMatchObject({ notifications: [], removed: [], through: 3, more: false });
  expect((await app.owner.call('GET', '/_watchbell/v1/channels/1/gaps?after=9')).body).toMatchObject({ through: 3 });
});

test('states are told as they are meant: held after the expiry, pending again, skipped, deleted with the channel', async () => {
  receiver.behave(failing);
  await open('1', { channel_expiry: after(600) });
  await write();
  await app.app.idle();
  expect((await read()).notifications).toMatchObject([{ number: 1, state: 'pending', reason: null }]);
  app.clock.advance(HOUR);
  expect((await read()).notifications).toMatchObject([{ number: 1, state: 'held' }]);
  const generation = await generationOf();
  await open('1');
  expect((await read()).notifications).toMatchObject([{ number: 1, state: 'pending' }]);
  await app.app.idle();
  await app.owner.call('POST', '/_watchbell/v1/channels/1/suspend');
  await app.owner.call('POST', '/_watchbell/v1/channels/1/resume', { mode: 'skip' });
  await write();
  expect((await read()).notifications).toMatchObject([
    { number: 1, state: 'cancelled', reason: 'skipped' },
    { number: 2, state: 'pending' },
  ]);
  expect((await app.owner.call('DELETE', '/crm/v8/actions/watch?channel_ids=1')).status).toBe(200);
  expect((await app.owner.call('GET', '/_watchbell/v1/channels/1/feed')).status).toBe(404);
  await open('1');
  expect((await read()).notifications).toEqual([]);
  expect((await read(`?generation=${generation}`)).notifications).toMatchObject([
    { number: 1, state: 'cancelled', reason: 'deleted' },
    { number: 2, state: 'cancelled', reason: 'deleted' },
  ]);
});

test('who waits is answered by the next notification, and at once when the server stops', async () => {
  await open('1');
  const waiting = read('?wait=60');
  await write();
  expect((await waiting).notifications).toMatchObject([{ number: 1 }]);

  const last = read('?after=1&wait=60');
  // It stops only after what was begun is answered; the request is on its way before.
  await app.owner.call('GET', '/_watchbell/v1/channels/1');
  await app.app.stop();
  expect(await last).toMatchObject({ notifications: [], through: 1 });
  app = await app.restart();
});

test('who may not read any more when there is something is told nothing of it', async () => {
  await open('1');
  const { accessToken } = app.owner;
  const waiting = app.owner.call('GET', '/_watchbell/v1/channels/1/feed?wait=60');
  const colleague = await app.colleague();
  const revoked = await fetch(`${app.base}/oauth/v2/token/revoke?token=${accessToken}`, { method: 'POST' });
  expect(revoked.status).toBe(200);
  expect((await colleague.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] })).status).toBe(201);
  expect(await waiting).toMatchObject({ status: 401, body: { code: 'INVALID_TOKEN' } });
});

test('a cursor says how far a reader has come: never beyond the newest number, set back on purpose, twenty at most', async () => {
  const cursors = '/_watchbell/v1/channels/1/feed/cursors';
  await open('1');
  await write();
  await write();
  expect(await app.owner.call('GET', '/_watchbell/v1/channels/1/feed?cursor=mine')).toMatchObject({
    status: 404,
    body: { code: 'NOT_FOUND', details: { api_name: 'cursor' } },
  });
  expect(await app.owner.call('PUT', `${cursors}/mine`, { number: 1 })).toMatchObject({
    status: 200,
    body: { name: 'mine', number: 1 },
  });
  expect((await read('?cursor=mine')).notifications.map(({ number }) => number)).toEqual([2]);
  expect(await app.owner.call('PUT', `${cursors}/mine`, { number: 3 })).toMatchObject({
    status: 400,
    body: { code: 'INVALID_DATA', details: { api_name: 'number', range: { from: 0, to: 2 } } },
  });
  expect((await app.owner.call('PUT', `${cursors}/mine`, { number: 0 })).status).toBe(200);
  expect((await read('?cursor=mine')).notifications.map(({ number }) => number)).toEqual([1, 2]);
  expect(await app.owner.call('GET', '/_watchbell/v1/channels/1/feed?cursor=mine&after=1')).toMatchObject({
    status: 400,
    body: { code: 'INVALID_DATA', details: { api_name: 'after' } },
  });
  expect((await app.owner.call('PUT', `${cursors}/Mine`, { number: 0 })).status).toBe(400);

  const made = await Promise.all(
    Array.from({ length: 25 }, (_, i) => app.owner.call('PUT', `${cursors}/c${i}`, { number: 0 })),
  );
  expect(made.filter(({ status }) => status === 200)).toHaveLength(19);
  expect(made.find(({ status }) => status === 400)).toMatchObject({ body: { code: 'LIMIT_REACHED' } });
  expect((await app.owner.call('DELETE', `${cursors}/mine`)).status).toBe(200);
  expect((await app.owner.call('DELETE', `${cursors}/mine`)).status).toBe(404);
  const { body } = await app.owner.call('GET', cursors);
  expect((body as { cursors: object[] }).cursors).toHaveLength(19);
});
