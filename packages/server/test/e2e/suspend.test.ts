import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';

const ORG = '3652397';

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

const act = async (what: 'suspend' | 'resume') => {
  const { status, body } = await operatorOf(app.base)('POST', `/orgs/${ORG}/${what}`);
  expect(status).toBe(200);
  return body;
};

async function open(): Promise<void> {
  const entry = { channel_id: '1', events: ['Contacts.all'], notify_url: receiver.origin };
  expect((await app.owner.call('POST', '/crm/v8/actions/watch', { watch: [entry] })).status).toBe(201);
}

const create = async () =>
  (await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] })).status;

const sequence = () => receiver.received.map(({ headers }) => Number(headers['watchbell-sequence']));

const delivered = () =>
  receiver.received.map(({ headers }) => `${headers['watchbell-sequence']}/${headers['watchbell-attempt']}`);

test('a suspended organisation is answered NO_PERMISSION everywhere, and access_denied for tokens', async () => {
  expect(await act('suspend')).toMatchObject({ state: 'suspended', name: 'Watchbell Sample' });
  const refused = { status: 403, body: { code: 'NO_PERMISSION', message: 'The organization is suspended' } };
  const calls: [string, string, unknown?][] = [
    ['GET', '/crm/v8/actions/watch'],
    ['POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] }],
    ['GET', '/crm/v2/Contacts'],
    ['GET', '/crm/v8/org'],
    ['GET', '/crm/v8/settings/modules'],
    ['GET', '/crm/v8/users'],
  ];
  for (const [method, path, body] of calls) {
    expect(await app.owner.call(method, path, body), path).toMatchObject(refused);
  }
  const form = {
    grant_type: 'refresh_token',
    client_id: '1000.DEV',
    client_secret: 'dev-secret',
    refresh_token: '1000.dev.refresh',
  };
  const answer = await fetch(`${app.base}/oauth/v2/token`, { method: 'POST', body: new URLSearchParams(form) });
  expect(await answer.json()).toMatchObject({ error: 'access_denied' });
  const stranger = await app.stranger();
  expect((await stranger.call('GET', '/crm/v8/org')).status).toBe(200);
  expect(await act('resume')).toMatchObject({ state: 'active', suspended_at: null });
  expect((await app.owner.call('GET', '/crm/v8/org')).status).toBe(200);
});

test('nothing is sent while it is suspended, also after a restart, and all that was owed flows on when it is resumed', async () => {
  await open();
  receiver.behave(failing);
  for (let made = 0; made < 3; made += 1) expect(await create()).toBe(201);
  await receiver.first(3);
  await app.app.idle();
  await act('suspend');
  receiver.behave(ok);
  app.clock.advance(60_000);
  await app.app.idle();
  expect(receiver.received).toHaveLength(3);
  app = await app.restart();
  app.clock.advance(60_000);
  await app.app.idle();
  expect(receiver.received).toHaveLength(3);
  await act('resume');
  await receiver.first(6);
  await app.app.idle();
  expect(delivered().sort()).toEqual(['1/1', '1/2', '2/1', '2/2', '3/1', '3/2']);
  // Signed in anew: at the start before, the organisation was suspended.
  app = await app.restart();
  expect(await create()).toBe(201);
  await receiver.first(7);
  expect(sequence().at(-1)).toBe(4);
});

test('what was owed flows on when it is resumed, without a restart and without a new change', async () => {
  await open();
  receiver.behave(failing);
  expect(await create()).toBe(201);
  await receiver.first(1);
  await app.app.idle();
  await act('suspend');
  await app.app.idle();
  receiver.behave(ok);
  await act('resume');
  app.clock.advance(60_000);
  await app.app.idle();
  expect(delivered()).toEqual(['1/1', '1/2']);
});

test('a request in flight ends as it may, and is not repeated after the organisation is resumed', async () => {
  await open();
  const answers: (() => void)[] = [];
  receiver.behave((_request, response) => answers.push(() => response.end()));
  expect(await create()).toBe(201);
  await receiver.first(1);
  await act('suspend');
  for (const answer of answers) answer();
  await app.app.idle();
  receiver.behave(ok);
  await act('resume');
  expect(await create()).toBe(201);
  await receiver.first(2);
  await app.app.idle();
  expect(delivered()).toEqual(['1/1', '2/1']);
});

test('it may be suspended and resumed again and again under load, and each notification comes once', async () => {
  await open();
  const seen: Promise<number>[] = [];
  for (let round = 0; round < 5; round += 1) {
    for (let made = 0; made < 10; made += 1) seen.push(create());
    await Promise.all(seen);
    await act('suspend');
    expect(await create()).toBe(403);
    await act('resume');
  }
  await receiver.first(50);
  await app.app.idle();
  expect(sequence().sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
});

test('other organisations go on', async () => {
  const stranger = await app.stranger();
  const other = await startReceiver();
  await open();
  receiver.behave(failing);
  expect(await create()).toBe(201);
  await act('suspend');
  const entry = { channel_id: '1', events: ['Leads.all'], notify_url: other.origin };
  await stranger.call('POST', '/crm/v8/actions/watch', { watch: [entry] });
  await stranger.call('POST', '/crm/v8/Leads', { data: [{ Last_Name: 'L', Company: 'C' }] });
  await other.first(1);
  await other.close();
});

test('a channel that expires meanwhile holds what it owes', async () => {
  await open();
  receiver.behave(failing);
  expect(await create()).toBe(201);
  await receiver.first(1);
  await app.app.idle();
  await act('suspend');
  app.clock.advance(2 * 3_600_000);
  receiver.behave(ok);
  await act('resume');
  await app.app.idle();
  expect(receiver.received).toHaveLength(1);
  await open();
  await receiver.first(2);
  expect(delivered()).toEqual(['1/1', '1/2']);
});

test('its operator goes on giving it modules', async () => {
  await act('suspend');
  const operate = operatorOf(app.base);
  const machines = { api_name: 'Machines', singular: 'Machine', plural: 'Machines' };
  expect((await operate('POST', `/orgs/${ORG}/modules`, machines)).status).toBe(201);
  await act('resume');
  expect((await app.owner.call('POST', '/crm/v8/Machines', { data: [{ Name: 'Press' }] })).status).toBe(201);
});
