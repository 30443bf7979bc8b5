import type { Outcome } from '../domain/attempt.ts';
import type { Change } from '../domain/change.ts';
import type { Channel, Lapse } from '../domain/channel.ts';
import type { Traces } from '../domain/explain.ts';
import type { ChannelId, Generation, JobId, NotificationId, OrgId, RecordId, UserId } from '../domain/ids.ts';
import type { Notification, NotificationState } from '../domain/notification.ts';
import type { RecordRef } from '../domain/record.ts';

/** What of a channel as it is now says what holds its notifications. No secret. */
export type ChannelNow = Pick<
  Channel,
  | 'generation'
  | 'userId'
  | 'channelId'
  | 'expiresAt'
  | 'lapsedFrom'
  | 'cancelledTo'
  | 'cancelledWhy'
  | 'suspension'
  | 'openedAt'
  | 'endedAt'
  | 'endedReason'
>;

/** A channel, ended or not, with what is known of it around a change. */
export interface TracedChannel {
  readonly channel: ChannelNow;
  readonly traces: Traces;
}

/** A change, without the values of its records, and the highest number that it gave a channel at its commit. */
export interface LoggedChange {
  readonly change: Change;
  readonly highestOf: (generation: Generation) => number | undefined;
  /** About so many bytes were read. */
  readonly size: number;
}

/** A notification as it stands, without its body. */
export interface NotificationTrace extends Pick<Notification, 'number' | 'id' | 'module' | 'operation' | 'ids'> {
  readonly number: number;
  readonly id: NotificationId;
  readonly ids: readonly RecordId[];
  readonly state: NotificationState;
  /** Of a cancelled one. */
  readonly reason?: string;
  readonly attempts: number;
  /** Not before this time is it tried again, epoch ms. */
  readonly dueAt?: number;
  /** Of its last attempt, with when that began. */
  readonly last?: { readonly at: number; readonly outcome: Outcome };
  /** That re-matched it. */
  readonly job?: JobId;
}

/** What to look up of a channel that a change passes. */
export interface PassedChannel {
  readonly generation: Generation;
  readonly change: Pick<Change, 'number' | 'channelVersion'>;
  /** Numbers that the change gave it, both ends inclusive; absent: none. */
  readonly numbers?: { readonly from: number; readonly to: number };
  /** In which it was then. */
  readonly lapse?: Lapse['kind'];
}

export interface PassedTraces {
  /** Whether it was suspended; undefined: nothing was ever noted, so it was as it is now. */
  readonly isSuspended?: boolean;
  readonly lapse?: Lapse;
  /** In order of numbers: those of the change at its commit, then those of a re-match. */
  readonly notifications: readonly NotificationTrace[];
}

/** What explaining reads: beside the writer, in slices that are bounded in rows. */
export interface ExplainReads {
  /** Numbers of the changes about a record in [from, below), newest first. */
  changesAbout(org: OrgId, record: RecordRef, from: number, below: number, limit: number): Promise<number[]>;
  change(org: OrgId, number: number): Promise<LoggedChange | undefined>;
  /**
   * Channels that were opened before the change, in order of generations from after `after`, as far as they watched
   * something of these modules; those that had ended only while nothing took their place. `last`: how far it looked;
   * undefined: there are no more.
   */
  channelsAt(
    org: OrgId,
    at: {
      readonly change: Pick<Change, 'at' | 'channelVersion'>;
      readonly modules: readonly string[];
      readonly user?: UserId;
    },
    after: string,
    limit: number,
  ): Promise<{ readonly channels: readonly TracedChannel[]; readonly last?: Generation }>;
  /**
   * Of each user who has or had channels of this id, by user from after `after`: the one that was there at the change, else
   * the last before, else the first after.
   */
  channelsNamed(
    org: OrgId,
    id: ChannelId,
    at: Pick<Change, 'at' | 'channelVersion'>,
    whose: { readonly user?: UserId; readonly after: string },
    limit: number,
  ): Promise<readonly TracedChannel[]>;
  /** Users who have or had channels of this id, at most `limit`. */
  holders(org: OrgId, id: ChannelId, limit: number): Promise<UserId[]>;
  /** One answer for each, in their order. */
  passed(org: OrgId, asked: readonly PassedChannel[]): Promise<readonly PassedTraces[]>;
}
