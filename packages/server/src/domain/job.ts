import type { Generation, JobId, OrgId } from './ids.ts';

/** One notification again · a range again · new notifications for the changes of a lapse or an overflow. */
export type JobKind = 'redeliver' | 'replay' | 'rematch';
export const JOB_KINDS: readonly JobKind[] = ['redeliver', 'replay', 'rematch'];

/** `running` until it is done, also while it waits; `paused` until it is resumed; the others for good. */
export type JobState = 'running' | 'paused' | 'done' | 'failed' | 'cancelled';
export const JOB_STATES: readonly JobState[] = ['running', 'paused', 'done', 'failed', 'cancelled'];

/** What is asked for; numbers and changes inclusive. */
export type JobRequest =
  | { readonly kind: 'redeliver'; readonly number: number }
  | {
      readonly kind: 'replay';
      readonly from: number;
      readonly to: number;
      readonly which: ReplayWhich;
      /** Most notifications a second. */
      readonly rate: number;
    }
  | {
      readonly kind: 'rematch';
      readonly lapse: 'expired' | 'overflow';
      readonly fromChange: number;
      readonly toChange: number;
    };

/** Those that are parked; those, and what was skipped; or what was delivered as well. What is pending is sent anyhow. */
export type ReplayWhich = 'parked' | 'undelivered' | 'all';
export const REPLAY_WHICHS: readonly ReplayWhich[] = ['parked', 'undelivered', 'all'];

export interface JobProgress {
  /** Up to this number, of a re-match up to this change, all is done. */
  readonly position: number;
  /** Notifications that were sent and taken by the receiver; of a re-match, that were made. */
  readonly done: number;
  /** Notifications that the receiver did not take. */
  readonly failed: number;
  /** Of those in the range that are not sent again: pending, or not asked for; of a re-match changes that match nothing. */
  readonly passed: number;
  /** How many there are in all, as far as it is known. */
  readonly total?: number;
}

/** What is sent or matched again, bit by bit; it goes on where it was after a restart, on whichever node owns the channel. */
export interface Job {
  readonly org: OrgId;
  readonly id: JobId;
  readonly generation: Generation;
  readonly request: JobRequest;
  readonly state: JobState;
  readonly progress: JobProgress;
  /** Why it waits, or failed: a sentence. */
  readonly note?: string;
  /** Who asked for it: a user's id, or `operator`. */
  readonly createdBy: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** How a job stands after a step. */
export type JobStep = Pick<Job, 'id' | 'state' | 'progress' | 'note'>;
