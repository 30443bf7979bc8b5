import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { at, type LiveApp, startLiveApp } from '../support/live-app.ts';
import { failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';
import { removeData, rowsIn } from '../support/test-data.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let dataDir: string;
let app: LiveApp;
let receiver: Receiver;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'watchbell-test-'));
  receiver = await startReceiver();
});
afterEach(async () => {
  await app.stop();
  await receiver.close();
  await removeData(dataDir);
});

const iso = (time: number) => `${new Date(time).toISOString().slice(0, 19)}Z`;

async function watch(method: 'POST' | 'DELETE', id: string, events: string, hours = 24): Promise<void> {
  const entry = { channel_id: id, events: [events], notify_url: receiver.origin };
  const { status } =
    method === 'POST'
      ? await app.owner.call('POST', '/crm/v8/actions/watch', {
          watch: [{ ...entry, channel_expiry: iso(app.clock.now() + hours * HOUR) }],
        })
      : await app.owner.call('DELETE', `/crm/v8/actions/watch?channel_ids=${id}`);
  expect(status).toBe(method === 'POST' ? 201 : 200);
}

async function write(module: string, times = 1): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    const { status } = await app.owner.call('POST', `/crm/v8/${module}`, {
      data: [{ Last_Name: 'Boyle', Company: 'Zylker' }],
    });
    expect(status).toBe(201);
  }
}

/** Lets so many hours pass, each with its turn of housekeeping. */
async function pass(hours: number): Promise<void> {
  for (let i = 0; i < hours; i += 1) {
    app.clock.advance(HOUR);
    await app.app.idle();
  }
}

const rows = <Row extends object>(query: string) => rowsIn<Row>(dataDir, query);
const count = async (table: string) => (await rows<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`))[0]?.n;
const counts = (...tables: readonly string[]) => Promise.all(tables.map(count));
const numbers = async (state: string) =>
  (
    await rows<{ number: number }>(
      `SELECT number FROM notification WHERE state = '${state}' ORDER BY generation, number`,
    )
  ).map(({ number }) => number);
const ranges = async () =>
  (
    await rows<{ text: string }>(
      "SELECT from_number || '-' || to_number || ' ' || reason AS text FROM removed_range ORDER BY generation, from_number",
    )
  ).map(({ text }) => text);
const sequences = () => receiver.received.map(({ headers }) => Number(headers['watchbell-sequence']));

describe('with a retention of a day', () => {
  beforeEach(async () => {
    app = await startLiveApp({ dataDir, flags: { retentionHours: '24' } });
  });

  test('what was delivered goes with its attempts and its change a day later, and the numbers go on', async () => {
    expect(await count('record_change')).toBeGreaterThan(0);
    await watch('POST', '1', 'Contacts.all', 168);
    await write('Contacts', 3);
    await receiver.first(3);
    await app.app.idle();
    await pass(24);
    await write('Contacts');
    await receiver.first(4);
    await app.app.idle();
    expect(await numbers('delivered')).toEqual([1, 2, 3, 4]);
    expect(await count('record_change')).toBe(4);
    await pass(1);
    expect(await numbers('delivered')).toEqual([4]);
    expect(await count('attempt')).toBe(1);
    expect(await count('record_change')).toBe(1);
    expect(await ranges()).toEqual([]);
    await pass(25);
    expect(await counts('notification', 'attempt', 'record_change')).toEqual([0, 0, 0]);
    app = await app.restart();
    await write('Contacts', 2);
    await receiver.first(6);
    expect(sequences()).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await numbers('delivered')).length + (await numbers('pending')).length).toBe(2);
  });

  test('nothing that is owed goes, however old, and with it every change since', async () => {
    receiver.behave((request, response) => {
      const isFirst = request.headers['watchbell-sequence'] === '1';
      response.writeHead(isFirst ? 500 : 200).end();
    });
    await watch('POST', '1', 'Contacts.all', 168);
    await write('Contacts', 3);
    await receiver.first(3);
    await app.app.idle();
    // So long that no attempt is made.
    const suspended = await operate('suspend');
    expect(suspended).toBe(200);
    await pass(50);
    expect(await operate('resume')).toBe(200);
    await pass(1);
    expect(await numbers('pending')).toEqual([1]);
    expect(await numbers('delivered')).toEqual([]);
    expect(await count('record_change')).toBe(3);
    receiver.behave(ok);
    await pass(9);
    expect(await numbers('delivered')).toEqual([1]);
    await pass(25);
    expect(await counts('notification', 'record_change')).toEqual([0, 0]);
    expect(await ranges()).toEqual([]);
  });

  test('what was parked goes a day after it was, and leaves a range that says so', async () => {
    receiver.behave(failing);
    await watch('POST', '1', 'Contacts.all', 168);
    await write('Contacts', 3);
    await receiver.first(3);
    await app.app.idle();
    await parkAll(3);
    await pass(23);
    expect(await numbers('parked')).toEqual([1, 2, 3]);
    expect(await count('attempt')).toBe(36);
    receiver.behave(ok);
    await write('Contacts');
    await receiver.first(37);
    await app.app.idle();
    await pass(2);
    expect(await ranges()).toEqual(['1-3 parked']);
    expect(await numbers('delivered')).toEqual([4]);
    expect(await count('attempt')).toBe(1);
  });

  test('what a deleted channel owed is cancelled by name, goes, and leaves a range with the reason', async () => {
    receiver.behave(failing);
    await watch('POST', '1', 'Contacts.all');
    await write('Contacts', 3);
    await receiver.first(3);
    await app.app.idle();
    await watch('DELETE', '1', 'Contacts.all');
    await pass(1);
    expect(await rows('SELECT DISTINCT state, reason FROM notification')).toEqual([
      { state: 'cancelled', reason: 'deleted' },
    ]);
    await pass(25);
    expect(await counts('notification', 'attempt')).toEqual([0, 0]);
    expect(await ranges()).toEqual(['1-3 deleted']);
    expect(await count('channel')).toBe(1);
    await watch('POST', '1', 'Contacts.all');
    receiver.behave(ok);
    const before = receiver.received.length;
    await write('Contacts');
    expect((await receiver.first(before + 1)).at(-1)?.headers['watchbell-sequence']).toBe('1');
  });

  test('a channel that stays expired ends after the retention time, and what it held goes with it', async () => {
    receiver.behave(failing);
    await watch('POST', '1', 'Contacts.all', 1);
    await write('Contacts', 2);
    await receiver.first(2);
    await app.app.idle();
    await pass(1);
    await write('Leads');
    await pass(22);
    expect(await numbers('pending')).toEqual([1, 2]);
    await pass(3);
    expect(await rows('SELECT ended_reason AS why FROM channel')).toEqual([{ why: 'retention' }]);
    expect(await numbers('pending')).toEqual([]);
    expect(await ranges()).toEqual(['1-2 retention']);
    expect(await rows("SELECT kind FROM channel_revision WHERE kind = 'retention'")).toHaveLength(1);
  });

  test('of a channel that ended owing nothing no row is left in the end', async () => {
    await watch('POST', '1', 'Contacts.all');
    await write('Contacts');
    await receiver.first(1);
    await app.app.idle();
    await watch('DELETE', '1', 'Contacts.all');
    await pass(28);
    for (const table of ['notification', 'attempt', 'channel', 'channel_revision', 'lapse', 'record_change']) {
      expect([table, await count(table)]).toEqual([table, 0]);
    }
  });

  test('a change that goes is not found any more by its records, by those it points at, or by their modules', async () => {
    const create = async (module: string, record: object): Promise<string> =>
      at((await app.owner.call('POST', `/crm/v8/${module}`, { data: [record] })).body, 'data', 0, 'details', 'id');
    const account = await create('Accounts', { Account_Name: 'Zylker' });
    await pass(26);
    expect(await counts('record_change', 'change_subject')).toEqual([0, 0]);
    await watch('POST', '1', 'Contacts.all', 168);
    await watch('POST', '2', 'Accounts.edit', 168);
    await create('Contacts', { Last_Name: 'Boyle', Account_Name: { id: account } });
    await receiver.first(2);
    await app.app.idle();
    // The contact, its account, and the modules of both.
    expect(await counts('record_change', 'change_subject')).toEqual([1, 4]);
    await pass(26);
    expect(await counts('notification', 'record_change', 'change_subject')).toEqual([0, 0, 0]);
  });

  test('a job that rests goes a day after its channel has ended, one of a live channel stays', async () => {
    await watch('POST', '1', 'Contacts.all', 168);
    await watch('POST', '2', 'Contacts.all', 168);
    await write('Contacts', 3);
    await receiver.first(6);
    await app.app.idle();
    for (const channel of ['1', '2']) {
      const made = await app.owner.call('POST', `/_watchbell/v1/channels/${channel}/replays`, {
        which: 'all',
        rate: 1,
      });
      const { status } = await app.owner.call('POST', `/_watchbell/v1/jobs/${at(made.body, 'id')}/pause`);
      expect(status).toBe(200);
    }
    await watch('DELETE', '1', 'Contacts.all');
    await pass(23);
    expect(await count('job')).toBe(2);
    await pass(4);
    expect(await count('job')).toBe(1);
    expect(await count('channel')).toBe(1);
  });

  test('the newest revision of a live channel stays, and those before it go with the changes', async () => {
    await watch('POST', '1', 'Contacts.all', 168);
    await watch('POST', '1', 'Leads.all', 168);
    await write('Leads');
    await receiver.first(1);
    await watch('POST', '1', 'Deals.all', 168);
    await app.app.idle();
    await pass(23);
    expect(await count('channel_revision')).toBe(3);
    await pass(4);
    expect(await rows('SELECT kind FROM channel_revision')).toEqual([{ kind: 'replaced' }]);
  });
});

test('without a setting, three days pass before anything goes', async () => {
  app = await startLiveApp({ dataDir });
  await watch('POST', '1', 'Contacts.all', 168);
  await write('Contacts');
  await receiver.first(1);
  await app.app.idle();
  await pass(71);
  expect(await numbers('delivered')).toEqual([1]);
  await pass(2);
  expect(await numbers('delivered')).toEqual([]);
});

async function operate(act: 'suspend' | 'resume'): Promise<number> {
  const response = await fetch(`${app.base}/_watchbell/v1/orgs/3652397/${act}`, {
    method: 'POST',
    headers: { authorization: 'Bearer dev-admin' },
  });
  return response.status;
}

/** Lets all attempts of so many notifications fail. */
async function parkAll(owed: number): Promise<void> {
  for (let attempts = 1; attempts < 12; attempts += 1) {
    app.clock.advance(10 * HOUR);
    await receiver.first((attempts + 1) * owed);
    await app.app.idle();
  }
}
