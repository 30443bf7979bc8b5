import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';

let app: LiveApp;
let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
  app = await startLiveApp();
  await open();
});

afterEach(async () => {
  await app.stop();
  await receiver.close();
});

async function open(channel_id = '1', more: object = {}): Promise<void> {
  const entry = { channel_id, events: ['Contacts.all'], notify_url: receiver.origin, ...more };
  expect((await app.owner.call('POST', '/crm/v8/actions/watch', { watch: [entry] })).status).toBe(201);
}

/** Makes `count` notifications, each about a contact of its own. */
async function make(count: number): Promise<void> {
  for (let made = 0; made < count; made += 1) {
    const { status } = await app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: `Boyle ${made}` }] });
    expect(status).toBe(201);
  }
  await app.app.idle();
}

/** Lets every attempt of what is owed fail, until all is parked. */
async function park(): Promise<void> {
  for (let day = 0; day < 40; day += 1) {
    app.clock.advance(3_600_000);
    await app.app.idle();
  }
}

type Body = Record<string, unknown>;
const call = async (method: string, path: string, body?: object): Promise<{ status: number; body: Body }> =>
  (await app.owner.call(method, `/_watchbell/v1${path}`, body)) as { status: number; body: Body };

async function replay(body: object = {}): Promise<Body> {
  const made = await call('POST', '/channels/1/replays', body);
  expect(made, JSON.stringify(made.body)).toMatchObject({ status: 201 });
  return made.body;
}

const show = async (job: Body): Promise<Body> => (await call('GET', `/jobs/${String(job.id)}`)).body;

const numbers = (from = 0): number[] =>
  receiver.received.slice(from).map(({ headers }) => Number(headers['watchbell-sequence']));

test('what was delivered is sent again on request, with the same id, number and body, marked, and once', async () => {
  await make(3);
  const job = await replay({ which: 'all', from: 2, rate: 1000 });
  await app.app.idle();
  expect(numbers().slice(3).sort()).toEqual([2, 3]);
  const [, second] = receiver.received;
  const again = receiver.received.slice(3).find(({ headers }) => headers['watchbell-sequence'] === '2');
  expect(again?.body).toBe(second?.body);
  expect(again?.headers['webhook-id']).toBe(second?.headers['webhook-id']);
  expect(again?.headers).toMatchObject({ 'watchbell-replay': job.id, 'watchbell-attempt': '2' });
  expect(second?.headers).not.toHaveProperty('watchbell-replay');
  expect(await show(job)).toMatchObject({ state: 'done', position: 3, done: 2, failed: 0, passed: 0, total: 2 });
});

test('a redelivery answers what came of it', async () => {
  await make(1);
  const { status, body } = await call('POST', '/channels/1/notifications/1/redeliver');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    attempt: { attempt: 2, outcome: 'delivered', status: 200 },
    job: { state: 'done', done: 1 },
  });
  receiver.behave(failing);
  const refused = await call('POST', '/channels/1/notifications/1/redeliver');
  expect(refused.body).toMatchObject({
    attempt: { attempt: 3, outcome: 'rejected' },
    job: { state: 'done', failed: 1 },
  });
  receiver.behave(ok);
});
