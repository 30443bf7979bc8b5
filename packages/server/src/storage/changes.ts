import type { Change, ChangedRecord, Operation } from '../domain/change.ts';
import { recordsText } from '../domain/change-text.ts';
import type { Generation, OrgId, UserId } from '../domain/ids.ts';
import type { Notification } from '../domain/notification.ts';
import { insertRows, type Row, type RowInsert, rowsOf, type SqlValue, type Statement, sql, type Write } from './db.ts';
import { integer, jsonObject, objectList, oneOf, text } from './rows.ts';
import { subjectsOf } from './subjects.ts';

export const STORED_OPERATIONS: readonly Operation[] = ['insert', 'update', 'delete'];

/** Named so that they can stand beside a notification's own columns. */
export const CHANGE_COLUMNS = sql`c.number AS change_number, c.module AS change_module, c.operation AS change_operation,
  c.at AS change_at, c.changed_by AS changed_by, c.channel_version AS change_channel_version, c.records AS change_records`;

export const readChange = (row: Row): Change => ({
  number: integer(row, 'change_number'),
  module: text(row, 'change_module'),
  operation: oneOf(row, 'change_operation', STORED_OPERATIONS),
  at: integer(row, 'change_at'),
  by: text<UserId>(row, 'changed_by'),
  channelVersion: integer(row, 'change_channel_version'),
  records: objectList<ChangedRecord>(row, 'change_records', ['id', 'fields', 'values', 'related']),
});

/**
 * The highest number that a change gave this channel, out of the text of `numbered`: it may name every channel of an
 * organisation, and reading it whole takes a hundred times as long.
 */
export function highestIn(numbered: string, generation: Generation): number | undefined {
  const key = `${JSON.stringify(generation)}:`;
  const at = numbered.indexOf(key);
  return at < 0 ? undefined : Number.parseInt(numbered.slice(at + key.length, at + key.length + MAX_DIGITS), 10);
}

const MAX_DIGITS = 16;

/** Of changes after one, in order: how far they brought the channels that they concern. */
export const selectNumbered = (org: OrgId, after: number, limit: number): Statement => sql`
  SELECT number, numbered FROM record_change WHERE org_id = ${org} AND number > ${after} ORDER BY number LIMIT ${limit}`;

/** By generation the highest number that these changes gave. */
export function readNumbered(rows: readonly Row[]): Map<Generation, number> {
  const highest = new Map<Generation, number>();
  for (const row of rows) {
    const numbers = Object.entries(jsonObject<Record<Generation, number>>(row, 'numbered'));
    for (const [generation, number] of numbers as [Generation, number][]) {
      if (number > (highest.get(generation) ?? 0)) highest.set(generation, number);
    }
  }
  return highest;
}

/** With how far each brought the channels that it concerns: so others learn of numbers that they did not give. */
export function saveChanges(org: OrgId, changes: readonly Change[], notifications: readonly Notification[]): Write[] {
  const numbered = new Map<number, Map<Generation, number>>();
  for (const { change, generation, number } of notifications) {
    const numbers = numbered.get(change.number);
    if (!numbers) numbered.set(change.number, new Map().set(generation, number));
    else if (number > (numbers.get(generation) ?? 0)) numbers.set(generation, number);
  }
  const log = insertRows(
    'record_change (org_id, number, module, operation, at, changed_by, records, numbered, channel_version)',
    rowsOf(changes, ({ number, module, operation, at, by, channelVersion, records }) => [
      org,
      number,
      module,
      operation,
      at,
      by,
      recordsText(records),
      numberedText(numbered.get(number)),
      channelVersion,
    ]),
  );
  return [log, saveSubjects(org, changes, notifications)];
}

function numberedText(numbers: ReadonlyMap<Generation, number> = new Map()): string {
  let text = '';
  for (const [generation, number] of numbers) {
    text += `${text === '' ? '{' : ','}${JSON.stringify(generation)}:${number}`;
  }
  return text === '' ? '{}' : `${text}}`;
}

/** What is matched again may have its module already. */
function saveSubjects(org: OrgId, changes: readonly Change[], notifications: readonly Notification[]): RowInsert {
  const isMatchedAgain = notifications.some(({ job }) => job !== undefined);
  const rows: SqlValue[][] = [];
  for (const [number, subjects] of subjectsOf(changes, notifications)) {
    for (const subject of subjects) rows.push([org, subject, number]);
  }
  return insertRows(
    'change_subject (org_id, subject, change_number)',
    rows,
    isMatchedAgain ? 'ON CONFLICT (org_id, subject, change_number) DO NOTHING' : '',
  );
}
