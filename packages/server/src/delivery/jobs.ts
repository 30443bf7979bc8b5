import type { JobPolicy } from '../domain/delivery-policy.ts';
import { AppError } from '../domain/error.ts';
import type { Generation, JobId, OrgId } from '../domain/ids.ts';
import type { Job, JobKind, JobStep } from '../domain/job.ts';
import { resendingOf } from '../domain/resending.ts';
import type { JobStore, RunningJob } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createAlarm } from './alarm.ts';
import type { Hold, Ownership } from './ownership.ts';
import { startResending } from './resending.ts';
import type { AttemptsGiven, ResendingContext, Run, RunEnd } from './resending-context.ts';

/**
 * Does the next bit of a job that sends nothing, and saves how it stands then; `rests`: it can do nothing now. Is called
 * again until it answers a job that is not running, or `stop` is aborted, which is looked at between two bits.
 */
export type JobWork = (job: Job, stop: AbortSignal) => Promise<JobStep | 'rests'>;

/** What redeliveries, replays and re-matches of this node's channels do in the background. */
export interface Jobs {
  start(): Promise<void>;
  /** A job was made or changed, or may go on that could not. */
  look(): void;
  /** A commit concerns the channel. */
  changed(generation: Generation): void;
  /** Something of the organisation is under way. */
  holds(org: OrgId): boolean;
  isBusy(): boolean;
  /** Jobs that are being worked on. */
  running(): number;
  /** Begins nothing more; resolves when nothing is in the air or unsaved. */
  stop(): Promise<void>;
}

export interface JobsOptions {
  readonly store: Pick<JobStore, 'find' | 'running'>;
  readonly ownership: Ownership;
  readonly policy: JobPolicy;
  /** Other nodes make jobs as well, and change them. */
  readonly isShared: boolean;
  readonly isSuspended: (org: OrgId) => boolean;
  readonly resending: ResendingContext;
  /** By kind, of those that send nothing. */
  readonly steps: { readonly rematch: JobWork };
  /** Nothing of one is under way any more. */
  readonly onEnded: (hold: Hold) => void;
  readonly onQuiet: () => void;
  readonly logger: Logger;
}

/** How others are found: there is no message of them (DESIGN §3). */
const LOOK_EVERY_MS = 500;
const LONGEST_MS = 2 ** 31 - 1;
const FIRST_REST_MS = 500;
const LONGEST_REST_MS = 5000;
const PAGE = 500;
const GIVEN = 16_384;

interface Working {
  readonly job: RunningJob;
  readonly hold: Hold;
  readonly since: number;
  readonly stop: AbortController;
  run?: Run;
  done: Promise<void>;
}

export function createJobs(options: JobsOptions): Jobs {
  const { store, ownership, policy, isSuspended, logger } = options;
  const working = new Map<JobId, Working>();
  /** Those that can do nothing now, or failed: when they are tried again, by the process's own clock. */
  const resting = new Map<JobId, { readonly generation: Generation; readonly pause: number; readonly until: number }>();
  /** When each organisation's last turn began, so that those that waited longest come first. */
  const turns = new Map<OrgId, number>();
  const stopping = new AbortController();
  const alarm = createAlarm();
  let looping: Promise<void> | undefined;
  let isLooking = false;
  let isToLook = false;
  let hasFailed = false;
  /** Some wait for a place. */
  let isCrowded = false;

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await look();
      if (!stopping.signal.aborted) await alarm.sleep(pauseUntilNext());
    }
  }

  function pauseUntilNext(): number {
    if (options.isShared || hasFailed || isCrowded) return LOOK_EVERY_MS;
    const next = Math.min(...Array.from(resting.values(), ({ until }) => until));
    return next === Infinity ? LONGEST_MS : Math.max(0, next - performance.now());
  }

  async function look(): Promise<void> {
    isLooking = true;
    isToLook = false;
    try {
      const found = await readRunning();
      hasFailed = false;
      if (!stopping.signal.aborted) {
        letGo(new Set(found.map(({ id }) => id)));
        takeUp(found);
      }
    } catch (error) {
      if (!hasFailed) logger.error({ err: error }, 'jobs cannot be read, trying again');
      hasFailed = true;
    }
    isLooking = false;
    options.onQuiet();
  }

  async function readRunning(): Promise<RunningJob[]> {
    const found: RunningJob[] = [];
    for (;;) {
      const page = await store.running(found.at(-1), PAGE);
      found.push(...page);
      if (page.length < PAGE) return found;
    }
  }

  /** Stops what was paused or cancelled, or may be done here no more. */
  function letGo(found: ReadonlySet<JobId>): void {
    for (const [id, { job, hold, stop, run }] of working) {
      if (!found.has(id) || hold.state !== 'held' || isSuspended(job.org)) stop.abort();
      run?.wake(false);
    }
    for (const id of resting.keys()) if (!found.has(id)) resting.delete(id);
  }

  /** The oldest of each kind of each channel, those organisations first that waited longest. */
  function takeUp(found: readonly RunningJob[]): void {
    const taken = new Set(Array.from(working.values(), ({ job }) => lineOf(job)));
    const waiting: RunningJob[] = [];
    const now = performance.now();
    for (const job of found) {
      const line = lineOf(job);
      if (taken.has(line)) continue;
      taken.add(line);
      const isDue = (resting.get(job.id)?.until ?? 0) <= now;
      if (isDue && !isSuspended(job.org) && ownership.holdOf(job.generation)?.state === 'held') waiting.push(job);
    }
    waiting.sort((a, b) => (turns.get(a.org) ?? 0) - (turns.get(b.org) ?? 0));
    isCrowded = false;
    for (const job of byTurns(waiting)) {
      const isQuick = job.kind === 'redeliver';
      const mates = [...working.values()].filter((one) => (one.job.kind === 'redeliver') === isQuick);
      if (mates.length < (isQuick ? policy.redelivering : policy.running)) begin(job);
      else {
        isCrowded = true;
        if (!isQuick) endTurn(mates, job.org);
      }
    }
  }

  /** Whoever has had its place for long makes room for another organisation. */
  function endTurn(mates: readonly Working[], org: OrgId): void {
    const [oldest] = mates.filter(({ job }) => job.org !== org).sort((a, b) => a.since - b.since);
    if (oldest && performance.now() - oldest.since > policy.turn) oldest.stop.abort();
  }

  function begin(job: RunningJob): void {
    const hold = ownership.holdOf(job.generation);
    if (!hold) return;
    const since = performance.now();
    turns.delete(job.org);
    turns.set(job.org, since);
    if (turns.size > 1000) for (const [org] of [...turns].slice(0, 500)) turns.delete(org);
    const one: Working = { job, hold, since, stop: new AbortController(), done: Promise.resolve() };
    working.set(job.id, one);
    hold.lanes += 1;
    one.done = work(one)
      .catch((error): RunEnd => {
        const isPassing = error instanceof AppError && error.code === 'SERVICE_UNAVAILABLE';
        if (!isPassing) logger.error({ err: error, org: job.org, job: job.id }, 'a job failed, and is tried again');
        return 'rests';
      })
      .then((end) => ended(one, end));
  }

  async function work(one: Working): Promise<RunEnd> {
    const job = await store.find(one.job.org, one.job.id);
    if (job?.state !== 'running' || one.stop.signal.aborted) return 'stopped';
    const resending = resendingOf(job, policy.waits);
    if (!resending) return step(job, one.stop.signal);
    one.run = startResending(job, resending, one.hold, one.stop.signal, options.resending);
    return one.run.done;
  }

  async function step(job: Job, stop: AbortSignal): Promise<RunEnd> {
    for (let now = job; !stop.aborted; ) {
      const next = await options.steps.rematch(now, stop);
      if (next === 'rests') return 'rests';
      if (next.state !== 'running') return 'over';
      const { note: _before, ...rest } = now;
      now = { ...rest, ...next };
    }
    return 'stopped';
  }

  function ended({ job, hold }: Working, end: RunEnd): void {
    working.delete(job.id);
    hold.lanes -= 1;
    if (end === 'rests') {
      const pause = Math.min((resting.get(job.id)?.pause ?? FIRST_REST_MS / 2) * 2, LONGEST_REST_MS);
      resting.set(job.id, { generation: job.generation, pause, until: performance.now() + pause });
    } else resting.delete(job.id);
    options.onEnded(hold);
    wake();
    options.onQuiet();
  }

  function wake(): void {
    isToLook = true;
    alarm.wake();
  }

  return {
    async start() {
      looping = loop();
    },
    look() {
      for (const [id, rest] of resting) resting.set(id, { ...rest, until: 0 });
      wake();
    },
    changed(generation) {
      for (const { job, run } of working.values()) if (job.generation === generation) run?.wake(true);
      for (const [id, rest] of resting) {
        if (rest.generation !== generation) continue;
        resting.set(id, { ...rest, until: 0 });
        wake();
      }
    },
    holds: (org) => [...working.values()].some(({ job }) => job.org === org),
    isBusy() {
      if (!looping || stopping.signal.aborted) return false;
      if (isLooking || isToLook) return true;
      return [...working.values()].some(({ run }) => run === undefined || run.isBusy());
    },
    running: () => working.size,
    async stop() {
      stopping.abort();
      alarm.wake();
      for (const { stop } of working.values()) stop.abort();
      await looping;
      await Promise.all(Array.from(working.values(), ({ done }) => done));
    },
  };
}

/** Remembers the newest attempts of jobs: far more than can be under way. */
export function createAttemptsGiven(): AttemptsGiven {
  const given = new Map<string, number>();
  return {
    next(generation, number, attemptsMade) {
      const key = `${generation} ${number}`;
      const next = Math.max(given.get(key) ?? 0, attemptsMade) + 1;
      given.delete(key);
      given.set(key, next);
      if (given.size > GIVEN) for (const oldest of given.keys()) if (given.delete(oldest)) break;
      return next;
    },
  };
}

/** Of a channel and a kind one job at a time: a redelivery does not wait for a replay of many. */
const lineOf = ({ generation, kind }: RunningJob): string => `${generation} ${kind satisfies JobKind}`;

/** One of each organisation, then a second of each, and so on. */
function byTurns(jobs: readonly RunningJob[]): RunningJob[] {
  const rounds = new Map<OrgId, number>();
  return jobs
    .map((job) => {
      const round = rounds.get(job.org) ?? 0;
      rounds.set(job.org, round + 1);
      return { job, round };
    })
    .sort((a, b) => a.round - b.round)
    .map(({ job }) => job);
}
