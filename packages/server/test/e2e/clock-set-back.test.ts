import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import { freePort } from '../cli/command.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';
import { dataFlags, removeData } from '../support/test-data.ts';
import { signIn } from '../support/writing.ts';

const HOUR = 3_600_000;
/** The production profile's: the dev profile has a clock of its own, which ticks on. */
const SETTINGS = {
  host: '127.0.0.1',
  publicUrl: 'https://watchbell.example.com',
  secretKey: '07'.repeat(32),
  adminToken: 'an-admin-token-of-the-test',
  egressAllow: '127.0.0.0/8',
  egressPorts: '1-65535',
  logLevel: 'silent',
};

let app: App;
let base: string;
let token: string;
let clock: ManualClock;
let receiver: Receiver;
let dataDir: string;

async function start(): Promise<void> {
  const port = String(await freePort());
  const flags = { ...SETTINGS, port, ...(await dataFlags(dataDir)) };
  app = await createApp(loadConfig('production', flags, {}), { clock });
  base = `http://127.0.0.1:${port}`;
  try {
    await app.start();
  } catch (error) {
    // Somebody else was faster: another port.
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    await app.stop();
    await start();
  }
}

beforeEach(async () => {
  receiver = await startReceiver();
  clock = createManualClock();
  dataDir = mkdtempSync(join(tmpdir(), 'watchbell-clock-'));
  await start();
  const made = await app.accounts.setup({
    orgName: 'Zylker',
    timeZone: 'UTC',
    email: 'ada@example.com',
    firstName: '',
    lastName: 'Lovelace',
    clientName: 'Test',
  });
  token = await signIn(base, {
    client_id: made.clientId,
    client_secret: made.clientSecret,
    refresh_token: made.refreshToken,
  });
});

afterEach(async () => {
  await app.stop();
  await receiver.close();
  await removeData(dataDir);
});

async function call(method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(`${base}/crm/v8${path}`, {
    method,
    headers: { authorization: `Zoho-oauthtoken ${token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

async function open(lifeMs: number): Promise<void> {
  const expiry = new Date(clock.now() + lifeMs).toISOString().replace(/\.\d+Z$/, '+00:00');
  const entry = { channel_id: '1', events: ['Contacts.all'], notify_url: receiver.origin, channel_expiry: expiry };
  expect((await call('POST', '/actions/watch', { watch: [entry] })).status).toBe(201);
}

/** Answers the time at which it was created, epoch ms in whole seconds. */
async function create(): Promise<number> {
  const response = await call('POST', '/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  expect(response.status).toBe(201);
  const { data } = (await response.json()) as { data: { details: { Created_Time: string } }[] };
  return Date.parse(data[0]?.details.Created_Time ?? '');
}

const told = () =>
  receiver.received.map(({ headers }) => `${headers['watchbell-sequence']}/${headers['watchbell-attempt']}`);
const serverTimes = () => receiver.received.map(({ body }) => body.server_time as number);
const isLive = async () => (await call('GET', '/actions/watch')).status === 200;

test('with the clock set back an hour, committed time stands still, and what is new is sent and tried again as ever', async () => {
  await open(3 * HOUR);
  const began = clock.now();
  const before = await create();
  await app.idle();
  clock.set(began - HOUR);
  const after = await create();
  await app.idle();
  expect(told()).toEqual(['1/1', '2/1']);
  expect([before, after]).toEqual([began, began]);
  expect(serverTimes()).toEqual([began, began]);
  // A retry goes by the clock as it is now: five seconds, no hour.
  receiver.behave(failing);
  await create();
  await app.idle();
  receiver.behave(ok);
  clock.advance(4000);
  await app.idle();
  expect(told()).toEqual(['1/1', '2/1', '3/1']);
  clock.advance(2001);
  await receiver.first(4);
  await app.idle();
  expect(told()).toEqual(['1/1', '2/1', '3/1', '3/2']);
});

test('what waited for a retry when the clock was set back is tried once its time has come again, once', async () => {
  await open(3 * HOUR);
  const began = clock.now();
  receiver.behave(failing);
  await create();
  await app.idle();
  clock.set(began - HOUR);
  receiver.behave(ok);
  clock.advance(HOUR - 1);
  await app.idle();
  expect(told()).toEqual(['1/1']);
  await app.stop();
  await start();
  clock.advance(6002);
  await receiver.first(2);
  await app.idle();
  clock.advance(HOUR);
  await app.idle();
  expect(told()).toEqual(['1/1', '1/2']);
});

test('a channel expires by the clock as it is, and an expiry that was committed is not taken back', async () => {
  await open(2 * HOUR);
  const began = clock.now();
  clock.set(began - HOUR);
  expect(await isLive()).toBe(true);
  clock.set(began + 1.5 * HOUR);
  expect(await isLive()).toBe(true);
  await create();
  await app.idle();
  clock.set(began + 2 * HOUR);
  expect(await isLive()).toBe(false);
  await create();
  clock.set(began + HOUR);
  await create();
  await app.idle();
  expect(await isLive()).toBe(false);
  expect(told()).toEqual(['1/1']);
});
