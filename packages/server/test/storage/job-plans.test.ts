import { expect, test } from 'vitest';
import type { Generation, JobId, OrgId, UserId } from '../../src/domain/ids.ts';
import { REPLAY_WHICHS } from '../../src/domain/job.ts';
import { createJobStore } from '../../src/storage/jobs.ts';
import { openPlannedStore } from './planned-store.ts';

const ORG = '3652397' as OrgId;
const G = '3652397000010000001' as Generation;
const JOB = `job_${'1'.repeat(32)}` as JobId;
const USER = '3652397000000186017' as UserId;
const { db, plans } = openPlannedStore(`
    INSERT INTO org (id, name, time_zone, created_at, next_serial, last_change, channel_version, catalog_version, last_time)
      VALUES ('${ORG}', '', 'UTC', 0, 1, 9, 0, 0, 0)`);

const store = createJobStore(db);
const range = { from: 1, to: 90, cancelledTo: 5 };
const attempt = { attempt: 2, at: 1, durationMs: 1, outcome: { kind: 'delivered' as const, status: 200 } };
const step = { id: JOB, state: 'running' as const, progress: { position: 1, done: 1, failed: 0, passed: 0 } };

const steps: readonly [string, () => Promise<unknown>][] = [
  ['finding a job', () => store.find(ORG, JOB)],
  ['listing jobs', () => store.list(ORG, { user: USER }, undefined, 10)],
  ['listing more jobs of a channel', () => store.list(ORG, { generation: G }, JOB, 10)],
  ['counting open jobs', () => store.countOpen(ORG, G)],
  ['changing a job', () => store.change(ORG, JOB, ['running'], 'paused', 1)],
  ['counting by state', () => store.counts(ORG, G, 1, 90, 10)],
  ['seeing how one stands', () => store.standing(ORG, G, 1)],
  ['finding a change by its time', () => store.changeSince(ORG, 5)],
  ['finding a number by its change', () => store.numberSince(ORG, G, 90, 5)],
  ['finding what came of one', () => store.attempt(ORG, G, 1, JOB)],
  ...REPLAY_WHICHS.map(
    (which) => [`looking for what is ${which}`, () => store.page(ORG, G, JOB, { ...range, which }, 10)] as const,
  ).map(([name, look]): [string, () => Promise<unknown>] => [name, look]),
  ['bringing what is sent', () => store.bring(ORG, G, [1, 2])],
  ['saving', () => store.settle({ org: ORG, generation: G, resent: [{ number: 1, attempt }], step, at: 1 })],
];

test.each(steps)('%s reads by keys and sorts nothing of a table', async (_, look) => {
  plans.length = 0;
  await look();
  const ofTables = plans.filter(
    (line) => /^(SEARCH|SCAN) /.test(line) && !/json_each|VIRTUAL|\(subquery|^(SCAN|SEARCH) [apjour]$/.test(line),
  );
  expect(ofTables.length).toBeGreaterThan(0);
  for (const line of ofTables) expect(line).toMatch(/^SEARCH .*\(.*org_id=\?( AND |\))|^SEARCH org .*\(id=\?\)/);
});

test('the jobs that run are found among those that do only', async () => {
  plans.length = 0;
  await store.running(undefined, 10);
  await store.running({ org: ORG, generation: G, id: JOB, kind: 'replay' }, 10);
  for (const line of plans) expect(line).toMatch(/job USING (COVERING )?INDEX job_running/);
  expect(plans.filter((line) => line.includes('TEMP B-TREE'))).toEqual([]);
});
