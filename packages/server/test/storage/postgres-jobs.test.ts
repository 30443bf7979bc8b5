import { expect, onTestFinished, test, vi } from 'vitest';
import type { Generation, JobId, OrgId } from '../../src/domain/ids.ts';
import { createPostgresStore } from '../../src/storage/engines/postgres.ts';
import { createDatabase } from '../support/postgres/database.ts';
import { withClient } from '../support/postgres/with-client.ts';

const ORG = '3652397' as OrgId;
const GENERATION = '3652397000010000001' as Generation;
const JOB = `job_${'1'.repeat(32)}` as JobId;
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

test('a node that lost the bucket of a channel saves nothing of its jobs: neither attempts nor how far they came', async () => {
  const { url, drop } = await createDatabase({ isMigrated: true });
  onTestFinished(drop);
  const store = await createPostgresStore({ url, secretKey: new Uint8Array(32), logger: silent, time: 'injected' });
  onTestFinished(() => store.close());
  await withClient(url, async (client) => {
    await client.query(
      `INSERT INTO job VALUES ('${ORG}', '${JOB}', 'replay', '${GENERATION}', 'running', '{}', '{"position":0}', NULL, '', 0, 0)`,
    );
    await client.query(
      `INSERT INTO notification SELECT '${ORG}', '${GENERATION}', 1, 'n', 1, 'Contacts', 'insert', '[]', 'v8', 0, 'delivered', '', 1`,
    );
    await client.query('UPDATE bucket SET epoch = 4');
  });
  const save = (epoch: number) =>
    store.jobs.settle({
      org: ORG,
      generation: GENERATION,
      resent: [
        { number: 1, attempt: { attempt: 2, at: 1, durationMs: 1, outcome: { kind: 'delivered', status: 200 } } },
      ],
      step: { id: JOB, state: 'done', progress: { position: 1, done: 1, failed: 0, passed: 0 } },
      at: 5,
      epoch,
    });
  const stored = () =>
    withClient(url, async (client) => {
      const { rows: jobs } = await client.query('SELECT state, progress FROM job');
      const { rows: attempts } = await client.query('SELECT number, attempt FROM attempt');
      return { jobs, attempts: attempts.length };
    });
  expect(await save(3)).toBe(false);
  expect(await stored()).toEqual({ jobs: [{ state: 'running', progress: '{"position":0}' }], attempts: 0 });
  expect(await save(4)).toBe(true);
  expect(await stored()).toMatchObject({ jobs: [{ state: 'done' }], attempts: 1 });
  // Of what retention removed meanwhile nothing is left behind.
  await withClient(url, (client) => client.query('DELETE FROM notification'));
  expect(await save(4)).toBe(true);
  expect(await stored()).toMatchObject({ attempts: 0 });
});

test('a re-match is not resumed while the changes that it would match again are being removed', async () => {
  const { url, drop } = await createDatabase({ isMigrated: true });
  onTestFinished(drop);
  const store = await createPostgresStore({ url, secretKey: new Uint8Array(32), logger: silent, time: 'injected' });
  onTestFinished(() => store.close());
  await withClient(url, async (client) => {
    await client.query(
      `INSERT INTO org (id, name, time_zone, created_at, next_serial, last_change, channel_version, catalog_version, last_time)
       VALUES ('${ORG}', 'Zylker', 'UTC', 0, 1, 9, 1, 1, 0)`,
    );
    await client.query(
      `INSERT INTO job VALUES ('${ORG}', '${JOB}', 'rematch', '${GENERATION}', 'paused', '{}', '{"position":0}', NULL, '', 0, 0)`,
    );
    await client.query('BEGIN');
    await client.query(`SELECT id FROM org WHERE id = '${ORG}' FOR UPDATE`);
    let isResumed = false;
    const resumed = store.jobs.change(ORG, JOB, ['paused'], 'running', 5).then((is) => {
      isResumed = is;
    });
    await vi.waitFor(async () => {
      const waiting = "datname = current_database() AND wait_event_type = 'Lock'";
      expect((await client.query(`SELECT 1 FROM pg_stat_activity WHERE ${waiting}`)).rows).toHaveLength(1);
    });
    expect(isResumed).toBe(false);
    await client.query('COMMIT');
    await resumed;
    expect(isResumed).toBe(true);
  });
});
