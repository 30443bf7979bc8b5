import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { create, DAY, expectSuccess, HOUR, items, listed, liveIds, watchPath, written } from './watch-client.ts';

/** The four ways in which clients renew by hand, and what becomes of those who come too late. */
let app: LiveApp;
let receiver: Receiver;

/** How many notifications had come before the test. */
let before = 0;

beforeAll(async () => {
  receiver = await startReceiver();
  app = await startLiveApp({ flags: { timeZone: 'UTC' } });
});

afterEach(async () => {
  const ids = await liveIds(app.owner);
  if (ids.length > 0) await app.owner.call('DELETE', `${WATCH}?channel_ids=${ids}`);
  await app.app.idle();
  before = receiver.received.length;
});

afterAll(async () => {
  await app.stop();
  await receiver.close();
});

const WATCH = watchPath('v8');
const inMs = (ms: number) => written(app.clock.now() + ms, '+00:00');
const entry = (channel_id: string, more: object = {}) => ({
  channel_id,
  events: ['Leads.create', 'Leads.edit'],
  notify_url: `${receiver.origin}/hook`,
  token: 'kept',
  notify_on_related_action: false,
  return_affected_field_values: true,
  ...more,
});
const call = (method: string, watch: object, version = 'v8') =>
  app.owner.call(method, watchPath(version), { watch: [watch] });
const refused = { code: 'NOT_SUBSCRIBED', details: {}, status: 'error' };
const notSubscribed = [{ ...refused, message: 'Not subscribed for actions-watch of the given channel' }];

/** What the test was told so far. */
const since = () => receiver.received.slice(before);

/** One change, told once, of the channel with this id. */
async function expectOneNotification(id: string): Promise<void> {
  const earlier = receiver.received.length;
  const record = await create(app, 'Leads');
  await app.app.idle();
  const told = receiver.received.slice(earlier).map(({ body }) => [body.channel_id, body.ids, body.token]);
  expect(told).toEqual([[id, [record], 'kept']]);
}

type Renewal = readonly [what: string, id: string, renew: (expiry: string) => Promise<Answer>];

const renewals: readonly Renewal[] = [
  ['PUT of the whole entry', '7', (channel_expiry) => call('PUT', entry('7', { channel_expiry }))],
  ['PATCH of the expiry alone', '7', (channel_expiry) => call('PATCH', { channel_id: '7', channel_expiry })],
  [
    'PATCH of expiry, events and token, without a notify URL',
    '7',
    (channel_expiry) =>
      call('PATCH', { channel_id: '7', channel_expiry, events: ['Leads.create', 'Leads.edit'], token: 'kept' }),
  ],
  ['PATCH of everything', '7', (channel_expiry) => call('PATCH', entry('7', { channel_expiry }))],
  ['POST with the same id', '7', (channel_expiry) => call('POST', entry('7', { channel_expiry }))],
  [
    'DELETE and POST with a new id',
    '8',
    async (channel_expiry) => {
      expect((await app.owner.call('DELETE', `${WATCH}?channel_ids=7`)).status).toBe(200);
      return call('POST', entry('8', { channel_expiry }));
    },
  ],
];

describe('a client that renews by', () => {
  test.each(renewals)('%s has one live channel, the same as before but for its expiry', async (_what, id, renew) => {
    await call('POST', entry('7', { channel_expiry: inMs(DAY) }));
    const [before] = await listed(app.owner, 'v8');
    await expectOneNotification('7');
    app.clock.advance(DAY - HOUR);
    const expiry = inMs(7 * DAY);
    expect(expectSuccess(await renew(expiry), id, ['Leads'])).toBe(Date.parse(expiry));
    expect(await listed(app.owner, 'v8')).toEqual([{ ...before, channel_id: id, channel_expiry: expiry }]);
    await expectOneNotification(id);
    // Past the first expiry it lives on the second.
    app.clock.advance(DAY);
    await expectOneNotification(id);
    expect(await liveIds(app.owner)).toEqual([id]);
  });

  test('POST every 45 minutes never has more than one channel', async () => {
    for (let i = 0; i < 6; i += 1) {
      expectSuccess(await call('POST', entry('45', { channel_expiry: inMs(2 * HOUR) })), '45', ['Leads']);
      expect(await liveIds(app.owner)).toEqual(['45']);
      app.clock.advance(45 * 60_000);
    }
    await expectOneNotification('45');
    expect(receiver.received.at(-1)?.headers['watchbell-sequence']).toBe('1');
  });

  test('POST with a new id, forgetting to DELETE, is told everything twice', async () => {
    await call('POST', entry('7'));
    await call('POST', entry('8'));
    await create(app, 'Leads');
    await app.app.idle();
    expect(
      since()
        .map(({ body }) => body.channel_id)
        .sort(),
    ).toEqual(['7', '8']);
  });

  test('PUT with the token that its POST left out is told with it from then on', async () => {
    await call('POST', entry('7', { token: undefined, channel_expiry: undefined }), 'v2');
    expect((await listed(app.owner, 'v2'))[0]?.token).toBeNull();
    await create(app, 'Leads');
    await app.app.idle();
    expect(since().map(({ body }) => body.token)).toEqual([null]);
    expectSuccess(await call('PUT', entry('7'), 'v2'), '7', ['Leads']);
    await expectOneNotification('7');
  });

  test('deleting what it listed, whether it is there or not, ends with the new one alone', async () => {
    expect((await app.owner.call('DELETE', `${WATCH}?channel_ids=7`)).status).toBe(400);
    await call('POST', entry('7'));
    for (const id of await liveIds(app.owner)) await app.owner.call('DELETE', `${WATCH}?channel_ids=${id}`);
    expectSuccess(await call('POST', entry('7')), '7', ['Leads']);
    expect(await liveIds(app.owner)).toEqual(['7']);
    await expectOneNotification('7');
  });
});

describe('a client without margin', () => {
  const lives: [string, string, number, string][] = [
    ['v7', 'PUT', 7 * DAY, 'every week'],
    ['v2', 'PATCH', 12 * HOUR, 'every twelve hours'],
    ['v3', 'PUT', 21 * HOUR, 'every 21 hours'],
  ];

  test.each(lives)('on %s may %s a second before the end, not at it: %s ms, %s', async (version, method, life) => {
    const opened = await call('POST', entry('7', { channel_expiry: inMs(life) }), version);
    expect(expectSuccess(opened, '7', ['Leads'])).toBe(app.clock.now() + life);
    app.clock.advance(life - 1000);
    const again = await call(method, entry('7', { channel_expiry: inMs(life) }), version);
    expect(expectSuccess(again, '7', ['Leads'])).toBe(app.clock.now() + life);
    app.clock.advance(life);
    const late = await call(method, entry('7', { channel_expiry: inMs(life) }), version);
    expect([late.status, items(late)]).toEqual([400, notSubscribed]);
    expectSuccess(await call('POST', entry('7', { channel_expiry: inMs(life) }), version), '7', ['Leads']);
    await expectOneNotification('7');
  });

  test('that POSTs daily for a day misses nothing that was owed', async () => {
    const daily = () => call('POST', entry('24', { channel_expiry: inMs(DAY) }), 'v2');
    for (let day = 1; day <= 3; day += 1) {
      expectSuccess(await daily(), '24', ['Leads']);
      await expectOneNotification('24');
      app.clock.advance(DAY);
    }
    const sent = since().map(({ headers }) => [headers['watchbell-generation'], headers['watchbell-sequence']]);
    const [generation] = sent[0] ?? [];
    expect(sent).toEqual([1, 2, 3].map((number) => [generation, String(number)]));
  });

  test('that believes in a week but named no expiry is told NOT_SUBSCRIBED on the sixth day, and repairs by POST', async () => {
    expectSuccess(await call('POST', entry('2718281')), '2718281', ['Leads']);
    app.clock.advance(6 * DAY);
    const late = await call('PATCH', entry('2718281', { channel_expiry: inMs(7 * DAY) }));
    expect([late.status, items(late)]).toEqual([400, notSubscribed]);
    expect(await liveIds(app.owner)).toEqual([]);
    const repaired = await call('POST', entry('2718281', { channel_expiry: inMs(7 * DAY) }));
    expect(expectSuccess(repaired, '2718281', ['Leads'])).toBe(app.clock.now() + 7 * DAY);
    await expectOneNotification('2718281');
  });

  test('that never renews is told nothing after the default hour', async () => {
    await call('POST', entry('42'));
    app.clock.advance(HOUR - 1);
    await expectOneNotification('42');
    app.clock.advance(1);
    await create(app, 'Leads');
    await app.app.idle();
    expect(since()).toHaveLength(1);
    expect(await liveIds(app.owner)).toEqual([]);
  });
});
