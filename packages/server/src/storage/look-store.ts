import type { Attempt } from '../domain/attempt.ts';
import type { ChannelId, Generation, JobId, NotificationId, OrgId, RecordId, UserId } from '../domain/ids.ts';
import type { Notification } from '../domain/notification.ts';
import type { Candidate, ChangeRange, ListedChannel, OwedPart } from '../domain/notification-query.ts';

/** What is to be found out about candidates beside what their rows say. */
export interface Asked {
  /** Whether they are about this record. */
  readonly record?: RecordId;
  readonly lastAttempt?: boolean;
}

/** A change with the channels that it concerns, and the highest number that it gave each. */
export interface NumberedChange {
  readonly number: number;
  readonly numbered: ReadonlyMap<Generation, number>;
}

/** Numbers of a channel, both ends inclusive. */
export interface NumberSpan {
  readonly generation: Generation;
  readonly from: number;
  readonly to: number;
}

/** One that was not delivered, or an attempt that failed, stands in the order of these, newest first. */
export interface TimedPlace {
  readonly at: number;
  readonly generation: Generation;
  readonly number: number;
  /** Of an attempt. */
  readonly attempt?: number;
}

export interface TimedCandidate {
  readonly place: TimedPlace;
  /** Undefined: it is gone. */
  readonly candidate?: Candidate;
}

/** Changes of a record, of a subject module, or all. */
export type ChangeSource =
  | { readonly module: string; readonly record?: RecordId }
  | { readonly module?: undefined; readonly record?: undefined };

export interface ListedAttempt extends Attempt {
  readonly generation: Generation;
  readonly number: number;
  readonly notification: NotificationId;
}

/** What a list shows of a notification. */
export interface ListedNotification extends Candidate {
  readonly id: NotificationId;
  readonly operation: Notification['operation'];
  readonly ids: readonly RecordId[];
  readonly at: number;
  readonly by: UserId;
  readonly attemptsMade: number;
  readonly dueAt?: number;
  readonly settledAt?: number;
  readonly job?: JobId;
  readonly lastAttempt?: Attempt;
}

/** A notification with all that it says, and how it stands by its row. */
export interface WholeNotification {
  readonly notification: Notification;
  readonly listed: ListedNotification;
}

export interface AttemptPlace {
  readonly number: number;
  readonly attempt: number;
}

/**
 * Notifications and attempts, along one index each, on the reading side: each call looks at no more than it is asked for.
 * `limit` is of what is looked at; fewer are there than that at the end only.
 */
export interface LookStore {
  /** Changes committed at `from` or later and before `to` (epoch ms); undefined: no bound. */
  changesBetween(org: OrgId, from: number | undefined, to: number | undefined): Promise<ChangeRange>;
  /** Of those that are there. */
  channels(org: OrgId, generations: readonly Generation[]): Promise<ListedChannel[]>;
  /** Channels of a user, or all that had a channel id, ended ones too; newest first. */
  generationsOf(
    org: OrgId,
    whose: { readonly user?: UserId | undefined; readonly channelId?: ChannelId | undefined },
    limit: number,
  ): Promise<Generation[]>;
  /** Channels from a generation on that have a row in what is owed, at most `limit`, in order. */
  owing(org: OrgId, from: string, limit: number): Promise<ListedChannel[]>;
  /**
   * For each channel the number from which on all notifications, but for re-matched ones beyond it, are about later
   * changes than these; undefined: not known.
   */
  seek(
    org: OrgId,
    generations: readonly Generation[],
    changes: ChangeRange,
  ): Promise<ReadonlyMap<Generation, number | undefined>>;
  /** Of each channel those below a number, highest first: all, or those that were not delivered. */
  below(
    org: OrgId,
    which: 'all' | 'given-up',
    channels: readonly { readonly generation: Generation; readonly below: number }[],
    limit: number,
    asked: Asked,
  ): Promise<Candidate[][]>;
  /** Of each channel, in order of numbers. */
  owed(
    org: OrgId,
    parts: readonly (OwedPart & { readonly generation: Generation })[],
    limit: number,
    asked: Asked,
  ): Promise<Candidate[][]>;
  /** In the order in which they ended, newest first. */
  givenUp(
    org: OrgId,
    state: 'parked' | 'cancelled',
    before: TimedPlace | undefined,
    limit: number,
    asked: Asked,
  ): Promise<TimedCandidate[]>;
  /** By attempts that failed, newest first, with their last attempts. */
  failed(org: OrgId, before: TimedPlace | undefined, limit: number, asked: Asked): Promise<TimedCandidate[]>;
  /**
   * Newest first, at most `limit`; not all of them where they concern very many channels, at least one. With `of` only what
   * they numbered for these channels.
   */
  changes(
    org: OrgId,
    source: ChangeSource,
    range: ChangeRange,
    limit: number,
    of?: readonly Generation[],
  ): Promise<{ readonly changes: NumberedChange[]; readonly isEnd: boolean; readonly bytes: number }>;
  /** Numbers that changes of the range got by being matched again, newest change first, then by channel and number. */
  rematched(
    org: OrgId,
    source: ChangeSource,
    range: ChangeRange,
    limit: number,
  ): Promise<{ readonly change: number; readonly generation: Generation; readonly number: number }[]>;
  /** Those that are there of these numbers. */
  spans(org: OrgId, spans: readonly NumberSpan[], asked: Asked): Promise<Candidate[]>;
  /** What a list shows of them, in no order. */
  listed(
    org: OrgId,
    keys: readonly { readonly generation: Generation; readonly number: number }[],
  ): Promise<ListedNotification[]>;
  find(
    org: OrgId,
    which: { readonly id: NotificationId } | { readonly generation: Generation; readonly number: number },
  ): Promise<WholeNotification | undefined>;
  /** Of one notification, the first so many. */
  attemptsOf(org: OrgId, generation: Generation, number: number, limit: number): Promise<Attempt[]>;
  /** Of a channel, highest numbers first, of each the last attempt first. */
  attempts(
    org: OrgId,
    generation: Generation,
    before: AttemptPlace | undefined,
    limit: number,
  ): Promise<ListedAttempt[]>;
  /** Of all channels those that failed, newest first. */
  failedAttempts(org: OrgId, before: TimedPlace | undefined, limit: number): Promise<ListedAttempt[]>;
}
