import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

const HOUR = 3_600_000;
const CHANNEL = '/_watchbell/v1/channels/1';

let app: LiveApp;
let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
  app = await startLiveApp();
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
const lapses = async () =>
  ok<{ lapses: readonly Lapse[] }>(await app.owner.call('GET', `${CHANNEL}/lapses`)).lapses;
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
