import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Line, lineTo } from '../crash/load.ts';
import { type Postgres, startPostgres } from '../support/postgres/cluster.mjs';
import { createWireCounter } from '../support/postgres/wire-counts.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { readCredentials, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { startTcpProxy, type TcpProxy, through } from '../support/tcp-proxy.ts';
import { removeData } from '../support/test-data.ts';
import { signIn } from '../support/writing.ts';

/** Of each module; so many that none is edited again before it was delivered: that takes a look-up in the store. */
const RECORDS = 6000;
const PER_CALL = 100;
/** Of each module. */
const CHANNELS = { Leads: 1, Contacts: 100 } as const;
type Module = keyof typeof CHANNELS;

const counter = createWireCounter();
const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-counts-'));
const ids: Record<Module, string[]> = { Leads: [], Contacts: [] };
let postgres: Postgres;
let proxy: TcpProxy;
let server: ServerProcess;
let receiver: Receiver;
let client: pg.Client;
let line: Line;
let serial = 0;

beforeAll(async () => {
  postgres = await startPostgres({
    fsync: true,
    // Nothing is written meanwhile that belongs to no call.
    settings: { autovacuum: 'off', checkpoint_timeout: '1h', max_wal_size: '4GB' },
  });
  client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  proxy = await startTcpProxy(Number(new URL(postgres.url).port), counter.follow);
  receiver = await startReceiver();
  const flags = ['--database-url', through(proxy, postgres.url)];
  server = await startServerProcess({ dataDir, port: 0, flags });
  line = lineTo(server.base, await signIn(server.base, readCredentials(dataDir)), 64);
  for (const module of ['Leads', 'Contacts'] as const) await prepare(module);
  // A page that is touched for the first time after a checkpoint is written whole: these are the last.
  await client.query('CHECKPOINT');
  for (const module of ['Leads', 'Contacts'] as const) await make({ module, records: PER_CALL, calls: 20, callers: 4 });
}, 90_000);

afterAll(async () => {
  await line?.close();
  await server?.kill('SIGTERM');
  await client?.end();
  await proxy?.close();
  await receiver?.close();
  await postgres?.remove();
  await removeData(dataDir);
});

async function call(method: 'POST' | 'PUT', path: string, body: object): Promise<{ details: { id: string } }[]> {
  const { statusCode, text } = await line.call(method, `/crm/v8/${path}`, body);
  if (statusCode >= 300) throw new Error(`${statusCode} ${text}`);
  return (JSON.parse(text) as { data: { details: { id: string } }[] }).data;
}

async function prepare(module: Module): Promise<void> {
  for (let made = 0; made < RECORDS; made += PER_CALL) {
    const data = Array.from({ length: PER_CALL }, () => ({ Last_Name: 'Boyle', Company: 'Royal Society' }));
    ids[module].push(...(await call('POST', module, { data })).map(({ details }) => details.id));
  }
  const watch = Array.from({ length: CHANNELS[module] }, (_, i) => ({
    channel_id: String(ids[module].length + CHANNELS[module] + i),
    events: [`${module}.edit`],
    notify_url: `${receiver.origin}/${module}`,
    notify_on_related_action: false,
    channel_expiry: `${new Date(Date.now() + 86_000_000).toISOString().slice(0, 19)}Z`,
  }));
  await call('POST', 'actions/watch', { watch });
}

interface Load {
  readonly module: Module;
  /** In each call. */
  readonly records: number;
  readonly calls: number;
  /** Calls at once. */
  readonly callers: number;
  /** Only so many records are edited, again and again, before what is owed of them was delivered. */
  readonly among?: number;
}

/** Makes the calls, and resolves when all that they owe was delivered and saved as such. */
async function make({ module, records, calls, callers, among = RECORDS }: Load): Promise<void> {
  const before = receiver.received.length;
  let left = calls;
  const edit = () => {
    serial += 1;
    return { id: ids[module][(serial * 7) % among], Description: `d${serial}` };
  };
  async function work(): Promise<void> {
    while (left > 0) {
      left -= 1;
      await call('PUT', module, { data: Array.from({ length: records }, edit) });
    }
  }
  await Promise.all(Array.from({ length: callers }, work));
  const due = before + calls * CHANNELS[module];
  await vi.waitUntil(() => receiver.received.length >= due, { timeout: 60_000, interval: 20 });
  const isSettled = async () => (await ask<{ n: number }>('SELECT count(*)::int AS n FROM owed')).n === 0;
  await vi.waitUntil(isSettled, { timeout: 30_000, interval: 20 });
  expect(receiver.received).toHaveLength(due);
}

async function ask<Row extends object>(text: string): Promise<Row> {
  const { rows } = await client.query<Row>(text);
  return rows[0] as Row;
}

const walNow = async () => Number((await ask<{ at: string }>("SELECT pg_current_wal_lsn() - '0/0' AS at")).at);

interface Cost {
  readonly statements: number;
  readonly trips: number;
  readonly wal: number;
}

/** What does not follow the machine's speed: how many statements write, of each commit and of each save of outcomes. */
interface Shape {
  readonly commits: number;
  readonly writesOfCommits: number;
  readonly saves: number;
  readonly writesOfSaves: number;
}

function shapeOf(statements: ReadonlyMap<string, number>): Shape {
  const count = (texts: RegExp) =>
    [...statements].reduce((sum, [text, times]) => (texts.test(text) ? sum + times : sum), 0);
  return {
    commits: count(/UPDATE org SET next_serial/),
    writesOfCommits: count(
      /UPDATE org SET next_serial|UPDATE channel SET last_number|(INTO|UPDATE) record\b|INTO (record_change|change_subject|notification|owed)\b/,
    ),
    saves: count(/hold_leases/),
    writesOfSaves: count(/hold_leases|INTO attempt|UPDATE (notification|owed) SET|DELETE FROM owed/),
  };
}

/** What the load costs the database, all in all: from the call to the saved delivery, with what goes on beside. */
async function costOf(load: Load): Promise<Cost & Shape> {
  counter.take();
  const from = await walNow();
  await make(load);
  const { statements, trips } = counter.take();
  const wal = (await walNow()) - from;
  const sum = [...statements.values()].reduce((all, count) => all + count, 0);
  return { statements: sum, trips, wal, ...shapeOf(statements) };
}

/**
 * `most` is of one notification; a call with a hundred records is one for each channel. How many are saved together
 * follows the speed of the machine: the faster it saves, the fewer wait meanwhile.
 */
const LOADS: readonly { readonly load: Load; readonly most: Cost }[] = [
  {
    load: { module: 'Leads', records: 1, calls: 2000, callers: 64, among: RECORDS },
    most: { statements: 0.8, trips: 0.3, wal: 2600 },
  },
  {
    load: { module: 'Leads', records: 100, calls: 100, callers: 16, among: RECORDS },
    most: { statements: 4.5, trips: 2, wal: 75_000 },
  },
  {
    load: { module: 'Contacts', records: 1, calls: 150, callers: 64, among: RECORDS },
    most: { statements: 0.06, trips: 0.05, wal: 1400 },
  },
  {
    load: { module: 'Contacts', records: 100, calls: 30, callers: 8, among: RECORDS },
    most: { statements: 0.5, trips: 0.35, wal: 2700 },
  },
  {
    load: { module: 'Leads', records: 1, calls: 2000, callers: 64, among: 10 },
    most: { statements: 1.4, trips: 0.8, wal: 2300 },
  },
  {
    load: { module: 'Leads', records: 10, calls: 400, callers: 16, among: 10 },
    most: { statements: 6, trips: 4, wal: 5500 },
  },
];

test.each(LOADS)(
  '$load.records records a call, one of $load.among $load.module: the cost of a notification is bounded',
  {
    timeout: 90_000,
  },
  async ({ load, most }) => {
    const { statements, trips, wal, commits, writesOfCommits, saves, writesOfSaves } = await costOf(load);
    const notifications = load.calls * CHANNELS[load.module];
    const each = { statements: statements / notifications, trips: trips / notifications, wal: wal / notifications };
    process.stdout.write(
      `${load.records} records a call, one of ${load.among}, ${CHANNELS[load.module]} channels, ${load.callers} callers: a notification costs ` +
        `${each.statements.toFixed(2)} statements, ${each.trips.toFixed(2)} round trips, ${each.wal.toFixed(0)} bytes of WAL\n`,
    );
    // Counters of channels, records, and all that is told of them; outcomes at once.
    expect(writesOfCommits).toBe(3 * commits);
    expect(writesOfSaves).toBe(saves);
    expect(each.statements).toBeLessThan(most.statements);
    expect(each.trips).toBeLessThan(most.trips);
    expect(each.wal).toBeLessThan(most.wal);
  },
);

test('how many statements a call takes does not depend on how many channels it is owed to', async () => {
  const load = { records: 1, calls: 100, callers: 1 };
  const one = await costOf({ ...load, module: 'Leads' });
  const hundred = await costOf({ ...load, module: 'Contacts' });
  process.stdout.write(
    `a call alone: ${one.statements / 100} statements and ${one.trips / 100} round trips with 1 channel, ` +
      `${hundred.statements / 100} and ${hundred.trips / 100} with 100\n`,
  );
  expect(one.commits).toBe(100);
  // One that is not over when the next call is made has that one's outcome with it.
  expect(one.saves).toBeLessThanOrEqual(100);
  // Ten for the commit, one for what was delivered; the others are looks at what other nodes committed.
  expect(one.statements / 100).toBeLessThan(15);
  expect(one.trips / 100).toBeLessThan(5);
  expect(hundred.statements / one.statements).toBeLessThan(2);
});
