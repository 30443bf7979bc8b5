import type { CursorPage, Overview } from './channel-wire.ts';
import type { Call } from './transport.ts';

/** What is sent or matched again in the background. Times are ISO 8601. */
export interface Job {
  readonly id: string;
  readonly kind: 'redeliver' | 'replay' | 'rematch';
  /** Of the channel. */
  readonly generation: string;
  /** `running` also while it waits, as `note` says; `paused` and `failed` ones can be resumed. */
  readonly state: 'running' | 'paused' | 'done' | 'failed' | 'cancelled';
  /** Why it waits, or failed. */
  readonly note: string | null;
  readonly request: {
    readonly number?: number;
    readonly from?: number;
    readonly to?: number;
    readonly which?: ReplayWhich;
    readonly rate?: number;
    readonly lapse?: string;
    readonly from_change?: number;
    readonly to_change?: number;
  };
  /** Up to this number, of a re-match up to this change, all is done. */
  readonly position: number;
  readonly done: number;
  readonly failed: number;
  /** Of the range not sent: pending, not asked for, or gone. */
  readonly passed: number;
  /** To be sent, as counted when it began. */
  readonly total: number | null;
  /** Id of the user, or `operator`. */
  readonly created_by: string;
  readonly created_at: string;
  readonly updated_at: string;
}

/** `undelivered`: parked or cancelled; `all`: what was delivered before as well. What is pending is sent anyway. */
export type ReplayWhich = 'parked' | 'undelivered' | 'all';

export interface ReplayWish {
  /** Numbers, both inclusive. */
  readonly from?: number;
  readonly to?: number;
  /** Instead of numbers: when changes were made (ISO 8601), the end exclusive. */
  readonly from_time?: string;
  readonly to_time?: string;
  /** `undelivered` when absent. */
  readonly which?: ReplayWhich;
  /** Most a second; 50 when absent. */
  readonly rate?: number;
}

/** What a replay would send; counted up to 1,000,000, one more stands for more. */
export interface ReplayPlan {
  readonly from: number;
  readonly to: number;
  readonly would_send: number;
  readonly pending: number;
  readonly delivered: number;
  readonly parked: number;
  readonly cancelled: number;
  readonly complete: boolean;
}

/** `attempt` null: nothing came of it within 15 seconds; the job says it later. */
export interface Redelivery {
  readonly job: Job;
  readonly attempt: {
    readonly attempt: number;
    readonly at: string;
    readonly duration_ms: number;
    readonly outcome: 'delivered' | 'rejected' | 'unreachable' | 'forbidden';
    readonly status: number | null;
    readonly reason: string | null;
    readonly answer: string | null;
    readonly address: string | null;
  } | null;
}

/** What sends notifications of one channel again. */
export interface Replays {
  /** One, once; waits for what comes of it. */
  redeliver(number: number): Promise<Redelivery>;
  /** A range, in the background. */
  replay(wish?: ReplayWish): Promise<Job>;
  /** Only counts what a replay would send. */
  planReplay(wish?: ReplayWish): Promise<ReplayPlan>;
}

export interface JobFilter extends CursorPage {
  /** Of an owner the channel id, of an operator the generation. */
  readonly channel?: string;
  readonly state?: Job['state'];
}

/** Redeliveries, replays and re-matches. */
export interface Jobs {
  /** Newest first. */
  list(filter?: JobFilter): Promise<Overview<Job>>;
  show(job: string): Promise<Job>;
  pause(job: string): Promise<Job>;
  /** One that is paused or failed goes on after the last number that it has done. */
  resume(job: string): Promise<Job>;
  cancel(job: string): Promise<Job>;
}

// What an answer holds is the server's promise, not checked again.

/** `path`: of the channel. */
export function createReplays(call: Call, path: string): Replays {
  const post = async (below: string, json?: object): Promise<unknown> =>
    (await call({ method: 'POST', path: path + below, ...(json && { json }) })).body;
  return {
    redeliver: async (number) => (await post(`/notifications/${number}/redeliver`)) as Redelivery,
    replay: async (wish = {}) => (await post('/replays', wish)) as Job,
    planReplay: async (wish = {}) => (await post('/replays', { ...wish, dry_run: true })) as ReplayPlan,
  };
}

/** `path`: of all jobs. */
export function createJobs(call: Call, path: string): Jobs {
  const one = (job: string) => `${path}/${encodeURIComponent(job)}`;
  const act = async (job: string, what: string): Promise<Job> =>
    (await call({ method: 'POST', path: `${one(job)}/${what}` })).body as Job;
  return {
    async list(filter) {
      const { body } = await call({ method: 'GET', path, query: { ...filter } });
      const { jobs, next } = body as { readonly jobs: readonly Job[]; readonly next: string | null };
      return { items: jobs, next };
    },
    show: async (job) => (await call({ method: 'GET', path: one(job) })).body as Job,
    pause: (job) => act(job, 'pause'),
    resume: (job) => act(job, 'resume'),
    cancel: (job) => act(job, 'cancel'),
  };
}
