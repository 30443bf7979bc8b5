import type { Change } from '../domain/change.ts';
import type { Channel, ChannelRevision, Lapse } from '../domain/channel.ts';
import type { FeedCursor } from '../domain/feed-cursor.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { Notification, NotificationState } from '../domain/notification.ts';
import type { UndeliveredRange } from '../domain/retention.ts';

/** A notification as its row says it. */
export interface StoredNotification extends Notification {
  readonly state: NotificationState;
  /** Of a cancelled one. */
  readonly reason?: string;
  /** Since when it is not pending. */
  readonly settledAt?: number;
}

/** A part of a channel's numbers, all of them told of: what has no row was delivered and removed, or is in `removed`. */
export interface FeedSlice {
  /** Ended or not. */
  readonly channel: Channel;
  readonly notifications: readonly StoredNotification[];
  /** Never delivered, and removed by retention; in order. */
  readonly removed: readonly UndeliveredRange[];
  /** Up to this number. */
  readonly through: number;
}

/** Numbers that were not acknowledged, as their rows say it: derived states are for the reader. */
export interface OpenRange {
  readonly from: number;
  readonly to: number;
  readonly state: 'pending' | 'parked' | 'cancelled' | 'removed';
  readonly reason?: string;
}

export interface OpenSlice {
  readonly channel: Channel;
  /** In order, none overlapping another. */
  readonly ranges: readonly OpenRange[];
  /** Up to this number; undefined: all there is. */
  readonly through?: number;
}

export interface FeedStore {
  /**
   * From after `after`: at most `limit` notifications and about `maxBytes` of changes, at least one where there is one.
   * Undefined: there is no such channel.
   */
  slice(
    org: OrgId,
    generation: Generation,
    after: number,
    limit: number,
    maxBytes: number,
  ): Promise<FeedSlice | undefined>;
  /** A bounded part of what is not delivered, from after `after`. */
  open(org: OrgId, generation: Generation, after: number): Promise<OpenSlice | undefined>;
  /** Of those that are there, the newest number of each; in one statement for all. */
  lastNumbers(
    channels: readonly { readonly org: OrgId; readonly generation: Generation }[],
  ): Promise<ReadonlyMap<Generation, number>>;
  /** By name. */
  cursors(org: OrgId, generation: Generation): Promise<FeedCursor[]>;
  /** False: it is a new one, and there are `most` of them. */
  saveCursor(org: OrgId, generation: Generation, cursor: FeedCursor, most: number): Promise<boolean>;
  /** False: there is none. */
  removeCursor(org: OrgId, generation: Generation, name: string): Promise<boolean>;
}

/** Where a list of lapses goes on. */
export type LapsePlace = Pick<Lapse, 'fromChange' | 'kind'>;

/** What matches again the changes that a channel did not see. */
export interface LapseReads {
  /** In the order of their changes, at most `limit`. */
  lapses(
    org: OrgId,
    generation: Generation,
    after: LapsePlace | undefined,
    limit: number,
    which: 'all' | 'open',
  ): Promise<Lapse[]>;
  /** How many changes the organisation has had, and the first that is kept; undefined: none is. */
  changes(org: OrgId): Promise<{ readonly last: number; readonly oldest?: number }>;
  /**
   * Changes from after one up to another, in order, at most `limit` and about `maxBytes`, each with the channel as it was
   * then: undefined only when retention removed it meanwhile.
   */
  matchable(
    org: OrgId,
    generation: Generation,
    range: { readonly after: number; readonly to: number },
    limit: number,
    maxBytes: number,
  ): Promise<{ readonly change: Change; readonly channel: ChannelRevision['channel'] | undefined }[]>;
}
