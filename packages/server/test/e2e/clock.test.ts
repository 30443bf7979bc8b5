import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../src/domain/delivery-policy.ts';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';

let app: LiveApp;
let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
  app = await startLiveApp({ realNow: Date.now });
});

afterEach(async () => {
  await app.stop();
  await receiver.close();
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const clock = async (act = '', body?: object) => {
  const path = `/clock${act && `/${act}`}`;
  return operatorOf(app.base)(act === '' ? 'GET' : 'POST', path, body);
};

const shownNow = async (): Promise<number> => Date.parse(((await clock()).body as { now: string }).now);

async function open(hours: number): Promise<void> {
  const expiry = `${new Date((await shownNow()) + hours * HOUR).toISOString().slice(0, 19)}+00:00`;
  const entry = { channel_id: '1', events: ['Contacts.all'], notify_url: receiver.origin, channel_expiry: expiry };
  expect((await app.owner.call('POST', '/crm/v8/actions/watch', { watch: [entry] })).status).toBe(201);
}

async function createContact(): Promise<void> {
  const { status } = await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  expect(status).toBe(201);
}

const isOpen = async (): Promise<boolean> => (await app.owner.call('GET', '/crm/v8/actions/watch')).status === 200;

test('an advance of two days walks through all twelve attempts of a notification, each at its time', async () => {
  const times: number[] = [];
  // The clock stands while an attempt is under way, so that it can be asked for it.
  receiver.behave((request, response) => {
    void shownNow().then((now) => {
      times.push(now);
      failing(request, response);
    });
  });
  await open(120);
  const start = await shownNow();
  await createContact();
  const { status, body } = await clock('advance', { by: '2d' });
  expect(status).toBe(200);
  const target = new Date(start + 48 * HOUR).toISOString();
  expect(body).toMatchObject({ now: target, target, reached: true, stopped_by: null, frozen: false });
  expect(receiver.received.map(({ headers }) => headers['watchbell-attempt'])).toEqual(
    Array.from({ length: 12 }, (_, i) => String(i + 1)),
  );
  const waits = times.map((time, i) => (time - (times[i - 1] ?? start)) / 1000);
  DEFAULT_POLICY.retrySchedule.forEach((wait, i) => {
    expect(waits[i]).toBeGreaterThanOrEqual(wait / 1000);
    expect(waits[i]).toBeLessThanOrEqual((wait / 1000) * 1.2 + 0.001);
  });
});

test('a channel lapses when the clock is advanced to its expiry, and not while it is frozen', async () => {
  await open(1);
  expect((await clock('freeze')).body).toMatchObject({ frozen: true });
  app.clock.advance(5 * HOUR);
  expect(await isOpen()).toBe(true);
  await clock('advance', { by: '59m58s' });
  expect(await isOpen()).toBe(true);
  await createContact();
  await receiver.first(1);
  await clock('advance', { by: '2s' });
  expect(await isOpen()).toBe(false);
  await createContact();
  await app.app.idle();
  expect(receiver.received).toHaveLength(1);
});

test('what was held at the expiry is sent by no advance, and flows when its owner opens the channel again', async () => {
  receiver.behave(failing);
  await open(1);
  await createContact();
  await receiver.first(1);
  await clock('advance', { by: '1h' });
  const before = receiver.received.length;
  receiver.behave(ok);
  await clock('advance', { by: '24h' });
  expect(receiver.received).toHaveLength(before);
  await open(1);
  const came = await receiver.first(before + 1);
  expect(came.at(-1)?.headers['webhook-id']).toBe(came[0]?.headers['webhook-id']);
});

test('set moves at once: attempts that lie between fall due together, one for each notification', async () => {
  receiver.behave(failing);
  await open(120);
  await createContact();
  await receiver.first(1);
  await app.app.idle();
  expect((await clock('set', { by: '24h' })).status).toBe(200);
  await receiver.first(2);
  await app.app.idle();
  expect(receiver.received).toHaveLength(2);
});

test('frozen it stands, resumed it ticks on from there, and so it does over a restart', async () => {
  const start = await shownNow();
  await clock('set', { to: new Date(start + 48 * HOUR).toISOString() });
  app.clock.advance(MINUTE);
  expect(await shownNow()).toBe(start + 48 * HOUR + MINUTE);
  app = await app.restart();
  app.clock.advance(MINUTE);
  expect(await shownNow()).toBe(start + 48 * HOUR + 2 * MINUTE);
  const { body } = await clock('freeze');
  app = await app.restart();
  app.clock.advance(HOUR);
  expect((await clock()).body).toMatchObject({ now: (body as { now: string }).now, frozen: true });
  expect((await clock('resume')).body).toMatchObject({ now: (body as { now: string }).now, frozen: false });
  app.clock.advance(HOUR);
  expect(await shownNow()).toBe(start + 49 * HOUR + 2 * MINUTE);
});

test('housekeeping keeps its hours on the way, and what it removes is gone', async () => {
  await open(1);
  await clock('advance', { by: '2h' });
  const { body } = await clock('advance', { by: '5d' });
  expect(body).toMatchObject({ reached: true });
  expect((body as { steps: number }).steps).toBeGreaterThanOrEqual(5 * 24 - 1);
  const ended = await operatorOf(app.base)('GET', '/orgs/3652397/channels?ended=true');
  expect(ended.body).toMatchObject({ channels: [{ channel_id: '1', ended_reason: 'retention' }] });
});

test.each([
  ['set', { to: '2020-01-01T00:00:00Z' }, 'to', 'The clock cannot be set back'],
  ['advance', { by: 'soon' }, 'by', 'by must be days'],
  ['advance', {}, 'to', 'Give either to'],
])('%s by %j is refused and moves nothing', async (act, move, field, message) => {
  const before = await shownNow();
  const { status, body } = await clock(act, move);
  expect(status).toBe(400);
  expect(body).toMatchObject({
    code: 'INVALID_DATA',
    details: { api_name: field },
    message: expect.stringContaining(message),
  });
  expect(await shownNow()).toBe(before);
});

test('only the operator of all organisations may look at it or move it', async () => {
  for (const token of ['nobody', app.owner.accessToken]) {
    expect((await operatorOf(app.base, token)('GET', '/clock')).status).toBe(401);
    expect((await operatorOf(app.base, token)('POST', '/clock/freeze')).status).toBe(401);
  }
  const own = { name: 'Zylker', email: 'ada@example.com', last_name: 'Lovelace' };
  const { body } = await operatorOf(app.base)('POST', '/orgs', own);
  const ofOne = operatorOf(app.base, at(body, 'admin_token'));
  expect((await ofOne('GET', '/orgs')).status).toBe(200);
  for (const act of ['', '/freeze', '/resume', '/set', '/advance']) {
    const refused = await ofOne(act === '' ? 'GET' : 'POST', `/clock${act}`, act === '' ? undefined : { by: '1h' });
    expect(refused).toMatchObject({ status: 403, body: { code: 'NO_PERMISSION' } });
  }
  expect((await clock()).body).toMatchObject({ frozen: false });
});
