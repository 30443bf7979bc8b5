import { expect, test } from 'vitest';
import { withClient } from '../support/postgres/with-client.ts';
import { type Node, setUpCluster } from './nodes.ts';

const CHANNELS = 12;

async function signIn({ base }: Node): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: '1000.DEV',
    client_secret: 'dev-secret',
    refresh_token: '1000.dev.refresh',
  });
  const answer = await fetch(`${base}/oauth/v2/token`, { method: 'POST', body: form });
  return ((await answer.json()) as { access_token: string }).access_token;
}

test('behind a pooler nodes send for all channels, and none listens for being woken', async () => {
  const cluster = await setUpCluster();
  const flags = { databasePooler: 'on' };
  const [a, b] = [await cluster.start(flags), await cluster.start(flags)];
  const headers = { authorization: `Zoho-oauthtoken ${await signIn(a)}` };
  const watch = Array.from({ length: CHANNELS }, (_, i) => ({
    channel_id: String(i + 1),
    events: ['Leads.create'],
    notify_url: `${a.base}/_watchbell/inbox/all`,
  }));
  const opened = await fetch(`${a.base}/crm/v8/actions/watch`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ watch }),
  });
  expect(opened.status).toBe(201);
  // What one node gave out is good at the other.
  const made = await fetch(`${b.base}/crm/v8/Leads`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ data: [{ Last_Name: 'Pooled', Company: 'C' }] }),
  });
  expect(made.status).toBe(201);
  const received = async () => {
    const { body } = await a.ask('GET', '/_watchbell/v1/inbox/all');
    return (body as { messages: { body: { channel_id: string } }[] }).messages.length;
  };
  await expect.poll(received, { timeout: 20_000 }).toBe(CHANNELS);
  const listening = await withClient(cluster.url, async (client) => {
    const { rows } = await client.query(
      `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%watchbell_committed%' AND pid <> pg_backend_pid()`,
    );
    return rows[0].n;
  });
  expect(listening).toBe(0);
});
