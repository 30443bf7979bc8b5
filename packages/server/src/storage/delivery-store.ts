import type { Attempt } from '../domain/attempt.ts';
import type { Channel, Signing } from '../domain/channel.ts';
import type { ChannelHealth } from '../domain/channel-health.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { Notification, NotificationState } from '../domain/notification.ts';
import type { RecordRef } from '../domain/record.ts';

/** What a channel is owed. */
export interface Owed {
  readonly count: number;
  /** When the change of the oldest was made, epoch ms; undefined when nothing is owed. */
  readonly oldestAt?: number;
}

/** Counts what channels are owed, held or not: in slices, beside the writer. */
export interface BacklogReads {
  /** In the order of the channels; each is counted up to `most`. */
  owed(
    channels: readonly { readonly org: OrgId; readonly generation: Generation }[],
    most: number,
  ): Promise<readonly Owed[]>;
}

interface LaneStart {
  readonly org: OrgId;
  readonly generation: Generation;
}

/** A notification as delivery reads it, with what earlier attempts left. */
export interface OwedNotification extends Notification {
  readonly attemptsMade: number;
  /** Not before this time (epoch ms); undefined when it was never attempted. */
  readonly dueAt?: number | undefined;
}

/** Outcome of one attempt and the state it leaves; written with others in one transaction. */
export interface Settlement {
  readonly org: OrgId;
  readonly generation: Generation;
  readonly number: number;
  readonly attempt: Attempt;
  readonly state: NotificationState;
  /** Time of the next attempt, while pending. */
  readonly dueAt?: number | undefined;
  /** Of its channel after it; null: it is well again. Absent: as it was. */
  readonly health?: ChannelHealth | null | undefined;
  /** It was cancelled while it was in the air: that may have been written down by now. */
  readonly isCancelled?: true | undefined;
  /** Of the lease on its bucket under which the attempt was made; undefined: this process owns everything. */
  readonly epoch?: number | undefined;
}

export interface DeliveryStore {
  /**
   * Channels (neither ended nor suspended) that owe something that is not cancelled, live or lapsed: of one organisation,
   * or of all. Which of these are suspended, the caller knows: whether they were when this was read says nothing of now.
   */
  lanes(org?: OrgId): Promise<LaneStart[]>;
  /** Organisations whose channels send nothing. */
  suspended(): Promise<OrgId[]>;
  /** The channel of a generation as it is now; undefined when it has ended. `lastSucceeded` from its newest attempt. */
  channel(
    org: OrgId,
    generation: Generation,
  ): Promise<{ channel: Channel; lastSucceeded?: boolean; health?: ChannelHealth } | undefined>;
  /** With what the organisation signs for channels without secrets of their own. */
  signing(org: OrgId): Promise<Signing | undefined>;
  /** Pending notifications numbered `from` and up, in number order, at most `limit` and about `maxBytes` of values. */
  window(
    org: OrgId,
    generation: Generation,
    from: number,
    limit: number,
    maxBytes: number,
  ): Promise<OwedNotification[]>;
  /**
   * One answer for each search, in their order. All in one read that is bounded: how many numbers it looks through, for
   * all of them together, and about how many bytes of values it brings. Whoever wants more asks again from there.
   */
  firstAbout(
    org: OrgId,
    generation: Generation,
    searches: readonly RecordSearch[],
    maxBytes: number,
  ): Promise<readonly FirstAbout[]>;
  /**
   * All or nothing, but for those whose lease was lost: they are answered, and nothing of them is saved. Durable when it
   * resolves.
   */
  settle(settlements: readonly Settlement[]): Promise<readonly Settlement[]>;
}

/** For the first pending notification numbered in [from, before) about the record. */
export interface RecordSearch {
  readonly record: RecordRef;
  readonly from: number;
  readonly before: number;
}

/** The notification, or below which number there is none; that is `before` when there is none at all. */
export type FirstAbout =
  | { readonly owed: OwedNotification; readonly lookedTo?: undefined }
  | { readonly owed?: undefined; readonly lookedTo: number };
