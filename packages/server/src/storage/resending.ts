import type { Generation, JobId, OrgId } from '../domain/ids.ts';
import { CHANGE_COLUMNS } from './changes.ts';
import { changeRows, list, type RowChange, type RowInsert, type Statement, sql, type Write } from './db.ts';
import type { ResendRange, Resent } from './job-store.ts';
import { saveAttemptsOfJob } from './notifications.ts';

/**
 * At most `limit` numbers of the range, in order, with the state that each is in and what the job made of it. Each source
 * is walked by its key and cut before anything is joined, so it is bounded however long the log is.
 */
export function selectResendable(
  org: OrgId,
  generation: Generation,
  job: JobId,
  range: ResendRange,
  limit: number,
): Statement {
  const own = sql`n.org_id = ${org} AND n.generation = ${generation}`;
  const attempts = (condition: Statement) => sql`(
      SELECT COUNT(*) FROM attempt a
      WHERE a.org_id = ${org} AND a.generation = ${generation} AND a.number = p.number AND a.job = ${job} ${condition})`;
  return sql`
    WITH page AS MATERIALIZED (${numbers(org, generation, range, limit)})
    SELECT p.number, n.state, OCTET_LENGTH(c.records) AS bytes, COALESCE((
        SELECT o.attempts_made FROM owed o
        WHERE o.org_id = ${org} AND o.generation = ${generation} AND o.number = p.number), n.attempts_made) AS attempts_made,
      ${attempts(sql``)} AS tries, ${attempts(sql`AND a.kind = 'delivered'`)} AS delivered
    FROM page p
    JOIN notification n ON ${own} AND n.number = p.number
    JOIN record_change c ON c.org_id = n.org_id AND c.number = n.change_number
    ORDER BY p.number`;
}

/** What is cancelled may not have been written down yet: then it is among what is owed. */
function numbers(
  org: OrgId,
  generation: Generation,
  { from, to, which, cancelledTo }: ResendRange,
  limit: number,
): Statement {
  const within = (upTo: number) => sql`
    org_id = ${org} AND generation = ${generation} AND number >= ${from} AND number <= ${upTo} ORDER BY number LIMIT ${limit}`;
  if (which === 'all') return sql`SELECT number FROM notification WHERE ${within(to)}`;
  return sql`
    SELECT number FROM (
      SELECT number FROM (SELECT number FROM undelivered WHERE ${within(to)}) u
      UNION ALL
      SELECT number FROM (SELECT number FROM owed WHERE ${within(Math.min(to, cancelledTo))}) o) r
    ORDER BY number LIMIT ${limit}`;
}

/** As they are sent. */
export const selectBrought = (org: OrgId, generation: Generation, numbers: readonly number[]): Statement => sql`
  WITH asked AS MATERIALIZED (SELECT CAST(s.value AS BIGINT) AS number FROM ${list(numbers.map(String))} s)
  SELECT n.org_id, n.generation, n.number, n.id, n.module, n.operation, n.ids, n.version, n.with_values, n.job,
    n.attempts_made, NULL AS due_at, ${CHANGE_COLUMNS}
  FROM asked a
  JOIN notification n ON n.org_id = ${org} AND n.generation = ${generation} AND n.number = a.number
  JOIN record_change c ON c.org_id = n.org_id AND c.number = n.change_number
  ORDER BY n.number`;

/**
 * A success delivers what was parked or cancelled; a failure changes no state. As every end of a notification it is taken
 * from `owed` first, where it is while its cancelling is not written down; then come attempts, as with what is settled, so
 * that neither waits for the other one in turn.
 */
export function saveResent(org: OrgId, generation: Generation, resent: readonly Resent[]): Write[] {
  const delivered = resent.filter(({ attempt }) => attempt.outcome.kind === 'delivered');
  const failed = resent.filter(({ attempt }) => attempt.outcome.kind !== 'delivered');
  const one = (number: number) => sql`org_id = ${org} AND generation = ${generation} AND number = ${number}`;
  const counted = (made: number) =>
    sql`attempts_made = CASE WHEN attempts_made < ${made} THEN ${made} ELSE attempts_made END`;
  const rows: (RowChange | RowInsert)[] = [
    changeRows(delivered, ({ number }) => sql`DELETE FROM owed WHERE ${one(number)}`),
    changeRows(failed, ({ number, attempt }) => sql`UPDATE owed SET ${counted(attempt.attempt)} WHERE ${one(number)}`),
    saveAttemptsOfJob(resent.map(({ number, attempt }) => ({ org, generation, number, attempt }))),
    changeRows(
      delivered,
      ({ number, attempt }) => sql`
        UPDATE notification SET ${counted(attempt.attempt)}, reason = NULL, state = 'delivered',
          settled_at = CASE state WHEN 'delivered' THEN settled_at ELSE ${attempt.at + attempt.durationMs} END
        WHERE ${one(number)}`,
    ),
    changeRows(
      failed,
      ({ number, attempt }) => sql`UPDATE notification SET ${counted(attempt.attempt)} WHERE ${one(number)}`,
    ),
    changeRows(delivered, ({ number }) => sql`DELETE FROM undelivered WHERE ${one(number)}`),
    // Retention may have removed it meanwhile: its attempts would never be found again.
    changeRows(
      resent,
      ({ number }) => sql`
        DELETE FROM attempt WHERE ${one(number)} AND NOT EXISTS (
          SELECT 1 FROM notification n
          WHERE n.org_id = ${org} AND n.generation = ${generation} AND n.number = ${number})`,
    ),
  ];
  return rows.filter(({ rows }) => rows.length > 0);
}
