import { expect, onTestFinished, test } from 'vitest';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { type Node, setUpCluster } from './nodes.ts';

const ORGS = '/_watchbell/v1/orgs/3652397';
const COUNT = 60;

interface Job {
  readonly id: string;
  readonly state: string;
}

/** A channel with notifications that were delivered; answers its path. */
async function setScene(node: Node): Promise<{ readonly receiver: Receiver; readonly channel: string }> {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const form = {
    grant_type: 'refresh_token',
    client_id: '1000.DEV',
    client_secret: 'dev-secret',
    refresh_token: '1000.dev.refresh',
  };
  const signed = await fetch(`${node.base}/oauth/v2/token`, { method: 'POST', body: new URLSearchParams(form) });
  const headers = {
    authorization: `Zoho-oauthtoken ${((await signed.json()) as { access_token: string }).access_token}`,
  };
  const post = async (path: string, body: object) => {
    const { status } = await fetch(node.base + path, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(status).toBe(201);
  };
  const entry = { channel_id: '1', events: ['Contacts.all'], notify_url: receiver.origin };
  await post('/crm/v8/actions/watch', { watch: [entry] });
  for (let made = 0; made < COUNT; made += 1) await post('/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  await receiver.first(COUNT);
  const { body } = await node.ask('GET', `${ORGS}/channels`);
  const [channel] = (body as { channels: { generation: string }[] }).channels;
  return { receiver, channel: `${ORGS}/channels/${channel?.generation}` };
}

async function ask(node: Node, method: string, path: string, body?: object): Promise<Job> {
  const answer = await node.ask(method, path, body);
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return answer.body as Job;
}

async function until(node: Node, { id }: Job, isReached: (job: Job) => boolean): Promise<Job> {
  for (;;) {
    const job = await ask(node, 'GET', `${ORGS}/jobs/${id}`);
    if (isReached(job)) return job;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const again = ({ received }: Receiver): number[] =>
  received.slice(COUNT).map(({ headers }) => Number(headers['watchbell-sequence']));
const all = Array.from({ length: COUNT }, (_, i) => i + 1);

test('a node that leaves hands a replay on, which sends the rest and nothing twice', async () => {
  const cluster = await setUpCluster();
  const first = await cluster.start();
  const { receiver, channel } = await setScene(first);
  const job = await ask(first, 'POST', `${channel}/replays`, { which: 'all', rate: 50 });
  await receiver.first(COUNT + 10);
  const second = await cluster.start();
  await first.stop();
  expect(again(receiver).length).toBeLessThan(COUNT);
  expect(await until(second, job, ({ state }) => state !== 'running')).toMatchObject({ state: 'done', done: COUNT });
  expect(again(receiver).sort((a, b) => a - b)).toEqual(all);
});

test('whichever node is asked, a job is worked on by the one that sends for its channel, and stops when it is told', async () => {
  const cluster = await setUpCluster();
  const nodes = [await cluster.start(), await cluster.start()] as const;
  const { receiver, channel } = await setScene(nodes[0]);
  const [one, other] = nodes;
  // One of the two does not send for the channel.
  for (const [asked, told] of [
    [one, other],
    [other, one],
  ] as const) {
    const before = receiver.received.length;
    const job = await ask(asked, 'POST', `${channel}/replays`, { which: 'all', rate: 20 });
    await receiver.first(before + 5);
    expect(await ask(told, 'POST', `${ORGS}/jobs/${job.id}/pause`)).toMatchObject({ state: 'paused' });
    expect(await ask(asked, 'POST', `${ORGS}/jobs/${job.id}/cancel`)).toMatchObject({ state: 'cancelled' });
    const redelivered = await asked.ask('POST', `${channel}/notifications/7/redeliver`);
    expect(redelivered).toMatchObject({ status: 200, body: { attempt: { outcome: 'delivered' } } });
    expect((await told.ask('POST', `${channel}/notifications/8/redeliver`)).status).toBe(200);
  }
});

test('a channel that another node changed is sent to as it is now', async () => {
  const cluster = await setUpCluster();
  const [one, other] = [await cluster.start(), await cluster.start()];
  const { receiver, channel } = await setScene(one);
  const job = await ask(one, 'POST', `${channel}/replays`, { which: 'all', rate: 20 });
  await receiver.first(COUNT + 5);
  for (const [node, act, note] of [
    [other, 'suspend', expect.stringContaining('suspended')],
    [one, 'resume', null],
    [one, 'suspend', expect.stringContaining('suspended')],
    [other, 'resume', null],
  ] as const) {
    await ask(node, 'POST', `${channel}/${act}`);
    const shown = await until(node, job, (now) => ((now as Job & { note: unknown }).note !== null) === (note !== null));
    expect(shown).toMatchObject({ state: 'running', note });
  }
  expect(await until(other, job, ({ state }) => state !== 'running')).toMatchObject({ state: 'done', done: COUNT });
  expect(again(receiver).sort((a, b) => a - b)).toEqual(all);
});
