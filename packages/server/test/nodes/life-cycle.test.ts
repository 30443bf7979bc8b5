import { expect, onTestFinished, test } from 'vitest';
import { withClient } from '../support/postgres/with-client.ts';
import { startReceiver } from '../support/receiver.ts';
import { type Node, setUpCluster } from './nodes.ts';

const ORG = '3652397';
const ORGS = `/_watchbell/v1/orgs/${ORG}`;

async function signIn({ base }: Node): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: '1000.DEV',
    client_secret: 'dev-secret',
    refresh_token: '1000.dev.refresh',
  });
  const answer = await fetch(`${base}/oauth/v2/token`, { method: 'POST', body });
  return ((await answer.json()) as { access_token: string }).access_token;
}

test('of two nodes one tells what either committed, and each notice comes once; the other goes on when it is gone', async () => {
  const cluster = await setUpCluster();
  const owner = await startReceiver();
  onTestFinished(() => owner.close());
  const [one, two] = [await cluster.start(), await cluster.start()];
  const nodes = [one, two];
  const notices = () =>
    withClient(cluster.url, async (client) => {
      const { rows } = await client.query<{ version: string; id: string; kind: string; state: string }>(
        'SELECT version, id, kind, state FROM notice ORDER BY version, part',
      );
      return rows;
    });
  const opened = await fetch(`${one.base}/crm/v8/actions/watch`, {
    method: 'POST',
    headers: { authorization: `Zoho-oauthtoken ${await signIn(one)}` },
    body: JSON.stringify({ watch: [{ channel_id: '1', events: ['Contacts.all'], notify_url: owner.origin }] }),
  });
  expect(opened.status).toBe(201);
  expect((await two.ask('PUT', `${ORGS}/lifecycle`, { url: owner.origin })).status).toBe(200);
  const { channels } = (await one.ask('GET', `${ORGS}/channels`)).body as { channels: { generation: string }[] };
  const channel = `${ORGS}/channels/${channels[0]?.generation}`;

  for (let i = 0; i < 8; i += 1) {
    const act = i % 2 === 0 ? 'suspend' : 'resume';
    expect((await nodes[(i >> 1) % 2]?.ask('POST', `${channel}/${act}`, {}))?.status).toBe(200);
  }
  await owner.first(8);
  // Moved by one node, for both.
  expect((await one.ask('POST', '/_watchbell/v1/clock/advance', { by: '46m' })).status).toBe(200);
  await owner.first(9);
  for (const node of nodes) await node.app.idle();
  const made = await notices();
  expect(made.map(({ kind }) => kind)).toEqual([...Array(4).fill(['suspended', 'resumed']).flat(), 'expiring']);
  expect(made.every(({ state }) => state === 'delivered')).toBe(true);
  expect(owner.received.map(({ headers }) => headers['webhook-id'])).toEqual(made.map(({ id }) => id));

  // Each in turn has it for itself.
  await one.stop();
  expect((await two.ask('POST', `${channel}/suspend`)).status).toBe(200);
  await owner.first(10);
  const three = await cluster.start();
  await two.stop();
  expect((await three.ask('POST', `${channel}/resume`, {})).status).toBe(200);
  await owner.first(11);
  await three.app.idle();
  expect((await notices()).map(({ kind }) => kind).slice(9)).toEqual(['suspended', 'resumed']);
  expect(owner.received).toHaveLength(11);
});

test('a notice is sent again by the node that tells, whichever was asked', async () => {
  const cluster = await setUpCluster();
  const owner = await startReceiver();
  onTestFinished(() => owner.close());
  const nodes = [await cluster.start(), await cluster.start()];
  const [one] = nodes;
  if (!one) throw new Error('there is no node');
  await fetch(`${one.base}/crm/v8/actions/watch`, {
    method: 'POST',
    headers: { authorization: `Zoho-oauthtoken ${await signIn(one)}` },
    body: JSON.stringify({ watch: [{ channel_id: '1', events: ['Contacts.all'], notify_url: owner.origin }] }),
  });
  await one.ask('PUT', `${ORGS}/lifecycle`, { url: owner.origin });
  const { channels } = (await one.ask('GET', `${ORGS}/channels`)).body as { channels: { generation: string }[] };
  await one.ask('POST', `${ORGS}/channels/${channels[0]?.generation}/suspend`);
  const [first] = await owner.first(1);
  for (const node of nodes) await node.app.idle();
  for (const [i, node] of nodes.entries()) {
    const id = first?.headers['webhook-id'];
    expect((await node.ask('POST', `${ORGS}/notices/${id}/redeliver`)).status).toBe(202);
    expect((await owner.first(i + 2)).at(-1)?.headers['webhook-id']).toBe(id);
    for (const other of nodes) await other.app.idle();
  }
});
