import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type Caller, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';

const ORG = '3652397';
const SECOND = 1000;
const HOUR = 3600 * SECOND;

let app: LiveApp;
let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
  // Parked after the first attempt.
  app = await startLiveApp({ flags: { retrySchedule: '0s' } });
  await open();
});

afterEach(async () => {
  await app.stop();
  await receiver.close();
});

const iso = (time: number) => `${new Date(time).toISOString().slice(0, 19)}+00:00`;

async function open(): Promise<void> {
  const entry = {
    channel_id: '1',
    events: ['Contacts.all'],
    notify_url: receiver.origin,
    channel_expiry: iso(app.clock.now() + 20 * HOUR),
  };
  expect((await app.owner.call('POST', '/crm/v8/actions/watch', { watch: [entry] })).status).toBe(201);
}

/** Makes `count` notifications, each about a contact of its own, and waits until nothing is to be done. */
async function make(count: number): Promise<void> {
  for (let made = 0; made < count; made += 1) {
    const { status } = await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: `Boyle ${made}` }] });
    expect(status).toBe(201);
  }
  await app.app.idle();
}

async function makeParked(count: number): Promise<void> {
  receiver.behave(failing);
  await make(count);
  receiver.behave(ok);
}

type Body = Record<string, unknown>;
interface Told {
  readonly status: number;
  readonly body: Body;
}
const told = (answer: Answer): Told => ({ status: answer.status, body: answer.body as Body });
const call = async (method: string, path: string, body?: object, caller: Caller = app.owner): Promise<Told> =>
  told(await caller.call(method, `/_watchbell/v1${path}`, body));
const operate = async (method: string, path: string, body?: object): Promise<Told> =>
  told(await operatorOf(app.base)(method, `/orgs/${ORG}${path}`, body));

async function replay(body: object = {}): Promise<Body> {
  const made = await call('POST', '/channels/1/replays', { rate: 1000, ...body });
  expect(made, JSON.stringify(made.body)).toMatchObject({ status: 201, body: { state: 'running' } });
  return made.body;
}

const act = async (job: Body, what: 'pause' | 'resume' | 'cancel'): Promise<Told> =>
  call('POST', `/jobs/${String(job.id)}/${what}`);
const show = async (job: Body): Promise<Body> => (await call('GET', `/jobs/${String(job.id)}`)).body;
const generation = async (): Promise<string> => {
  const { body } = await operate('GET', '/channels');
  return (body.channels as { generation: string }[])[0]?.generation ?? '';
};

/** Numbers of what came marked, in the order in which it came. */
const again = (): number[] =>
  receiver.received
    .filter(({ headers }) => headers['watchbell-replay'] !== undefined)
    .map(({ headers }) => Number(headers['watchbell-sequence']));
const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);
const upTo = (last: number, from = 1): number[] => Array.from({ length: last - from + 1 }, (_, i) => from + i);

test('what was delivered is sent again on request, with the same id, number and body, marked, and once', async () => {
  await make(3);
  const job = await replay({ which: 'all', from: 2 });
  await app.app.idle();
  expect(sorted(again())).toEqual([2, 3]);
  const [first, second] = receiver.received.filter(({ headers }) => headers['watchbell-sequence'] === '2');
  expect(second?.text).toBe(first?.text);
  for (const name of ['webhook-id', 'watchbell-generation', 'watchbell-sequence', 'content-type']) {
    expect(second?.headers[name], name).toBe(first?.headers[name]);
  }
  expect(second?.headers).toMatchObject({ 'watchbell-replay': job.id, 'watchbell-attempt': '2' });
  expect(first?.headers).not.toHaveProperty('watchbell-replay');
  expect(await show(job)).toMatchObject({ state: 'done', position: 3, done: 2, failed: 0, passed: 0, total: 2 });
  await make(1);
  expect(receiver.received.at(-1)?.headers['watchbell-sequence']).toBe('4');
});

test('a redelivery answers what came of it, and changes no state when it fails', async () => {
  await makeParked(1);
  receiver.behave(failing);
  const refused = await call('POST', '/channels/1/notifications/1/redeliver');
  expect(refused).toMatchObject({
    status: 200,
    body: { attempt: { attempt: 2, outcome: 'rejected', status: 500, answer: 'out of order' } },
  });
  expect(refused.body.job).toMatchObject({ kind: 'redeliver', state: 'done', done: 0, failed: 1 });
  expect((await call('POST', '/channels/1/replays', { dry_run: true })).body).toMatchObject({
    parked: 1,
    delivered: 0,
  });
  receiver.behave(ok);
  const { status, body } = await call('POST', '/channels/1/notifications/1/redeliver');
  expect(status).toBe(200);
  expect(body).toMatchObject({ attempt: { attempt: 3, outcome: 'delivered', status: 200 }, job: { done: 1 } });
  expect((await call('POST', '/channels/1/replays', { dry_run: true })).body).toMatchObject({
    parked: 0,
    delivered: 1,
  });
});

test('what is pending is not redelivered: it is said when it comes, and a replay passes it over', async () => {
  await app.stop();
  app = await startLiveApp({ flags: { retrySchedule: '0s,60s' } });
  await open();
  await make(1);
  receiver.behave(failing);
  await make(1);
  receiver.behave(ok);
  const next = new Date(app.clock.now() + 60 * SECOND).getTime();
  const { status, body } = await call('POST', '/channels/1/notifications/2/redeliver');
  expect({ status, code: body.code, field: (body.details as Body).api_name }).toEqual({
    status: 400,
    code: 'INVALID_DATA',
    field: 'number',
  });
  expect(Date.parse(String((body.details as Body).next_attempt_at))).toBeGreaterThanOrEqual(next);
  const job = await replay({ which: 'all' });
  await app.app.idle();
  expect(again()).toEqual([1]);
  expect(await show(job)).toMatchObject({ state: 'done', position: 2, done: 1, passed: 1, total: 1 });
  expect((await call('POST', '/channels/1/notifications/3/redeliver')).status).toBe(404);
});

test('a replay asks for what is parked or was skipped, unless it is told to take only the parked', async () => {
  await makeParked(2);
  await make(1);
  const channel = `/channels/${await generation()}`;
  await operate('POST', `${channel}/suspend`);
  await make(2);
  await operate('POST', `${channel}/resume`, { mode: 'skip' });
  const counts = { from: 1, to: 5, pending: 0, delivered: 1, parked: 2, cancelled: 2, complete: true };
  const plan = async (which: string) => (await call('POST', '/channels/1/replays', { which, dry_run: true })).body;
  expect(await plan('parked')).toEqual({ ...counts, would_send: 2 });
  expect(await plan('undelivered')).toEqual({ ...counts, would_send: 4 });
  expect(await plan('all')).toEqual({ ...counts, would_send: 5 });
  expect(again()).toEqual([]);

  const parked = await replay({ which: 'parked', to: 1 });
  await app.app.idle();
  expect(again()).toEqual([1]);
  expect(await show(parked)).toMatchObject({ state: 'done', position: 1, done: 1 });
  const rest = await replay();
  await app.app.idle();
  expect(sorted(again())).toEqual([1, 2, 4, 5]);
  expect(await show(rest)).toMatchObject({ state: 'done', position: 5, done: 3, passed: 2, total: 3 });
  expect(await plan('undelivered')).toMatchObject({ delivered: 5, parked: 0, cancelled: 0, pending: 0, would_send: 0 });
  const all = await replay({ which: 'all', from: 3, to: 4 });
  await app.app.idle();
  expect(sorted(again())).toEqual([1, 2, 3, 4, 4, 5]);
  expect(await show(all)).toMatchObject({ state: 'done', done: 2 });
});

test('times choose by when changes were made', async () => {
  const times: number[] = [];
  for (let hour = 0; hour < 5; hour += 1) {
    times.push(app.clock.now());
    await make(2);
    app.clock.advance(HOUR);
  }
  const plan = async (body: object) => {
    const { from, to, would_send } = (
      await call('POST', '/channels/1/replays', { dry_run: true, which: 'all', ...body })
    ).body;
    return [from, to, would_send];
  };
  const at = (hour: number, ms = 0) => new Date((times[hour] ?? 0) + ms).toISOString();
  expect(await plan({ from_time: at(1), to_time: at(3) })).toEqual([3, 6, 4]);
  expect(await plan({ from_time: at(1, 1), to_time: at(3, 1) })).toEqual([5, 8, 4]);
  expect(await plan({ from_time: at(4) })).toEqual([9, 10, 2]);
  expect(await plan({ to_time: at(0) })).toEqual([1, 0, 0]);
  expect(await plan({ from_time: at(4, 1) })).toEqual([11, 10, 0]);
  expect(await plan({ from: 2, to_time: at(1) })).toEqual([2, 2, 1]);
  const job = await replay({ which: 'all', from_time: at(3), to_time: at(4) });
  await app.app.idle();
  expect(sorted(again())).toEqual([7, 8]);
  expect(await show(job)).toMatchObject({ state: 'done', request: { from: 7, to: 8, which: 'all' } });
  const nothing = await replay({ which: 'all', from_time: at(4, 1) });
  await app.app.idle();
  expect(await show(nothing)).toMatchObject({ state: 'done', done: 0, total: 0 });
});

test('no more are sent a second than was asked for, by the clock that can be moved', async () => {
  await make(12);
  await replay({ which: 'all', rate: 2 });
  await app.app.idle();
  expect(again()).toHaveLength(1);
  for (let half = 1; half <= 4; half += 1) {
    app.clock.advance(499);
    await app.app.idle();
    expect(again()).toHaveLength(half);
    app.clock.advance(1);
    await app.app.idle();
    expect(again()).toHaveLength(half + 1);
  }
});

test('a job that is paused sends nothing until it is resumed, one that is cancelled nothing any more', async () => {
  await make(6);
  const job = await replay({ which: 'all', rate: 2 });
  await app.app.idle();
  expect(await act(job, 'pause')).toMatchObject({ status: 200, body: { state: 'paused' } });
  await app.app.idle();
  app.clock.advance(10 * SECOND);
  await app.app.idle();
  expect(again()).toEqual([1]);
  expect(await show(job)).toMatchObject({ state: 'paused', position: 1, done: 1 });
  expect(await act(job, 'pause')).toMatchObject({ status: 200, body: { state: 'paused' } });
  expect(await act(job, 'resume')).toMatchObject({ status: 200, body: { state: 'running' } });
  await app.app.idle();
  app.clock.advance(SECOND);
  await app.app.idle();
  expect(again().length).toBeGreaterThanOrEqual(3);
  expect(await act(job, 'cancel')).toMatchObject({ status: 200, body: { state: 'cancelled' } });
  await app.app.idle();
  const sent = again().length;
  app.clock.advance(10 * SECOND);
  await app.app.idle();
  expect(again()).toHaveLength(sent);
  expect(again()).toEqual(upTo(sent));
  expect(await act(job, 'resume')).toMatchObject({ status: 400, body: { code: 'INVALID_DATA' } });
  expect(await show(job)).toMatchObject({ state: 'cancelled', done: sent });
});

test('a restart in the middle repeats nothing and leaves nothing out', async () => {
  await make(20);
  const job = await replay({ which: 'all', rate: 4 });
  await app.app.idle();
  for (let second = 0; second < 2; second += 1) {
    app.clock.advance(SECOND);
    await app.app.idle();
  }
  const before = again().length;
  expect(before).toBeGreaterThan(1);
  expect(before).toBeLessThan(20);
  app = await app.restart();
  for (let quarter = 0; quarter < 80; quarter += 1) {
    await app.app.idle();
    app.clock.advance(SECOND / 4);
  }
  await app.app.idle();
  expect(sorted(again())).toEqual(upTo(20));
  expect(await show(job)).toMatchObject({ state: 'done', position: 20, done: 20, failed: 0, passed: 0, total: 20 });
});

test('a notification that fails is tried three times, five and thirty seconds later, and counts as failed then', async () => {
  await make(2);
  const isBad = (sequence: unknown) => sequence === '1';
  receiver.behave((request, response) =>
    (isBad(request.headers['watchbell-sequence']) ? failing : ok)(request, response),
  );
  const job = await replay({ which: 'all' });
  await app.app.idle();
  expect(sorted(again())).toEqual([1, 2]);
  expect(await show(job)).toMatchObject({ state: 'running', position: 0, done: 1 });
  app.clock.advance(5 * SECOND - 1);
  await app.app.idle();
  expect(sorted(again())).toEqual([1, 2]);
  app.clock.advance(1);
  await app.app.idle();
  expect(sorted(again())).toEqual([1, 1, 2]);
  app = await app.restart();
  await app.app.idle();
  // Its third attempt is at once: how long it waited is not kept.
  expect(sorted(again())).toEqual([1, 1, 1, 2]);
  expect(await show(job)).toMatchObject({ state: 'done', position: 2, done: 1, failed: 1 });
  expect((await call('POST', '/channels/1/replays', { dry_run: true })).body).toMatchObject({
    delivered: 2,
    parked: 0,
  });
});

test('a job fails when the receiver takes none of twenty in a row, and can be resumed', async () => {
  await make(30);
  receiver.behave(failing);
  const job = await replay({ which: 'all' });
  for (let wait = 0; wait < 4; wait += 1) {
    await app.app.idle();
    app.clock.advance(30 * SECOND);
  }
  await app.app.idle();
  const failed = await show(job);
  expect(failed).toMatchObject({ state: 'failed', done: 0 });
  expect(failed.note).toContain('Resume the job');
  expect(failed.failed).toBeGreaterThanOrEqual(20);
  receiver.behave(ok);
  expect(await act(job, 'resume')).toMatchObject({ status: 200, body: { state: 'running', note: null } });
  await app.app.idle();
  app.clock.advance(30 * SECOND);
  await app.app.idle();
  expect(await show(job)).toMatchObject({ state: 'done', position: 30 });
});

test('a job waits while its channel is expired, and goes on by itself when it is renewed', async () => {
  await make(3);
  app.clock.advance(20 * HOUR);
  await app.app.idle();
  const job = await replay({ which: 'all' });
  await app.app.idle();
  const waiting = await show(job);
  expect(waiting).toMatchObject({ state: 'running', done: 0, note: expect.stringContaining('expired') });
  expect(again()).toEqual([]);
  await open();
  await app.app.idle();
  expect(sorted(again())).toEqual([1, 2, 3]);
  expect(await show(job)).toMatchObject({ state: 'done', note: null, done: 3 });
});

test('a job waits while its channel or its organisation is suspended', async () => {
  await make(3);
  const channel = `/channels/${await generation()}`;
  await operate('POST', `${channel}/suspend`);
  const job = await replay({ which: 'all' });
  await app.app.idle();
  expect(await show(job)).toMatchObject({ state: 'running', note: expect.stringContaining('suspended') });
  await operate('POST', `${channel}/resume`);
  await app.app.idle();
  expect(sorted(again())).toEqual([1, 2, 3]);
  await operate('POST', '/suspend');
  const other = await operate('POST', `${channel}/replays`, { which: 'all', rate: 1000 });
  expect(other.status).toBe(201);
  await app.app.idle();
  expect(again()).toHaveLength(3);
  await operate('POST', '/resume');
  await app.app.idle();
  expect(sorted(again())).toEqual([1, 1, 2, 2, 3, 3]);
});

test('a channel that has ended takes no job, and one that it has fails', async () => {
  await make(6);
  const ended = `/channels/${await generation()}`;
  const job = await replay({ which: 'all', rate: 1 });
  await app.app.idle();
  await app.owner.call('DELETE', '/crm/v8/actions/watch?channel_ids=1');
  await app.app.idle();
  app.clock.advance(10 * SECOND);
  await app.app.idle();
  expect(again()).toEqual([1]);
  expect(await show(job)).toMatchObject({ state: 'failed', note: expect.stringContaining('ended') });
  expect((await act(job, 'resume')).body).toMatchObject({ code: 'INVALID_DATA' });
  for (const path of ['/replays', '/notifications/1/redeliver']) {
    expect((await operate('POST', ended + path)).body).toMatchObject({
      code: 'INVALID_DATA',
      details: { api_name: 'channel' },
    });
    expect((await call('POST', `/channels/1${path}`)).status).toBe(404);
  }
});

test('owners see the jobs of their own channels, operators all of the organisation, page by page', async () => {
  await make(2);
  const mine = [await replay({ which: 'all' }), await replay({ which: 'all' }), await replay({ which: 'all' })];
  await app.app.idle();
  const colleague = await app.colleague();
  expect((await call('GET', '/jobs', undefined, colleague)).body).toEqual({ jobs: [], next: null });
  for (const [method, path] of [
    ['GET', ''],
    ['POST', '/pause'],
    ['POST', '/resume'],
    ['POST', '/cancel'],
  ] as const) {
    const refused = await call(method, `/jobs/${String(mine[0]?.id)}${path}`, undefined, colleague);
    expect(refused).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  }
  const first = (await call('GET', '/jobs?limit=2&state=done')).body;
  const ids = (body: Body) => (body.jobs as Body[]).map(({ id }) => id);
  expect(ids(first)).toEqual([mine[2]?.id, mine[1]?.id]);
  const second = (await call('GET', `/jobs?limit=2&state=done&cursor=${String(first.next)}`)).body;
  expect(ids(second)).toEqual([mine[0]?.id]);
  expect(second.next).toBeNull();
  expect(ids((await call('GET', '/jobs?channel=1')).body)).toHaveLength(3);
  expect(ids((await call('GET', '/jobs?state=running')).body)).toEqual([]);
  expect(ids((await operate('GET', `/jobs?channel=${await generation()}`)).body)).toHaveLength(3);
  expect((await call('GET', '/jobs?cursor=nonsense')).body).toMatchObject({ details: { api_name: 'cursor' } });
});

test('a channel that takes one request at once takes one from a replay, too', async () => {
  await make(8);
  expect((await call('PATCH', '/channels/1/settings', { concurrency: 1 })).status).toBe(200);
  let inTheAir = 0;
  let most = 0;
  receiver.behave((_request, response) => {
    inTheAir += 1;
    most = Math.max(most, inTheAir);
    setImmediate(() => {
      inTheAir -= 1;
      response.end();
    });
  });
  await replay({ which: 'all', rate: 5000 });
  await make(8);
  expect(again()).toHaveLength(8);
  expect(receiver.received).toHaveLength(24);
  expect(most).toBe(1);
});

test('what makes no sense is refused, naming the field', async () => {
  const refused = async (body: object) => {
    const answer = await call('POST', '/channels/1/replays', body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(400);
    return (answer.body.details as Body).api_name;
  };
  expect(await refused({ from: 3, to: 2 })).toBe('to');
  expect(await refused({ from: 0 })).toBe('from');
  expect(await refused({ from: 1, from_time: '2026-01-01T00:00:00Z' })).toBe('from_time');
  expect(await refused({ to: 1, to_time: '2026-01-01T00:00:00Z' })).toBe('to_time');
  expect(await refused({ from_time: 'yesterday' })).toBe('from_time');
  expect(await refused({ from_time: '2026-01-02T00:00:00Z', to_time: '2026-01-01T00:00:00Z' })).toBe('to_time');
  expect(await refused({ rate: 5001 })).toBe('rate');
  expect(await refused({ which: 'some' })).toBe('which');
  expect(await refused({ speed: 5 })).toBe('speed');
});

test('a channel has at most twenty jobs that have not ended, however many are asked for at once', async () => {
  await make(20);
  receiver.behave(failing);
  const failed = await replay({ which: 'all' });
  for (let wait = 0; wait < 4; wait += 1) {
    await app.app.idle();
    app.clock.advance(30 * SECOND);
  }
  await app.app.idle();
  expect(await show(failed)).toMatchObject({ state: 'failed' });
  const asked = await Promise.all(
    Array.from({ length: 30 }, () => call('POST', '/channels/1/replays', { which: 'all', rate: 1 })),
  );
  expect(asked.filter(({ status }) => status === 201)).toHaveLength(20);
  expect(asked.filter(({ body }) => body.code === 'LIMIT_REACHED')).toHaveLength(10);
  expect(await call('POST', '/channels/1/replays', {})).toMatchObject({ body: { code: 'LIMIT_REACHED' } });
  expect(await act(failed, 'resume')).toMatchObject({ body: { code: 'LIMIT_REACHED' } });
  await act(asked.find(({ status }) => status === 201)?.body ?? {}, 'cancel');
  expect(await act(failed, 'resume')).toMatchObject({ status: 200, body: { state: 'running' } });
});
