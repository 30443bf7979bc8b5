import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { API_VERSIONS } from '../../src/domain/wire/api-version.ts';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let app: LiveApp;
let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
});

afterEach(async () => {
  await app.stop();
  await receiver.close();
});

async function watch(method: string, more: object, version = 'v8'): Promise<void> {
  const { status } = await app.owner.call(method, `/crm/${version}/actions/watch`, {
    watch: [{ channel_id: '1', ...more }],
  });
  expect(status).toBe(method === 'POST' ? 201 : 200);
}
const open = (version?: string) =>
  watch('POST', { events: ['Contacts.all'], notify_url: receiver.origin, token: 'mine' }, version);

async function write(times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    const { status } = await app.owner.call('PUT', `/crm/v8/Contacts/${contact}`, {
      data: [{ Description: `${written}` }],
    });
    expect(status).toBe(200);
    written += 1;
  }
}
let contact: string;
let written = 0;

async function createContact(): Promise<void> {
  const { body } = await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  contact = (body as { data: { details: { id: string } }[] }).data[0]?.details.id ?? '';
}

async function listed(): Promise<unknown> {
  const response = await fetch(`${app.base}/_watchbell/v1/orgs/3652397/channels`, {
    headers: { authorization: 'Bearer dev-admin' },
  });
  return ((await response.json()) as { channels: unknown[] }).channels;
}

const sequences = () => receiver.received.map(({ headers }) => Number(headers['watchbell-sequence']));

describe('with WATCHBELL_COMPAT_AFTER_EXPIRY=drop', () => {
  beforeEach(async () => {
    app = await startLiveApp({ flags: { afterExpiry: 'drop' } });
    await createContact();
    await open();
    receiver.behave(failing);
  });

  test.each(['while it runs', 'restarted while expired', 'restarted afterwards'])(
    'what an expired channel owed is cancelled when it is opened again, %s, and the numbers go on',
    async (when) => {
      await write(3);
      await receiver.first(1);
      await app.app.idle();
      // One record: only the first was tried, the others wait behind it.
      expect(sequences()).toEqual([1]);
      app.clock.advance(HOUR);
      if (when === 'restarted while expired') app = await app.restart();
      await app.app.idle();
      receiver.behave(ok);
      expect(await listed()).toMatchObject([{ channel_id: '1', cancelled_to: null, ended_at: null }]);
      await open();
      await app.app.idle();
      if (when === 'restarted afterwards') app = await app.restart();
      app.clock.advance(HOUR / 2);
      await app.app.idle();
      expect(sequences()).toEqual([1]);
      expect(await listed()).toMatchObject([{ channel_id: '1', cancelled_to: 3, ended_at: null }]);

      await write(2);
      await receiver.first(3);
      await app.app.idle();
      expect(sequences()).toEqual([1, 4, 5]);
      const generations = new Set(receiver.received.map(({ headers }) => headers['watchbell-generation']));
      expect(generations.size).toBe(1);
      // Later calls on the live channel keep the mark, and cancel no more.
      receiver.behave(failing);
      await write(1);
      await receiver.first(4);
      await app.app.idle();
      receiver.behave(ok);
      await open();
      app.clock.advance(HOUR / 2);
      await receiver.first(5);
      expect(sequences()).toEqual([1, 4, 5, 6, 6]);
      expect(await listed()).toMatchObject([{ cancelled_to: 3 }]);
    },
  );

  test('what is in the air at the expiry is not tried again, and the record goes on after it', async () => {
    let answerLate: ServerResponse | undefined;
    receiver.behave((_request, response) => {
      answerLate = response;
    });
    await write(2);
    await receiver.first(1);
    app.clock.advance(HOUR);
    receiver.behave(ok);
    await open();
    await write(1);
    expect(sequences()).toEqual([1]);
    answerLate?.writeHead(500).end();
    await receiver.first(2);
    app.clock.advance(HOUR / 2);
    await app.app.idle();
    expect(sequences()).toEqual([1, 3]);
  });

  test('what waits long for its retry meanwhile holds nothing up that comes after it', async () => {
    const first = contact;
    const expiry = app.clock.now() + 45 * MINUTE;
    await watch('PUT', { events: ['Contacts.all'], channel_expiry: `${new Date(expiry).toISOString().slice(0, 19)}Z` });
    await write(1);
    for (const [i, seconds] of [6, 36, 144, 360, 1080].entries()) {
      await receiver.first(i + 1);
      await app.app.idle();
      app.clock.advance(seconds * 1000);
    }
    await receiver.first(6);
    await app.app.idle();
    // The next try is half an hour away, after the expiry.
    app.clock.set(expiry - 1);
    // Something in the air keeps the channel's lane.
    let answerLate: ServerResponse | undefined;
    receiver.behave((_request, response) => {
      answerLate = response;
    });
    const before = receiver.received.length;
    await createContact();
    await receiver.first(before + 1);
    app.clock.advance(1);
    receiver.behave(ok);
    await open();
    contact = first;
    await write(1);
    expect((await receiver.first(before + 2)).at(-1)?.headers['watchbell-sequence']).toBe('3');
    answerLate?.end();
  });

  test('what waits for its retry on a channel that lives on is sent', async () => {
    await write(2);
    await receiver.first(1);
    await app.app.idle();
    app.clock.advance(HOUR / 2);
    receiver.behave(ok);
    await open();
    await app.app.idle();
    expect(sequences().at(-1)).toBe(2);
    expect(await listed()).toMatchObject([{ cancelled_to: null }]);
  });
});

describe('PATCH without a token', () => {
  const tokenAfter = async (version: string, more: object): Promise<unknown> => {
    await open(version);
    await watch('PATCH', { channel_expiry: inHours(2), ...more }, version);
    const before = receiver.received.length;
    await write(1);
    return (await receiver.first(before + 1)).at(-1)?.body.token;
  };
  const inHours = (hours: number) => `${new Date(app.clock.now() + hours * HOUR).toISOString().slice(0, 19)}Z`;

  test.each([
    ['observed', null],
    ['merge', 'mine'],
  ])('with WATCHBELL_COMPAT_PATCH=%s leaves %j on every version, and all the rest', async (patch, left) => {
    app = await startLiveApp({ flags: { patch } });
    await createContact();
    for (const version of API_VERSIONS) {
      expect(await tokenAfter(version, {})).toBe(left);
      expect(await tokenAfter(version, { token: 'other' })).toBe('other');
      expect(await tokenAfter(version, { token: null })).toBe(null);
      const { body } = await app.owner.call('GET', `/crm/${version}/actions/watch`);
      expect(body).toMatchObject({
        watch: [{ notify_url: receiver.origin, events: ['Contacts.edit', 'Contacts.create', 'Contacts.delete'] }],
      });
    }
  });

  test('taking events away leaves the token', async () => {
    app = await startLiveApp({ flags: { patch: 'observed' } });
    await createContact();
    await open();
    await watch('PATCH', { events: ['Contacts.create'], _delete_events: true });
    await write(1);
    expect((await receiver.first(1))[0]?.body.token).toBe('mine');
  });
});
