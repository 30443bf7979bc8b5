import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { startHostileReceiver, UNTRUSTED } from '../support/hostile-receiver.ts';
import { startLiveApp } from '../support/live-app.ts';
import { startServerProcess } from '../support/server-process.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const WATCH = '/crm/v8/actions/watch';
const entry = (notify_url?: string) => ({ watch: [{ channel_id: '1', events: ['Leads.create'], notify_url }] });

test('a URL that would never be connected to is refused when it is given, whichever way, and the one there was stays', async () => {
  const app = await startLiveApp({
    flags: { egressPorts: '443,9000-9009', egressAllow: '10.1.0.0/16,inside.example' },
  });
  closing.push(() => app.stop());
  const { call } = app.owner;
  const kept = 'https://inside.example/hook';
  expect(await call('POST', WATCH, entry(kept))).toMatchObject({ status: 201 });
  const refused: readonly (readonly [url: string, reason: string])[] = [
    ['http://example.com/', 'port'],
    ['https://example.com:8443/', 'port'],
    ['https://inside.example:8443/', 'port'],
    ['https://10.2.0.1/', 'private'],
    ['https://[fd00:ec2::254]/', 'metadata'],
    ['https://metadata.google.internal/', 'metadata'],
    ['https://[::]/', 'unspecified'],
  ];
  for (const method of ['POST', 'PUT', 'PATCH']) {
    for (const [url, reason] of refused) {
      const { status, body } = await call(method, WATCH, entry(url));
      expect({ status, body }, `${method} ${url}`).toMatchObject({
        status: 400,
        body: { watch: [{ code: 'INVALID_DATA', details: { reason, json_path: '$.watch[0].notify_url' } }] },
      });
    }
  }
  expect(await call('PUT', WATCH, entry())).toMatchObject({ status: 200 });
  expect(await call('GET', WATCH)).toMatchObject({ body: { watch: [{ notify_url: kept }] } });
  // Loopback is allowed in the dev profile; what a name resolves to is not looked at here.
  for (const url of ['https://10.1.2.3/', 'http://127.0.0.1:9009/', 'http://localhost:9000/', 'https://example.com/']) {
    expect(await call('PATCH', WATCH, entry(url)), url).toMatchObject({ status: 200 });
  }
});

test('a receiver by TLS is sent what is owed when its certificate is trusted', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'watchbell-egress-'));
  closing.push(() => rmSync(directory, { recursive: true, force: true }));
  const authority = join(directory, 'authority.pem');
  writeFileSync(authority, UNTRUSTED.cert);
  let arrived = (): void => undefined;
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const receiver = await startHostileReceiver({
    isSecure: true,
    onRequest(socket) {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      arrived();
    },
  });
  closing.push(() => receiver.close());
  const server = await startServerProcess({
    dataDir: join(directory, 'data'),
    port: 0,
    wrapper: ['env', `NODE_EXTRA_CA_CERTS=${authority}`],
  });
  closing.push(() => server.kill('SIGTERM'));
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: '1000.DEV',
    client_secret: 'dev-secret',
    refresh_token: '1000.dev.refresh',
  });
  const signedIn = await fetch(`${server.base}/oauth/v2/token`, { method: 'POST', body: form });
  const { access_token: token } = (await signedIn.json()) as { access_token: string };
  const send = (path: string, body: unknown) =>
    fetch(server.base + path, {
      method: 'POST',
      headers: { authorization: `Zoho-oauthtoken ${token}` },
      body: JSON.stringify(body),
    });
  expect((await send(WATCH, entry(`${receiver.origin}/hook`))).status).toBe(201);
  expect((await send('/crm/v8/Leads', { data: [{ Last_Name: 'Ostrander', Company: 'Zylker' }] })).status).toBe(201);
  await arrival;
  expect(receiver.requests).toHaveLength(1);
  expect(receiver.requests[0]).toMatch(/^POST \/hook HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\n/i);
});
