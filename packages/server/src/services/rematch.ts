import { type Channel, type ChannelState, channelState, type Lapse } from '../domain/channel.ts';
import type { Clock } from '../domain/clock.ts';
import { AppError } from '../domain/error.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { Job, JobStep } from '../domain/job.ts';
import { matchOne } from '../domain/matching.ts';
import {
  decideRematch,
  isDone,
  lapseOf,
  type MatchedChange,
  noteWaiting,
  type RematchOutcome,
  type RematchPiece,
  type RematchRequest,
  standOf,
} from '../domain/rematch.ts';
import type { AdministrationStore, JobStore, LapsePlace, LapseReads } from '../storage/store.ts';
import type { Asker, Jobs } from './jobs.ts';
import { createTurns } from './turns.ts';
import type { Writer } from './writer.ts';

/** Which lapses: one by its kind and the change that it begins after, or all that can be matched again. */
export type RematchWish =
  | { readonly lapse: Lapse['kind']; readonly fromChange: number; readonly all?: undefined }
  | { readonly all: true };

/** A lapse as it stands, with what is kept of its changes. */
export interface LapseView {
  readonly lapse: Lapse;
  /** Changes in it that were not matched again. */
  readonly changes: number;
  /** Of these, the ones up to this change were removed by retention; undefined: none. */
  readonly goneTo?: number;
  /** Why it cannot be matched again now; undefined: it can. */
  readonly hindrance?: Hindrance;
}

export type Hindrance = 'open' | 'done' | 'gone' | 'expired' | 'ended';

/** What a re-match would make. */
export interface RematchPlan {
  readonly view: LapseView;
  /** Changes that were looked at, from the first on, and the notifications that they would make. */
  readonly looked: number;
  readonly notifications: number;
}

/** Numbers anew what a channel did not see. A channel, or a lapse, that is not there is NOT_FOUND. */
export interface Rematches {
  lapses(
    org: OrgId,
    generation: Generation,
    after: LapsePlace | undefined,
    limit: number,
    which: 'all' | 'open',
  ): Promise<readonly LapseView[]>;
  /** In all looks at a bounded number of changes. */
  plan(org: OrgId, generation: Generation, wish: RematchWish): Promise<readonly RematchPlan[]>;
  /** A job for each lapse; INVALID_DATA for one that cannot be matched again now, with why. */
  ask(asker: Asker, generation: Generation, wish: RematchWish): Promise<readonly Job[]>;
  /** The next piece of a job: one commit. */
  step(job: Job): Promise<JobStep | 'rests'>;
}

export interface RematchOptions {
  readonly writer: Writer;
  readonly reads: LapseReads;
  readonly channels: Pick<AdministrationStore, 'findChannel'>;
  readonly jobs: Pick<Jobs, 'make'>;
  readonly jobStore: Pick<JobStore, 'find' | 'list'>;
  readonly clock: Clock;
  /** Changes of one step: one commit numbers what they owe; 200 unless given. */
  readonly pieceSize?: number;
}

const PIECE_BYTES = 1024 * 1024;
/** Changes that a plan looks at. */
const PLANNED = 5_000;
/** Plans of one organisation, so that no other waits behind what they read. */
const PLANNING = { atOnce: 2, waiting: 100 };
/** Lapses that one request for all begins with. */
const AT_ONCE = 20;

export function createRematches(options: RematchOptions): Rematches {
  const { writer, reads, channels, jobs, jobStore, clock, pieceSize = 200 } = options;
  const inTurn = createTurns(PLANNING);

  async function findChannel(org: OrgId, generation: Generation): Promise<Channel> {
    const found = await channels.findChannel(org, generation);
    if (!found) throw new AppError('NOT_FOUND', 'There is no such channel', { api_name: 'channel' });
    return found.channel;
  }

  async function lapses(...[org, generation, after, limit, which]: Parameters<Rematches['lapses']>) {
    const channel = await findChannel(org, generation);
    const [found, changes] = await Promise.all([
      reads.lapses(org, generation, after, limit, which),
      reads.changes(org),
    ]);
    return found.map((lapse) => viewOf(lapse, channel, changes, clock.now()));
  }

  async function wished(org: OrgId, generation: Generation, wish: RematchWish): Promise<readonly LapseView[]> {
    if (wish.all) {
      const open = await lapses(org, generation, undefined, 200, 'open');
      return open.filter(({ hindrance }) => hindrance === undefined).slice(0, AT_ONCE);
    }
    const { lapse: kind, fromChange } = wish;
    const near = await lapses(org, generation, { fromChange: fromChange - 1, kind: 'overflow' }, 2, 'all');
    const view = near.find(({ lapse }) => lapse.kind === kind && lapse.fromChange === fromChange);
    if (!view) throw new AppError('NOT_FOUND', 'There is no such lapse', { api_name: 'from_change' });
    if (view.hindrance !== undefined) throw refusal(view.hindrance);
    return [view];
  }

  /** In pieces of what is read at once; the first says what of it is gone. */
  async function readPiece(
    org: OrgId,
    generation: Generation,
    { after, to }: { readonly after: number; readonly to: number },
    limit = pieceSize,
  ): Promise<RematchPiece> {
    const found = await reads.matchable(org, generation, { after, to }, limit, PIECE_BYTES);
    const matched = found.map(({ change, channel }): MatchedChange => {
      if (!channel) throw new Error(`The revision in force at change ${change.number} is not there`);
      return { change, as: channel, owed: matchOne(change, channel) };
    });
    const goneTo = (matched[0]?.change.number ?? to + 1) - 1;
    return { after, matched, ...(goneTo > after && { goneTo }) };
  }

  const plan: Rematches['plan'] = (org, ...asked) => inTurn(org, () => planNow(org, ...asked));

  async function planNow(org: OrgId, generation: Generation, wish: RematchWish): Promise<readonly RematchPlan[]> {
    const plans: RematchPlan[] = [];
    let left = PLANNED;
    for (const view of await wished(org, generation, wish)) {
      const to = view.lapse.toChange ?? 0;
      let looked = 0;
      let notifications = 0;
      for (let after = standOf(view.lapse); after < to && left > 0; ) {
        const { matched } = await readPiece(org, generation, { after, to }, Math.min(pieceSize, left));
        looked += matched.length;
        left -= matched.length;
        notifications += matched.reduce((sum, { owed }) => sum + owed.length, 0);
        after = matched.at(-1)?.change.number ?? to;
      }
      plans.push({ view, looked, notifications });
    }
    return plans;
  }

  async function openJobs(org: OrgId, generation: Generation): Promise<readonly Job[]> {
    const states = ['running', 'paused'] as const;
    const found = await Promise.all(states.map((state) => jobStore.list(org, { generation, state }, undefined, 200)));
    return found.flatMap((page) => page.jobs);
  }

  async function begin(asker: Asker, generation: Generation, { lapse }: LapseView): Promise<Job> {
    return jobs.make(
      asker,
      generation,
      (set, channel) => {
        const now = set.lapses.find(
          (one) => one.generation === generation && one.kind === lapse.kind && one.fromChange === lapse.fromChange,
        );
        if (!now) throw new AppError('NOT_FOUND', 'There is no such lapse', { api_name: 'from_change' });
        if (isDone(now) || now.toChange === undefined) throw refusal(isDone(now) ? 'done' : 'open');
        if (channel.lapsedFrom !== undefined) throw refusal('expired');
        const request = { lapse: now.kind, fromChange: standOf(now) + 1, toChange: now.toChange };
        return { request: { kind: 'rematch', ...request } };
      },
      { lapses: [generation] },
    );
  }

  async function ask(asker: Asker, generation: Generation, wish: RematchWish): Promise<readonly Job[]> {
    const views = await wished(asker.org, generation, wish);
    const open = await openJobs(asker.org, generation);
    const made: Job[] = [];
    for (const view of views) {
      const other = open.find(({ request }) => request.kind === 'rematch' && lapseOf([view.lapse], request));
      if (other && !wish.all) {
        throw new AppError('DUPLICATE_DATA', 'A job matches this lapse again already', {
          api_name: 'from_change',
          job: other.id,
        });
      }
      if (!other) made.push(await begin(asker, generation, view));
    }
    return made;
  }

  async function commit(job: Job, request: RematchRequest, piece: RematchPiece): Promise<RematchOutcome> {
    const { org, generation } = job;
    const { userId, channelId } = await findChannel(org, generation);
    const owed = piece.matched.reduce((sum, one) => sum + one.owed.length, 0);
    return writer.submit(org, {
      needs: { channels: [{ userId, channelId }], lapses: [generation] },
      weight: 1 + owed,
      isAdministration: true,
      decide(set) {
        if (set.org.erasingAt !== undefined) return { waits: 'The organisation is being erased' };
        const outcome = decideRematch(set, job, request, piece);
        if ('waits' in outcome) noteWaiting(set, job, outcome.waits);
        return outcome;
      },
    });
  }

  async function step(job: Job): Promise<JobStep | 'rests'> {
    const { org, generation, request, progress } = job;
    if (request.kind !== 'rematch') throw new Error(`A job that is a ${request.kind} matches nothing`);
    const piece = await readPiece(org, generation, { after: progress.position, to: request.toChange });
    const outcome = await commit(job, request, piece);
    if ('waits' in outcome) return 'rests';
    if (!('stands' in outcome)) return outcome;
    // Another node went on with this job, or another job with this lapse: what it numbered is numbered.
    const now = (await jobStore.find(org, job.id)) ?? job;
    const position = Math.max(now.progress.position, outcome.stands);
    const { note } = now;
    return {
      id: job.id,
      state: now.state,
      progress: { ...now.progress, position },
      ...(note !== undefined && { note }),
    };
  }

  return { lapses, plan, ask, step };
}

function viewOf(
  lapse: Lapse,
  channel: Channel,
  { last, oldest = last + 1 }: { readonly last: number; readonly oldest?: number },
  now: number,
): LapseView {
  const stand = standOf(lapse);
  const to = lapse.toChange ?? last;
  const goneTo = Math.min(to, oldest - 1);
  const hindrance = hindranceOf(lapse, goneTo, channelState(channel, now));
  return {
    lapse,
    changes: Math.max(0, to - stand),
    ...(goneTo > stand && { goneTo }),
    ...(hindrance !== undefined && { hindrance }),
  };
}

function hindranceOf(lapse: Lapse, goneTo: number, state: ChannelState): Hindrance | undefined {
  if (lapse.toChange === undefined) return 'open';
  if (isDone(lapse)) return 'done';
  if (goneTo >= lapse.toChange) return 'gone';
  return state === 'expired' || state === 'ended' ? state : undefined;
}

function refusal(hindrance: Hindrance): AppError {
  const [message, field] = REFUSALS[hindrance];
  return new AppError('INVALID_DATA', message, { api_name: field });
}

const REFUSALS: Readonly<Record<Hindrance, readonly [message: string, field: string]>> = {
  open: [
    'It goes on: renew the channel by a POST when it has expired; when it owes too much, it ends below 90 % of the limit',
    'from_change',
  ],
  done: ['All of its changes were matched again', 'from_change'],
  gone: ['Retention removed its changes: they cannot be matched again', 'from_change'],
  expired: ['The channel has expired: its owner renews it by a POST first', 'channel'],
  ended: ['The channel has ended: nothing can be sent for it any more', 'channel'],
};
