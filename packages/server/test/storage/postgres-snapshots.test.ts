import { expect, onTestFinished, test } from 'vitest';
import { createPostgresStore } from '../../src/storage/engines/postgres.ts';
import { createSnapshotWatch } from '../../src/storage/engines/postgres-snapshots.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { createDatabase } from '../support/postgres/database.ts';
import { withClient } from '../support/postgres/with-client.ts';

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

test('a snapshot that somebody holds is told with who it is, and no more once it is let go', async () => {
  const { url, drop } = await createDatabase();
  onTestFinished(drop);
  const metrics = createMetrics();
  const store = await createPostgresStore({
    url,
    secretKey: new Uint8Array(32),
    logger: silent,
    time: 'database',
    metrics,
  });
  onTestFinished(() => store.close());
  const holders = async () => (await store.database?.oldestSnapshot())?.holder ?? '';
  await withClient(`${url}?application_name=a-long-report`, async (client) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await client.query('SELECT 1');
    // Others of this server's tests may hold theirs, but begin later.
    await expect.poll(holders).toContain('(a-long-report)');
    await client.query('COMMIT');
  });
  await expect.poll(holders).not.toContain('(a-long-report)');
  expect(store.database?.connections().reading).toMatchObject({ busy: 0, waiting: 0 });
  expect(await metrics.text()).toMatch(/^watchbell_database_round_trip_seconds_count [1-9]/m);
});

test('what keeps rows that are gone is told: a transaction that wrote and waits, and none of another database', async () => {
  const [{ url, drop }, other] = await Promise.all([createDatabase(), createDatabase()]);
  onTestFinished(drop);
  onTestFinished(other.drop);
  const store = await createPostgresStore({ url, secretKey: new Uint8Array(32), logger: silent, time: 'database' });
  onTestFinished(() => store.close());
  const holder = async () => (await store.database?.oldestSnapshot())?.holder ?? '';
  await withClient(`${other.url}?application_name=elsewhere`, async (elsewhere) => {
    await elsewhere.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await elsewhere.query('SELECT 1');
    expect(await holder()).not.toContain('(elsewhere)');
    await withClient(`${url}?application_name=forgotten`, async (client) => {
      await client.query('CREATE TABLE of_somebody (id INT)');
      await client.query('BEGIN');
      await client.query('INSERT INTO of_somebody VALUES (1)');
      await expect.poll(holder).toContain('(forgotten)');
      await client.query('ROLLBACK');
    });
  });
});

test('of transactions the one that began first is the oldest, of slots the one that stood still longest', () => {
  let now = 0;
  const watch = createSnapshotWatch(() => now);
  const slot = (xmin: string) => ({ holder: 'replication slot a', age: null, xmin });
  const transaction = (age: number) => ({ holder: `transaction ${age}`, age, xmin: '7' });
  expect(watch([])).toBeUndefined();
  expect(watch([transaction(5), transaction(9), slot('10')])).toEqual({ holder: 'transaction 9', ageMs: 9 });
  now = 60_000;
  expect(watch([transaction(5), slot('10')])).toEqual({ holder: 'replication slot a', ageMs: 60_000 });
  now = 61_000;
  expect(watch([slot('11')])).toEqual({ holder: 'replication slot a', ageMs: 0 });
});
