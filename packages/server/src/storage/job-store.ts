import type { Attempt } from '../domain/attempt.ts';
import type { Generation, JobId, OrgId, UserId } from '../domain/ids.ts';
import type { Job, JobKind, JobState, JobStep, ReplayWhich } from '../domain/job.ts';
import type { NotificationState } from '../domain/notification.ts';
import type { OwedNotification } from './delivery-store.ts';

/** A job that is running, with what a node needs to know before it takes it up. */
export interface RunningJob {
  readonly org: OrgId;
  readonly generation: Generation;
  readonly id: JobId;
  readonly kind: JobKind;
}

export interface JobFilter {
  readonly generation?: Generation | undefined;
  /** Whose channel it is about. */
  readonly user?: UserId | undefined;
  readonly state?: JobState | undefined;
}

/** A notification in the range of a job that is to be sent again, as far as the page goes. */
export interface Resendable {
  readonly number: number;
  readonly attemptsMade: number;
  /** Of its change's values. */
  readonly bytes: number;
  /** Attempts that this job made already. */
  readonly tries: number;
  /** One of these succeeded. */
  readonly isDelivered: boolean;
}

export interface ResendPage {
  readonly items: readonly Resendable[];
  /** Up to this number all was looked at. */
  readonly lookedTo: number;
}

export interface ResendRange {
  readonly from: number;
  readonly to: number;
  readonly which: ReplayWhich;
  /** What is owed up to this number is cancelled, though its rows say pending. */
  readonly cancelledTo: number;
}

/** What came of sending one again. */
export interface Resent {
  readonly number: number;
  readonly attempt: Attempt;
}

/** How a job comes further; saved only if the lease still holds. */
export interface JobSettlement {
  readonly org: OrgId;
  readonly generation: Generation;
  readonly resent: readonly Resent[];
  readonly step: JobStep;
  /** Epoch ms of the injected clock. */
  readonly at: number;
  /** Of the lease on its bucket; undefined: this process owns everything. */
  readonly epoch?: number;
}

/** By stored state; what is held counts as pending. */
export type StateCounts = Readonly<Record<NotificationState, number>>;

export interface JobStore {
  find(org: OrgId, id: JobId): Promise<Job | undefined>;
  /** Newest first, those older than `before`; `last` is the last that was looked at, undefined when there are no more. */
  list(
    org: OrgId,
    filter: JobFilter,
    before: JobId | undefined,
    limit: number,
  ): Promise<{ readonly jobs: readonly Job[]; readonly last?: JobId }>;
  /** Jobs of a channel that are running or paused. */
  countOpen(org: OrgId, generation: Generation): Promise<number>;
  /** False: it was in none of the states `from`. */
  change(org: OrgId, id: JobId, from: readonly JobState[], to: JobState, at: number): Promise<boolean>;
  /** Of all organisations, by organisation, generation and id, after that one. */
  running(after: RunningJob | undefined, limit: number): Promise<readonly RunningJob[]>;

  /** Notifications numbered in [from, to], at most `limit` numbers of them, and the last number that was counted. */
  counts(
    org: OrgId,
    generation: Generation,
    from: number,
    to: number,
    limit: number,
  ): Promise<{ readonly counts: StateCounts; readonly last: number; readonly looked: number }>;
  /** How one notification stands; undefined: there is none. */
  standing(
    org: OrgId,
    generation: Generation,
    number: number,
  ): Promise<{ readonly state: NotificationState; readonly dueAt?: number } | undefined>;
  /** The first change committed at `at` or later, or the number that the next one will have. */
  changeSince(org: OrgId, at: number): Promise<number>;
  /** The lowest number up to `last` of those that this change or a later one numbered; `last + 1`: none. */
  numberSince(org: OrgId, generation: Generation, last: number, change: number): Promise<number>;
  /** What a job made of one notification. */
  attempt(org: OrgId, generation: Generation, number: number, job: JobId): Promise<Attempt | undefined>;

  /** At most `limit` numbers of the range are looked at. */
  page(org: OrgId, generation: Generation, job: JobId, range: ResendRange, limit: number): Promise<ResendPage>;
  /** In number order, as they are sent. */
  bring(org: OrgId, generation: Generation, numbers: readonly number[]): Promise<readonly OwedNotification[]>;
  /** All or nothing; false: the lease was lost, and nothing is saved. Durable when it resolves. */
  settle(settlement: JobSettlement): Promise<boolean>;
}
