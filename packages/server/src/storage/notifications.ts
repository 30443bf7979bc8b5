import type { Generation, JobId, NotificationId, OrgId, RecordId } from '../domain/ids.ts';
import type { Notification } from '../domain/notification.ts';
import { API_VERSIONS } from '../domain/wire/api-version.ts';
import { CHANGE_COLUMNS, readChange, STORED_OPERATIONS } from './changes.ts';
import { saveHealth } from './channel-health.ts';
import {
  changeRows,
  type Dialect,
  insertNew,
  insertRows,
  isNeeded,
  list,
  type Row,
  type RowInsert,
  rowsOf,
  type SqlValue,
  type Statement,
  sql,
  together,
  type Write,
} from './db.ts';
import { lastOf } from './group.ts';
import { flag, integer, integerOrNone, oneOf, text, textList, textOrNone } from './rows.ts';
import type { FirstAbout, OwedNotification, RecordSearch, Settlement } from './store.ts';

const COLUMNS = sql`n.org_id, n.generation, n.number, n.id, n.module, n.operation, n.ids, n.version, n.with_values, n.job,
  o.attempts_made, o.due_at`;

/** Pending, and not attempted yet: those are the defaults. */
const NEW_COLUMNS = 'org_id, generation, number, id, change_number, module, operation, ids, version, with_values';

const newRow = (notification: Notification, ids: string): SqlValue[] => [
  notification.org,
  notification.generation,
  notification.number,
  notification.id,
  notification.change.number,
  notification.module,
  notification.operation,
  ids,
  notification.version,
  Number(notification.withValues),
];

/** `isBulk`: many rows are inserted by one statement; else they are copied where they were just written, run by run. */
export function saveNotifications(notifications: readonly Notification[], isBulk = false): Write[] {
  const rows: SqlValue[][] = [];
  const ofJobs: SqlValue[][] = [];
  let lastIds: Notification['ids'] = [];
  let idsText = '[]';
  for (const notification of notifications) {
    // Channels that are owed the same share one list.
    if (notification.ids !== lastIds) idsText = JSON.stringify(notification.ids);
    lastIds = notification.ids;
    const row = newRow(notification, idsText);
    if (notification.job === undefined) rows.push(row);
    else ofJobs.push([...row, notification.job]);
  }
  return [
    insertRows(`notification (${NEW_COLUMNS})`, rows),
    insertRows(`notification (${NEW_COLUMNS}, job)`, ofJobs),
    isBulk
      ? insertRows(
          'owed (org_id, generation, number, change_number)',
          rowsOf(notifications, ({ org, generation, number, change }) => [org, generation, number, change.number]),
        )
      : changeRows(
          runsOf(notifications),
          ({ org, generation, from, to }) => sql`
          INSERT INTO owed (org_id, generation, number, change_number)
          SELECT n.org_id, n.generation, n.number, n.change_number FROM notification n
          WHERE n.org_id = ${org} AND n.generation = ${generation} AND n.number >= ${from} AND n.number <= ${to}`,
        ),
  ];
}

export function readOwed(row: Row): OwedNotification {
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
    job: textOrNone<JobId>(row, 'job'),
    attemptsMade: integer(row, 'attempts_made'),
    dueAt: integerOrNone(row, 'due_at'),
  };
}

/**
 * Numbers come from what is owed alone, however long the log is.
 * Sizes are summed before any change is read, so that a window never brings more into memory than was asked for.
 */
export const selectWindow = (
  org: OrgId,
  generation: Generation,
  from: number,
  limit: number,
  maxBytes: number,
): Statement => sql`
  WITH page AS MATERIALIZED (
    SELECT number, change_number, attempts_made, due_at FROM owed
    WHERE org_id = ${org} AND generation = ${generation} AND number >= ${from}
    ORDER BY number LIMIT ${limit}
  ), sized AS (
    SELECT p.number, p.attempts_made, p.due_at, OCTET_LENGTH(c.records) AS bytes
    FROM page p JOIN record_change c ON c.org_id = ${org} AND c.number = p.change_number
  ), fitting AS (
    SELECT number, attempts_made, due_at, SUM(bytes) OVER (ORDER BY number) - bytes AS bytes_before FROM sized
  )
  SELECT ${COLUMNS}, ${CHANGE_COLUMNS}
  FROM fitting o
  JOIN notification n ON n.org_id = ${org} AND n.generation = ${generation} AND n.number = o.number
  JOIN record_change c ON c.org_id = n.org_id AND c.number = n.change_number
  WHERE o.bytes_before < ${maxBytes}
  ORDER BY o.number`;

/** Numbers looked through by one statement for all its searches together, so that none keeps others waiting. */
const SEARCH_SLICE = 5000;

/**
 * Each search walks what is owed in number order and stops at its first match, or at the end of its part of the slice;
 * then `next_number` is the next that is owed at all. What several found is brought once, in the row of one of them.
 */
export function selectFirstAbout(
  dialect: Dialect,
  org: OrgId,
  generation: Generation,
  searches: readonly RecordSearch[],
  maxBytes: number,
): Statement {
  const slice = Math.max(1, Math.floor(SEARCH_SLICE / searches.length));
  const asked = searches.map(({ record, from, before }, at) =>
    JSON.stringify({
      at,
      module: record.module,
      id: JSON.stringify(record.id),
      from,
      to: Math.min(from + slice, before),
      before,
    }),
  );
  const text = (name: string) => dialect.member(sql`s.value`, name);
  const number = (name: string) => sql`CAST(${text(name)} AS BIGINT)`;
  // Joined, it could be walked as a whole while the server takes it for empty.
  const owed = (column: Statement) => sql`(
        SELECT ${column} FROM owed o
        WHERE o.org_id = ${org} AND o.generation = ${generation} AND o.number = b.number) AS ${column}`;
  return sql`
    WITH asked AS MATERIALIZED (
      SELECT ${number('at')} AS at, ${text('module')} AS module, ${text('id')} AS id, ${number('from')} AS from_number,
        ${number('to')} AS to_number, ${number('before')} AS before_number
      FROM ${list(asked)} s
    ), found AS MATERIALIZED (
      SELECT a.at, a.to_number, a.before_number, (
        SELECT o.number FROM owed o
        JOIN notification n ON n.org_id = o.org_id AND n.generation = o.generation AND n.number = o.number
        WHERE o.org_id = ${org} AND o.generation = ${generation} AND o.number >= a.from_number AND o.number < a.to_number
          AND n.module = a.module AND ${dialect.contains(sql`n.ids`, sql`a.id`)}
        ORDER BY o.number LIMIT 1) AS number
      FROM asked a
    ), brought AS (
      SELECT MIN(at) AS at, number FROM found WHERE number IS NOT NULL GROUP BY number
    ), sized AS (
      SELECT b.at, b.number, ${owed(sql`attempts_made`)}, ${owed(sql`due_at`)}, OCTET_LENGTH(c.records) AS bytes
      FROM brought b
      JOIN notification n ON n.org_id = ${org} AND n.generation = ${generation} AND n.number = b.number
      JOIN record_change c ON c.org_id = n.org_id AND c.number = n.change_number
    ), fitting AS (
      SELECT at, number, attempts_made, due_at, SUM(bytes) OVER (ORDER BY number) - bytes AS bytes_before FROM sized
    )
    SELECT f.at AS search, f.number AS found_number, CASE WHEN f.number IS NULL THEN (
        SELECT o.number FROM owed o
        WHERE o.org_id = ${org} AND o.generation = ${generation} AND o.number >= f.to_number AND o.number < f.before_number
        ORDER BY o.number LIMIT 1) END AS next_number,
      ${COLUMNS}, ${CHANGE_COLUMNS}
    FROM found f
    LEFT JOIN fitting o ON o.at = f.at AND o.bytes_before < ${maxBytes}
    LEFT JOIN notification n ON n.org_id = ${org} AND n.generation = ${generation} AND n.number = o.number
    LEFT JOIN record_change c ON c.org_id = n.org_id AND c.number = n.change_number`;
}

/** What it answered, search by search. */
export function readFirstAbout(searches: readonly RecordSearch[], rows: readonly Row[]): FirstAbout[] {
  const bySearch = new Map(rows.map((row) => [integer(row, 'search'), row]));
  const brought = new Map<number, OwedNotification>();
  for (const row of rows)
    if (integerOrNone(row, 'number') !== undefined) brought.set(integer(row, 'number'), readOwed(row));
  return searches.map(({ before }, at) => {
    const row = bySearch.get(at) ?? {};
    const number = integerOrNone(row, 'found_number');
    const owed = number === undefined ? undefined : brought.get(number);
    return owed ? { owed } : { lookedTo: number ?? integerOrNone(row, 'next_number') ?? before };
  });
}

/**
 * Saving a settlement twice comes to the same. What was cancelled meanwhile is not owed again. Of several of one
 * notification the last one says how it stands. Whoever ends a notification takes it from `owed` first: that row is what
 * two at once wait for. `fence` comes before all of it.
 */
export function saveSettlements(settlements: readonly Settlement[], fence: readonly Write[] = []): Write[] {
  const last = isEachOnce(settlements)
    ? settlements
    : lastOf(settlements, ({ org, generation, number }) => `${org} ${generation} ${number}`);
  const ended = last.filter(({ state }) => state !== 'pending');
  const own = [
    changeRows(
      last.filter(({ state }) => state === 'pending'),
      ({ org, generation, number, attempt, dueAt }) => sql`
        UPDATE owed SET attempts_made = ${attempt.attempt}, due_at = ${dueAt ?? null}
        WHERE org_id = ${org} AND generation = ${generation} AND number = ${number}`,
    ),
    changeRows(
      runsOf(ended),
      ({ org, generation, from, to }) => sql`
        DELETE FROM owed
        WHERE org_id = ${org} AND generation = ${generation} AND number >= ${from} AND number <= ${to}`,
    ),
    saveAttempts(settlements),
    // A job may have delivered meanwhile what was cancelled.
    changeRows(
      ended,
      ({ org, generation, number, attempt, state }) => sql`
        UPDATE notification SET state = ${state}, settled_at = ${attempt.at + attempt.durationMs}, reason = NULL,
          attempts_made = CASE WHEN attempts_made < ${attempt.attempt} THEN ${attempt.attempt} ELSE attempts_made END
        WHERE org_id = ${org} AND generation = ${generation} AND number = ${number}
          AND (state <> 'delivered' OR ${state} = 'delivered')`,
    ),
  ];
  const undelivered = [
    changeRows(
      ended.filter(({ state }) => state !== 'delivered'),
      ({ org, generation, number }) => sql`
        INSERT INTO undelivered (org_id, generation, number, state, settled_at)
        SELECT n.org_id, n.generation, n.number, n.state, n.settled_at FROM notification n
        WHERE n.org_id = ${org} AND n.generation = ${generation} AND n.number = ${number} AND n.state <> 'delivered'
        ON CONFLICT (org_id, generation, number) DO UPDATE
          SET state = excluded.state, reason = NULL, settled_at = excluded.settled_at`,
    ),
    // One that was in the air when it was cancelled may arrive after that was written down.
    changeRows(
      runsOf(ended.filter(({ state, isCancelled }) => state === 'delivered' && isCancelled)),
      ({ org, generation, from, to }) => sql`
        DELETE FROM undelivered
        WHERE org_id = ${org} AND generation = ${generation} AND number >= ${from} AND number <= ${to}`,
    ),
  ];
  return [
    ...together([...fence, ...own].filter(isNeeded)),
    ...undelivered.filter(isNeeded),
    ...saveHealth(settlements),
  ];
}

interface Numbered {
  readonly org: OrgId;
  readonly generation: Generation;
  readonly number: number;
}

interface Run extends Omit<Numbered, 'number'> {
  readonly from: number;
  to: number;
}

/** Whether no two are of the same number; by far most lists are so, and need not be gone through by key. */
function isEachOnce(items: readonly Numbered[]): boolean {
  const seen = new Map<Generation, Set<number>>();
  for (const { generation, number } of items) {
    const numbers = seen.get(generation);
    if (!numbers) seen.set(generation, new Set([number]));
    else if (numbers.has(number)) return false;
    else numbers.add(number);
  }
  return true;
}

/** Numbers of a channel that follow each other, in any order: one step for all of them. */
function runsOf(items: readonly Numbered[]): Run[] {
  const byOrg = new Map<OrgId, Map<Generation, number[]>>();
  for (const { org, generation, number } of items) {
    const channels = byOrg.get(org) ?? new Map<Generation, number[]>();
    if (channels.size === 0) byOrg.set(org, channels);
    const numbers = channels.get(generation);
    if (numbers) numbers.push(number);
    else channels.set(generation, [number]);
  }
  const runs: Run[] = [];
  for (const [org, channels] of byOrg) {
    for (const [generation, numbers] of channels) {
      let last: Run | undefined;
      for (const number of numbers.sort((a, b) => a - b)) {
        if (last?.to === number - 1) last.to = number;
        else {
          last = { org, generation, from: number, to: number };
          runs.push(last);
        }
      }
    }
  }
  return runs;
}

const MADE_COLUMNS =
  'org_id, generation, number, attempt, at, duration_ms, kind, outcome, address, sent_ms, answered_ms';

const MADE_AGAIN = `ON CONFLICT (org_id, generation, number, attempt) DO UPDATE
  SET at = excluded.at, duration_ms = excluded.duration_ms, kind = excluded.kind, outcome = excluded.outcome,
    address = excluded.address, sent_ms = excluded.sent_ms, answered_ms = excluded.answered_ms, job = excluded.job`;

type Made = Pick<Settlement, 'org' | 'generation' | 'number' | 'attempt'>;

const madeRow = ({ org, generation, number, attempt }: Made): SqlValue[] => [
  org,
  generation,
  number,
  attempt.attempt,
  attempt.at,
  attempt.durationMs,
  attempt.outcome.kind,
  JSON.stringify(attempt.outcome),
  attempt.address ?? null,
  attempt.sentMs ?? null,
  attempt.answeredMs ?? null,
];

/** Of those that were owed: no job sent them. What a job made under the same number stays, and what was saved before. */
const saveAttempts = (made: readonly Made[]): RowInsert =>
  insertNew(`attempt (${MADE_COLUMNS})`, rowsOf(lastMade(made), madeRow), [
    'org_id',
    'generation',
    'number',
    'attempt',
  ]);

/** Of those that a job sent again. */
export const saveAttemptsOfJob = (made: readonly Made[]): RowInsert =>
  insertRows(
    `attempt (${MADE_COLUMNS}, job)`,
    lastMade(made).map((one) => [...madeRow(one), one.attempt.job ?? null]),
    MADE_AGAIN,
  );

const lastMade = (made: readonly Made[]): readonly Made[] =>
  isEachOnce(made)
    ? made
    : lastOf(made, ({ org, generation, number, attempt }) => `${org} ${generation} ${number} ${attempt.attempt}`);
