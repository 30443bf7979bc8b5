import { expect, onTestFinished, test } from 'vitest';
import { startReceiver } from '../support/receiver.ts';
import { type Node, setUpCluster } from './nodes.ts';

const OWN = '/_watchbell/v1/channels';
/** Enough for each of two nodes to send for some. */
const CHANNELS = ['1', '2', '3', '4', '5', '6'];

interface Page {
  readonly notifications: readonly { readonly number: number; readonly id: string; readonly rematch: string | null }[];
  readonly through: number;
}
type Call = <Body>(node: Node, method: string, path: string, body?: object) => Promise<Body>;

async function signIn({ base }: Node): Promise<Call> {
  const form = {
    grant_type: 'refresh_token',
    client_id: '1000.DEV',
    client_secret: 'dev-secret',
    refresh_token: '1000.dev.refresh',
  };
  const signed = await fetch(`${base}/oauth/v2/token`, { method: 'POST', body: new URLSearchParams(form) });
  const { access_token } = (await signed.json()) as { access_token: string };
  return async <Body>(node: Node, method: string, path: string, body?: object) => {
    const answer = await fetch(node.base + path, {
      method,
      headers: { authorization: `Zoho-oauthtoken ${access_token}` },
      ...(body && { body: JSON.stringify(body) }),
    });
    const read = (await answer.json()) as Body;
    expect(answer.status, `${method} ${path}: ${JSON.stringify(read)}`).toBeLessThan(300);
    return read;
  };
}

/** Two nodes, with a receiver of all channels. */
async function setScene() {
  const cluster = await setUpCluster();
  const nodes = [await cluster.start(), await cluster.start()] as const;
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const call = await signIn(nodes[0]);
  const open = (node: Node) =>
    call(node, 'POST', '/crm/v8/actions/watch', {
      watch: CHANNELS.map((channel_id) => ({ channel_id, events: ['Contacts.create'], notify_url: receiver.origin })),
    });
  const write = (node: Node) => call(node, 'POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  return { nodes, receiver, call, open, write };
}

test('who waits at one node is answered by what another commits', async () => {
  const { nodes, call, open, write } = await setScene();
  const [one, other] = nodes;
  await open(one);
  for (const [i, [at, by]] of [
    [one, other],
    [other, one],
  ].entries()) {
    if (!at || !by) throw new Error('there are two nodes');
    const waiting = call<Page>(at, 'GET', `${OWN}/1/feed?after=${i}&wait=25`);
    await write(by);
    const { notifications } = await waiting;
    expect(notifications.map(({ number }) => number)).toEqual([i + 1]);
  }
});

test('numbers of a re-match go on whichever node gave the last, and each is sent once', async () => {
  const { nodes, receiver, call, open, write } = await setScene();
  const [one, other] = nodes;
  await open(one);
  await write(one);
  await write(other);
  await one.ask('POST', '/_watchbell/v1/clock/advance', { by: '2h' });
  for (const node of [one, other, one, other]) await write(node);
  await open(other);
  await write(one);
  const jobs: string[] = [];
  for (const [i, channel] of CHANNELS.entries()) {
    const asked = await call<{ jobs: { id: string }[] }>(
      nodes[i % 2 === 0 ? 0 : 1],
      'POST',
      `${OWN}/${channel}/rematches`,
      {
        all: true,
      },
    );
    jobs.push(...asked.jobs.map(({ id }) => id));
    // Both give numbers while it goes on.
    await Promise.all([write(one), write(other)]);
  }
  for (const id of jobs) {
    for (;;) {
      const { state } = await call<{ state: string }>(other, 'GET', `/_watchbell/v1/jobs/${id}`);
      if (state === 'done') break;
      expect(state).toBe('running');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  await write(other);
  await write(one);
  const each = 2 + 4 + 1 + 2 * CHANNELS.length + 2;
  await receiver.first(each * CHANNELS.length);
  const sent = receiver.received.map(({ headers }) => String(headers['webhook-id']));
  const read: string[] = [];
  for (const channel of CHANNELS) {
    const pages = await Promise.all(nodes.map((node) => call<Page>(node, 'GET', `${OWN}/${channel}/feed`)));
    const [page] = pages;
    expect(pages[1]?.notifications.map(({ id }) => id)).toEqual(page?.notifications.map(({ id }) => id));
    expect(page?.notifications.map(({ number }) => number)).toEqual(Array.from({ length: each }, (_, i) => i + 1));
    expect(page?.notifications.filter(({ rematch }) => rematch !== null)).toHaveLength(4);
    read.push(...(page?.notifications ?? []).map(({ id }) => id));
  }
  expect([...sent].sort()).toEqual(read.sort());
});
