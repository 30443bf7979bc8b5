import { setTimeout as sleep } from 'node:timers/promises';
import type { Attempt } from '../domain/attempt.ts';
import type { Channel } from '../domain/channel.ts';
import type { Clock } from '../domain/clock.ts';
import { AppError } from '../domain/error.ts';
import type { Generation, JobId, OrgId, UserId } from '../domain/ids.ts';
import type { Job, JobRequest, JobState, ReplayWhich } from '../domain/job.ts';
import { requireStays } from '../domain/org.ts';
import { findGeneration } from '../domain/suspension.ts';
import type { WorkingSet } from '../domain/working-set.ts';
import type { AdministrationStore, JobFilter, JobStore, StateCounts } from '../storage/store.ts';
import { createOpenJobs } from './open-jobs.ts';
import { createTurns } from './turns.ts';
import type { Writer } from './writer.ts';

/** Who asks: an owner for what is about their channels, or an operator. */
export interface Asker {
  readonly org: OrgId;
  /** Undefined: an operator. */
  readonly user?: UserId;
  readonly by: string;
}

/** Numbers, inclusive, or times of the changes that notifications are about: from inclusive, to exclusive. */
export interface ReplayWish {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly fromTime?: number | undefined;
  readonly toTime?: number | undefined;
  readonly which: ReplayWhich;
  /** Most notifications a second. */
  readonly rate: number;
}

/** What a replay would send. */
export interface ReplayPlan {
  readonly from: number;
  readonly to: number;
  /** By state, as far as it was counted: one more than a million stands for more. */
  readonly counts: StateCounts;
  readonly total: number;
  /** All of the range was counted. */
  readonly isWhole: boolean;
}

/** What a job is made of, decided under the organisation's lock. */
export interface NewJob {
  readonly request: JobRequest;
  readonly total?: number;
}

/** Redeliveries, replays and re-matches. What is not there, or is another's, is NOT_FOUND. */
export interface Jobs {
  /** Sends one again; waits for what comes of it, but not for long: then there is no attempt yet. */
  redeliver(
    asker: Asker,
    generation: Generation,
    number: number,
  ): Promise<{ readonly job: Job; readonly attempt?: Attempt }>;
  plan(org: OrgId, generation: Generation, wish: ReplayWish): Promise<ReplayPlan>;
  replay(asker: Asker, generation: Generation, wish: ReplayWish): Promise<Job>;
  /** Makes a job for a channel that has not ended; `decide` is pure and may refuse. */
  make(
    asker: Asker,
    generation: Generation,
    decide: (set: WorkingSet, channel: Channel) => NewJob,
    needs?: Parameters<Writer['submit']>[1]['needs'],
  ): Promise<Job>;
  list(
    asker: Asker,
    filter: { readonly generation?: Generation | undefined; readonly state?: JobState | undefined },
    before: JobId | undefined,
    limit: number,
  ): Promise<{ readonly jobs: readonly Job[]; readonly last?: JobId }>;
  find(asker: Asker, id: JobId): Promise<Job>;
  pause(asker: Asker, id: JobId): Promise<Job>;
  /** One that is paused or failed goes on after its position. */
  resume(asker: Asker, id: JobId): Promise<Job>;
  cancel(asker: Asker, id: JobId): Promise<Job>;
}

export interface JobsOptions {
  readonly writer: Writer;
  readonly store: JobStore;
  readonly channels: Pick<AdministrationStore, 'findChannel'>;
  readonly clock: Clock;
  readonly randomId: () => JobId;
  /** Told when a job was made to go on, or to stop. */
  readonly onChanged: () => void;
}

const REDELIVERED_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 50;
const COUNTED = 1_000_001;
const SLICE = 20_000;

export function createJobs({ writer, store, channels, clock, randomId, onChanged }: JobsOptions): Jobs {
  const opening = createOpenJobs(store);
  // No other organisation waits behind what one has counted.
  const inTurn = createTurns({ atOnce: 2, waiting: 100 });
  async function findChannel(org: OrgId, generation: Generation): Promise<Channel> {
    const found = await channels.findChannel(org, generation);
    if (!found) throw noChannel();
    if (found.channel.endedAt !== undefined) throw hasEnded();
    return found.channel;
  }

  async function find({ org, user }: Asker, id: JobId): Promise<Job> {
    const job = await store.find(org, id);
    if (!job) throw noJob();
    if (user !== undefined && (await channels.findChannel(org, job.generation))?.channel.userId !== user) throw noJob();
    return job;
  }

  const make: Jobs['make'] = async ({ org, user, by }, generation, decide, needs = {}) => {
    const known = await findChannel(org, generation);
    const submit = () =>
      writer.submit(org, {
        needs: { ...needs, channels: [known] },
        weight: 1,
        ...(user === undefined && { isAdministration: true }),
        decide(set) {
          requireStays(set.org);
          const channel = findGeneration(set, known);
          if (!channel) throw hasEnded();
          const { request, total } = decide(set, channel);
          const job: Job = {
            org,
            id: randomId(),
            generation,
            request,
            state: 'running',
            progress: {
              position: startOf(request),
              done: 0,
              failed: 0,
              passed: 0,
              ...(total !== undefined && { total }),
            },
            createdBy: by,
            createdAt: set.now,
            updatedAt: set.now,
          };
          set.writes.newJobs.push(job);
          return job;
        },
      });
    return opening(org, generation, submit);
  };

  async function change(asker: Asker, id: JobId, to: JobState, from: readonly JobState[], verb: string): Promise<Job> {
    const job = await find(asker, id);
    if (job.state === to) return job;
    if (to === 'running') await findChannel(asker.org, job.generation);
    const save = () => store.change(asker.org, id, from, to, clock.now());
    const isOpened = job.state === 'failed' && to === 'running';
    const isChanged = await (isOpened ? opening(asker.org, job.generation, save) : save());
    onChanged();
    const now = await find(asker, id);
    if (!isChanged && now.state !== to) {
      throw new AppError('INVALID_DATA', `A job that is ${now.state} cannot be ${verb}`, {
        api_name: 'job',
        state: now.state,
      });
    }
    return now;
  }

  /** The range in numbers that the channel has given. */
  async function rangeOf(org: OrgId, { generation, lastNumber }: Channel, wish: ReplayWish) {
    const { from, to, fromTime, toTime } = wish;
    const first = fromTime === undefined ? (from ?? 1) : await numberAt(org, generation, lastNumber, fromTime);
    const last = toTime === undefined ? (to ?? lastNumber) : (await numberAt(org, generation, lastNumber, toTime)) - 1;
    return { from: first, to: Math.min(last, lastNumber) };
  }

  const numberAt = async (org: OrgId, generation: Generation, last: number, at: number): Promise<number> =>
    store.numberSince(org, generation, last, await store.changeSince(org, at));

  async function plan(org: OrgId, generation: Generation, wish: ReplayWish): Promise<ReplayPlan> {
    return inTurn(org, async () => count(org, await findChannel(org, generation), wish));
  }

  async function count(org: OrgId, channel: Channel, wish: ReplayWish): Promise<ReplayPlan> {
    const { from, to } = await rangeOf(org, channel, wish);
    const counts = { pending: 0, delivered: 0, parked: 0, cancelled: 0 };
    let looked = 0;
    let at = from;
    while (at <= to && looked < COUNTED) {
      const slice = await store.counts(org, channel.generation, at, to, Math.min(SLICE, COUNTED - looked));
      for (const [state, count] of Object.entries(slice.counts) as [keyof StateCounts, number][])
        counts[state] += count;
      looked += slice.looked;
      at = slice.last + 1;
    }
    // What is cancelled may still be written down as pending.
    const skipped = channel.cancelledTo ?? 0;
    if (skipped >= from && counts.pending > 0) {
      const early = await pendingTo(org, channel.generation, from, Math.min(to, skipped));
      counts.pending -= Math.min(early, counts.pending);
      counts.cancelled += early;
    }
    return { from, to, counts, total: totalOf(counts, wish.which), isWhole: at > to };
  }

  async function pendingTo(org: OrgId, generation: Generation, from: number, to: number): Promise<number> {
    let pending = 0;
    for (let at = from, looked = 0; at <= to && looked < COUNTED; ) {
      const slice = await store.counts(org, generation, at, to, SLICE);
      pending += slice.counts.pending;
      looked += slice.looked;
      at = slice.last + 1;
    }
    return pending;
  }

  async function outcomeOf(job: Job, number: number): Promise<{ readonly job: Job; readonly attempt?: Attempt }> {
    const until = performance.now() + REDELIVERED_WITHIN_MS;
    for (let now = job; ; ) {
      if (now.state !== 'running' || performance.now() > until) {
        const attempt = await store.attempt(job.org, job.generation, number, job.id);
        return { job: now, ...(attempt && { attempt }) };
      }
      await sleep(LOOK_EVERY_MS);
      now = (await store.find(job.org, job.id)) ?? now;
    }
  }

  return {
    async redeliver(asker, generation, number) {
      const channel = await findChannel(asker.org, generation);
      const standing = await store.standing(asker.org, generation, number);
      if (!standing) throw new AppError('NOT_FOUND', 'There is no such notification', { api_name: 'number' });
      if (standing.state === 'pending' && number > (channel.cancelledTo ?? 0)) throw isPending(standing.dueAt);
      const job = await make(asker, generation, () => ({ request: { kind: 'redeliver', number }, total: 1 }));
      onChanged();
      return outcomeOf(job, number);
    },
    plan,
    async replay(asker, generation, wish) {
      const { from, to, total, isWhole } = await plan(asker.org, generation, wish);
      const job = await make(asker, generation, () => ({
        request: { kind: 'replay', from, to, which: wish.which, rate: wish.rate },
        ...(isWhole && { total }),
      }));
      onChanged();
      return job;
    },
    async make(...asked) {
      const job = await make(...asked);
      onChanged();
      return job;
    },
    async list({ org, user }, filter, before, limit) {
      const asked: JobFilter = { ...filter, user };
      return store.list(org, asked, before, limit);
    },
    find,
    pause: (asker, id) => change(asker, id, 'paused', ['running'], 'paused'),
    resume: (asker, id) => change(asker, id, 'running', ['paused', 'failed'], 'resumed'),
    cancel: (asker, id) => change(asker, id, 'cancelled', ['running', 'paused', 'failed'], 'cancelled'),
  };
}

/** Before the first number, or change, that is looked at. */
function startOf(request: JobRequest): number {
  switch (request.kind) {
    case 'redeliver':
      return request.number - 1;
    case 'replay':
      return request.from - 1;
    case 'rematch':
      return request.fromChange - 1;
  }
}

function totalOf({ delivered, parked, cancelled }: StateCounts, which: ReplayWhich): number {
  switch (which) {
    case 'parked':
      return parked;
    case 'undelivered':
      return parked + cancelled;
    case 'all':
      return delivered + parked + cancelled;
  }
}

function isPending(dueAt: number | undefined): AppError {
  const next = dueAt === undefined ? undefined : new Date(dueAt).toISOString();
  const when = next === undefined ? 'it is sent as soon as its turn comes' : `its next attempt is at ${next}`;
  return new AppError('INVALID_DATA', `The notification is pending: ${when}`, {
    api_name: 'number',
    next_attempt_at: next ?? null,
  });
}

const noChannel = (): AppError => new AppError('NOT_FOUND', 'There is no such channel', { api_name: 'channel' });
const noJob = (): AppError => new AppError('NOT_FOUND', 'There is no such job', { api_name: 'job' });
const hasEnded = (): AppError =>
  new AppError('INVALID_DATA', 'The channel has ended: nothing can be sent for it any more', { api_name: 'channel' });
