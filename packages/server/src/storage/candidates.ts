import type { Attempt, Outcome } from '../domain/attempt.ts';
import type { Generation, JobId, NotificationId, OrgId, RecordId, UserId } from '../domain/ids.ts';
import type { NotificationState } from '../domain/notification.ts';
import type { Candidate } from '../domain/notification-query.ts';
import { STORED_OPERATIONS } from './changes.ts';
import { type Dialect, list, type Row, type Statement, sql } from './db.ts';
import type { Asked, ListedNotification, NumberSpan } from './look-store.ts';
import { flag, integer, integerOrNone, jsonObject, oneOf, text, textList, textOrNone } from './rows.ts';

// What is read of notifications that are looked through, and of those that are shown.

const STATES: readonly NotificationState[] = ['pending', 'delivered', 'parked', 'cancelled'];
const OUTCOMES: readonly Outcome['kind'][] = ['delivered', 'rejected', 'unreachable', 'forbidden'];

/** Of `n`. Neither ids nor changes are brought: a candidate is small, whatever it says. */
export function candidateColumns(dialect: Dialect, { record, lastAttempt }: Asked): Statement {
  const about =
    record === undefined
      ? sql`NULL`
      : sql`CASE WHEN ${dialect.contains(sql`n.ids`, JSON.stringify(record))} THEN 1 ELSE 0 END`;
  const last = (column: Statement) =>
    lastAttempt
      ? sql`(
        SELECT ${column} FROM attempt a
        WHERE a.org_id = n.org_id AND a.generation = n.generation AND a.number = n.number
        ORDER BY a.attempt DESC LIMIT 1)`
      : sql`NULL`;
  return sql`n.generation, n.number, n.change_number, n.module, n.state, n.reason,
    CASE WHEN n.job IS NULL THEN 0 ELSE 1 END AS is_rematched, ${about} AS is_about,
    ${last(sql`a.attempt`)} AS last_attempt, ${last(sql`a.kind`)} AS last_kind`;
}

export function readCandidate(row: Row): Candidate {
  const reason = textOrNone(row, 'reason');
  const attempt = integerOrNone(row, 'last_attempt');
  return {
    generation: text<Generation>(row, 'generation'),
    number: integer(row, 'number'),
    change: integer(row, 'change_number'),
    module: text(row, 'module'),
    state: oneOf(row, 'state', STATES),
    isRematched: flag(row, 'is_rematched'),
    ...(reason !== undefined && { reason }),
    ...(row.is_about !== null && { isAbout: flag(row, 'is_about') }),
    ...(attempt !== undefined && { last: { attempt, outcome: oneOf(row, 'last_kind', OUTCOMES) } }),
  };
}

/** Rows with generation, from_number and to_number, for FROM. */
export function selectSpans(dialect: Dialect, spans: readonly NumberSpan[]): Statement {
  const member = (name: string) => dialect.member(sql`s.value`, name);
  const asked = spans.map(({ generation, from, to }) => JSON.stringify({ generation, from, to }));
  return sql`
    SELECT ${member('generation')} AS generation, CAST(${member('from')} AS BIGINT) AS from_number,
      CAST(${member('to')} AS BIGINT) AS to_number
    FROM ${list(asked)} s`;
}

/** Everything that lists show of the notifications, with the last attempt at each. */
export function selectListed(
  dialect: Dialect,
  org: OrgId,
  keys: readonly { readonly generation: Generation; readonly number: number }[],
): Statement {
  const spans = keys.map(({ generation, number }) => ({ generation, from: number, to: number }));
  return sql`
    WITH asked AS MATERIALIZED (${selectSpans(dialect, spans)}), found AS MATERIALIZED (
      SELECT n.org_id, n.generation, n.number, n.id, n.change_number, n.module, n.operation, n.ids, n.state, n.reason,
        n.attempts_made, n.settled_at, n.job, (
          SELECT MAX(a.attempt) FROM attempt a
          WHERE a.org_id = n.org_id AND a.generation = n.generation AND a.number = n.number) AS last_attempt
      FROM asked k
      JOIN notification n ON n.org_id = ${org} AND n.generation = k.generation AND n.number = k.from_number
    )
    SELECT n.generation, n.number, n.id, n.change_number, n.module, n.operation, n.ids, n.state, n.reason, n.settled_at,
      n.job AS notification_job, CASE WHEN n.job IS NULL THEN 0 ELSE 1 END AS is_rematched, NULL AS is_about,
      COALESCE(o.attempts_made, n.attempts_made) AS attempts_made, o.due_at, n.last_attempt, a.kind AS last_kind,
      c.at AS change_at, c.changed_by, ${ATTEMPT_COLUMNS}
    FROM found n
    JOIN record_change c ON c.org_id = ${org} AND c.number = n.change_number
    LEFT JOIN owed o ON o.org_id = ${org} AND o.generation = n.generation AND o.number = n.number
    LEFT JOIN attempt a
      ON a.org_id = ${org} AND a.generation = n.generation AND a.number = n.number AND a.attempt = n.last_attempt`;
}

export function readListed(row: Row): ListedNotification {
  const dueAt = integerOrNone(row, 'due_at');
  const settledAt = integerOrNone(row, 'settled_at');
  const job = textOrNone<JobId>(row, 'notification_job');
  const candidate = readCandidate(row);
  return {
    ...candidate,
    id: text<NotificationId>(row, 'id'),
    operation: oneOf(row, 'operation', STORED_OPERATIONS),
    ids: textList<RecordId>(row, 'ids'),
    at: integer(row, 'change_at'),
    by: text<UserId>(row, 'changed_by'),
    attemptsMade: integer(row, 'attempts_made'),
    ...(dueAt !== undefined && { dueAt }),
    ...(settledAt !== undefined && { settledAt }),
    ...(job !== undefined && { job }),
    ...(candidate.last && { lastAttempt: readAttempt(row) }),
  };
}

/** Of `a`. */
export const ATTEMPT_COLUMNS = sql`a.attempt, a.at AS attempt_at, a.duration_ms, a.outcome, a.address, a.sent_ms,
  a.answered_ms, a.job AS attempt_job`;

export function readAttempt(row: Row): Attempt {
  const address = textOrNone(row, 'address');
  const sentMs = integerOrNone(row, 'sent_ms');
  const answeredMs = integerOrNone(row, 'answered_ms');
  const job = textOrNone<JobId>(row, 'attempt_job');
  return {
    attempt: integer(row, 'attempt'),
    at: integer(row, 'attempt_at'),
    durationMs: integer(row, 'duration_ms'),
    outcome: jsonObject<Outcome>(row, 'outcome'),
    ...(address !== undefined && { address }),
    ...(sentMs !== undefined && { sentMs }),
    ...(answeredMs !== undefined && { answeredMs }),
    ...(job !== undefined && { job }),
  };
}
