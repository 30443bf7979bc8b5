import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sign } from '@watchbell/client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { cells, page, tableRows } from './page.ts';

const ORG = '3652397';
const CLIENT = new URL('../../../client', import.meta.url).pathname;

let app: LiveApp;
let directory: string;
let receiver: Receiver;
beforeEach(async () => {
  app = await startLiveApp();
  receiver = await startReceiver();
  directory = mkdtempSync(join(tmpdir(), 'watchbell-receiving-'));
});
afterEach(async () => {
  await app.stop();
  await receiver.close();
  rmSync(directory, { recursive: true });
});

/** The code between the marks of that name. */
function code(name: string): string {
  const block = page('receiving.md').split(`<!-- ${name} -->`)[1]?.split(`<!-- /${name} -->`)[0] ?? '';
  return /^```js\n([\s\S]*?)^```$/m.exec(block)?.[1] ?? '';
}

/** Installs the client as npm does, and writes the code of the page beside it. */
function install(name: string): string {
  const target = join(directory, 'node_modules/@watchbell/client');
  mkdirSync(target, { recursive: true });
  cpSync(join(CLIENT, 'dist'), join(target, 'dist'), { recursive: true });
  cpSync(join(CLIENT, 'package.json'), join(target, 'package.json'));
  writeFileSync(join(directory, name), code(name));
  return join(directory, name);
}

const secretOf = async (): Promise<string> =>
  at((await operatorOf(app.base)('PUT', `/orgs/${ORG}/signing`)).body, 'secret');

const watch = (notify_url: string) =>
  app.owner.call('POST', '/crm/v8/actions/watch', { watch: [{ channel_id: '1', notify_url, events: ['Leads.all'] }] });

async function createLead(): Promise<string> {
  const { body } = await app.owner.call('POST', '/crm/v8/Leads', { data: [{ Last_Name: 'L', Company: 'C' }] });
  await app.app.idle();
  return at(body, 'data', 0, 'details', 'id');
}

test('the headers of the page are those that are sent, and stay or change as it says', async () => {
  await secretOf();
  receiver.behave((_, response) => response.writeHead(500).end());
  await watch(`${receiver.origin}/1`);
  await createLead();
  app.clock.advance(10_000);
  const [first, again] = await receiver.first(2);
  const OF_HTTP = ['host', 'connection', 'content-length'];
  const sent = Object.keys(first?.headers ?? {}).filter((name) => !OF_HTTP.includes(name));
  const rows = tableRows(page('receiving.md'), 'headers').map(cells);
  expect(rows.map(([name]) => name).sort()).toEqual(sent.map((name) => `\`${name}\``).sort());
  for (const [name = '', , next] of rows) {
    const header = name.slice(1, -1);
    if (next === 'the same') expect(again?.headers[header], header).toBe(first?.headers[header]);
    if (next === 'one more') expect(Number(again?.headers[header])).toBe(Number(first?.headers[header]) + 1);
  }
});

test('the receiver of the page takes what is genuine, once, and refuses the rest with the codes of the page', async () => {
  const secret = await secretOf();
  const child = spawn(process.execPath, [install('receiver.mjs')], {
    env: { ...process.env, PORT: '0', SIGNING_SECRETS: `${secret} whsec_${Buffer.alloc(32).toString('base64')}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = async () => String((await lines.next()).value);
    const [, port] = /^listening (\d+)$/.exec(await line()) ?? [];
    const url = `http://127.0.0.1:${port}/`;
    await watch(url);
    const first = await createLead();
    expect(await line()).toBe(`1 Leads insert ${first}`);

    const post = async (headers: Record<string, string>, body: string) => {
      const response = await fetch(url, { method: 'POST', headers, body });
      return [response.status, await response.text()];
    };
    const headersOf = async (timestamp: number, body: string, id = 'msg_7') => ({
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': await sign({ id, timestamp, body }, secret),
      'watchbell-sequence': '7',
    });
    const now = Math.floor(Date.now() / 1000);
    const body = '{"module":"Leads","operation":"update","ids":["7"]}';
    const headers = await headersOf(now, body);
    for (let times = 0; times < 2; times += 1) expect(await post(headers, body)).toEqual([204, '']);
    expect(await line()).toBe('7 Leads update 7');

    const { 'webhook-id': _, ...nameless } = headers;
    expect([
      await post(nameless, body),
      await post({ ...headers, 'webhook-timestamp': 'now' }, body),
      await post(await headersOf(now - 400, body), body),
      await post(await headersOf(now + 400, body), body),
      await post(headers, body.replace('7', '8')),
    ]).toEqual(tableRows(page('receiving.md'), 'refusals').map((row) => [401, cells(row)[0]?.slice(1, -1)]));

    const second = await createLead();
    // Nothing came in between: what was sent twice was done once.
    expect(await line()).toBe(`2 Leads insert ${second}`);
  } finally {
    child.kill('SIGKILL');
  }
});

test('the ledger of the page knows what is missing, in whatever order numbers come', async () => {
  const path = install('ledger.mjs');
  const { createLedger } = (await import(path)) as {
    createLedger(): { add(generation: string, number: number): void; missing(generation: string): number[] };
  };
  const ledger = createLedger();
  const missing = (...numbers: number[]) => {
    for (const number of numbers) ledger.add('g', number);
    return ledger.missing('g');
  };
  expect(missing()).toEqual([]);
  expect(missing(1, 2)).toEqual([]);
  expect(missing(5, 7)).toEqual([3, 4, 6]);
  expect(missing(3, 3, 1)).toEqual([4, 6]);
  expect(missing(6, 4)).toEqual([]);
  expect(ledger.missing('another')).toEqual([]);
});

test('the page names every command of signing', () => {
  const commands = [...page('receiving.md').matchAll(/^npx watchbell signing (\w+)/gm)].map(([, verb]) => verb);
  expect(new Set(commands)).toEqual(new Set(['on', 'rotate', 'show', 'off']));
});
