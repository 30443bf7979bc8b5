import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { changeIn, removeData } from '../support/test-data.ts';

const CHANNEL = '/_watchbell/v1/channels/1';

let dataDir: string;
let app: LiveApp;
let receiver: Receiver;
let generation: string;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'watchbell-gaps-'));
  receiver = await startReceiver();
  app = await startLiveApp({ dataDir });
  const entry = { channel_id: '1', events: ['Contacts.create'], notify_url: receiver.origin };
  await app.owner.call('POST', '/crm/v8/actions/watch', { watch: [entry] });
  generation = (await ask<{ generation: string }>('')).generation;
});
afterEach(async () => {
  await app.stop();
  await receiver.close();
  await removeData(dataDir);
});

interface Range {
  readonly from: number;
  readonly to: number;
  readonly state?: string;
  readonly reason: string | null;
}
interface Page {
  readonly notifications: readonly { readonly number: number }[];
  readonly removed: readonly Range[];
  readonly through: number;
  readonly more: boolean;
}
interface Gaps {
  readonly numbers: readonly Range[];
  readonly through: number;
  readonly last_number: number;
  readonly more: boolean;
}

async function ask<Body>(path: string): Promise<Body> {
  const { status, body } = await app.owner.call('GET', CHANNEL + path);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as Body;
}

/** Delivered notifications 1 to `count`. */
async function deliver(count: number): Promise<void> {
  const write = () => app.owner.call('POST', '/crm/v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  for (let i = 0; i < count; i += 1) expect((await write()).status).toBe(201);
  await receiver.first(count);
  await app.app.idle();
}

const own = () => `org_id = '3652397' AND generation = '${generation}'`;

/** As retention leaves it. */
async function remove(from: number, to: number, reason?: string): Promise<void> {
  await changeIn(dataDir, `DELETE FROM notification WHERE ${own()} AND number BETWEEN ${from} AND ${to}`);
  if (reason === undefined) return;
  await changeIn(
    dataDir,
    `INSERT INTO removed_range (org_id, generation, from_number, to_number, reason, at)
     VALUES ('3652397', '${generation}', ${from}, ${to}, '${reason}', 0)`,
  );
}

/** What a range holds, number by number. */
const each = ({ from, to, state = '', reason }: Range): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i} ${state} ${reason}`);

test('each number is told once, wherever a page begins and ends: as a notification, or as removed and why', async () => {
  const count = 12;
  await deliver(count);
  await remove(1, 1);
  await remove(3, 4, 'parked');
  await remove(5, 5, 'skipped');
  await remove(8, 9);
  await remove(11, 12, 'deleted');
  const all = [
    '1  delivered',
    '2',
    '3  parked',
    '4  parked',
    '5  skipped',
    '6',
    '7',
    '8  delivered',
    '9  delivered',
    '10',
    '11  deleted',
    '12  deleted',
  ];
  for (let after = 0; after <= count; after += 1) {
    for (const limit of [1, 2, 3, 1000]) {
      const page = await ask<Page>(`/feed?after=${after}&limit=${limit}`);
      const told = [...page.notifications.map(({ number }) => String(number)), ...page.removed.flatMap(each)];
      told.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
      expect(told, `after ${after}, ${limit}`).toEqual(all.slice(after, page.through));
      expect(page.through > after || after === count).toBe(true);
      expect(page.more).toBe(page.through < count);
    }
  }
});

test('gaps are ranges of what is alike, the same whatever a page holds, and none that a cursor has passed', async () => {
  await deliver(20);
  const put = (table: string, columns: string, values: string) =>
    changeIn(
      dataDir,
      `INSERT INTO ${table} (org_id, generation, ${columns}) VALUES ('3652397', '${generation}', ${values})`,
    );
  for (const number of [2, 3, 7, 20]) await put('owed', 'number, change_number, attempts_made', `${number}, 1, 0`);
  for (const number of [4, 5, 8]) await put('undelivered', 'number, state, settled_at', `${number}, 'parked', 0`);
  for (const number of [9, 10, 12])
    await put('undelivered', 'number, state, reason, settled_at', `${number}, 'cancelled', 'skipped', 0`);
  await remove(13, 15, 'parked');
  await remove(17, 17, 'deleted');
  const ranges = [
    { from: 2, to: 3, state: 'pending', reason: null },
    { from: 4, to: 5, state: 'parked', reason: null },
    { from: 7, to: 7, state: 'pending', reason: null },
    { from: 8, to: 8, state: 'parked', reason: null },
    { from: 9, to: 10, state: 'cancelled', reason: 'skipped' },
    { from: 12, to: 12, state: 'cancelled', reason: 'skipped' },
    { from: 13, to: 15, state: 'removed', reason: 'parked' },
    { from: 17, to: 17, state: 'removed', reason: 'deleted' },
    { from: 20, to: 20, state: 'pending', reason: null },
  ];
  expect(await ask<Gaps>('/gaps')).toMatchObject({ numbers: ranges, through: 20, last_number: 20, more: false });
  for (const limit of [1, 2, 4]) {
    const found: string[] = [];
    for (let after = 0, more = true; more; ) {
      const page = await ask<Gaps>(`/gaps?after=${after}&limit=${limit}`);
      expect(page.numbers.length).toBeLessThanOrEqual(limit);
      expect(page.through).toBeGreaterThan(after);
      found.push(...page.numbers.flatMap(each));
      ({ through: after, more } = page);
    }
    expect(found).toEqual(ranges.flatMap(each));
  }
  await app.owner.call('PUT', `${CHANNEL}/feed/cursors/mine`, { number: 14 });
  expect((await ask<Gaps>('/gaps?cursor=mine')).numbers).toEqual([
    { from: 15, to: 15, state: 'removed', reason: 'parked' },
    ...ranges.slice(-2),
  ]);
  // What a pending row means is said by the channel.
  app.clock.advance(2 * 3_600_000);
  expect((await ask<Gaps>('/gaps')).numbers[0]).toEqual({ ...ranges[0], state: 'held' });
  await changeIn(dataDir, `UPDATE channel SET cancelled_to = 2, cancelled_why = 'skipped' WHERE ${own()}`);
  expect((await ask<Gaps>('/gaps')).numbers.slice(0, 2)).toEqual([
    { from: 2, to: 2, state: 'cancelled', reason: 'skipped' },
    { from: 3, to: 3, state: 'held', reason: null },
  ]);
});

test('thousands of ranges are told page by page', async () => {
  await deliver(1);
  const count = 5000;
  await changeIn(dataDir, `UPDATE channel SET last_number = ${count} WHERE ${own()}`);
  const odd = Array.from({ length: count / 2 - 1 }, (_, i) => 2 * i + 3);
  const rows = odd.map((number) => `('3652397', '${generation}', ${number}, ${number}, 'parked', 0)`);
  await changeIn(
    dataDir,
    `INSERT INTO removed_range (org_id, generation, from_number, to_number, reason, at) VALUES ${rows.join(', ')}`,
  );
  const told: string[] = [];
  for (let after = 0, more = true; more; ) {
    const page = await ask<Page>(`/feed?after=${after}&limit=1000`);
    told.push(...page.notifications.map(({ number }) => String(number)), ...page.removed.flatMap(each));
    expect(page.through).toBeGreaterThan(after);
    ({ through: after, more } = page);
  }
  expect(told).toHaveLength(count);
  expect(new Set(told.map((one) => Number.parseInt(one, 10))).size).toBe(count);
  expect(told.filter((one) => one.endsWith('parked'))).toHaveLength(odd.length);
  const gaps: string[] = [];
  for (let after = 0, more = true; more; ) {
    const page = await ask<Gaps>(`/gaps?after=${after}&limit=1000`);
    gaps.push(...page.numbers.flatMap(each));
    ({ through: after, more } = page);
  }
  expect(gaps).toEqual(odd.map((number) => `${number} removed parked`));
});
