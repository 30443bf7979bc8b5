import type { Attempt, Outcome } from '../domain/attempt.ts';
import { bucketOf } from '../domain/bucket.ts';
import type { Generation, JobId, OrgId, UserId } from '../domain/ids.ts';
import { JOB_KINDS, JOB_STATES, type Job, type JobProgress, type JobRequest, type JobStep } from '../domain/job.ts';
import type { NotificationState } from '../domain/notification.ts';
import { lockOrg } from './accounts.ts';
import {
  changeRows,
  type Db,
  insertRows,
  list,
  type Row,
  type RowChange,
  type RowInsert,
  type Statement,
  sql,
} from './db.ts';
import type { Fence } from './delivery.ts';
import { lastOf } from './group.ts';
import type { JobStore, RunningJob } from './job-store.ts';
import { readOwed } from './notifications.ts';
import { saveResent, selectBrought, selectResendable } from './resending.ts';
import { integer, integerOrNone, jsonObject, oneOf, text, textOrNone } from './rows.ts';

/** One that was paused or cancelled meanwhile stays so; what it did is counted. */
export const saveJobSteps = (org: OrgId, steps: readonly JobStep[], at: number): RowChange =>
  changeRows(
    lastOf(steps, ({ id }) => id),
    ({ id, state, progress, note }) => sql`
      UPDATE job SET progress = ${JSON.stringify(progress)}, updated_at = ${at}, note = ${note ?? null},
        state = CASE state WHEN 'running' THEN ${state} ELSE state END
      WHERE org_id = ${org} AND id = ${id}`,
  );

export const saveNewJobs = (jobs: readonly Job[]): RowInsert =>
  insertRows(
    'job (org_id, id, kind, generation, state, request, progress, note, created_by, created_at, updated_at)',
    jobs.map((job) => [
      job.org,
      job.id,
      job.request.kind,
      job.generation,
      job.state,
      JSON.stringify(job.request),
      JSON.stringify(job.progress),
      job.note ?? null,
      job.createdBy,
      job.createdAt,
      job.updatedAt,
    ]),
  );

/** Jobs that one page of a list looks at. */
const LOOKED = 500;
const STATES: readonly NotificationState[] = ['pending', 'delivered', 'parked', 'cancelled'];
/** Numbers looked through by one statement for one that its change itself numbered. */
const SEARCH_SLICE = 5000;

const COLUMNS = sql`j.org_id, j.id, j.generation, j.state, j.request, j.progress, j.note, j.created_by, j.created_at,
  j.updated_at`;

/** Of all organisations: by the index that holds no other jobs. */
export function selectRunning(after: RunningJob | undefined, limit: number): Statement {
  const later = after ? sql`AND (org_id, generation, id) > (${after.org}, ${after.generation}, ${after.id})` : sql``;
  return sql`
    SELECT org_id, generation, id, kind FROM job WHERE state = 'running' ${later}
    ORDER BY org_id, generation, id LIMIT ${limit}`;
}

export function createJobStore(db: Db, fence?: Fence): JobStore {
  async function first(statement: ReturnType<typeof sql>): Promise<Row | undefined> {
    const [rows] = await db.read([statement]);
    return rows?.[0];
  }

  /** The first of these that its change itself numbered. */
  async function ownNumber(
    org: OrgId,
    generation: Generation,
    from: number,
    to: number,
  ): Promise<{ readonly number: number; readonly change: number } | undefined> {
    for (let at = from; at <= to; at += SEARCH_SLICE) {
      const row = await first(sql`
        SELECT number, change_number FROM notification
        WHERE org_id = ${org} AND generation = ${generation} AND number >= ${at}
          AND number <= ${Math.min(to, at + SEARCH_SLICE - 1)} AND job IS NULL
        ORDER BY number LIMIT 1`);
      if (row) return { number: integer(row, 'number'), change: integer(row, 'change_number') };
    }
    return undefined;
  }

  return {
    async find(org, id) {
      const [rows] = await db.load([sql`SELECT ${COLUMNS} FROM job j WHERE j.org_id = ${org} AND j.id = ${id}`]);
      return rows?.[0] && readJob(rows[0]);
    },

    async list(org, { generation, user, state }, before, limit) {
      const ofChannel = generation === undefined ? sql`` : sql`AND generation = ${generation}`;
      const older = before === undefined ? sql`` : sql`AND id < ${before}`;
      const [rows = []] = await db.read([
        sql`
          SELECT ${COLUMNS}, c.user_id FROM (
            SELECT * FROM job WHERE org_id = ${org} ${ofChannel} ${older} ORDER BY id DESC LIMIT ${LOOKED}) j
          LEFT JOIN channel c ON c.org_id = j.org_id AND c.generation = j.generation
          ORDER BY j.id DESC`,
      ]);
      const jobs: Job[] = [];
      for (const row of rows) {
        const isAskedFor =
          (state === undefined || row.state === state) &&
          (user === undefined || (row.user_id !== null && text<UserId>(row, 'user_id') === user));
        if (!isAskedFor) continue;
        jobs.push(readJob(row));
        if (jobs.length === limit) return { jobs, last: text<JobId>(row, 'id') };
      }
      const last = rows.at(-1);
      return { jobs, ...(last && rows.length === LOOKED && { last: text<JobId>(last, 'id') }) };
    },

    async countOpen(org, generation) {
      const row = await first(sql`
        SELECT COUNT(*) AS jobs FROM job
        WHERE org_id = ${org} AND generation = ${generation} AND state IN ('running', 'paused')`);
      return row ? integer(row, 'jobs') : 0;
    },

    async change(org, id, from, to, at) {
      // Retention removes what no running re-match needs: it sees this one, or is done when this one goes on.
      const [, rows = []] = await db.write([
        lockOrg(db.dialect, org),
        sql`
          UPDATE job SET state = ${to}, note = NULL, updated_at = ${at}
          WHERE org_id = ${org} AND id = ${id} AND state IN ${list(from)} RETURNING 1 AS one`,
      ]);
      return rows.length > 0;
    },

    async running(after, limit) {
      const [rows = []] = await db.load([selectRunning(after, limit)]);
      return rows.map(readRunning);
    },

    async counts(org, generation, from, to, limit) {
      const last = await first(sql`
        SELECT MAX(number) AS last, COUNT(*) AS looked FROM (
          SELECT number FROM notification
          WHERE org_id = ${org} AND generation = ${generation} AND number >= ${from} AND number <= ${to}
          ORDER BY number LIMIT ${limit}) r`);
      const counts: Record<NotificationState, number> = { pending: 0, delivered: 0, parked: 0, cancelled: 0 };
      const end = last && integerOrNone(last, 'last');
      if (!last || end === undefined) return { counts, last: to, looked: 0 };
      const range = sql`org_id = ${org} AND generation = ${generation} AND number >= ${from} AND number <= ${end}`;
      const [owed = [], undelivered = []] = await db.read([
        sql`SELECT COUNT(*) AS count FROM owed WHERE ${range}`,
        sql`SELECT state, COUNT(*) AS count FROM undelivered WHERE ${range} GROUP BY state`,
      ]);
      for (const row of undelivered) counts[oneOf(row, 'state', STATES)] = integer(row, 'count');
      counts.pending = owed[0] ? integer(owed[0], 'count') : 0;
      const looked = integer(last, 'looked');
      // Some may have been settled between the two reads.
      counts.delivered = Math.max(0, looked - counts.pending - counts.parked - counts.cancelled);
      return { counts, last: looked < limit ? to : end, looked };
    },

    async standing(org, generation, number) {
      const row = await first(sql`
        SELECT n.state, o.due_at FROM notification n
        LEFT JOIN owed o ON o.org_id = n.org_id AND o.generation = n.generation AND o.number = n.number
        WHERE n.org_id = ${org} AND n.generation = ${generation} AND n.number = ${number}`);
      const dueAt = row && integerOrNone(row, 'due_at');
      return row && { state: oneOf(row, 'state', STATES), ...(dueAt !== undefined && { dueAt }) };
    },

    async changeSince(org, at) {
      const from = (number: number) =>
        first(sql`
          SELECT number, at FROM record_change WHERE org_id = ${org} AND number >= ${number} ORDER BY number LIMIT 1`);
      const top = await first(sql`SELECT last_change FROM org WHERE id = ${org}`);
      // Committed time never runs backwards, so the log is in order of time, too.
      let low = 1;
      let high = (top ? integer(top, 'last_change') : 0) + 1;
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        const row = await from(middle);
        if (!row || integer(row, 'number') >= high || integer(row, 'at') >= at) high = middle;
        else low = integer(row, 'number') + 1;
      }
      return low;
    },

    async numberSince(org, generation, last, change) {
      let low = 1;
      let high = last + 1;
      let found = last + 1;
      while (low < high) {
        const middle = Math.floor((low + high) / 2);
        const own = await ownNumber(org, generation, middle, high - 1);
        if (!own) high = middle;
        else if (own.change >= change) {
          found = own.number;
          high = middle;
        } else low = own.number + 1;
      }
      return found;
    },

    async attempt(org, generation, number, job) {
      const row = await first(sql`
        SELECT attempt, at, duration_ms, outcome, address, sent_ms, answered_ms FROM attempt
        WHERE org_id = ${org} AND generation = ${generation} AND number = ${number} AND job = ${job}
        ORDER BY attempt DESC LIMIT 1`);
      return row && readAttempt(row, job);
    },

    async page(org, generation, job, range, limit) {
      const [rows = []] = await db.load([selectResendable(org, generation, job, range, limit)]);
      const last = rows.at(-1);
      const items = rows.filter(
        (row) =>
          (row.state !== 'pending' || integer(row, 'number') <= range.cancelledTo) &&
          (range.which !== 'parked' || row.state === 'parked'),
      );
      return {
        items: items.map((row) => ({
          number: integer(row, 'number'),
          attemptsMade: integer(row, 'attempts_made'),
          bytes: integer(row, 'bytes'),
          tries: integer(row, 'tries'),
          isDelivered: integer(row, 'delivered') > 0,
        })),
        lookedTo: last && rows.length === limit ? integer(last, 'number') : range.to,
      };
    },

    async bring(org, generation, numbers) {
      const [rows = []] = await db.load([selectBrought(org, generation, numbers)]);
      return rows.map(readOwed);
    },

    async settle({ org, generation, resent, step, at, epoch }) {
      const lease = epoch === undefined ? undefined : `${bucketOf(generation)}:${epoch}`;
      try {
        await db.write([
          ...(fence && lease !== undefined ? [fence.hold([lease])] : []),
          ...saveResent(org, generation, resent),
          saveJobSteps(org, [step], at),
        ]);
        return true;
      } catch (error) {
        if (fence?.isBroken(error)) return false;
        throw error;
      }
    },
  };
}

const readRunning = (row: Row): RunningJob => ({
  org: text<OrgId>(row, 'org_id'),
  generation: text<Generation>(row, 'generation'),
  id: text<JobId>(row, 'id'),
  kind: oneOf(row, 'kind', JOB_KINDS),
});

function readJob(row: Row): Job {
  const note = textOrNone(row, 'note');
  return {
    org: text<OrgId>(row, 'org_id'),
    id: text<JobId>(row, 'id'),
    generation: text<Generation>(row, 'generation'),
    request: jsonObject<JobRequest>(row, 'request'),
    state: oneOf(row, 'state', JOB_STATES),
    progress: jsonObject<JobProgress>(row, 'progress'),
    ...(note !== undefined && { note }),
    createdBy: text(row, 'created_by'),
    createdAt: integer(row, 'created_at'),
    updatedAt: integer(row, 'updated_at'),
  };
}

function readAttempt(row: Row, job: JobId): Attempt {
  const address = textOrNone(row, 'address');
  const sentMs = integerOrNone(row, 'sent_ms');
  const answeredMs = integerOrNone(row, 'answered_ms');
  return {
    attempt: integer(row, 'attempt'),
    at: integer(row, 'at'),
    durationMs: integer(row, 'duration_ms'),
    outcome: jsonObject<Outcome>(row, 'outcome'),
    ...(address !== undefined && { address }),
    ...(sentMs !== undefined && { sentMs }),
    ...(answeredMs !== undefined && { answeredMs }),
    job,
  };
}
