import { verify } from '@watchbell/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { at, type Caller, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Operate, operatorOf } from '../support/operator.ts';
import { ok, type Received, type Receiver, startReceiver } from '../support/receiver.ts';

const ORG = '3652397';
const ABSENT = '3652397000000000001';
const IN_ORG = `/orgs/${ORG}/signing`;
const inChannel = (generation: string) => `/orgs/${ORG}/channels/${generation}/signing`;
const NOT_SIGNED = { signed: false, since: null, former_until: null };
const SECRET = /^whsec_[A-Za-z0-9+/]{43}=$/;
const REAL = Date.UTC(2027, 0, 1);

let app: LiveApp;
let operate: Operate;
let receiver: Receiver;

beforeEach(async () => {
  app = await startLiveApp({ realNow: () => REAL });
  operate = operatorOf(app.base);
  receiver = await startReceiver(ok);
});
afterEach(async () => {
  await app.stop();
  await receiver.close();
});

const watch = (method: string, channel_id: string, more: object = {}, caller: Caller = app.owner) =>
  caller.call(method, '/crm/v8/actions/watch', {
    watch: [{ channel_id, notify_url: `${receiver.origin}/${channel_id}`, events: ['Leads.all'], ...more }],
  });

async function generationOf(channelId: string): Promise<string> {
  const { body } = await operate('GET', `/orgs/${ORG}/channels`);
  const { channels } = body as { channels: { channel_id: string; generation: string }[] };
  return channels.find(({ channel_id }) => channel_id === channelId)?.generation ?? '';
}

/** Makes a change; what the channel was sent of it. */
async function notifyOf(channelId: string): Promise<Received> {
  const before = receiver.received.length;
  await app.owner.call('POST', '/crm/v8/Leads', { data: [{ Last_Name: 'L', Company: 'C' }] });
  await app.app.idle();
  const came = receiver.received.slice(before).find(({ target }) => target === `/${channelId}`);
  if (!came) throw new Error(`channel ${channelId} was sent nothing`);
  return came;
}

const isSignedBy = ({ text, headers }: Received, secret: string): Promise<boolean> =>
  verify(text, headers, secret).then(
    () => true,
    () => false,
  );

const renewed = async (path: string, body?: object): Promise<string> =>
  at((await operate('PUT', path, body)).body, 'secret');

test('an organisation is signed for from one call on; its secret is shown in that answer and nowhere else', async () => {
  await watch('POST', '1');
  expect(await operate('GET', IN_ORG)).toEqual({ status: 200, body: NOT_SIGNED });
  expect((await notifyOf('1')).headers).not.toHaveProperty('webhook-signature');
  const made = await operate('PUT', IN_ORG);
  const shown = { signed: true, since: new Date(REAL).toISOString(), former_until: null };
  expect(made).toEqual({ status: 200, body: { ...shown, secret: expect.stringMatching(SECRET) } });
  const secret = at(made.body, 'secret');
  expect(await isSignedBy(await notifyOf('1'), secret)).toBe(true);
  expect(await operate('GET', IN_ORG)).toEqual({ status: 200, body: shown });
  for (const path of ['', '/channels', `/channels/${await generationOf('1')}`]) {
    expect(JSON.stringify(await operate('GET', `/orgs/${ORG}${path}`))).not.toContain(secret.slice(6));
  }
  expect(await operate('DELETE', IN_ORG)).toEqual({ status: 200, body: { status: 'ended' } });
  expect(await operate('DELETE', IN_ORG)).toEqual({ status: 200, body: { status: 'ended' } });
  expect(await operate('GET', IN_ORG)).toEqual({ status: 200, body: NOT_SIGNED });
  expect((await notifyOf('1')).headers).not.toHaveProperty('webhook-signature');
});

test.each([
  [undefined, 86_400],
  [{}, 86_400],
  [{ keep_seconds: 0 }, 0],
  [{ keep_seconds: 60 }, 60],
  [{ keep_seconds: 2_592_000 }, 2_592_000],
])('rotating with %j keeps the former secret for %i seconds', async (body, seconds) => {
  await renewed(IN_ORG);
  const { body: answer } = await operate('PUT', IN_ORG, body);
  const until = seconds === 0 ? null : new Date(REAL + seconds * 1000).toISOString();
  expect(answer).toMatchObject({ signed: true, former_until: until });
});

test.each([
  { keep_seconds: -1 },
  { keep_seconds: 2_592_001 },
  { keep_seconds: 1.5 },
  { keep_seconds: '60' },
  { keep: 1 },
])('a rotation with %j is refused', async (body) => {
  expect(await operate('PUT', IN_ORG, body)).toMatchObject({ status: 400, body: { code: 'INVALID_DATA' } });
  expect((await operate('GET', IN_ORG)).body).toEqual(NOT_SIGNED);
});

test("a channel's own secret stays with it over POST, PUT, PATCH, expiry and a restart, and goes with DELETE", async () => {
  await watch('POST', '1');
  await watch('POST', '2');
  const generation = await generationOf('1');
  const secret = await renewed(inChannel(generation));
  for (const method of ['POST', 'PUT', 'PATCH']) {
    await watch(method, '1');
    expect(await isSignedBy(await notifyOf('1'), secret)).toBe(true);
  }
  expect((await notifyOf('2')).headers).not.toHaveProperty('webhook-signature');
  app.clock.advance(2 * 3_600_000);
  await watch('POST', '1');
  expect(await isSignedBy(await notifyOf('1'), secret)).toBe(true);
  app = await app.restart();
  operate = operatorOf(app.base);
  expect(await isSignedBy(await notifyOf('1'), secret)).toBe(true);
  await app.owner.call('DELETE', '/crm/v8/actions/watch?channel_ids=1');
  await watch('POST', '1');
  expect((await operate('GET', inChannel(await generationOf('1')))).body).toEqual(NOT_SIGNED);
  expect((await notifyOf('1')).headers).not.toHaveProperty('webhook-signature');
});

test('a channel that has expired can be given a secret, and stays expired', async () => {
  await watch('POST', '1');
  const generation = await generationOf('1');
  app.clock.advance(2 * 3_600_000);
  // The expiry is committed with the next batch.
  await app.owner.call('POST', '/crm/v8/Leads', { data: [{ Last_Name: 'L', Company: 'C' }] });
  const secret = await renewed(inChannel(generation));
  expect((await operate('GET', `/orgs/${ORG}/channels/${generation}`)).body).toMatchObject({ state: 'expired' });
  await app.app.idle();
  expect(receiver.received).toEqual([]);
  await watch('POST', '1');
  expect(await isSignedBy(await notifyOf('1'), secret)).toBe(true);
});

test('signing a channel, and ending that, keeps its generation and its numbers', async () => {
  await watch('POST', '1');
  const generation = await generationOf('1');
  const first = await notifyOf('1');
  await renewed(inChannel(generation));
  const second = await notifyOf('1');
  await operate('DELETE', inChannel(generation));
  const third = await notifyOf('1');
  expect([first, second, third].map(({ headers }) => headers['watchbell-sequence'])).toEqual(['1', '2', '3']);
  expect(new Set([first, second, third].map(({ headers }) => headers['watchbell-generation']))).toEqual(
    new Set([generation]),
  );
});

test('channels that are not there, or have ended, have no secret to be given', async () => {
  await watch('POST', '1');
  const generation = await generationOf('1');
  const notFound = { status: 404, body: { code: 'NOT_FOUND', details: { api_name: 'channel' } } };
  for (const method of ['GET', 'PUT', 'DELETE']) {
    expect(await operate(method, inChannel(ABSENT))).toMatchObject(notFound);
  }
  await app.owner.call('DELETE', '/crm/v8/actions/watch?channel_ids=1');
  expect(await operate('GET', inChannel(generation))).toEqual({ status: 200, body: NOT_SIGNED });
  for (const method of ['PUT', 'DELETE']) expect(await operate(method, inChannel(generation))).toMatchObject(notFound);
});

test('an organisation that is being erased takes no secret, and one that is suspended does', async () => {
  const made = await operate('POST', '/orgs', { name: 'Other', email: 'o@example.com', last_name: 'Other' });
  const org = at(made.body, 'org', 'id');
  await operate('POST', `/orgs/${org}/suspend`);
  const { body } = await operate('PUT', `/orgs/${org}/signing`);
  expect(at(body, 'secret')).toMatch(SECRET);
  expect((await operate('GET', IN_ORG)).body).toEqual(NOT_SIGNED);
  await operate('DELETE', `/orgs/${org}`);
  expect([403, 404]).toContain((await operate('PUT', `/orgs/${org}/signing`)).status);
});
