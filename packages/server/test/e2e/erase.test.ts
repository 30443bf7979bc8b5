import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { at, type Caller, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { failing, type Receiver, startReceiver } from '../support/receiver.ts';
import { changeIn, removeData, rowsIn, tablesIn } from '../support/test-data.ts';

const SECRET = 'Xylographer';

let dataDir: string;
let app: LiveApp;
let receiver: Receiver;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'watchbell-test-'));
  receiver = await startReceiver();
  app = await startLiveApp({ dataDir });
});

afterEach(async () => {
  await app.stop();
  await receiver.close();
  await removeData(dataDir);
});

interface Made {
  readonly org: string;
  readonly adminToken: string;
  readonly caller: Caller;
}

async function addOrg(): Promise<Made> {
  const { status, body } = await operatorOf(app.base)('POST', '/orgs', {
    name: `${SECRET} Ltd`,
    email: `root@${SECRET}.example`,
    last_name: SECRET,
  });
  expect(status).toBe(201);
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: at(body, 'client_id'),
    client_secret: at(body, 'client_secret'),
    refresh_token: at(body, 'refresh_token'),
  });
  const signIn = await fetch(`${app.base}/oauth/v2/token`, { method: 'POST', body: form });
  const { access_token: accessToken } = (await signIn.json()) as { access_token: string };
  const caller: Caller = {
    accessToken,
    async call(method, path, content) {
      const response = await fetch(`${app.base}${path}`, {
        method,
        headers: { authorization: `Zoho-oauthtoken ${accessToken}` },
        ...(content !== undefined && { body: JSON.stringify(content) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    },
  };
  return { org: at(body, 'org', 'id'), adminToken: at(body, 'admin_token'), caller };
}

/** Texts of every length and many versions of them, so that pages split, overflow and are freed. */
async function fill({ caller }: Made): Promise<void> {
  const entry = { channel_id: '1', events: ['Contacts.all'], notify_url: `${receiver.origin}/${SECRET}` };
  expect((await caller.call('POST', '/crm/v8/actions/watch', { watch: [entry] })).status).toBe(201);
  let ids: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    const data = Array.from({ length: 100 }, (_, i) => ({
      Last_Name: `${SECRET} ${round} ${i}`,
      Email: `${SECRET}${round}.${i}@example.com`.toLowerCase(),
      Description: `${SECRET} `.repeat(1 + ((i * 37 * (round + 1)) % 400)),
    }));
    const { body } = await caller.call('POST', '/crm/v8/Contacts', { data });
    const made = (body as { data: { details: { id: string } }[] }).data.map(({ details }) => details.id);
    const changed = ids.map((id, i) => ({ id, Description: `${SECRET} again `.repeat(1 + ((i * 53) % 300)) }));
    if (changed.length > 0) await caller.call('PUT', '/crm/v8/Contacts', { data: changed });
    if (round % 2 === 1) await caller.call('DELETE', `/crm/v8/Contacts?ids=${ids.slice(0, 40).join(',')}`);
    ids = made;
  }
}

const gone = async (org: string) => {
  for (;;) {
    const { status } = await operatorOf(app.base)('GET', `/orgs/${org}`);
    if (status === 404) return;
    expect(status).toBe(200);
    await new Promise((resolve) => setImmediate(resolve));
  }
};

/** Something in each of the tables that the records above do not reach. */
async function fillTheRest({ org, caller }: Made): Promise<void> {
  const operate = operatorOf(app.base);
  const fields = [{ api_name: 'Nickname', label: SECRET, type: 'text', length: 50 }];
  const module = { api_name: 'Trees', singular: SECRET, plural: SECRET, fields };
  expect((await operate('POST', `/orgs/${org}/modules`, module)).status).toBe(201);
  expect((await operate('POST', `/orgs/${org}/modules/Leads/fields`, fields[0])).status).toBe(201);
  app.clock.advance(2 * 3_600_000);
  const response = await fetch(`${app.base}/crm/v8/Leads`, {
    method: 'POST',
    headers: { authorization: `Zoho-oauthtoken ${caller.accessToken}`, 'idempotency-key': SECRET },
    body: JSON.stringify({ data: [{ Last_Name: SECRET, Company: SECRET }] }),
  });
  expect(response.status).toBe(201);
  // Old ones would go by themselves meanwhile.
  const now = app.clock.now();
  await changeIn(dataDir, `INSERT INTO undelivered VALUES ('${org}', '${SECRET}', 1, 'parked', NULL, 0)`);
  await changeIn(
    dataDir,
    `INSERT INTO job VALUES ('${org}', '1', 'replay', '${SECRET}', 'done', '{}', '{}', NULL, '${SECRET}', 0, ${now})`,
  );
  await changeIn(dataDir, `INSERT INTO feed_cursor VALUES ('${org}', '${SECRET}', '${SECRET}', 1, 0)`);
  await changeIn(
    dataDir,
    `INSERT INTO notice VALUES ('${org}', 0, 0, '${SECRET}', '', 'expired', '{}', 'delivered', ${now}, 1, ${now}, NULL)`,
  );
}

/** A notification that nobody took before its channel's end, and that retention removed. */
async function fillRemoved({ caller }: Made): Promise<void> {
  const entry = { channel_id: '2', events: ['Leads.all'], notify_url: `${receiver.origin}/${SECRET}` };
  expect((await caller.call('POST', '/crm/v8/actions/watch', { watch: [entry] })).status).toBe(201);
  const lead = { Last_Name: SECRET, Company: SECRET };
  expect((await caller.call('POST', '/crm/v8/Leads', { data: [lead] })).status).toBe(201);
  await receiver.first(1);
  await app.app.idle();
  app.clock.advance(80 * 3_600_000);
  await app.app.idle();
}

/** Every table that holds rows of organisations. */
const orgTables = async (): Promise<string[]> =>
  [...(await tablesIn(dataDir))].filter(([, columns]) => columns.includes('org_id')).map(([name]) => name);

/** Tables, with every row that holds the text anywhere. */
async function rowsWith(text: string): Promise<string[]> {
  const tables = [...(await tablesIn(dataDir)).keys()];
  expect(tables.length).toBeGreaterThan(10);
  const found = tables.map(async (name) =>
    (await rowsIn(dataDir, `SELECT * FROM "${name}"`))
      .filter((row) => JSON.stringify(row).toLowerCase().includes(text.toLowerCase()))
      .map(() => name),
  );
  return (await Promise.all(found)).flat();
}

/** Files of the data directory that hold the text anywhere, in whatever letter case. */
const filesWith = (text: string): string[] =>
  readdirSync(dataDir).filter((file) =>
    readFileSync(join(dataDir, file)).toString('latin1').toLowerCase().includes(text.toLowerCase()),
  );

test('an erased organisation leaves no row in any table and no byte of its texts in any file', async () => {
  const made = await addOrg();
  receiver.behave(failing);
  await fillRemoved(made);
  await fill(made);
  await receiver.first(2);
  await fillTheRest(made);
  expect([...new Set(await rowsWith(made.org))]).toEqual(expect.arrayContaining(['org', ...(await orgTables())]));
  // The files of a database are its own affair.
  expect(filesWith(SECRET).length > 0).toBe(inject('engine') === 'sqlite');
  const erased = await operatorOf(app.base, made.adminToken)('DELETE', `/orgs/${made.org}`);
  expect(erased).toMatchObject({ status: 202, body: { state: 'erasing', name: '' } });
  expect((await made.caller.call('GET', '/crm/v8/org')).status).toBeGreaterThanOrEqual(401);
  await gone(made.org);
  const sent = receiver.received.length;
  await app.app.idle();
  // A walk that has found nothing left has also emptied the log; a stop waits for that.
  await app.app.stop();
  expect(await rowsWith(made.org)).toEqual([]);
  expect(await rowsWith(SECRET)).toEqual([]);
  expect(filesWith(SECRET)).toEqual([]);
  expect(filesWith(made.org)).toEqual([]);
  expect(receiver.received).toHaveLength(sent);
  app = await startLiveApp({ dataDir, clock: app.clock });
  expect((await app.owner.call('GET', '/crm/v8/Contacts')).status).toBe(200);
});

test('an erasure that was cut short is finished after the next start', async () => {
  const made = await addOrg();
  await fill(made);
  await operatorOf(app.base)('DELETE', `/orgs/${made.org}`);
  await app.app.stop();
  expect(await rowsWith(made.org)).not.toEqual([]);
  app = await startLiveApp({ dataDir, clock: app.clock });
  await gone(made.org);
  await app.app.stop();
  expect(await rowsWith(made.org)).toEqual([]);
  expect(filesWith(SECRET)).toEqual([]);
  app = await startLiveApp({ dataDir, clock: app.clock });
});

test('its id is not given again, and an organisation that is being erased takes no act but its erasure', async () => {
  const made = await addOrg();
  await fill(made);
  const operate = operatorOf(app.base);
  await operate('DELETE', `/orgs/${made.org}`);
  const refused = await Promise.all([
    operate('POST', `/orgs/${made.org}/resume`),
    operate('PATCH', `/orgs/${made.org}`, { name: 'Back' }),
  ]);
  for (const { status } of refused) expect([403, 404]).toContain(status);
  await gone(made.org);
  const ids = new Set<string>();
  for (let i = 0; i < 20; i += 1) ids.add((await addOrg()).org);
  expect(ids.size).toBe(20);
  expect(ids).not.toContain(made.org);
});

test('the sample organisation is made anew after it was erased', async () => {
  await operatorOf(app.base)('DELETE', '/orgs/3652397');
  await app.app.stop();
  app = await startLiveApp({ dataDir, clock: app.clock });
  expect((await app.owner.call('GET', '/crm/v8/Contacts')).status).toBe(200);
});
