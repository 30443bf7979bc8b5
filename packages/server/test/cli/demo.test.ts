import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { readCredentials } from '../support/server-process.ts';
import { runCommand, temporaryDirectory } from './command.ts';
import { type DevServer, startDevServer } from './dev-server.ts';

let server: DevServer;
beforeAll(async () => {
  server = await startDevServer();
});
afterAll(() => server.stop());

test('on a running server the demo prints every notification and exits 0, leaving nothing behind', async () => {
  const { code, stdout } = await runCommand(['demo', '--data-dir', server.dataDir]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^#1 Leads insert \d+\n/);
  expect(stdout).toMatch(/^#6 Deals update \d+ \(Stage, Probability\)$/m);
  expect(stdout).toMatch(/\nExactly the 9 owed notifications came, numbered 1 to 9\.\n$/);
  expect((await server.client.watch.list()).watch).toEqual([]);
});

test('without a server the demo starts one of its own, whatever the environment configures', async () => {
  const settings = { WATCHBELL_PUBLIC_URL: 'http://127.0.0.1:1', WATCHBELL_DATA_DIR: temporaryDirectory() };
  const { code, stdout, stderr } = await runCommand(['demo', '--json'], settings);
  expect(stderr).toContain('starting one for the demo');
  expect({ code, ...JSON.parse(stdout) }).toEqual({ code: 0, ok: true, owed: 9, arrived: 9, problems: [] });
});

test.each([
  ['swallows a notification', 0, /^missing: Deals insert \d+$/],
  ['sends a notification on twice under two ids', 2, /^extra: Deals insert \d+$/],
])('the demo exits 1 and says what differs when something on the way %s', async (_what, times, problem) => {
  const base = await startTampering(times);
  const flags = ['--client-id', '1000.DEV', '--client-secret', 'dev-secret', '--refresh-token', '1000.dev.refresh'];
  const { code, stdout } = await runCommand(['demo', '--base', base, ...flags, '--timeout', '1', '--json']);
  expect({ code, ...JSON.parse(stdout) }).toEqual({
    code: 1,
    ok: false,
    owed: 9,
    arrived: 8 + times,
    problems: [expect.stringMatching(problem)],
  });
});

/**
 * Stands between the demo and the server, and between the server and the demo's receiver: the notification of the new
 * deal is sent on `times` times, everything else once.
 */
async function startTampering(times: number): Promise<string> {
  const upstream = readCredentials(server.dataDir).base ?? '';
  let receiver = '';
  const proxy = createServer(async (request, response) => {
    const body = await textOf(request);
    const isNotification = request.url === '/tampering';
    if (isNotification) {
      const { module, operation } = JSON.parse(body) as { module: string; operation: string };
      const copies = module === 'Deals' && operation === 'insert' ? times : 1;
      for (let copy = 0; copy < copies; copy += 1) await send(receiver, request, body, `-${copy}`);
      response.end();
      return;
    }
    const tampered = body.replace(/"notify_url":"([^"]*)"/, (_all, url: string) => {
      receiver = url;
      return `"notify_url":"${ownBase()}/tampering"`;
    });
    const answer = await send(`${upstream}${request.url}`, request, tampered);
    response.statusCode = answer.status;
    response.end(await answer.text());
  });
  const ownBase = () => `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  });
  return ownBase();
}

function send(url: string, request: IncomingMessage, body: string, idSuffix = ''): Promise<Response> {
  const { host: _host, connection: _connection, 'content-length': _length, ...kept } = request.headers;
  const headers = new Headers(kept as Record<string, string>);
  const id = headers.get('webhook-id');
  if (id !== null) headers.set('webhook-id', id + idSuffix);
  return fetch(url, { method: request.method ?? 'GET', headers, ...(body !== '' && { body }) });
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
