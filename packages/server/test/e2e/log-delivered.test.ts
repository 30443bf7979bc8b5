import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { startServerProcess } from '../support/server-process.ts';
import { removeData } from '../support/test-data.ts';

let dataDir: string;
let receiver: Receiver;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'watchbell-log-'));
  receiver = await startReceiver();
});
afterEach(async () => {
  await receiver.close();
  await removeData(dataDir);
});

test.each([
  ['on', 1],
  ['off', 0],
])('with --log-delivered %s, what was delivered is %i lines of information', async (setting, lines) => {
  const flags = ['--log-level', 'info', '--log-delivered', setting];
  const server = await startServerProcess({ dataDir, port: 0, flags });
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: '1000.DEV',
    client_secret: 'dev-secret',
    refresh_token: '1000.dev.refresh',
  });
  const token = (await (await fetch(`${server.base}/oauth/v2/token`, { method: 'POST', body: form })).json()) as {
    access_token: string;
  };
  const headers = { authorization: `Zoho-oauthtoken ${token.access_token}` };
  const watch = [{ channel_id: '1', events: ['Contacts.create'], notify_url: receiver.origin }];
  const call = (path: string, body: object) =>
    fetch(server.base + path, { method: 'POST', headers, body: JSON.stringify(body) });
  expect((await call('/crm/v8/actions/watch', { watch })).status).toBe(201);
  expect((await call('/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] })).status).toBe(201);
  await receiver.first(1);
  await server.kill('SIGTERM');
  expect(server.log().split('"msg":"notification delivered"')).toHaveLength(lines + 1);
});
