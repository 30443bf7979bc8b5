import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

const [OLD, NEW] = ['a'.repeat(64), 'b'.repeat(64)];

let app: LiveApp | undefined;
let receiver: Receiver | undefined;
const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-keys-'));
afterEach(async () => {
  await app?.app.stop();
  await receiver?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** What the metric says: former keys that are still needed. */
async function neededKeys(base: string): Promise<number> {
  const text = await (await fetch(`${base}/metrics`, { headers: { authorization: 'Bearer dev-admin' } })).text();
  return Number(/^watchbell_former_secret_keys (\d+)$/m.exec(text)?.[1]);
}

test('a server takes a new key over a restart: channels, owed notifications and page tokens go on', async () => {
  const clock = createManualClock();
  receiver = await startReceiver((_, response) => response.writeHead(500).end());
  const start = (flags: { secretKey: string; formerSecretKeys?: string }) => startLiveApp({ dataDir, clock, flags });

  app = await start({ secretKey: OLD });
  const watched = { notify_url: `${receiver.origin}/1`, events: ['Leads.all'], token: 'verify-me' };
  await app.owner.call('POST', '/crm/v8/actions/watch', { watch: [{ channel_id: '1', ...watched }] });
  await app.owner.call('POST', '/crm/v8/Leads', { data: [{ Last_Name: 'A', Company: 'C' }] });
  await app.app.idle();
  const page = await app.owner.call('GET', '/crm/v8/Leads?fields=Last_Name&per_page=1');
  const { next_page_token } = (page.body as { info: { next_page_token: string } }).info;
  await app.app.stop();

  await expect(start({ secretKey: NEW })).rejects.toMatchObject({ code: 'WRONG_SECRET_KEY' });

  app = await start({ secretKey: NEW, formerSecretKeys: OLD });
  const { base } = app;
  await expect.poll(() => neededKeys(base)).toBe(0);
  const next = await app.owner.call('GET', `/crm/v8/Leads?fields=Last_Name&per_page=1&page_token=${next_page_token}`);
  expect(next).toMatchObject({ status: 200, body: { info: { page: 2 } } });
  await app.app.stop();

  receiver.behave((_, response) => response.end());
  app = await start({ secretKey: NEW });
  clock.advance(10_000);
  const [first, again] = await receiver.first(2);
  expect(again?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
  expect(again?.body).toMatchObject({ token: 'verify-me' });
  await app.app.idle();
  const stale = await app.owner.call('GET', `/crm/v8/Leads?fields=Last_Name&per_page=1&page_token=${next_page_token}`);
  expect(stale).toMatchObject({ status: 400, body: { code: 'INVALID_DATA' } });
});
