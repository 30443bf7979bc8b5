import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';

let app: LiveApp;
let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver(failing);
  app = await startLiveApp();
});

afterEach(async () => {
  await app.stop();
  await receiver.close();
});

async function createContacts(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    const { status } = await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
    expect(status).toBe(201);
  }
}

async function open(hours: number): Promise<void> {
  const expiry = `${new Date(app.clock.now() + hours * 3_600_000).toISOString().slice(0, 19)}+00:00`;
  const entry = { channel_id: '1', events: ['Contacts.all'], notify_url: receiver.origin, channel_expiry: expiry };
  expect((await app.owner.call('POST', '/crm/v8/actions/watch', { watch: [entry] })).status).toBe(201);
}

async function metric(line: string): Promise<number> {
  const response = await fetch(`${app.base}/metrics`, { headers: { authorization: 'Bearer dev-admin' } });
  return Number(new RegExp(`^${line} (\\S+)$`, 'm').exec(await response.text())?.[1]);
}

const channels = async () =>
  ((await operatorOf(app.base)('GET', '/orgs/3652397/channels')).body as { channels: object[] }).channels;

test('what a channel is owed, and since when, is shown to its operator, held or not', async () => {
  const oldest = new Date(app.clock.now()).toISOString();
  await open(1);
  expect(await channels()).toMatchObject([{ owed: 0, oldest_owed_at: null }]);
  await createContacts(2);
  app.clock.advance(1000);
  await createContacts(1);
  await app.app.idle();
  expect(await channels()).toMatchObject([{ state: 'live', owed: 3, oldest_owed_at: oldest, last_number: 3 }]);
  app.clock.advance(3_600_000);
  await app.app.idle();
  expect(await channels()).toMatchObject([{ state: 'expired', owed: 3, oldest_owed_at: oldest }]);
  receiver.behave(ok);
  await open(1);
  await app.app.idle();
  expect(await channels()).toMatchObject([{ state: 'live', owed: 0, oldest_owed_at: null }]);
});

test('metrics say what is owed and how old it is, what was given up, and how long deliveries took', async () => {
  await open(120);
  await createContacts(2);
  await app.app.idle();
  app.clock.advance(4000);
  expect(await metric('watchbell_notifications_owed')).toBe(2);
  expect(await metric('watchbell_oldest_owed_seconds')).toBe(4);
  expect(await metric('watchbell_parked_total')).toBe(0);
  for (let i = 0; i < 12; i += 1) {
    app.clock.advance(10 * 3_600_000);
    await app.app.idle();
  }
  expect(await metric('watchbell_parked_total')).toBe(2);
  expect(await metric('watchbell_delivery_seconds_count')).toBe(0);
  await open(1);
  receiver.behave((request, response) => {
    app.clock.advance(2000);
    ok(request, response);
  });
  await createContacts(1);
  await app.app.idle();
  expect(await metric('watchbell_delivery_seconds_sum')).toBe(2);
  expect(await metric('watchbell_delivery_seconds_count')).toBe(1);
});
