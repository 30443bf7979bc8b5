import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCommand } from '../cli/command.ts';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { failing, type Received, type Receiver, startReceiver } from '../support/receiver.ts';
import { dataFlags } from '../support/test-data.ts';

const ORG = '3652397';
const HOUR_MS = 3_600_000;

async function listen(): Promise<Receiver> {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  return receiver;
}

const channel = (id: string, { origin }: Receiver, more: object = {}) => ({
  channel_id: id,
  events: ['Contacts.all', 'Machines.all'],
  notify_url: `${origin}/${id}?secret=ü`,
  token: `token ${id}`,
  ...more,
});

const watch = async (app: LiveApp, method: string, ...entries: object[]) =>
  expect(await app.owner.call(method, '/crm/v8/actions/watch', { watch: entries })).toMatchObject({
    status: method === 'POST' ? 201 : 200,
  });

/** With the key, an answer that was given is given again. */
async function create(app: LiveApp, module: string, record: object, key?: string): Promise<string> {
  const response = await fetch(`${app.base}/crm/v8/${module}`, {
    method: 'POST',
    headers: {
      authorization: `Zoho-oauthtoken ${app.owner.accessToken}`,
      ...(key !== undefined && { 'idempotency-key': key }),
    },
    body: JSON.stringify({ data: [record] }),
  });
  return at(await response.json(), 'data', 0, 'details', 'id');
}

/** What is asked before and afterwards, by the same tokens. */
async function answers(app: LiveApp, accessToken: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  const search = (module: string, criteria: string) =>
    `${module}/search?${new URLSearchParams({ criteria, fields: 'Name,Last_Name,Description' })}`;
  for (const path of [
    'Contacts?fields=Last_Name,Description,Email&per_page=50',
    search('Contacts', '(Last_Name:starts_with:Bø)'),
    search('Contacts', '(Email:equals:ADA@example.com)'),
    search('Machines', '(Count:greater_than:9007199254740990)'),
    'Contacts/deleted?type=all',
    'settings/modules',
    'actions/watch',
    'users?type=AllUsers',
  ]) {
    const response = await fetch(`${app.base}/crm/v8/${path}`, {
      headers: { authorization: `Zoho-oauthtoken ${accessToken}` },
    });
    // Numbers as they were written, not as they are read here.
    expect(response.status, path).toBe(200);
    found[path] = (await response.text()).replaceAll(app.base, '');
  }
  const operate = operatorOf(app.base);
  for (const path of ['/orgs', `/orgs/${ORG}/channels?ended=true`, `/orgs/${ORG}/clients`, `/orgs/${ORG}/tokens`]) {
    found[path] = await operate('GET', path);
  }
  return found;
}

const facts = (received: readonly Received[]) =>
  received.map(({ headers }) => ({
    generation: headers['watchbell-generation'],
    number: Number(headers['watchbell-sequence']),
    id: headers['webhook-id'],
  }));

/** One to the highest, each with one id, all of one generation. */
function expectWhole({ received }: Receiver, last: number): void {
  const all = facts(received);
  const ids = new Map(all.map(({ number, id }) => [number, id]));
  expect([...ids.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: last }, (_, i) => i + 1));
  for (const { number, id } of all) expect(ids.get(number)).toBe(id);
  expect(new Set(all.map(({ generation }) => generation)).size).toBe(1);
}

test('a moved server answers as before, delivers what it owes, and goes on with numbers, tokens and channels', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-moved-'));
  const [well, down, suspended, lapsed] = [await listen(), await listen(), await listen(), await listen()];
  const embedded = await startLiveApp({ dataDir, flags: { databaseUrl: '' } });
  const { clock } = embedded;
  const operate = operatorOf(embedded.base);
  await operate('POST', `/orgs/${ORG}/modules`, {
    api_name: 'Machines',
    singular: 'Machine',
    plural: 'Machines',
    fields: [
      { api_name: 'Serial_Number', type: 'text', length: 20, unique: true },
      { api_name: 'Count', type: 'bigint' },
    ],
  });
  const later = `${new Date(clock.now() + 6 * 24 * HOUR_MS).toISOString().slice(0, 19)}Z`;
  await watch(
    embedded,
    'POST',
    channel('1', well, { channel_expiry: later }),
    channel('2', down, { channel_expiry: later }),
  );
  await watch(
    embedded,
    'POST',
    channel('3', suspended, { channel_expiry: later }),
    channel('4', lapsed),
    channel('5', well),
  );
  await embedded.owner.call('DELETE', '/crm/v8/actions/watch?channel_ids=5');
  const listed = (await operate('GET', `/orgs/${ORG}/channels`)).body as {
    channels: { channel_id: string; generation: string }[];
  };
  const third = listed.channels.find(({ channel_id }) => channel_id === '3')?.generation;
  expect((await operate('POST', `/orgs/${ORG}/channels/${third}/suspend`)).status).toBe(200);
  for (const receiver of [down, lapsed]) receiver.behave(failing);
  const made = await create(embedded, 'Contacts', { Last_Name: 'Bøyle', Email: 'Ada@example.com' }, 'once');
  await create(embedded, 'Machines', { Name: '漢字 😀', Serial_Number: 'Ab-1', Count: 9007199254740991 });
  const gone = await create(embedded, 'Contacts', { Last_Name: 'Gone', Description: 'a\tb\n\\N "c"' });
  await embedded.owner.call('DELETE', `/crm/v8/Contacts?ids=${gone}`);
  await Promise.all([well.first(4), down.first(1), lapsed.first(1)]);
  await embedded.app.idle();
  clock.advance(HOUR_MS);
  await embedded.app.idle();
  const stranger = await embedded.stranger();
  const { accessToken } = embedded.owner;
  const before = await answers(embedded, accessToken);
  await embedded.app.stop();

  const { databaseUrl = '' } = await dataFlags(dataDir);
  const command = ['migrate-store', '--dev', '--log-level', 'silent', '--data-dir', dataDir];
  const run = (...more: string[]) => runCommand([...command, ...more], { WATCHBELL_DATABASE_URL: databaseUrl });
  const { code, stdout, stderr } = await run('--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({
    done_before: null,
    counters: { organisations: 2 },
    tables: expect.arrayContaining([{ name: 'org', rows: 2, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) }]),
  });
  expect(await run()).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Moved to .* already; nothing was done/),
  });
  await expect(startLiveApp({ dataDir, clock, flags: { databaseUrl: '' } })).rejects.toMatchObject({
    code: 'STORE_MOVED',
  });

  const app = await startLiveApp({ dataDir, clock });
  onTestFinished(() => app.stop());
  expect(await answers(app, accessToken)).toEqual({
    ...before,
    // Signing in once more made one.
    [`/orgs/${ORG}/tokens`]: expect.anything(),
  });
  const strange = await fetch(`${app.base}/crm/v8/org`, {
    headers: { authorization: `Zoho-oauthtoken ${stranger.accessToken}` },
  });
  expect(strange.status).toBe(200);

  expect(await create(app, 'Contacts', { Last_Name: 'Bøyle', Email: 'Ada@example.com' }, 'once')).toBe(made);
  expect(
    await app.owner.call('POST', '/crm/v8/Machines', { data: [{ Name: 'Twin', Serial_Number: 'aB-1' }] }),
  ).toMatchObject({ body: { data: [{ code: 'DUPLICATE_DATA' }] } });
  const next = await create(app, 'Contacts', { Last_Name: 'Next' });
  expect(next > gone).toBe(true);
  for (const receiver of [down, lapsed]) receiver.behave((_request, response) => response.end());
  expect((await operatorOf(app.base)('POST', `/orgs/${ORG}/channels/${third}/resume`)).status).toBe(200);
  await watch(app, 'POST', channel('4', lapsed));
  await app.app.idle();
  for (let tries = 0; tries < 4; tries += 1) {
    clock.advance(10 * 60_000);
    await app.app.idle();
  }
  expectWhole(well, 5);
  expectWhole(down, 5);
  expectWhole(suspended, 5);
  // What came while it was expired is a lapse, without numbers.
  expectWhole(lapsed, 4);
});
