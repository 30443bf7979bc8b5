import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Operate, operatorOf } from '../support/operator.ts';
import { ok, type Receiver, startReceiver } from '../support/receiver.ts';

const CHANNELS = '/orgs/3652397/channels';
let app: LiveApp;
let operate: Operate;
let receiver: Receiver;
let generation: string;

beforeEach(async () => {
  app = await startLiveApp({ flags: { suspendAfterHours: '24' } });
  operate = operatorOf(app.base);
  receiver = await startReceiver((_request, response) => response.writeHead(410).end());
  expect((await watch('POST')).status).toBe(201);
  const { body } = await operate('GET', CHANNELS);
  generation = at(body, 'channels', 0, 'generation');
});
afterEach(async () => {
  await app.stop();
  await receiver.close();
});

const watch = (method: string) =>
  app.owner.call(method, '/crm/v8/actions/watch', {
    watch: [{ channel_id: '1', events: ['Contacts.all'], notify_url: `${receiver.origin}/hook?key=hidden` }],
  });
const create = async () => {
  await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  await app.app.idle();
};
const act = (what: string, body?: unknown) => operate('POST', `${CHANNELS}/${generation}/${what}`, body);
const show = async () => (await operate('GET', `${CHANNELS}/${generation}`)).body;
const numbers = () => receiver.received.map(({ headers }) => Number(headers['watchbell-sequence']));

describe('a channel whose receiver is gone', () => {
  test('is shown as suspended, with why and since when, in the list and alone', async () => {
    const now = new Date(app.clock.now()).toISOString();
    await create();
    await create();
    const shown = {
      channel_id: '1',
      generation,
      state: 'suspended',
      receiver: `${receiver.origin}/hook`,
      suspended_at: now,
      suspended_reason: 'gone',
      failing_since: now,
      failed_attempts: 1,
      last_number: 2,
      ended_at: null,
    };
    expect((await operate('GET', CHANNELS)).body).toMatchObject({ channels: [shown] });
    expect(await show()).toMatchObject(shown);
    expect(numbers()).toEqual([1]);
  });

  test.each(['POST', 'PUT'])('flows on by a %s of its owner', async (method) => {
    await create();
    await create();
    receiver.behave(ok);
    expect((await watch(method)).status).toBeLessThan(300);
    await app.app.idle();
    expect(numbers().sort()).toEqual([1, 1, 2]);
    expect(await show()).toMatchObject({
      state: 'live',
      suspended_at: null,
      suspended_reason: null,
      failed_attempts: 0,
    });
  });

  test('does not by a PATCH, nor by one that was refused', async () => {
    await create();
    receiver.behave(ok);
    const patch = { watch: [{ channel_id: '1', token: 'other' }] };
    expect((await app.owner.call('PATCH', '/crm/v8/actions/watch', patch)).status).toBe(200);
    const refused = { watch: [{ channel_id: '1', events: ['Nothing.all'], notify_url: receiver.origin }] };
    expect((await app.owner.call('POST', '/crm/v8/actions/watch', refused)).status).toBe(400);
    await app.app.idle();
    expect(await show()).toMatchObject({ state: 'suspended' });
    expect(numbers()).toEqual([1]);
  });
});

describe('an operator', () => {
  beforeEach(() => receiver.behave(ok));

  test('resumes with the backlog when it is not told how', async () => {
    await act('suspend');
    expect(await act('resume')).toMatchObject({ status: 200, body: { state: 'live', cancelled_to: null } });
  });

  test('suspends a channel and resumes it, with what it came to owe', async () => {
    expect(await act('suspend')).toMatchObject({
      status: 200,
      body: { state: 'suspended', suspended_reason: 'operator' },
    });
    await create();
    expect(numbers()).toEqual([]);
    expect(await act('resume', {})).toMatchObject({ status: 200, body: { state: 'live', cancelled_to: null } });
    await app.app.idle();
    expect(numbers()).toEqual([1]);
  });

  test('skips what it came to owe, which is said', async () => {
    await act('suspend');
    await create();
    const skipped = { state: 'live', cancelled_to: 1, cancelled_reason: 'skipped' };
    expect(await act('resume', { mode: 'skip' })).toMatchObject({ status: 200, body: skipped });
    await create();
    expect(numbers()).toEqual([2]);
  });

  test.each<[string, unknown, number, object]>([
    ['resume', { mode: 'all' }, 400, { code: 'INVALID_DATA' }],
    ['resume', { skip: true }, 400, { code: 'INVALID_DATA' }],
    ['../nothing/suspend', undefined, 404, { code: 'NOT_FOUND' }],
  ])('%s with %j is refused', async (what, body, status, expected) => {
    expect(await act(what, body)).toMatchObject({ status, body: expected });
  });

  test('cannot suspend what has ended', async () => {
    await app.owner.call('DELETE', '/crm/v8/actions/watch?channel_ids=1');
    expect(await act('suspend')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(await show()).toMatchObject({ state: 'ended', ended_reason: 'deleted' });
  });
});
