import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Operate, operatorOf } from '../support/operator.ts';
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { removeData, rowsIn } from '../support/test-data.ts';

const ORG = '3652397';
const COUNT = 60;

let dataDir: string;
let server: ServerProcess;
let receiver: Receiver;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'watchbell-replay-'));
  receiver = await startReceiver();
  server = await startServerProcess({ dataDir, port: 0 });
});

afterEach(async () => {
  await server.kill('SIGKILL').catch(() => undefined);
  await receiver.close();
  await removeData(dataDir);
});

async function signIn(): Promise<(method: string, path: string, body: object) => Promise<number>> {
  const form = {
    grant_type: 'refresh_token',
    client_id: '1000.DEV',
    client_secret: 'dev-secret',
    refresh_token: '1000.dev.refresh',
  };
  const answer = await fetch(`${server.base}/oauth/v2/token`, { method: 'POST', body: new URLSearchParams(form) });
  const { access_token } = (await answer.json()) as { access_token: string };
  const headers = { authorization: `Zoho-oauthtoken ${access_token}` };
  return async (method, path, body) => {
    const { status } = await fetch(server.base + path, { method, headers, body: JSON.stringify(body) });
    return status;
  };
}

/** A replay of all that was delivered to the receiver. */
async function begin(): Promise<{ readonly id: string }> {
  const call = await signIn();
  const entry = { channel_id: '1', events: ['Contacts.all'], notify_url: receiver.origin };
  expect(await call('POST', '/crm/v8/actions/watch', { watch: [entry] })).toBe(201);
  for (let made = 0; made < COUNT; made += 1) {
    expect(await call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] })).toBe(201);
  }
  await receiver.first(COUNT);
  const operate = operatorOf(server.base);
  const { body: listed } = await operate('GET', `/orgs/${ORG}/channels`);
  const [channel] = (listed as { channels: { generation: string }[] }).channels;
  const wish = { which: 'all', rate: 200 };
  const { status, body } = await operate('POST', `/orgs/${ORG}/channels/${channel?.generation}/replays`, wish);
  expect(status).toBe(201);
  return body as { id: string };
}

const numberOf = ({ headers }: Received): number => Number(headers['watchbell-sequence']);
const again = (): readonly Received[] => receiver.received.slice(COUNT);

async function untilDone(operate: Operate, id: string): Promise<object> {
  for (;;) {
    const { body } = await operate('GET', `/orgs/${ORG}/jobs/${id}`);
    if ((body as { state: string }).state !== 'running') return body as object;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a server that is killed in the middle of a replay goes on with it, and repeats only what was not saved', async () => {
  const { id } = await begin();
  await receiver.first(COUNT + 15);
  await server.kill('SIGKILL');
  const saved = new Set(
    (await rowsIn(dataDir, `SELECT number FROM attempt WHERE job = '${id}' AND kind = 'delivered'`)).map((row) =>
      Number((row as { number: unknown }).number),
    ),
  );
  expect(again().length).toBeLessThan(COUNT);
  server = await startServerProcess({ dataDir, port: 0 });
  const job = await untilDone(operatorOf(server.base), id);
  expect(job).toMatchObject({ state: 'done', position: COUNT, done: COUNT, failed: 0, passed: 0, total: COUNT });
  const times = new Map<number, number>();
  for (const one of again()) times.set(numberOf(one), (times.get(numberOf(one)) ?? 0) + 1);
  expect([...times.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: COUNT }, (_, i) => i + 1));
  const repeated = [...times].filter(([, count]) => count > 1).map(([number]) => number);
  expect(repeated.filter((number) => saved.has(number))).toEqual([]);
  const kept = await rowsIn<{ number: number }>(
    dataDir,
    `SELECT DISTINCT number FROM attempt WHERE job = '${id}' AND kind = 'delivered'`,
  );
  expect(kept).toHaveLength(COUNT);
  expect(again().every(({ headers }) => headers['watchbell-replay'] === id)).toBe(true);
}, 60_000);

test('a server that is told to stop saves how far a replay came, and repeats nothing', async () => {
  const { id } = await begin();
  await receiver.first(COUNT + 15);
  expect(await server.kill('SIGTERM')).toBe(0);
  server = await startServerProcess({ dataDir, port: 0 });
  expect(await untilDone(operatorOf(server.base), id)).toMatchObject({ state: 'done', done: COUNT });
  expect(
    again()
      .map(numberOf)
      .sort((a, b) => a - b),
  ).toEqual(Array.from({ length: COUNT }, (_, i) => i + 1));
}, 60_000);
