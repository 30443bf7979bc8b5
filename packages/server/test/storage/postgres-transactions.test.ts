import { spawnSync } from 'node:child_process';
import pg from 'pg';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AppError } from '../../src/domain/error.ts';
import { emptyWrites } from '../../src/domain/working-set.ts';
import { createPostgresStore, type PostgresOptions } from '../../src/storage/engines/postgres.ts';
import { DEFAULT_TIMEOUTS } from '../../src/storage/engines/postgres-connection.ts';
import type { Loaded, Store } from '../../src/storage/store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { createDatabase } from '../support/postgres/database.ts';
import { startTcpProxy, through } from '../support/tcp-proxy.ts';
import { aboutChannel, addOrgs, type Batches, createRecords, ORG, openBatches, openChannel } from './suite/sample.ts';

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const UNAVAILABLE = { code: 'SERVICE_UNAVAILABLE' };
const SOON = { interval: 5, timeout: 20_000 };

async function makeDatabase(): Promise<string> {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  return database.url;
}

async function openStore(url: string, options: Partial<PostgresOptions> = {}): Promise<Store> {
  const secretKey = new Uint8Array(32).fill(7);
  const store = await createPostgresStore({
    url,
    secretKey,
    logger: silent,
    time: 'injected',
    hints: false,
    ...options,
  });
  onTestFinished(() => store.close());
  return store;
}

/** Beside the store, as an operator. */
async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

const counters = ({ counters: found }: Loaded) => ({ writes: emptyWrites(found), result: found });
const countRows = async (client: pg.Client, table: string) =>
  Number((await client.query(`SELECT COUNT(*) AS count FROM ${table}`)).rows[0]?.count);

/** How many of the store's backends there are, as far as they do this. */
async function backends(client: pg.Client, where: string): Promise<number> {
  const { rows } = await client.query(
    `SELECT COUNT(*) AS count FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'watchbell%' AND ${where}`,
  );
  return Number(rows[0]?.count);
}

const kill = (client: pg.Client, where: string) =>
  client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'watchbell%' AND ${where}`,
  );

/** From within a decision, which waits for nothing. */
function killFromOutside(url: string, where: string): void {
  const script = `
    import('pg').then(async ({ default: pg }) => {
      const client = new pg.Client({ connectionString: process.argv[1] });
      await client.connect();
      await client.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() " +
        "AND pid <> pg_backend_pid() AND " + process.argv[2]);
      await client.end();
    });`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', script, url, where], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

const WAITING = "wait_event_type = 'Lock'";
const IN_TRANSACTION = "state = 'idle in transaction'";

describe('stores on one database', () => {
  it('never lose what another one saved, however their batches meet', async () => {
    const url = await makeDatabase();
    const stores = await Promise.all([openStore(url), openStore(url), openStore(url)]);
    const [first] = stores;
    if (!first) throw new Error('One was opened');
    await addOrgs(first, ORG);
    const before = await first.writing.inOrg(ORG, {}, counters);
    const nodes = stores.map((store) => openBatches(store));
    await nodes[0]?.run(ORG, {}, (set) => openChannel(set, '1'));
    const write = async (batches: Batches) => {
      for (let i = 0; i < 25; i += 1) await batches.run(ORG, {}, (set) => createRecords(set, 2));
    };
    await Promise.all(nodes.map(write));
    for (const { writing } of stores) {
      expect(await writing.inOrg(ORG, {}, counters)).toMatchObject({
        lastChange: 75,
        nextSerial: before.nextSerial + 1 + 150,
      });
    }
    const client = await connect(url);
    const { rows } = await client.query('SELECT number FROM notification ORDER BY number');
    expect(rows.map(({ number }) => Number(number))).toEqual(Array.from({ length: 75 }, (_, i) => i + 1));
    expect(await countRows(client, 'record')).toBe(150);
  });

  it('see at once what another one did to a channel', async () => {
    const url = await makeDatabase();
    const [one, two] = await Promise.all([openStore(url), openStore(url)]);
    await addOrgs(one, ORG);
    const [first, second] = [openBatches(one), openBatches(two)];
    const { generation } = await first.run(ORG, {}, (set) => openChannel(set, '1'));
    await second.run(ORG, {}, (set) => createRecords(set));
    expect(second.commits.at(-1)?.notifications).toMatchObject([{ generation, number: 1 }]);
    await first.run(ORG, aboutChannel('1'), (set) =>
      openChannel(set, '1', { events: [{ module: 'Leads', operation: 'insert' }] }),
    );
    await second.run(ORG, {}, (set) => createRecords(set));
    expect(second.commits.at(-1)?.notifications).toEqual([]);
    await first.run(ORG, aboutChannel('1'), (set) => openChannel(set, '1'));
    await second.run(ORG, {}, (set) => createRecords(set));
    expect(second.commits.at(-1)?.notifications).toMatchObject([{ generation, number: 2 }]);
  });

  it('commit at the time of the database, and in the dev profile at that of its clock where it was moved', async () => {
    const url = await makeDatabase();
    const store = await openStore(url, { time: 'database', hasDevClock: true });
    const production = await openStore(url, { time: 'database' });
    await addOrgs(store, ORG);
    const now = ({ writing } = store) =>
      writing.inOrg(ORG, {}, (loaded) => ({ writes: emptyWrites(loaded.counters), result: loaded.now }));
    const client = await connect(url);
    const databaseNow = async () =>
      Number((await client.query('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now')).rows[0]?.now);
    const [earliest, found, latest] = [await databaseNow(), await now(), await databaseNow()];
    expect(found).toBeGreaterThanOrEqual(Math.floor(earliest));
    expect(found).toBeLessThanOrEqual(Math.ceil(latest));
    await store.clock.save({ offset: 86_400_000 }, undefined);
    expect(await now()).toBeGreaterThanOrEqual(latest + 86_400_000 - 1);
    await store.clock.save({ offset: 0, frozenAt: 12_345 }, { offset: 86_400_000 });
    expect(await now()).toBe(12_345);
    // Nobody could set it going again there.
    expect(await now(production)).toBeGreaterThanOrEqual(Math.floor(latest));
    // Held by an advance that ended with its node, and so on its way again by itself.
    const heldUntil = Math.floor(await databaseNow()) - 60_000;
    await store.clock.save({ offset: 0, frozenAt: 12_345, heldUntil }, { offset: 0, frozenAt: 12_345 });
    expect(await now()).toBeGreaterThanOrEqual(12_345 + 60_000);
    expect(
      await (await openStore(url)).writing.inOrg(ORG, {}, (loaded) => ({
        writes: emptyWrites(loaded.counters),
        result: loaded.now,
      })),
    ).toBeUndefined();
  });
});

describe('an org transaction', () => {
  it('lets go of the organisation when the decision refuses, and when there is nothing to save', async () => {
    const url = await makeDatabase();
    const store = await openStore(url);
    await addOrgs(store, ORG);
    const refused = store.writing.inOrg(ORG, {}, () => {
      throw new AppError('INVALID_DATA', 'refused');
    });
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_DATA' });
    const client = await connect(url);
    await client.query('SELECT id FROM org FOR UPDATE NOWAIT');
    await store.writing.inOrg(ORG, {}, counters);
    await client.query('SELECT id FROM org FOR UPDATE NOWAIT');
    expect(await backends(client, IN_TRANSACTION)).toBe(0);
  });

  it('waits for a locked organisation for a bounded time only', async () => {
    const url = await makeDatabase();
    const store = await openStore(url, { timeouts: { ...DEFAULT_TIMEOUTS, lock: 50 } });
    await addOrgs(store, ORG);
    const client = await connect(url);
    await client.query('BEGIN');
    await client.query('SELECT id FROM org FOR UPDATE');
    await expect(store.writing.inOrg(ORG, {}, counters)).rejects.toMatchObject(UNAVAILABLE);
    await client.query('ROLLBACK');
    await store.writing.inOrg(ORG, {}, counters);
  });

  it.each([
    { phase: 'waiting for the lock', table: undefined },
    { phase: 'loading', table: 'idempotency' },
    { phase: 'saving', table: 'record_change' },
  ])('saves nothing when its connection is killed while $phase, and the next one works', async ({ table }) => {
    const url = await makeDatabase();
    const store = await openStore(url);
    await addOrgs(store, ORG);
    const batches = openBatches(store);
    await batches.run(ORG, {}, (set) => openChannel(set, '1'));
    await batches.run(ORG, {}, (set) => createRecords(set));
    const client = await connect(url);
    await client.query('BEGIN');
    await client.query(
      table === undefined ? 'SELECT id FROM org FOR UPDATE' : `LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`,
    );
    const answers = [{ userId: 'u' as never, key: 'k' }];
    const writing = batches.run(ORG, table === 'idempotency' ? { answers } : {}, (set) => createRecords(set));
    const failing = expect(writing).rejects.toMatchObject(UNAVAILABLE);
    await expect.poll(() => backends(client, WAITING), SOON).toBe(1);
    await kill(client, WAITING);
    await failing;
    await client.query('ROLLBACK');
    await batches.run(ORG, {}, (set) => createRecords(set));
    expect(batches.commits.at(-1)?.notifications.map(({ number }) => number)).toEqual([2]);
    expect(await countRows(client, 'record')).toBe(2);
  });

  it('saves nothing when its connection is killed between load and save', async () => {
    const url = await makeDatabase();
    const store = await openStore(url);
    await addOrgs(store, ORG);
    const batches = openBatches(store);
    await batches.run(ORG, {}, (set) => openChannel(set, '1'));
    const broken = batches.run(ORG, {}, (set) => {
      createRecords(set);
      killFromOutside(url, IN_TRANSACTION);
    });
    await expect(broken).rejects.toMatchObject(UNAVAILABLE);
    await batches.run(ORG, {}, (set) => createRecords(set));
    expect(batches.commits.at(-1)?.notifications.map(({ number }) => number)).toEqual([1]);
    expect(await countRows(await connect(url), 'record')).toBe(1);
  });

  it('answers a commit whose answer is lost as one that nobody knows of, and finds it done', async () => {
    const url = await makeDatabase();
    const proxy = await startTcpProxy(Number(new URL(url).port));
    onTestFinished(() => proxy.close());
    const store = await openStore(through(proxy, url));
    await addOrgs(store, ORG);
    const batches = openBatches(store);
    await batches.run(ORG, {}, (set) => openChannel(set, '1'));
    const lost = proxy.loseNext('COMMIT');
    await expect(batches.run(ORG, {}, (set) => createRecords(set))).rejects.toMatchObject(UNAVAILABLE);
    await lost;
    await batches.run(ORG, {}, (set) => createRecords(set));
    expect(batches.commits.at(-1)?.notifications.map(({ number }) => number)).toEqual([2]);
    expect(await countRows(await connect(url), 'record')).toBe(2);
  });

  it('goes on after all idle connections were killed', async () => {
    const url = await makeDatabase();
    const store = await openStore(url);
    await addOrgs(store, ORG);
    const client = await connect(url);
    const settled = (work: Promise<unknown>) =>
      work.then(
        () => 'done',
        (error: unknown) => (error instanceof AppError ? error.code : error),
      );
    for (let times = 0; times < 5; times += 1) {
      await kill(client, 'TRUE');
      // The loss may be noticed before they are used, or by using them.
      expect(['done', 'SERVICE_UNAVAILABLE']).toContain(await settled(store.accounts.listOrgs()));
      expect(['done', 'SERVICE_UNAVAILABLE']).toContain(await settled(store.writing.inOrg(ORG, {}, counters)));
      await expect.poll(() => store.check(), SOON).toEqual({ ok: true });
      await store.writing.inOrg(ORG, {}, counters);
    }
  });

  it('finishes what was begun when the store is closed, and leaves no connection', async () => {
    const url = await makeDatabase();
    const store = await openStore(url);
    await addOrgs(store, ORG);
    const client = await connect(url);
    await client.query('BEGIN');
    await client.query('SELECT id FROM org FOR UPDATE');
    const batches = openBatches(store);
    const writing = batches.run(ORG, {}, (set) => createRecords(set));
    await expect.poll(() => backends(client, WAITING), SOON).toBe(1);
    const closing = store.close();
    await client.query('ROLLBACK');
    await writing;
    await closing;
    await expect.poll(() => backends(client, 'TRUE'), SOON).toBe(0);
    expect(await countRows(client, 'record')).toBe(1);
    await expect(store.accounts.listOrgs()).rejects.toMatchObject(UNAVAILABLE);
  });
});
