import { afterEach, beforeEach, expect, test } from 'vitest';
import { at, type Caller, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';

let app: LiveApp;
let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
  app = await startLiveApp();
});

afterEach(async () => {
  await app.stop();
  await receiver.close();
});

const HOUR = 3_600_000;

const iso = (time: number) => `${new Date(time).toISOString().slice(0, 19)}+00:00`;

async function open(expiry: number | undefined, version = 'v8', caller: Caller = app.owner): Promise<string> {
  const entry = {
    channel_id: '1',
    events: ['Contacts.all'],
    notify_url: receiver.origin,
    ...(expiry !== undefined && { channel_expiry: iso(expiry) }),
  };
  const { status, body } = await caller.call('POST', `/crm/${version}/actions/watch`, { watch: [entry] });
  expect(status).toBe(201);
  return at(body, 'watch', 0, 'details', 'events', 0, 'channel_expiry');
}

async function createContact(): Promise<void> {
  const { status } = await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  expect(status).toBe(201);
}

const change = (method: string, more: object) =>
  app.owner.call(method, '/crm/v8/actions/watch', { watch: [{ channel_id: '1', ...more }] });

test('no attempt starts at or after the expiry, and what was owed flows after a POST by the same user', async () => {
  await open(undefined);
  receiver.behave(failing);
  await createContact();
  await receiver.first(1);
  await app.app.idle();
  app.clock.advance(HOUR);
  await app.app.idle();
  const before = receiver.received.length;
  receiver.behave(ok);
  await createContact();
  app.clock.advance(HOUR);
  await app.app.idle();
  expect(receiver.received).toHaveLength(before);
  expect((await app.owner.call('GET', '/crm/v8/actions/watch')).status).toBe(204);

  await open(undefined);
  const came = await receiver.first(before + 1);
  await app.app.idle();
  expect(receiver.received).toHaveLength(before + 1);
  const last = came.at(-1);
  expect(last?.headers['watchbell-sequence']).toBe('1');
  expect(last?.headers['webhook-id']).toBe(came[0]?.headers['webhook-id']);

  // What happened while it had lapsed is not owed; numbers go on.
  await createContact();
  const next = (await receiver.first(before + 2)).at(-1);
  expect(next?.headers['watchbell-sequence']).toBe('2');
  expect(next?.headers['watchbell-generation']).toBe(came[0]?.headers['watchbell-generation']);
});

test('what is held survives a restart', async () => {
  await open(undefined);
  receiver.behave(failing);
  await createContact();
  await receiver.first(1);
  await app.app.idle();
  app.clock.advance(2 * HOUR);
  app = await app.restart();
  await app.app.idle();
  receiver.behave(ok);
  const before = receiver.received.length;
  await open(undefined);
  expect((await receiver.first(before + 1)).at(-1)?.headers['watchbell-sequence']).toBe('1');
});

test('POST, PUT and PATCH each renew a channel that is alive', async () => {
  await open(undefined);
  const url = { events: ['Contacts.all'], notify_url: receiver.origin };
  for (const [method, more] of [
    ['POST', url],
    ['PUT', url],
    ['PATCH', {}],
  ] as const) {
    app.clock.advance(HOUR - 1000);
    const expiry = iso(app.clock.now() + HOUR);
    const { body } = await change(method, { ...more, channel_expiry: expiry });
    expect(at(body, 'watch', 0, 'details', 'events', 0, 'channel_expiry')).toBe(expiry);
  }
  app.clock.advance(HOUR - 1000);
  await createContact();
  expect(await receiver.first(1)).toHaveLength(1);
});

test.each(['PUT', 'PATCH'])('%s after the expiry is answered NOT_SUBSCRIBED', async (method) => {
  await open(undefined);
  app.clock.advance(HOUR);
  const { status, body } = await change(method, { events: ['Contacts.all'], notify_url: receiver.origin });
  expect(status).toBe(400);
  expect(body).toEqual({
    watch: [
      {
        code: 'NOT_SUBSCRIBED',
        details: {},
        message: 'Not subscribed for actions-watch of the given channel',
        status: 'error',
      },
    ],
  });
});

test('a POST of another user with the same id opens another channel and frees nothing', async () => {
  await open(undefined);
  receiver.behave(failing);
  await createContact();
  await receiver.first(1);
  await app.app.idle();
  app.clock.advance(HOUR);
  receiver.behave(ok);
  const before = receiver.received.length;
  await open(undefined, 'v8', await app.colleague());
  await app.app.idle();
  expect(receiver.received).toHaveLength(before);
});
