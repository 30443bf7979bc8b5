import type { Change, Operation } from './change.ts';
import type { Generation, JobId, NotificationId, OrgId, RecordId } from './ids.ts';
import type { ApiVersion } from './wire/api-version.ts';

/**
 * Stored states. *Held* (channel expired) and *cancelled* (channel deleted, or what it owed dropped after an expiry) are
 * derived from the channel while the row still says pending; see docs/architecture.md.
 */
export type NotificationState = 'pending' | 'delivered' | 'parked' | 'cancelled';

/** The message of one channel about one change. All of this is fixed when it is committed. */
export interface Notification {
  readonly org: OrgId;
  readonly generation: Generation;
  /** Contiguous within its generation: 1, 2, 3 … */
  readonly number: number;
  readonly id: NotificationId;
  readonly module: string;
  readonly operation: Operation;
  readonly ids: readonly RecordId[];
  readonly version: ApiVersion;
  readonly withValues: boolean;
  /** That re-matched it; undefined: its change itself owed it. */
  readonly job?: JobId | undefined;
  /** Stored once, shared by every notification about it. */
  readonly change: Change;
}
