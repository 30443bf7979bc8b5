import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Operate, operatorOf } from '../support/operator.ts';
import { failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';

const run = promisify(execFile);
const ORG = '/orgs/3652397';

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely.
type Loose = any;

let app: LiveApp;
let operate: Operate;
let receiver: Receiver;

beforeEach(async () => {
  app = await startLiveApp({ flags: { retrySchedule: '0s,5s' } });
  operate = operatorOf(app.base);
  receiver = await startReceiver();
});
afterEach(async () => {
  await app.stop();
  await receiver.close();
});

const watch = (id: string, events = ['Contacts.all'], who = app.owner) =>
  who.call('POST', '/crm/v8/actions/watch', {
    watch: [{ channel_id: id, events, notify_url: `${receiver.origin}/hook?key=it's`, token: `it's "€" $HOME \`id\`` }],
  });
const create = async (name = 'Boyle'): Promise<string> => {
  const { body } = await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: name }] });
  await app.app.idle();
  return at(body, 'data', 0, 'details', 'id');
};
const list = async (query = ''): Promise<Loose> => {
  const { status, body } = await operate('GET', `${ORG}/notifications${query}`);
  expect({ status, body }).toMatchObject({ status: 200 });
  return (body as Loose).notifications;
};
const numbers = async (query = '') => (await list(query)).map(({ number }: Loose) => number);

describe('notifications', () => {
  test('are listed newest first, with what became of each', async () => {
    await watch('1');
    const first = await create();
    receiver.behave(failing);
    const second = await create();
    const now = new Date(app.clock.now()).toISOString();
    const [newer, older] = await list();
    expect(older).toMatchObject({
      id: expect.stringMatching(/^msg_/),
      channel_id: '1',
      number: 1,
      sequence: 1,
      module: 'Contacts',
      operation: 'insert',
      ids: [first],
      change: { at: now },
      state: 'delivered',
      reason: null,
      attempts_made: 1,
      next_attempt_at: null,
      settled_at: expect.any(String),
      rematched: null,
      last_attempt: { attempt: 1, outcome: 'delivered', status: 200, at: now, job: null },
    });
    expect(older.generation).toBe(older.channel_generation);
    expect(newer).toMatchObject({
      number: 2,
      ids: [second],
      state: 'pending',
      next_attempt_at: expect.any(String),
      last_attempt: { outcome: 'rejected', status: 500, answer: 'out of order' },
    });
  });

  test('are found by channel, module, record, state, outcome and time, alone and together', async () => {
    await watch('1', ['Contacts.all', 'Leads.all']);
    await watch('2', ['Contacts.create']);
    const first = await create();
    app.clock.advance(60_000);
    const later = new Date(app.clock.now()).toISOString();
    receiver.behave(failing);
    const second = await create();
    await app.owner.call('POST', '/crm/v8/Leads', { data: [{ Last_Name: 'L', Company: 'C' }] });
    await app.app.idle();
    const all = await list();
    expect(all.map(({ channel_id, number }: Loose) => `${channel_id}/${number}`).sort()).toEqual([
      '1/1',
      '1/2',
      '1/3',
      '2/1',
      '2/2',
    ]);
    const [{ channel_generation: one }] = all.filter(({ channel_id }: Loose) => channel_id === '1');
    expect(await numbers(`?channel=${one}`)).toEqual([3, 2, 1]);
    expect(await numbers(`?channel=${one}&module=Leads`)).toEqual([3]);
    expect(await numbers('?module=Leads')).toEqual([3]);
    expect(await numbers(`?module=Contacts&record=${first}`)).toEqual([1, 1]);
    expect(await numbers(`?module=Contacts&record=${second}&channel=${one}`)).toEqual([2]);
    expect(await numbers('?state=delivered')).toEqual([1, 1]);
    expect((await list('?state=pending')).length).toBe(3);
    expect((await list('?outcome=rejected')).length).toBe(3);
    expect(await numbers('?outcome=none')).toEqual([]);
    expect((await list(`?from=${later}`)).length).toBe(3);
    expect(await numbers(`?to=${later}`)).toEqual([1, 1]);
    expect(await numbers(`?to=${later}&channel=${one}`)).toEqual([1]);
    app.clock.advance(10_000);
    await app.app.idle();
    expect((await list('?state=parked')).length).toBe(3);
    expect(await numbers(`?state=parked&channel=${one}`)).toEqual([3, 2]);
    expect(await numbers('?state=pending')).toEqual([]);
  });

  test('that are held or cancelled are found though their rows still say pending', async () => {
    receiver.behave(failing);
    await watch('1');
    await create();
    const [{ channel_generation: generation }] = await list();
    await operate('POST', `${ORG}/channels/${generation}/suspend`);
    expect(await numbers('?state=held')).toEqual([1]);
    expect(await numbers('?state=pending')).toEqual([]);
    await app.owner.call('DELETE', '/crm/v8/actions/watch?channel_ids=1');
    expect(await list('?state=cancelled')).toMatchObject([{ state: 'cancelled', reason: 'deleted' }]);
    expect(await numbers('?state=held')).toEqual([]);
  });

  test('come page by page, each once', async () => {
    await watch('1');
    for (let i = 0; i < 5; i += 1) await create();
    const seen: number[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const more: string = cursor && `&cursor=${cursor}`;
      const { body } = await operate('GET', `${ORG}/notifications?limit=2${more}`);
      const page = body as { notifications: { number: number }[]; next: string | null };
      expect(page.notifications.length).toBeLessThanOrEqual(2);
      seen.push(...page.notifications.map(({ number }) => number));
      cursor = page.next;
    }
    expect(seen).toEqual([5, 4, 3, 2, 1]);
  });

  test('are shown with the exact text, headers and every attempt, by id and by number', async () => {
    receiver.behave(failing);
    await watch('1');
    const id = await create("O'Neil");
    app.clock.advance(10_000);
    await app.app.idle();
    const [sent] = receiver.received;
    const [{ id: notification, channel_generation: generation }] = await list();
    const shown = await operate('GET', `${ORG}/notifications/${notification}`);
    expect(shown).toMatchObject({ status: 200, body: { ids: [id], state: 'parked', api_version: 'v8' } });
    const { body, headers, attempts } = shown.body as Loose;
    expect(body).toBe(sent?.text);
    for (const [name, value] of Object.entries(headers)) expect(sent?.headers[name], name).toBe(value);
    expect(attempts).toMatchObject([
      { attempt: 1, outcome: 'rejected', status: 500 },
      { attempt: 2, outcome: 'rejected', status: 500 },
    ]);
    expect((await operate('GET', `${ORG}/channels/${generation}/notifications/1`)).body).toEqual(shown.body);
    expect((await app.owner.call('GET', '/_watchbell/v1/channels/1/notifications/1')).body).toEqual(shown.body);
    expect((await app.owner.call('GET', `/_watchbell/v1/notifications/${notification}`)).body).toEqual(shown.body);
  });

  test('are sent by hand by the command that is shown, byte by byte', async () => {
    await watch('1');
    await create(`it's %s \\n "$HOME" \`id\` !x € ${'long '.repeat(10)}`);
    const [sent] = receiver.received;
    const [{ id }] = await list();
    const { body } = await operate('GET', `${ORG}/notifications/${id}`);
    for (const shell of ['bash', 'sh']) {
      await run(shell, ['-c', (body as Loose).curl]);
      const again = receiver.received.at(-1);
      expect(again?.target).toBe(sent?.target);
      expect(again?.text).toBe(sent?.text);
      for (const name of ['content-type', 'user-agent', 'webhook-id', 'watchbell-generation', 'watchbell-sequence'])
        expect(again?.headers[name]).toBe(sent?.headers[name]);
      expect(again?.headers).not.toHaveProperty('webhook-signature');
    }
    expect(receiver.received).toHaveLength(3);
    expect((await list())[0]).toMatchObject({ attempts_made: 1 });
  });

  test('of others are not there for an owner', async () => {
    await watch('1');
    await create();
    const colleague = await app.colleague();
    const [{ id }] = await list();
    const own = '/_watchbell/v1';
    expect(await colleague.call('GET', `${own}/notifications`)).toMatchObject({
      body: { notifications: [], next: null },
    });
    expect((await app.owner.call('GET', `${own}/notifications?channel=1`)).body).toMatchObject({
      notifications: [{ id }],
    });
    const refused = { status: 404, body: { code: 'NOT_FOUND' } };
    expect(await colleague.call('GET', `${own}/notifications/${id}`)).toMatchObject(refused);
    expect(await colleague.call('GET', `${own}/notifications?channel=1`)).toMatchObject(refused);
    expect(await colleague.call('GET', `${own}/attempts?channel=1`)).toMatchObject(refused);
    expect(await colleague.call('GET', `${own}/channels/1/notifications/1`)).toMatchObject(refused);
    const narrow = await app.colleague({ scopes: ['ZohoCRM.modules.ALL'] });
    expect((await narrow.call('GET', `${own}/notifications`)).status).toBe(401);
  });

  test.each([
    ['?record=1', 'module'],
    ['?from=yesterday', 'from'],
    ['?to=2026-01-01T00:00:00', 'to'],
    ['?cursor=x', 'cursor'],
    [
      `?state=parked&cursor=${Buffer.from('{"walk":"owed","generation":"1","number":5}').toString('base64url')}`,
      'cursor',
    ],
    ['?state=lost', 'state'],
    ['?limit=201', 'limit'],
    ['?what=1', 'what'],
  ])('asked for by %s are refused by name', async (query, name) => {
    expect(await operate('GET', `${ORG}/notifications${query}`)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_DATA', details: { api_name: name } },
    });
  });
});

describe('attempts', () => {
  const attempts = async (query = ''): Promise<Loose> =>
    ((await operate('GET', `${ORG}/attempts${query}`)).body as Loose).attempts;

  test('that failed are listed newest first; of one channel all', async () => {
    await watch('1');
    await create();
    app.clock.advance(1000);
    receiver.behave(failing);
    await create();
    app.clock.advance(10_000);
    await app.app.idle();
    receiver.behave(ok);
    const failed = await attempts();
    expect(failed.map(({ number, attempt }: Loose) => [number, attempt])).toEqual([
      [2, 2],
      [2, 1],
    ]);
    expect(failed[0]).toMatchObject({
      notification: expect.stringMatching(/^msg_/),
      channel_id: '1',
      outcome: 'rejected',
      status: 500,
      answer: 'out of order',
      address: receiver.origin.slice('http://'.length),
    });
    const generation = failed[0].channel_generation;
    const all = await attempts(`?channel=${generation}`);
    expect(all.map(({ number, attempt }: Loose) => [number, attempt])).toEqual([
      [2, 2],
      [2, 1],
      [1, 1],
    ]);
    expect(await attempts(`?channel=${generation}&outcome=delivered`)).toMatchObject([{ number: 1, status: 200 }]);
    expect(await attempts(`?channel=${generation}&status=500`)).toHaveLength(2);
    expect(await attempts('?status=404')).toEqual([]);
    expect(await attempts(`?from=${failed[0].at}`)).toHaveLength(1);
    expect(await attempts(`?to=${failed[0].at}`)).toMatchObject([{ attempt: 1 }]);
    const first = (await operate('GET', `${ORG}/attempts?channel=${generation}&limit=2`)).body as Loose;
    expect(first.attempts).toEqual(all.slice(0, 2));
    expect(await attempts(`?channel=${generation}&limit=2&cursor=${first.next}`)).toEqual(all.slice(2));
  });

  test('that succeeded are not looked for in all channels', async () => {
    expect(await operate('GET', `${ORG}/attempts?outcome=delivered`)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_DATA', details: { api_name: 'channel' } },
    });
  });
});
