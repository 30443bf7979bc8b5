import type { RecordId, UserId } from './ids.ts';
import type { RecordRef, Values } from './record.ts';

/** What happened, in the words of the notification. Subscriptions say create, edit, delete (`event-type.ts`). */
export type Operation = 'insert' | 'update' | 'delete';

export interface ChangedRecord {
  readonly id: RecordId;
  /** API names of the fields that took another value, in the order given; none on insert. */
  readonly fields: readonly string[];
  /** Their new values in the record API's shapes (lookups with names); on insert all that were given (reference §5.3). */
  readonly values: Values;
  /** Records it points, or before this change pointed, at by a lookup. */
  readonly related: readonly RecordRef[];
}

/** One call × module × operation, at most 100 records, numbered 1, 2, 3 … by its organisation. */
export interface Change {
  readonly number: number;
  readonly module: string;
  readonly operation: Operation;
  /** Commit time, epoch milliseconds; never runs backwards in an organisation. */
  readonly at: number;
  readonly by: UserId;
  /** The newest channel revision when it was matched: it was held against channels as that left them. */
  readonly channelVersion: number;
  readonly records: readonly ChangedRecord[];
}

export const MAX_RECORDS_PER_CHANGE = 100;
