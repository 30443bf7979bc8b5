import { describe, expect, it } from 'vitest';
import type { Generation, JobId, OrgId, RecordId, UserId } from '../../src/domain/ids.ts';
import { type JobStep, REPLAY_WHICHS } from '../../src/domain/job.ts';
import { selectNumbered } from '../../src/storage/changes.ts';
import { selectCurrent, selectLive, selectRevisions } from '../../src/storage/channels.ts';
import { changeRows, sql, type Write } from '../../src/storage/db.ts';
import { selectOwing } from '../../src/storage/delivery.ts';
import { DIALECT } from '../../src/storage/engines/postgres-dialect.ts';
import { selectFeed, selectIslands } from '../../src/storage/feed.ts';
import { selectAnswers } from '../../src/storage/idempotency.ts';
import { saveJobSteps, selectRunning } from '../../src/storage/jobs.ts';
import { saveSettlements, selectFirstAbout, selectWindow } from '../../src/storage/notifications.ts';
import { selectKeys, selectRecords } from '../../src/storage/records.ts';
import { saveResent, selectBrought, selectResendable } from '../../src/storage/resending.ts';
import { EXPLAIN_STATEMENTS } from './explain-statements.ts';
import { openPlannedDatabase, type PlanStep } from './planned-database.ts';

const ORG = '3652397' as OrgId;
const GENERATION = '1' as Generation;
const USER = '2' as UserId;
const RECORD = { module: 'Contacts', id: '3' as RecordId };
const KEY = { module: 'Contacts', field: 'Email', value: 'a' };

const settlement = (number: number, state: 'pending' | 'delivered') => ({
  org: ORG,
  generation: GENERATION,
  number,
  attempt: { attempt: 1, at: 1, durationMs: 1, outcome: { kind: 'delivered' as const, status: 200 } },
  state,
  ...(state === 'pending' && { dueAt: 5 }),
});
const settling = saveSettlements([settlement(1, 'pending'), settlement(2, 'delivered')]);
const [retry, gone, made, ended] = settling;
const JOB = 'job_1' as JobId;
const [, , resent, taken] = saveResent(ORG, GENERATION, [settlement(2, 'delivered')]);
const step: JobStep = { id: JOB, state: 'running', progress: { position: 1, done: 1, failed: 0, passed: 0 } };
const keys = selectKeys(ORG, [KEY])[0];

/**
 * What every batch, window and settlement asks, with what each table must be looked up by. Where few rows are there, more
 * of them than are asked for may be looked at.
 */
const STATEMENTS: Record<
  string,
  readonly [Write | readonly Write[] | undefined, Readonly<Record<string, readonly string[]>>]
> = {
  ...EXPLAIN_STATEMENTS,
  window: [selectWindow(ORG, GENERATION, 1, 10, 1000), { notification: ['number ='], record_change: ['number ='] }],
  search: [
    selectFirstAbout(DIALECT, ORG, GENERATION, [{ record: RECORD, from: 1, before: 9 }], 1000),
    { notification: ['number ='], owed: ['org_id =', 'generation =', 'number '], record_change: ['number ='] },
  ],
  'a page of the feed': [
    selectFeed(ORG, GENERATION, 1, 10, 1000),
    { notification: ['org_id =', 'generation =', 'number '], record_change: ['number ='] },
  ],
  'gaps of what is owed': [
    selectIslands(sql`'pending' AS state, '' AS why`, sql`owed`, ORG, GENERATION, 1),
    { owed: ['org_id =', 'generation =', 'number >'] },
  ],
  'gaps of what is undelivered': [
    selectIslands(sql`state, COALESCE(reason, '') AS why`, sql`undelivered`, ORG, GENERATION, 1),
    { undelivered: ['org_id =', 'generation =', 'number >'] },
  ],
  retries: [retry, { owed: ['org_id =', 'generation =', 'number ='] }],
  'what is owed no more': [gone, { owed: ['org_id =', 'generation =', 'number >='] }],
  attempts: [made, { t: ['org_id =', 'generation =', 'number =', 'attempt ='] }],
  'what has ended': [ended, { notification: ['org_id =', 'generation =', 'number ='] }],
  'retries and ends as one': [
    settling,
    { owed: ['org_id =', 'generation =', 'number '], notification: ['org_id =', 'generation =', 'number ='] },
  ],
  ...Object.fromEntries(
    REPLAY_WHICHS.map((which) => [
      `what is ${which}, to be sent again`,
      [
        selectResendable(ORG, GENERATION, JOB, { from: 1, to: 9, which, cancelledTo: 3 }, 10),
        {
          ...(which === 'all' ? {} : { undelivered: ['org_id =', 'generation =', 'number >='] }),
          notification: ['org_id =', 'generation =', 'number '],
          owed: ['org_id =', 'generation =', 'number '],
          attempt: ['org_id =', 'generation =', 'number ='],
          record_change: ['number ='],
        },
      ],
    ]),
  ),
  'what is sent again': [
    selectBrought(ORG, GENERATION, [1, 2]),
    { notification: ['org_id =', 'generation =', 'number ='], record_change: ['number ='] },
  ],
  'what a replay delivered': [resent, { notification: ['org_id =', 'generation =', 'number ='] }],
  'what is undelivered no more': [taken, { undelivered: ['org_id =', 'generation =', 'number ='] }],
  'how far a job came': [saveJobSteps(ORG, [step], 1), { job: ['org_id =', 'id ='] }],
  'the first jobs that run': [selectRunning(undefined, 10), { job: [] }],
  'more jobs that run': [
    selectRunning({ org: ORG, generation: GENERATION, id: JOB, kind: 'replay' }, 10),
    { job: ['ROW(org_id, generation, id) >'] },
  ],
  numbers: [
    changeRows(
      [1],
      (n) => sql`UPDATE channel SET last_number = ${n} WHERE org_id = ${ORG} AND generation = ${GENERATION}`,
    ),
    { channel: ['org_id =', 'generation ='] },
  ],
  records: [selectRecords(ORG, [RECORD])[0], { record: ['org_id =', 'module =', 'id ='] }],
  'look-ups': [keys?.holders, { record_key: ['org_id =', 'module =', 'field =', 'value ='] }],
  'what look-ups lead to': [keys?.records, { record: ['id ='] }],
  channels: [selectCurrent(ORG, [{ userId: USER, channelId: '1' as never }])[0], { channel: ['org_id ='] }],
  'live channels': [selectLive(ORG), { channel: ['org_id ='] }],
  'more live channels': [
    selectLive(ORG, { openedAt: 1, generation: GENERATION }),
    { channel: ['org_id =', 'ROW(opened_at, generation) >'] },
  ],
  'channels that owe something': [selectOwing(), { owed: ['org_id ='], channel: ['org_id =', 'generation ='] }],
  revisions: [selectRevisions(ORG, 1, 1000), { channel_revision: ['org_id =', 'version >'] }],
  changes: [selectNumbered(ORG, 1, 1000), { record_change: ['org_id =', 'number >'] }],
  answers: [selectAnswers(ORG, [{ userId: USER, key: 'k' }])[0], { idempotency: ['org_id ='] }],
};

const { query, planOf } = openPlannedDatabase();

const scansOf = async (write: Write | readonly Write[]): Promise<PlanStep[]> =>
  (await planOf(write)).filter((step) => step['Node Type'].includes('Scan'));

/** A table, or what a statement calls it where it looks it up in another way there. */
const named = ({ Alias = '', ...step }: PlanStep, tables: object) => (Alias in tables ? Alias : step['Relation Name']);

async function check(): Promise<void> {
  for (const [name, [write, tables]] of Object.entries(STATEMENTS)) {
    if (!write) throw new Error(`There is no statement for ${name}`);
    const scans = await scansOf(write);
    expect(
      scans.filter((step) => step['Node Type'] === 'Seq Scan'),
      name,
    ).toEqual([]);
    for (const [table, conditions] of Object.entries(tables)) {
      // A bitmap's condition stands in the step below.
      const found = scans.filter((step) => named(step, tables) === table && !step['Node Type'].startsWith('Bitmap'));
      const below = scans.filter((step) => step['Node Type'] === 'Bitmap Index Scan');
      const all = found.length > 0 ? found : below;
      expect(all.length, `${name}: ${table}`).toBeGreaterThan(0);
      for (const step of all) {
        for (const condition of conditions) expect(step['Index Cond'], `${name}: ${table}`).toContain(condition);
      }
    }
  }
}

describe('the plans of what is asked all the time', () => {
  it('go by whole keys in a store that was just made', check);

  it('go by whole keys when the tables are filled, and when what is owed was looked at by the server while there was nothing', async () => {
    await query(`
      INSERT INTO notification SELECT '${ORG}', '1', n, n::text, n, 'Contacts', 'insert', '[]', 'v8', 0, 'pending', '', 0
        FROM generate_series(1, 5000) n;
      INSERT INTO owed SELECT '${ORG}', '1', n, n, 0 FROM generate_series(1, 5000) n;
      INSERT INTO record_change SELECT '${ORG}', n, 'Contacts', 'insert', 0, '', '[]', '{}', 0 FROM generate_series(1, 5000) n;
      INSERT INTO record SELECT '${ORG}', 'Contacts', n::text, '{}', 0, '', 0, '' FROM generate_series(1, 5000) n;
      ANALYZE notification, owed, record_change, record`);
    await check();
    await query('DELETE FROM owed');
    await query('VACUUM ANALYZE owed');
    await check();
  });
});
