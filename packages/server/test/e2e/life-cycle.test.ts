import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verify } from '@watchbell/client';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { failing, hanging, ok, type Receiver, startReceiver } from '../support/receiver.ts';
import { changeIn, rowsIn } from '../support/test-data.ts';

const ORG = '3652397';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let dataDir: string;
let app: LiveApp;
let receiver: Receiver;
/** Where the owner is told. */
let owner: Receiver;

interface Told {
  readonly id: string;
  readonly type: string;
  readonly channel_id: string;
  readonly generation: string;
  readonly [key: string]: unknown;
}

beforeEach(async () => {
  receiver = await startReceiver();
  owner = await startReceiver();
  dataDir = mkdtempSync(join(tmpdir(), 'watchbell-test-'));
  app = await startLiveApp({ dataDir, flags: { suspendAfterHours: '24' } });
});

afterEach(async () => {
  await app.stop();
  await receiver.close();
  await owner.close();
});

const iso = (time: number) => `${new Date(time).toISOString().slice(0, 19)}+00:00`;
const told = (): Told[] => owner.received.map(({ text }) => JSON.parse(text) as Told);
const types = (): string[] => told().map(({ type }) => type);
const operate = (method: string, path: string, body?: unknown) =>
  operatorOf(app.base)(method, `/orgs/${ORG}${path}`, body);

async function open(expiry: number, id = '1', url = receiver.origin): Promise<void> {
  const entry = { channel_id: id, events: ['Contacts.all'], notify_url: url, channel_expiry: iso(expiry) };
  expect((await app.owner.call('POST', '/crm/v8/actions/watch', { watch: [entry] })).status).toBe(201);
}

async function listen(url = `${owner.origin}/told?secret=of-the-owner`, id = '1'): Promise<void> {
  const settings = { lifecycle_url: url };
  expect((await own('PATCH', `/channels/${id}/settings`, settings)).status).toBe(200);
}

const own = (method: string, path: string, body?: unknown) => app.owner.call(method, `/_watchbell/v1${path}`, body);

async function generation(id = '1'): Promise<string> {
  return at((await own('GET', `/channels/${id}`)).body, 'generation');
}

async function create(count = 1): Promise<void> {
  for (let made = 0; made < count; made += 1) {
    expect((await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] })).status).toBe(201);
  }
}

/** Moves the clock step by step, as time passes. */
async function pass(ms: number, step = MINUTE): Promise<void> {
  for (let left = ms; left > 0; left -= step) {
    app.clock.advance(Math.min(step, left));
    await app.app.idle();
  }
}

async function lastChange(): Promise<number> {
  const [row] = await rowsIn<{ last_change: number }>(dataDir, `SELECT last_change FROM org WHERE id = '${ORG}'`);
  return Number(row?.last_change);
}

describe('of a day', () => {
  test('a channel tells of a quarter, five minutes, its expiry, and what it missed when it is renewed', async () => {
    const start = app.clock.now();
    await open(start + 24 * HOUR);
    await listen();
    await pass(18 * HOUR - MINUTE, HOUR);
    expect(types()).toEqual([]);
    await pass(MINUTE);
    expect(types()).toEqual(['channel.expiring']);
    await pass(5 * HOUR + 54 * MINUTE, HOUR);
    expect(types()).toHaveLength(1);
    await pass(MINUTE);
    expect(types()).toEqual(['channel.expiring', 'channel.expiring']);
    await pass(5 * MINUTE);
    expect(types()).toEqual(['channel.expiring', 'channel.expiring', 'channel.expired']);
    const before = await lastChange();
    await create(3);
    await pass(HOUR);
    await open(app.clock.now() + HOUR);
    await app.app.idle();
    expect(told()[3]).toEqual({
      id: expect.stringMatching(/^ntc_3652397_\d+_0_/),
      type: 'channel.missed',
      at: new Date(app.clock.now()).toISOString(),
      org: ORG,
      channel_id: '1',
      generation: await generation(),
      user: expect.stringMatching(/^\d{19}$/),
      expires_at: new Date(app.clock.now() + HOUR).toISOString(),
      range: {
        kind: 'lapse',
        from_change: before + 1,
        to_change: before + 3,
        from_time: new Date(start + 24 * HOUR).toISOString(),
        to_time: new Date(app.clock.now()).toISOString(),
      },
    });
    expect(new Set(told().map(({ id }) => id)).size).toBe(4);
  });

  test('PATCH with another expiry moves what it tells; with the same one it does not', async () => {
    await open(app.clock.now() + 24 * HOUR);
    await listen();
    const patch = (more: object) =>
      app.owner.call('PATCH', '/crm/v8/actions/watch', { watch: [{ channel_id: '1', ...more }] });
    expect((await patch({ channel_expiry: iso(app.clock.now() + 4 * HOUR) })).status).toBe(200);
    await pass(3 * HOUR - MINUTE, HOUR);
    expect((await patch({ token: 'another' })).status).toBe(200);
    expect(types()).toEqual([]);
    await pass(MINUTE);
    expect(types()).toEqual(['channel.expiring']);
    expect((await patch({ channel_expiry: iso(app.clock.now() + 24 * HOUR) })).status).toBe(200);
    await pass(17 * HOUR, HOUR);
    expect(types()).toEqual(['channel.expiring']);
    await pass(HOUR);
    expect(types()).toEqual(['channel.expiring', 'channel.expiring']);
  });

  test('renewed in time it tells of no expiry', async () => {
    await open(app.clock.now() + HOUR);
    await listen();
    await pass(50 * MINUTE);
    await open(app.clock.now() + 24 * HOUR);
    await pass(10 * HOUR, HOUR);
    expect(types()).toEqual(['channel.expiring']);
  });
});

describe('of its receiver', () => {
  test('a channel tells that it was suspended by a 410, and that its owner resumed it', async () => {
    await open(app.clock.now() + 24 * HOUR);
    await listen();
    receiver.behave((_request, response) => response.writeHead(410).end());
    await create();
    await receiver.first(1);
    await app.app.idle();
    receiver.behave(ok);
    await open(app.clock.now() + 24 * HOUR);
    await app.app.idle();
    expect(told()).toMatchObject([{ type: 'channel.suspended', reason: 'gone' }, { type: 'channel.resumed' }]);
    expect(owner.received.map(({ headers }) => headers['watchbell-attempt'])).toEqual(['1', '1']);
  });

  test('by an operator, and of the numbers that were skipped, as far as they were owed', async () => {
    await open(app.clock.now() + 24 * HOUR);
    await listen();
    await create(2);
    await receiver.first(2);
    await app.app.idle();
    const one = `/channels/${await generation()}`;
    expect((await operate('POST', `${one}/suspend`)).status).toBe(200);
    await create(3);
    expect((await operate('POST', `${one}/resume`, { mode: 'skip' })).status).toBe(200);
    await app.app.idle();
    expect(told()).toMatchObject([
      { type: 'channel.suspended', reason: 'operator' },
      { type: 'channel.resumed' },
      { type: 'channel.missed', range: { kind: 'numbers', from_number: 3, to_number: 5, reason: 'skipped' } },
    ]);
    // What skips nothing misses nothing.
    await operate('POST', `${one}/suspend`);
    await operate('POST', `${one}/resume`, { mode: 'skip' });
    await app.app.idle();
    expect(types().slice(3)).toEqual(['channel.suspended', 'channel.resumed']);
  });

  test('a channel that ended by retention tells what went with it; one that was deleted tells nothing', async () => {
    await open(app.clock.now() + HOUR);
    await open(app.clock.now() + HOUR, '2');
    await listen();
    await listen(undefined, '2');
    receiver.behave(failing);
    await create(2);
    await app.app.idle();
    expect((await app.owner.call('DELETE', '/crm/v8/actions/watch?channel_ids=2')).status).toBe(200);
    await pass(2 * HOUR, MINUTE);
    await create();
    await pass(80 * HOUR, HOUR);
    expect(told().filter((one) => one.channel_id === '2')).toEqual([]);
    expect(told().slice(3)).toMatchObject([
      { type: 'channel.missed', range: { kind: 'lapse' } },
      { type: 'channel.missed', range: { kind: 'numbers', from_number: 1, to_number: 2, reason: 'retention' } },
    ]);
  });
});

describe('who is told', () => {
  test('the organisation is, of channels without a URL of their own, and nobody of what was before', async () => {
    const org = await startReceiver();
    try {
      const suspend = async (id: string) => {
        const one = `/channels/${await generation(id)}`;
        await operate('POST', `${one}/suspend`);
        await operate('POST', `${one}/resume`, {});
        await app.app.idle();
      };
      for (const id of ['1', '2']) await open(app.clock.now() + HOUR, id);
      await listen();
      await suspend('2');
      const set = await operate('PUT', '/lifecycle', { url: `${org.origin}/ops?key=of-the-org` });
      expect(set).toEqual({ status: 200, body: { url: `${org.origin}/ops` } });
      expect((await operate('GET', '/lifecycle')).body).toEqual({ url: `${org.origin}/ops` });
      await suspend('1');
      await suspend('2');
      expect(told().map(({ channel_id }) => channel_id)).toEqual(['1', '1']);
      expect(org.received.map(({ text }) => (JSON.parse(text) as Told).channel_id)).toEqual(['2', '2']);
      expect(org.received[0]?.target).toBe('/ops?key=of-the-org');
      await operate('PUT', '/lifecycle', { url: null });
      await suspend('2');
      expect(org.received).toHaveLength(2);
      // Neither URL, nor any other secret, is told or kept readable.
      const rows = await rowsIn<{ body: string }>(dataDir, 'SELECT body FROM notice');
      expect(JSON.stringify([rows, org.received, told()])).not.toMatch(/of-the-owner/);
      for (const row of await rowsIn<{ url: string }>(dataDir, 'SELECT lifecycle_url AS url FROM channel')) {
        expect(row.url ?? '').not.toContain('http');
      }
    } finally {
      await org.close();
    }
  });

  test.each(['ftp://example.com/', 'not a URL', 'http://user:word@example.com/', 'http://169.254.169.254/'])(
    'a URL that could not be told is refused: %s',
    async (url) => {
      expect(await operate('PUT', '/lifecycle', { url })).toMatchObject({
        status: 400,
        body: { code: 'INVALID_DATA', details: { api_name: 'url' } },
      });
    },
  );

  test('nobody while its organisation is suspended, and then what happened meanwhile', async () => {
    await open(app.clock.now() + 2 * HOUR);
    await listen();
    await operate('POST', '/suspend');
    await pass(100 * MINUTE);
    expect(types()).toEqual([]);
    await operate('POST', '/resume');
    await pass(MINUTE);
    expect(types()).toEqual(['channel.expiring']);
  });
});

describe('a notice', () => {
  const suspend = async () => operate('POST', `/channels/${await generation()}/suspend`);

  test('is signed by the channel, else by the organisation, so that both libraries verify it', async () => {
    await open(app.clock.now() + HOUR);
    await listen();
    const ofOrg = at((await operate('PUT', '/signing', {})).body, 'secret');
    await suspend();
    await app.app.idle();
    const ofChannel = at((await operate('PUT', `/channels/${await generation()}/signing`, {})).body, 'secret');
    await operate('POST', `/channels/${await generation()}/resume`, {});
    await app.app.idle();
    for (const [i, secret] of [ofOrg, ofChannel].entries()) {
      const { text, headers } = owner.received[i] ?? { text: '', headers: {} };
      expect(await verify(text, headers, secret)).toMatchObject({ id: told()[i]?.id });
      const plain = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, String(value)]));
      expect(new Webhook(secret).verify(text, plain)).toEqual(told()[i]);
      await expect(verify(text, headers, i === 0 ? ofChannel : ofOrg)).rejects.toThrow();
    }
  });

  test('is tried again by the schedule until it is taken, with the same id, and listed meanwhile', async () => {
    await open(app.clock.now() + 24 * HOUR);
    await listen();
    owner.behave(failing);
    await suspend();
    await app.app.idle();
    await pass(4000, 1000);
    expect(owner.received).toHaveLength(1);
    const [first] = await listed();
    expect(first).toMatchObject({ state: 'pending', attempts: 1, outcome: 'rejected', status: 500 });
    expect(first?.body).toEqual(told()[0]);
    await pass(2000, 1000);
    owner.behave(ok);
    await pass(40_000, 1000);
    expect(owner.received.map(({ headers }) => headers['watchbell-attempt'])).toEqual(['1', '2', '3']);
    expect(new Set(owner.received.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([told()[0]?.id]));
    expect(await listed()).toMatchObject([{ state: 'delivered', attempts: 3, next_attempt_at: null }]);
  });

  test('is given up after the schedule, and can be sent again by its owner', async () => {
    await open(app.clock.now() + 72 * HOUR);
    await listen();
    owner.behave(failing);
    await suspend();
    await pass(30 * HOUR, 10 * MINUTE);
    expect(owner.received).toHaveLength(12);
    expect(await listed('parked')).toMatchObject([{ type: 'channel.suspended', attempts: 12 }]);
    const [{ id } = { id: '' }] = await listed();
    owner.behave(ok);
    const again = await own('POST', `/notices/${id}/redeliver`);
    expect(again).toMatchObject({ status: 202, body: { id } });
    await app.app.idle();
    expect(await listed()).toMatchObject([{ state: 'delivered', attempts: 1 }]);
    const colleague = await app.colleague();
    expect((await colleague.call('POST', `/_watchbell/v1/notices/${id}/redeliver`)).status).toBe(404);
    expect((await colleague.call('GET', '/_watchbell/v1/notices')).body).toEqual({ notices: [], next: null });
  });

  test('is kept for the retention time after its last attempt', async () => {
    await app.stop();
    app = await startLiveApp({ flags: { retentionHours: '24' } });
    await open(app.clock.now() + 72 * HOUR);
    await listen();
    owner.behave(failing);
    await suspend();
    await operate('POST', `/channels/${await generation()}/resume`, {});
    await pass(30 * HOUR, 10 * MINUTE);
    const parked = [{ type: 'channel.resumed' }, { type: 'channel.suspended', attempts: 12 }];
    expect(await listed('parked')).toMatchObject(parked);
    expect(await listed('parked&channel=1')).toMatchObject(parked);
    await pass(23 * HOUR, HOUR);
    expect(await listed('parked')).toEqual([]);
  });

  test('that hangs keeps no other from being sent', async () => {
    const dead = await startReceiver(hanging);
    try {
      for (let id = 1; id <= 30; id += 1) {
        await open(app.clock.now() + HOUR, String(id));
        await listen(id === 30 ? undefined : dead.origin, String(id));
      }
      await app.clock.advance(46 * MINUTE);
      await owner.first(1);
      expect(told()).toMatchObject([{ type: 'channel.expiring', channel_id: '30' }]);
      // Attempts to the one that hangs are bounded.
      expect(dead.received.length).toBeLessThanOrEqual(4);
    } finally {
      await dead.close();
    }
  });

  test('that is many times for one slow URL keeps no other waiting for all of them', async () => {
    const answers: (() => void)[] = [];
    const slow = await startReceiver((_request, response) => answers.push(() => response.end()));
    try {
      const channel_expiry = iso(app.clock.now() + HOUR);
      for (let first = 1; first <= 250; first += 10) {
        const entry = { events: ['Contacts.all'], notify_url: receiver.origin, channel_expiry };
        const watch = Array.from({ length: 10 }, (_, i) => ({ channel_id: String(first + i), ...entry }));
        expect((await app.owner.call('POST', '/crm/v8/actions/watch', { watch })).status).toBe(201);
      }
      expect((await operate('PUT', '/lifecycle', { url: slow.origin })).status).toBe(200);
      await listen(undefined, '250');
      app.clock.advance(46 * MINUTE);
      await slow.first(4);
      app.clock.advance(2000);
      answers[0]?.();
      await owner.first(1);
      expect(slow.received.length).toBeLessThanOrEqual(5);
      slow.behave(ok);
      for (const answer of answers) answer();
      await app.app.idle();
      const ids = slow.received.map(({ headers }) => headers['webhook-id']);
      expect([ids.length, new Set(ids).size]).toEqual([249, 249]);
      expect(told()).toMatchObject([{ type: 'channel.expiring', channel_id: '250' }]);
    } finally {
      await slow.close();
    }
  });

  test('of one channel comes after the one before was answered, whatever that took', async () => {
    await open(app.clock.now() + HOUR);
    await listen();
    const answers: (() => void)[] = [];
    owner.behave((_request, response) => answers.push(() => response.end()));
    await suspend();
    await operate('POST', `/channels/${await generation()}/resume`, {});
    await owner.first(1);
    await expect.poll(async () => (await listed('pending')).length).toBe(2);
    for (let i = 0; i < 5; i += 1) expect(await listed('pending')).toHaveLength(2);
    expect(types()).toEqual(['channel.suspended']);
    owner.behave(ok);
    for (const answer of answers) answer();
    await owner.first(2);
    expect(types()).toEqual(['channel.suspended', 'channel.resumed']);
  });

  test('is found page by page, of a channel and in a state', async () => {
    for (const id of ['1', '2']) {
      await open(app.clock.now() + HOUR, id);
      await listen(undefined, id);
    }
    for (const id of ['1', '2']) {
      for (let i = 0; i < 3; i += 1) {
        await operate('POST', `/channels/${await generation(id)}/suspend`);
        await operate('POST', `/channels/${await generation(id)}/resume`, {});
      }
    }
    await app.app.idle();
    const found: string[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const { body } = await own('GET', `/notices?channel=1&limit=4${next && `&cursor=${next}`}`);
      const page = body as { notices: { id: string; channel_id: string }[]; next: string | null };
      expect(page.notices.every(({ channel_id }) => channel_id === '1')).toBe(true);
      found.push(...page.notices.map(({ id }) => id));
      next = page.next;
    }
    const expected = told().filter(({ channel_id }) => channel_id === '1');
    expect(found).toEqual(expected.map(({ id }) => id).reverse());
    // Of one channel in the order of what happened.
    expect(expected.map(({ type }) => type)).toEqual(Array(3).fill(['channel.suspended', 'channel.resumed']).flat());
    expect((await operate('GET', '/notices?state=pending')).body).toEqual({ notices: [], next: null });
    expect((await operate('GET', '/notices')).body).toMatchObject({ notices: { length: 12 } });
  });

  async function listed(state?: string): Promise<{ id: string; body: unknown }[]> {
    const { body } = await own('GET', `/notices${state ? `?state=${state}` : ''}`);
    return (body as { notices: { id: string; body: unknown }[] }).notices;
  }
});

describe('for a restart', () => {
  test('what happened before there was a URL is not told after it either', async () => {
    await open(app.clock.now() + 2 * HOUR);
    await operate('POST', `/channels/${await generation()}/suspend`);
    await app.app.idle();
    await listen();
    app = await app.restart();
    await app.app.idle();
    expect(types()).toEqual([]);
  });

  test('what was committed and not made into notices is told, once, and what was due meanwhile', async () => {
    await open(app.clock.now() + 2 * HOUR);
    await listen();
    await operate('POST', `/channels/${await generation()}/suspend`);
    await app.app.idle();
    expect(types()).toEqual(['channel.suspended']);
    // As after a crash between the two: the revision is there, and nothing else.
    await app.app.stop();
    await changeIn(dataDir, 'DELETE FROM notice');
    await changeIn(dataDir, 'UPDATE org SET notices_to = 0');
    app.clock.advance(100 * MINUTE);
    app = await startLiveApp({ dataDir, clock: app.clock });
    await app.app.idle();
    expect(types()).toEqual(['channel.suspended', 'channel.suspended', 'channel.expiring']);
    expect(told()[1]).toEqual(told()[0]);
    app = await app.restart();
    await app.app.idle();
    expect(types()).toHaveLength(3);
  });
});

test('what happens to a channel is counted whether or not anybody is told', async () => {
  await open(app.clock.now() + HOUR);
  await operate('POST', `/channels/${await generation()}/suspend`);
  await operate('POST', `/channels/${await generation()}/resume`, {});
  await pass(HOUR, 5 * MINUTE);
  await create();
  await open(app.clock.now() + HOUR);
  const response = await fetch(`${app.base}/metrics`, { headers: { authorization: 'Bearer dev-admin' } });
  const counted = [...(await response.text()).matchAll(/^watchbell_channel_events_total\{event="(\w+)"\} (\d+)$/gm)];
  expect(Object.fromEntries(counted.map(([, event, count]) => [event, Number(count)]))).toEqual({
    suspended: 1,
    resumed: 1,
    expiring: 2,
    expired: 1,
    missed: 1,
  });
  expect(await rowsIn(dataDir, 'SELECT * FROM notice')).toEqual([]);
});
