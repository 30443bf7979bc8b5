import type { Generation, NotificationId, OrgId, RecordId } from '../domain/ids.ts';
import type { Notification } from '../domain/notification.ts';
import type { RecordRef } from '../domain/record.ts';
import { API_VERSIONS } from '../domain/wire/api-version.ts';
import { CHANGE_COLUMNS, readChange, STORED_OPERATIONS } from './changes.ts';
import { saveHealth } from './channel-health.ts';
import { changeRows, type Dialect, insertRows, type Row, type Statement, sql, type Write } from './db.ts';
import { flag, integer, integerOrNone, oneOf, text, textList } from './rows.ts';
import type { OwedNotification, Settlement } from './store.ts';

const COLUMNS = sql`n.org_id, n.generation, n.number, n.id, n.module, n.operation, n.ids, n.version, n.with_values,
  n.attempts_made, n.due_at`;

export const saveNotifications = (notifications: readonly Notification[]): Write =>
  insertRows(
    `notification (org_id, generation, number, id, change_number, module, operation, ids, version, with_values, state,
      attempts_made, due_at)`,
    notifications.map((notification) => [
      notification.org,
      notification.generation,
      notification.number,
      notification.id,
      notification.change.number,
      notification.module,
      notification.operation,
      JSON.stringify(notification.ids),
      notification.version,
      Number(notification.withValues),
      'pending',
      0,
      null,
    ]),
  );

export function readOwed(row: Row): OwedNotification {
  const dueAt = integerOrNone(row, 'due_at');
  return {
    org: text<OrgId>(row, 'org_id'),
    generation: text<Generation>(row, 'generation'),
    number: integer(row, 'number'),
    id: text<NotificationId>(row, 'id'),
    module: text(row, 'module'),
    operation: oneOf(row, 'operation', STORED_OPERATIONS),
    ids: textList<RecordId>(row, 'ids'),
    version: oneOf(row, 'version', API_VERSIONS),
    withValues: flag(row, 'with_values'),
    change: readChange(row),
    attemptsMade: integer(row, 'attempts_made'),
    ...(dueAt === undefined ? {} : { dueAt }),
  };
}

/**
 * Numbers come from the index of what is pending alone, however long the log is.
 * Sizes are summed before any change is read, so that a window never brings more into memory than was asked for.
 */
export const selectWindow = (
  org: OrgId,
  generation: Generation,
  from: number,
  limit: number,
  maxBytes: number,
): Statement => sql`
  WITH owed AS MATERIALIZED (
    SELECT number FROM notification
    WHERE org_id = ${org} AND generation = ${generation} AND state = 'pending' AND number >= ${from}
    ORDER BY number LIMIT ${limit}
  ), page AS (
    SELECT ${COLUMNS}, n.change_number, OCTET_LENGTH(c.records) AS bytes
    FROM owed
    JOIN notification n ON n.org_id = ${org} AND n.generation = ${generation} AND n.number = owed.number
    JOIN record_change c ON c.org_id = n.org_id AND c.number = n.change_number
  ), fitting AS (
    SELECT page.*, SUM(bytes) OVER (ORDER BY number) - bytes AS bytes_before FROM page
  )
  SELECT ${COLUMNS}, ${CHANGE_COLUMNS}
  FROM fitting n JOIN record_change c ON c.org_id = n.org_id AND c.number = n.change_number
  WHERE n.bytes_before < ${maxBytes}
  ORDER BY n.number`;

/** Walks what is pending in number order and stops at the first match. */
export const selectFirstAbout = (
  dialect: Dialect,
  org: OrgId,
  generation: Generation,
  record: RecordRef,
  from: number,
  before: number,
): Statement => sql`
  SELECT ${COLUMNS}, ${CHANGE_COLUMNS}
  FROM notification n JOIN record_change c ON c.org_id = n.org_id AND c.number = n.change_number
  WHERE n.org_id = ${org} AND n.generation = ${generation} AND n.state = 'pending'
    AND n.number >= ${from} AND n.number < ${before}
    AND n.module = ${record.module} AND ${dialect.contains(sql`n.ids`, JSON.stringify(record.id))}
  ORDER BY n.number LIMIT 1`;

/** Saving a settlement twice comes to the same. What was cancelled meanwhile is not owed again. */
export const saveSettlements = (settlements: readonly Settlement[]): Write[] => [
  insertRows(
    'attempt (org_id, generation, number, attempt, at, duration_ms, outcome)',
    settlements.map(({ org, generation, number, attempt }) => [
      org,
      generation,
      number,
      attempt.attempt,
      attempt.at,
      attempt.durationMs,
      JSON.stringify(attempt.outcome),
    ]),
    `ON CONFLICT (org_id, generation, number, attempt) DO UPDATE
      SET at = excluded.at, duration_ms = excluded.duration_ms, outcome = excluded.outcome`,
  ),
  changeRows(
    settlements,
    ({ org, generation, number, attempt, state, dueAt }) => sql`
      UPDATE notification SET state = ${state}, attempts_made = ${attempt.attempt}, due_at = ${dueAt ?? null},
        settled_at = ${state === 'pending' ? null : attempt.at + attempt.durationMs}, reason = NULL
      WHERE org_id = ${org} AND generation = ${generation} AND number = ${number}
        AND (state = 'pending' OR ${state} <> 'pending')`,
  ),
  ...saveHealth(settlements),
];
