import type { RecordId, UserId } from './ids.ts';
import type { StoredRecord } from './record.ts';

const DAY_MS = 24 * 3_600_000;

/** How long a deleted record can be restored. */
export const BIN_MS = 60 * DAY_MS;
/** How long after it was deleted a record is listed as such. */
export const LISTED_MS = 120 * DAY_MS;

/** What is left of a record that was deleted. */
export interface DeletedRecord {
  readonly module: string;
  readonly id: RecordId;
  readonly deletedAt: number;
  /** Until it is gone for good. */
  readonly bin?: Binned;
}

/** What restoring needs, and what is shown meanwhile. */
export interface Binned {
  /** Undefined when the record had no name. */
  readonly displayName?: string;
  readonly deletedBy: UserId;
  /** As it was. */
  readonly record: StoredRecord;
}

/** What can be restored at this time. Afterwards it counts as gone, whether or not its values were removed already. */
export const binned = ({ bin, deletedAt }: DeletedRecord, now: number): Binned | undefined =>
  now < deletedAt + BIN_MS ? bin : undefined;
