import type pg from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Generation, JobId } from '../../src/domain/ids.ts';
import { createPostgresStore } from '../../src/storage/engines/postgres.ts';
import type { Settlement } from '../../src/storage/store.ts';
import { createDatabase } from '../support/postgres/database.ts';
import { withClient } from '../support/postgres/with-client.ts';
import { addOrgs, createRecords, ORG, openBatches, openChannel, START } from './suite/sample.ts';

const failed = (generation: Generation, number: number): Settlement => ({
  org: ORG,
  generation,
  number,
  attempt: { attempt: 1, at: START, durationMs: 1, outcome: { kind: 'rejected', status: 500, excerpt: '' } },
  state: 'pending',
  dueAt: START + 1000,
});

async function openStore(url: string) {
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const store = await createPostgresStore({ url, secretKey: new Uint8Array(32), logger, time: 'injected' });
  onTestFinished(() => store.close());
  await addOrgs(store, ORG);
  const batches = openBatches(store);
  const { generation } = await batches.run(ORG, {}, (set) => openChannel(set, '1'));
  for (let i = 0; i < 2; i += 1) await batches.run(ORG, {}, (set) => createRecords(set));
  return { store, generation };
}

const waitsForLock = (client: pg.Client, count = 1) =>
  vi.waitFor(async () => {
    // Within a transaction it would be as it was when it was first looked at.
    await client.query('SELECT pg_stat_clear_snapshot()');
    const { rowCount } = await client.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    expect(rowCount).toBe(count);
  }, 4000);

test('an attempt that another transaction is just writing down is left as that one says', async () => {
  const { url, drop } = await createDatabase();
  onTestFinished(drop);
  const { store, generation } = await openStore(url);
  await withClient(url, async (client) => {
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO attempt (org_id, generation, number, attempt, at, duration_ms, kind, outcome, job)
       VALUES ($1, $2, 1, 1, 5, 1, 'rejected', '{"kind":"rejected","status":418,"excerpt":""}', 'job_1')`,
      [ORG, generation],
    );
    const settled = store.delivery.settle([failed(generation, 2), failed(generation, 1)]);
    await waitsForLock(client);
    await client.query('COMMIT');
    expect(await settled).toEqual([]);
    const { rows } = await client.query(
      'SELECT number::int AS number, at::bigint::text AS at, job FROM attempt ORDER BY number',
    );
    expect(rows).toEqual([
      { number: 1, at: '5', job: 'job_1' },
      { number: 2, at: String(START), job: null },
    ]);
  });
  const owed = await store.delivery.window(ORG, generation, 1, 10, 1000);
  expect(owed.map(({ attemptsMade }) => attemptsMade)).toEqual([1, 1]);
});

test('what settles and what sends again take what is owed first, and so neither has what the other one waits for', async () => {
  const { url, drop } = await createDatabase();
  onTestFinished(drop);
  // Longer than a lock is waited for.
  await withClient(url, (client) =>
    client.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''1min''', current_database()); END $$`,
    ),
  );
  const { store, generation } = await openStore(url);
  const { attempt } = failed(generation, 1);
  await withClient(url, async (client) => {
    await client.query('BEGIN');
    await client.query('SELECT 1 FROM owed WHERE number = 1 FOR UPDATE');
    const settled = store.delivery.settle([failed(generation, 1)]);
    await waitsForLock(client);
    const sentAgain = store.jobs.settle({
      org: ORG,
      generation,
      resent: [{ number: 1, attempt: { ...attempt, job: 'job_1' as JobId } }],
      step: { id: 'job_1' as JobId, state: 'running', progress: { position: 1, done: 0, failed: 1, passed: 0 } },
      at: START,
    });
    await waitsForLock(client, 2);
    await client.query('COMMIT');
    expect(await Promise.all([settled, sentAgain])).toEqual([[], true]);
  });
});

test('what was rolled back for the sake of another transaction is done again', async () => {
  const { url, drop } = await createDatabase();
  onTestFinished(drop);
  await withClient(url, (client) =>
    client.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = 2000', current_database()); END $$`,
    ),
  );
  const { store, generation } = await openStore(url);
  await withClient(url, async (client) => {
    const take = (number: number) => client.query('SELECT 1 FROM owed WHERE number = $1 FOR UPDATE', [number]);
    await client.query(`SET deadlock_timeout = '1min'`);
    await client.query('BEGIN');
    await take(1);
    const settled = store.delivery.settle([failed(generation, 2), failed(generation, 1)]);
    await waitsForLock(client);
    // It has the second one already.
    await take(2);
    await client.query('COMMIT');
    expect(await settled).toEqual([]);
  });
  const owed = await store.delivery.window(ORG, generation, 1, 10, 1000);
  expect(owed.map(({ attemptsMade }) => attemptsMade)).toEqual([1, 1]);
});
