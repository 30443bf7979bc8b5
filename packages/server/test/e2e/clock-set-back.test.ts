import { afterEach, beforeEach, expect, test } from 'vitest';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';

const HOUR = 3_600_000;

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

async function open(lifeMs: number): Promise<void> {
  const expiry = new Date(app.clock.now() + lifeMs).toISOString().replace(/\.\d+Z$/, '+00:00');
  const entry = { channel_id: '1', events: ['Contacts.all'], notify_url: receiver.origin, channel_expiry: expiry };
  expect((await app.owner.call('POST', '/crm/v8/actions/watch', { watch: [entry] })).status).toBe(201);
}

async function create(): Promise<number> {
  const { status, body } = await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  expect(status).toBe(201);
  return Date.parse(at(body, 'data', 0, 'details', 'Created_Time'));
}

const told = () =>
  receiver.received.map(({ headers }) => `${headers['watchbell-sequence']}/${headers['watchbell-attempt']}`);
const serverTimes = () => receiver.received.map(({ body }) => body.server_time as number);
const isLive = async () => (await app.owner.call('GET', '/crm/v8/actions/watch')).status === 200;

test('with the clock set back an hour, committed time stands still, and what is new is sent and tried again as ever', async () => {
  await open(3 * HOUR);
  const start = app.clock.now();
  const before = await create();
  await app.app.idle();
  app.clock.set(start - HOUR);
  const after = await create();
  await app.app.idle();
  expect(told()).toEqual(['1/1', '2/1']);
  expect(after).toBeGreaterThanOrEqual(before);
  expect(serverTimes()[1]).toBeGreaterThanOrEqual(serverTimes()[0] ?? Infinity);
  // A retry goes by the clock as it is now: five seconds, no hour.
  receiver.behave(failing);
  await create();
  await app.app.idle();
  receiver.behave(ok);
  app.clock.advance(4000);
  await app.app.idle();
  expect(told()).toEqual(['1/1', '2/1', '3/1']);
  app.clock.advance(2001);
  await receiver.first(4);
  await app.app.idle();
  expect(told()).toEqual(['1/1', '2/1', '3/1', '3/2']);
});

test('what waited for a retry when the clock was set back is tried once its time has come again, once', async () => {
  await open(3 * HOUR);
  const start = app.clock.now();
  receiver.behave(failing);
  await create();
  await app.app.idle();
  app.clock.set(start - HOUR);
  receiver.behave(ok);
  app.clock.advance(HOUR - 1);
  await app.app.idle();
  expect(told()).toEqual(['1/1']);
  app = await app.restart();
  app.clock.advance(6002);
  await receiver.first(2);
  await app.app.idle();
  app.clock.advance(HOUR);
  await app.app.idle();
  expect(told()).toEqual(['1/1', '1/2']);
});

test('a channel expires at its time by the clock as it is, whether that was set back before or after', async () => {
  await open(2 * HOUR);
  const start = app.clock.now();
  app.clock.set(start - HOUR);
  app.clock.advance(2.5 * HOUR);
  expect(await isLive()).toBe(true);
  await create();
  await app.app.idle();
  app.clock.set(start + 2 * HOUR);
  expect(await isLive()).toBe(false);
  await create();
  // Its expiry was committed, and is not taken back by a clock.
  app.clock.set(start + HOUR);
  await create();
  await app.app.idle();
  expect(await isLive()).toBe(false);
  expect(told()).toEqual(['1/1']);
});
