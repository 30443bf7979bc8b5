import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { ok as answering, failing, type Receiver, startReceiver } from '../support/receiver.ts';
import { changeIn } from '../support/test-data.ts';

const HOUR = 3_600_000;
const CHANNEL = '/_watchbell/v1/channels/1';

let dataDir: string;
let app: LiveApp;
let receiver: Receiver;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'watchbell-rematch-'));
  receiver = await startReceiver();
  app = await startLiveApp({ dataDir, flags: { maxBacklog: '20' } });
});
afterEach(async () => {
  await receiver.close();
  await app.stop();
});

interface Lapse {
  readonly kind: string;
  readonly from_change: number;
  readonly to_change: number | null;
  readonly rematched_to: number | null;
  readonly can_rematch: boolean;
  readonly hindrance: string | null;
  readonly gone_to: number | null;
}
interface Job {
  readonly id: string;
  readonly state: string;
  readonly note: string | null;
  readonly done: number;
  readonly passed: number;
}

async function open(more: object = {}): Promise<void> {
  const { status, body } = await app.owner.call('POST', '/crm/v8/actions/watch', {
    watch: [{ channel_id: '1', events: ['Contacts.create'], notify_url: receiver.origin, ...more }],
  });
  expect(status, JSON.stringify(body)).toBe(201);
}

async function write(module = 'Contacts'): Promise<void> {
  const data = [module === 'Leads' ? { Last_Name: 'Boyle', Company: 'Zylker' } : { Last_Name: 'Boyle' }];
  expect((await app.owner.call('POST', `/crm/v8/${module}`, { data })).status).toBe(201);
}

const ok = <Body>({ status, body }: Answer, expected = 200): Body => {
  expect(status, JSON.stringify(body)).toBe(expected);
  return body as Body;
};
const lapses = async () => ok<{ lapses: readonly Lapse[] }>(await app.owner.call('GET', `${CHANNEL}/lapses`)).lapses;
const rematch = async (wish: object): Promise<Answer> => app.owner.call('POST', `${CHANNEL}/rematches`, wish);

async function jobDone(id: string): Promise<Job> {
  await app.app.idle();
  return ok<Job>(await app.owner.call('GET', `/_watchbell/v1/jobs/${id}`));
}

/** A channel that lapsed after one notification, and saw nothing of what came then. */
async function lapse(changes: readonly string[]): Promise<Lapse> {
  await open({ channel_expiry: `${new Date(app.clock.now() + HOUR / 2).toISOString().slice(0, 19)}Z` });
  await write();
  await app.app.idle();
  app.clock.advance(HOUR);
  for (const module of changes) await write(module);
  const [found] = await lapses();
  if (!found) throw new Error('it did not lapse');
  return found;
}

test('what a lapsed channel missed is numbered on, once, by the channel as it was, marked and sent', async () => {
  const { from_change } = await lapse(['Contacts', 'Leads', 'Contacts']);
  expect(await rematch({ lapse: 'expired', from_change })).toMatchObject({
    status: 400,
    body: { code: 'INVALID_DATA', details: { api_name: 'from_change' } },
  });
  // Renewed, it watches something else: what it missed is what it watched then.
  await open({ events: ['Leads.create'] });
  const [closed] = await lapses();
  expect(closed).toMatchObject({ kind: 'expired', to_change: from_change + 3, can_rematch: true, rematched_to: null });
  expect(ok(await app.owner.call('GET', `${CHANNEL}/gaps`))).toMatchObject({
    numbers: [],
    through: 1,
    last_number: 1,
    lapses: [{ from_change, can_rematch: true, changes: 3 }],
  });
  expect(ok(await rematch({ lapse: 'expired', from_change, dry_run: true }))).toMatchObject({
    lapses: [{ looked_at: 3, notifications: 2 }],
  });
  const { jobs } = ok<{ jobs: readonly Job[] }>(await rematch({ lapse: 'expired', from_change }), 201);
  const job = await jobDone(jobs[0]?.id ?? '');
  expect(job).toMatchObject({ state: 'done', done: 2, passed: 1, note: null });

  await receiver.first(3);
  expect(receiver.received.map(({ headers, body }) => [headers['watchbell-sequence'], body.module])).toEqual([
    ['1', 'Contacts'],
    ['2', 'Contacts'],
    ['3', 'Contacts'],
  ]);
  expect(receiver.received.map(({ headers }) => headers['watchbell-rematch'])).toEqual([undefined, job.id, job.id]);
  expect(ok(await app.owner.call('GET', `${CHANNEL}/gaps`))).toMatchObject({ numbers: [], lapses: [], through: 3 });
  expect(await rematch({ lapse: 'expired', from_change })).toMatchObject({
    status: 400,
    body: { details: { api_name: 'from_change' } },
  });
  await write('Leads');
  await receiver.first(4);
  expect(receiver.received[3]?.headers['watchbell-sequence']).toBe('4');
});

test('what retention took of a lapse is told and stays listed; the rest is done', async () => {
  const { from_change } = await lapse(['Contacts', 'Contacts', 'Contacts', 'Contacts']);
  await open();
  await changeIn(dataDir, `DELETE FROM record_change WHERE number <= ${from_change + 2}`);
  expect((await lapses())[0]).toMatchObject({ gone_to: from_change + 2, can_rematch: true });
  const { jobs } = ok<{ jobs: readonly Job[] }>(await rematch({ all: true }), 201);
  const gone = `Retention had removed the changes ${from_change + 1} to ${from_change + 2}`;
  expect(await jobDone(jobs[0]?.id ?? '')).toMatchObject({
    state: 'done',
    done: 2,
    note: expect.stringContaining(gone),
  });
  expect(await lapses()).toMatchObject([
    { from_change, to_change: from_change + 2, rematched_to: null, can_rematch: false, hindrance: 'gone' },
    { from_change: from_change + 2, to_change: from_change + 4, rematched_to: from_change + 4, hindrance: 'done' },
  ]);
  expect(ok(await app.owner.call('GET', `${CHANNEL}/gaps`))).toMatchObject({
    numbers: [],
    lapses: [{ from_change, hindrance: 'gone', changes: 2 }],
  });
  expect(await rematch({ lapse: 'expired', from_change })).toMatchObject({
    status: 400,
    body: { code: 'INVALID_DATA', message: expect.stringContaining('Retention removed') },
  });
  expect(ok(await rematch({ all: true }), 201)).toEqual({ jobs: [] });
});

test('one job at a time is about a lapse; after one that was cancelled another goes on where it stood', async () => {
  const { from_change } = await lapse(['Contacts', 'Contacts', 'Contacts']);
  await open();
  const [first, second] = await Promise.all([rematch({ all: true }), rematch({ lapse: 'expired', from_change })]);
  await app.app.idle();
  for (const { status, body } of [first, second]) {
    if (status === 201) continue;
    expect(body).toMatchObject({ details: { api_name: 'from_change' } });
  }
  await receiver.first(4);
  expect(receiver.received.map(({ headers }) => headers['watchbell-sequence'])).toEqual(['1', '2', '3', '4']);

  // As a job leaves it that was cancelled after its first piece.
  await changeIn(dataDir, `UPDATE lapse SET rematched_to = ${from_change + 2}`);
  await changeIn(dataDir, `UPDATE job SET state = 'paused'`);
  expect(await rematch({ lapse: 'expired', from_change })).toMatchObject({
    status: 400,
    body: { code: 'DUPLICATE_DATA' },
  });
  await changeIn(dataDir, `UPDATE job SET state = 'cancelled'`);
  const { jobs } = ok<{ jobs: readonly Job[] }>(await rematch({ lapse: 'expired', from_change }), 201);
  expect(await jobDone(jobs[0]?.id ?? '')).toMatchObject({ state: 'done', done: 1 });
});

test('it waits while the channel owes too much or has expired again, says so, and goes on by itself', async () => {
  receiver.behave(failing);
  await lapse(Array.from({ length: 30 }, () => 'Contacts'));
  await open();
  const { jobs } = ok<{ jobs: readonly Job[] }>(await rematch({ all: true }), 201);
  const id = jobs[0]?.id ?? '';
  const waiting = await jobDone(id);
  expect(waiting).toMatchObject({ state: 'running', note: 'Waits until the channel owes less' });
  // It stays below the limit at which the channel would overflow.
  expect(waiting.done).toBeGreaterThan(5);
  expect(waiting.done).toBeLessThan(20);
  app.clock.advance(2 * HOUR);
  await write();
  app.clock.advance(HOUR);
  await app.app.idle();
  await open();
  receiver.behave(answering);
  // It tries again every few seconds; who looks after it need not wait for that.
  for (let i = 0; i < 100 && (await jobDone(id)).state !== 'done'; i += 1) {
    app.clock.advance(HOUR / 4);
    if (i % 3 === 0) await open();
    await app.app.idle();
    for (const act of ['pause', 'resume']) await app.owner.call('POST', `/_watchbell/v1/jobs/${id}/${act}`);
  }
  expect(await jobDone(id)).toMatchObject({ state: 'done', done: 30, note: null });
  const {
    last_number,
    numbers,
    lapses: left,
  } = ok<{
    last_number: number;
    numbers: readonly object[];
    lapses: readonly { changes: number }[];
  }>(await app.owner.call('GET', `${CHANNEL}/gaps`));
  expect({ last_number, numbers, left: left.map(({ changes }) => changes) }).toEqual({
    last_number: 31,
    numbers: [],
    left: [1],
  });
});

test('a channel that has expired, or has ended, is told what to do; so is who names no lapse', async () => {
  const { from_change } = await lapse(['Contacts']);
  await open({ channel_expiry: `${new Date(app.clock.now() + HOUR / 2).toISOString().slice(0, 19)}Z` });
  app.clock.advance(HOUR);
  await write('Leads');
  expect(await rematch({ lapse: 'expired', from_change })).toMatchObject({
    status: 400,
    body: { details: { api_name: 'channel' }, message: expect.stringContaining('renews it by a POST') },
  });
  expect(await rematch({ lapse: 'overflow', from_change })).toMatchObject({ status: 404 });
  for (const wish of [
    {},
    { all: false },
    { all: true, lapse: 'expired' },
    { lapse: 'expired' },
    { lapse: 'other', from_change },
  ])
    expect(await rematch(wish), JSON.stringify(wish)).toMatchObject({ status: 400, body: { code: 'INVALID_DATA' } });
  expect(ok(await rematch({ all: true }), 201)).toEqual({ jobs: [] });
});
