import { expect, test, vi } from 'vitest';
import type { Generation, OrgId } from '../../src/domain/ids.ts';
import { createBacklogCounts } from '../../src/storage/backlog-counts.ts';
import type { Db } from '../../src/storage/db.ts';
import { createHousekeepingStore } from '../../src/storage/housekeeping.ts';
import { openPlannedStore } from './planned-store.ts';

const ORG = '3652397' as OrgId;
const G = '3652397000010000001' as Generation;
// Something to come upon for the statements that follow from what was found.
const { plans, exec, prepare, ...planned } = openPlannedStore(`
    INSERT INTO lapse VALUES ('${ORG}', '${G}', 1, 'expired', 2, 0, 0, NULL);
    INSERT INTO channel_revision VALUES ('${ORG}', 1, 0, 'deleted', '${G}', '{}', NULL);
    INSERT INTO record_change VALUES ('${ORG}', 1, 'Leads', 'update', 0, 'u', '[{"id":"1","fields":[],"values":{},"related":[]}]', '{}', 0),
      ('${ORG}', 9, 'Leads', 'update', 9, 'u', '[]', '{}', 0);
    INSERT INTO record VALUES ('${ORG}', 'jobs.mass_update.Leads', '1', '{}', 0, 'u', 0, 'u');
    INSERT INTO added_field VALUES ('${ORG}', 'Leads', 'Gone', 1, '{}', 0, 0);
    INSERT INTO record_key VALUES ('${ORG}', 'Leads', 'Gone', 'v', '1');
    INSERT INTO channel (org_id, generation, user_id, channel_id, version, events, notify_on_related, with_values,
      conditions, expires_at, notify_url, last_number, opened_at, modified_at, epoch, restarts)
      VALUES ('${ORG}', '${G}', 'u', '1', 'v8', '[]', 0, 0, '[]', 0, '', 30, 0, 0, 0, '[]');`);
const db: Db = { ...planned.db, load: () => Promise.reject(new Error('it delays nobody')) };

const store = createHousekeepingStore(db);
const undelivered = [{ from: 1, to: 2, reason: 'parked' }];

const steps: readonly [string, () => Promise<unknown>][] = [
  ['looking through channels', () => store.channels(ORG, '', 9)],
  ['cancelling', () => store.cancel(ORG, G, { to: 9, reason: 'skipped', at: 0 }, 9)],
  ['looking through notifications', () => store.notifications(ORG, G, 1, 9, 9)],
  ['removing notifications', () => store.removeNotifications(ORG, G, { runs: [{ from: 1, to: 2 }], undelivered }, 0)],
  ['finding a change by its time', () => store.newestChange(ORG, 5)],
  ['removing changes', () => store.removeChanges(ORG, 5, 9)],
  ['removing revisions', () => store.removeRevisions(ORG, 0, 5, 9)],
  ['removing lapses', () => store.removeLapses(ORG, 9, 9)],
  ['removing answers', () => store.removeAnswers(ORG, 5, 9)],
  ['removing look-up entries', () => store.removeLookUps(ORG, 9)],
  ['finding what a re-match needs', () => store.neededByRematch(ORG)],
  ['removing jobs', () => store.removeFinishedJobs(ORG, '', 5, 9)],
  ['removing notices', () => store.removeNotices(ORG, 0, 5, 9)],
  ['removing results of mass actions', () => store.removeJobs(ORG, 5, 9)],
  [
    'counting what is owed',
    async () => {
      const channel = { generation: G } as never;
      const counted = new Map();
      const index = { byKey: new Map([['k', channel]]), overflowing: new Set(), counted };
      const counts = createBacklogCounts(db);
      counts.take(ORG, { ...index, uncounted: new Map([[G, 'k']]) } as never);
      await vi.waitFor(() => expect(counted.size).toBe(1));
      await counts.stop();
    },
  ],
  ['removing channels', () => store.removeChannels(ORG, [G])],
];

test.each(steps)('%s reads by keys and sorts nothing', async (_, step) => {
  plans.length = 0;
  await step();
  const ofTables = plans.filter(
    (line) => /^(SEARCH|SCAN) /.test(line) && !/json_each|VIRTUAL|\(subquery|^(SCAN|SEARCH) [rs]$/.test(line),
  );
  expect(ofTables.length).toBeGreaterThan(0);
  // Every look-up is by the organisation and something of it.
  for (const line of ofTables) expect(line).toMatch(/^SEARCH .*\(.*org_id=\?( AND |\))|^SEARCH org .*\(id=\?\)/);
  expect(plans.filter((line) => line.includes('TEMP B-TREE'))).toEqual([]);
});

test.each(['looking through channels', 'cancelling', 'counting what is owed'])(
  '%s finds what is owed among any number of others',
  async (name) => {
    plans.length = 0;
    await steps.find(([title]) => title === name)?.[1]();
    expect(plans.join()).toMatch(/SEARCH \w+ USING (PRIMARY KEY|INDEX owed) \(org_id=\? AND generation=\?/);
  },
);

test('of an ended channel how it failed goes with its row', async () => {
  const ended = `${G}e` as Generation;
  const row = 'org_id, user_id, channel_id, version, events, notify_on_related, with_values, conditions, expires_at';
  const rest = 'notify_url, last_number, opened_at, modified_at, epoch, restarts';
  exec(`
    INSERT INTO channel (generation, ended_at, ended_reason, ${row}, ${rest})
      SELECT '${ended}', 1, 'deleted', ${row}, ${rest} FROM channel WHERE generation = '${G}';
    INSERT INTO channel_health VALUES ('${ORG}', '${ended}', 0, 1, 0, '[1]')`);
  await store.removeChannels(ORG, [ended]);
  for (const table of ['channel', 'channel_health']) {
    expect(prepare(`SELECT * FROM ${table} WHERE generation = ?`).all(ended)).toEqual([]);
  }
});

test('ranges of what was undelivered are joined with those that they touch, and no other is touched', async () => {
  const keep = prepare('INSERT INTO removed_range VALUES (?, ?, ?, ?, ?, ?)');
  for (const [from, to, reason] of [
    [100, 110, 'parked'],
    [112, 119, 'parked'],
    [130, 139, 'parked'],
    [141, 149, 'skipped'],
    [151, 159, 'parked'],
  ] as const) {
    keep.run(ORG, G, from, to, reason, 1);
  }
  const one = (number: number) => ({ from: number, to: number, reason: 'parked' });
  await store.removeNotifications(ORG, G, { runs: [{ from: 1, to: 1 }], undelivered: [111, 140, 160].map(one) }, 5);
  const rows = prepare('SELECT * FROM removed_range WHERE from_number >= 100 ORDER BY from_number').raw();
  expect(rows.all().map((row) => (row as unknown[]).slice(2))).toEqual([
    [100, 119, 'parked', 5],
    [130, 140, 'parked', 5],
    [141, 149, 'skipped', 5],
    [151, 160, 'parked', 5],
  ]);
  // Between two that are added, and away from both.
  keep.run(ORG, G, 170, 175, 'parked', 1);
  await store.removeNotifications(ORG, G, { runs: [{ from: 1, to: 1 }], undelivered: [168, 177].map(one) }, 9);
  expect(rows.all().slice(-3)).toEqual([
    [ORG, G, 168, 168, 'parked', 9],
    [ORG, G, 170, 175, 'parked', 1],
    [ORG, G, 177, 177, 'parked', 9],
  ]);
});
