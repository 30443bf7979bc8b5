import { setTimeout as sleep } from 'node:timers/promises';
import type { JobPolicy } from '../domain/delivery-policy.ts';
import { AppError } from '../domain/error.ts';
import type { Generation, JobId, OrgId } from '../domain/ids.ts';
import type { Job, JobStep } from '../domain/job.ts';
import { resendingOf } from '../domain/resending.ts';
import type { JobStore, RunningJob } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createAlarm } from './alarm.ts';
import { byTurns, createJobLines, type Line, type Placed, whoMakesRoom } from './job-lines.ts';
import type { Hold, Ownership } from './ownership.ts';
import { startResending } from './resending.ts';
import type { ResendingContext, Run, RunEnd } from './resending-context.ts';

/**
 * Does the next bit of a job that sends nothing, and saves how it stands then; `rests`: it can do nothing now. Is called
 * again until it answers a job that is not running, or `stop` is aborted, which is looked at between two bits.
 */
export type JobWork = (job: Job, stop: AbortSignal) => Promise<JobStep | 'rests'>;

/** What redeliveries, replays and re-matches of this node's channels do in the background. */
export interface Jobs {
  start(): Promise<void>;
  /** A job was made or changed; or the organisation was, and what waited for that may go on. */
  look(org?: OrgId): void;
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
const PAGE = 500;
/** A look that takes longer is followed by a pause of so many times its time, however much there is to look at. */
const SHORT_LOOK_MS = 5;
const PAUSE_FOR_LOOK = 4;

interface Working extends Placed {
  readonly job: RunningJob;
  readonly line: Line;
  readonly hold: Hold;
  readonly stopping: AbortController;
  run?: Run;
  done: Promise<void>;
}

export function createJobs(options: JobsOptions): Jobs {
  const { store, ownership, policy, isSuspended, logger } = options;
  const lines = createJobLines();
  const working = new Map<JobId, Working>();
  /** When each organisation's last turn began, so that those that waited longest come first. */
  const turns = new Map<OrgId, number>();
  const stopping = new AbortController();
  const alarm = createAlarm();
  let looping: Promise<void> | undefined;
  let isLooking = false;
  let isToLook = false;
  /** What runs is not known, or may have changed. */
  let isToRead = true;
  let readAt = -Infinity;
  let hasFailed = false;
  /** Some wait for a place. */
  let isCrowded = false;
  /** When the first of those that rest may be tried. */
  let nextDue = Infinity;

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      const began = performance.now();
      await look();
      const took = performance.now() - began;
      if (took > SHORT_LOOK_MS) {
        await sleep(took * PAUSE_FOR_LOOK, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
      }
      if (!stopping.signal.aborted) await alarm.sleep(pauseUntilNext());
    }
  }

  function pauseUntilNext(): number {
    const now = performance.now();
    const lookAt = options.isShared ? readAt + LOOK_EVERY_MS : hasFailed || isCrowded ? now + LOOK_EVERY_MS : Infinity;
    return Math.max(0, Math.min(lookAt - now, nextDue - now, LONGEST_MS));
  }

  async function look(): Promise<void> {
    isLooking = true;
    isToLook = false;
    try {
      if (isToRead || (options.isShared && performance.now() - readAt >= LOOK_EVERY_MS)) {
        isToRead = false;
        readAt = performance.now();
        lines.read(await readRunning());
      }
      hasFailed = false;
      if (!stopping.signal.aborted) {
        letGo();
        takeUp();
      }
    } catch (error) {
      if (!hasFailed) logger.error({ err: error }, 'jobs cannot be read, trying again');
      hasFailed = true;
      isToRead = true;
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
  function letGo(): void {
    for (const { job, hold, stopping: stop, run } of working.values()) {
      if (!lines.has(job) || hold.state !== 'held' || isSuspended(job.org)) stop.abort();
      run?.wake(false);
    }
  }

  /** The oldest of each kind of each channel, those organisations first that waited longest. */
  function takeUp(): void {
    const taken = new Set(Array.from(working.values(), ({ line }) => line.key));
    const quick: Line[] = [];
    const slow: Line[] = [];
    nextDue = lines.due(performance.now(), (line) => {
      const [{ org, generation, kind }] = line.jobs;
      if (taken.has(line.key) || isSuspended(org)) return;
      if (ownership.holdOf(generation)?.state === 'held') (kind === 'redeliver' ? quick : slow).push(line);
    });
    const mates = [...working.values()];
    const isQuick = ({ job }: Working) => job.kind === 'redeliver';
    const areAllIn = seat(quick, mates.filter(isQuick), policy.redelivering);
    isCrowded =
      !seat(
        slow,
        mates.filter((mate) => !isQuick(mate)),
        policy.running,
      ) || !areAllIn;
  }

  /** False: some wait for a place; whoever has had one for long makes room. */
  function seat(waiting: readonly Line[], mates: readonly Working[], places: number): boolean {
    const inTurn = byTurns(waiting, turns, places);
    const free = Math.max(0, places - mates.length);
    for (const line of inTurn.slice(0, free)) begin(line);
    for (const one of whoMakesRoom(mates, inTurn.slice(free), performance.now() - policy.turn)) one.stopping.abort();
    return waiting.length <= free;
  }

  function begin(line: Line): void {
    const [job] = line.jobs;
    const hold = ownership.holdOf(job.generation);
    if (!hold) return;
    const since = performance.now();
    line.begun = since;
    turns.delete(job.org);
    turns.set(job.org, since);
    if (turns.size > 1000) for (const [org] of [...turns].slice(0, 500)) turns.delete(org);
    const stopping = new AbortController();
    const one: Working = { job, line, hold, since, stopping, stop: stopping.signal, done: Promise.resolve() };
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
    if (job?.state !== 'running' || one.stop.aborted) return 'stopped';
    const resending = resendingOf(job, policy.waits);
    if (!resending) return step(one, job);
    one.run = startResending(job, resending, one.hold, one.stop, one.line.streak, options.resending);
    return one.run.done;
  }

  async function step({ job: known, stop }: Working, job: Job): Promise<RunEnd> {
    for (let now = job; !stop.aborted; ) {
      const next = await options.steps.rematch(now, stop);
      if (next === 'rests') return 'rests';
      if (next.state !== 'running') return 'over';
      // It rests as if for the first time.
      if (next.progress.position > now.progress.position) lines.went(known);
      const { note: _before, ...rest } = now;
      now = { ...rest, ...next };
    }
    return 'stopped';
  }

  function ended({ job, hold }: Working, end: RunEnd): void {
    working.delete(job.id);
    hold.lanes -= 1;
    switch (end) {
      case 'rests':
        lines.rest(job, performance.now());
        break;
      case 'over':
        lines.drop(job);
        break;
      case 'stopped':
        lines.went(job);
        isToRead = true;
    }
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
    look(org) {
      if (org !== undefined) lines.resumed(org);
      isToRead = true;
      wake();
    },
    changed(generation) {
      for (const { job, run } of working.values()) if (job.generation === generation) run?.wake(true);
      if (lines.changed(generation)) wake();
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
      for (const { stopping: stop } of working.values()) stop.abort();
      await looping;
      await Promise.all(Array.from(working.values(), ({ done }) => done));
    },
  };
}
