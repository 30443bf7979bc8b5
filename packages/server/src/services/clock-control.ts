import { setTimeout as sleep } from 'node:timers/promises';
import type { MovableClock } from '../domain/clock.ts';
import { type ClockMove, targetOf } from '../domain/clock-move.ts';
import type { ClockStore } from '../storage/store.ts';

/** Most steps of one advance. */
const MAX_STEPS = 10_000;
/** So long one advance takes, in real time, and a step more at most: receivers may hang at every attempt. */
const MAX_REAL_MS = 15_000;

export interface ClockView {
  /** Epoch ms. */
  readonly now: number;
  readonly isFrozen: boolean;
  /** Real time, epoch ms. */
  readonly realNow: number;
  /** When the next retry, probe or turn of housekeeping is due; undefined when nothing waits. */
  readonly nextDue?: number;
}

export interface Advance extends ClockView {
  /** Where it was to go, epoch ms. */
  readonly target: number;
  /** Times at which something fell due. */
  readonly steps: number;
  /** Why it came no further; undefined: it came to where it was to go. */
  readonly stoppedBy?: 'steps' | 'time' | 'stop';
}

/** Moves the clock of the dev profile, which every organisation shares. One act at a time, in the order they came. */
export interface ClockControl {
  show(): ClockView;
  /** Stops the clock where it stands. */
  freeze(): Promise<ClockView>;
  /** Lets it tick on from where it stands. */
  resume(): Promise<ClockView>;
  /** Moves it at once: all that lies between falls due together. */
  set(move: ClockMove): Promise<ClockView>;
  /** Moves it from one thing that falls due to the next and awaits what comes of each, attempts above all. */
  advance(move: ClockMove): Promise<Advance>;
  /** Ends an advance where it stands. */
  close(): void;
}

export interface ClockControlOptions {
  readonly clock: MovableClock;
  readonly store: Pick<ClockStore, 'save'>;
  /** Real time, epoch ms. */
  readonly realNow: () => number;
  /** Resolves when nothing is under way and nothing could be sent now. */
  readonly idle: () => Promise<void>;
  readonly maxSteps?: number;
  readonly maxRealMs?: number;
}

export function createClockControl(options: ClockControlOptions): ClockControl {
  const { clock, store, realNow, idle, maxSteps = MAX_STEPS, maxRealMs = MAX_REAL_MS } = options;
  const closing = new AbortController();
  let turn: Promise<unknown> = Promise.resolve();

  function inTurn<Answer>(act: () => Promise<Answer>): Promise<Answer> {
    const done = turn.then(act);
    turn = done.catch(() => undefined);
    return done;
  }

  function show(): ClockView {
    const nextDue = clock.nextDue();
    return {
      now: clock.now(),
      isFrozen: clock.isFrozen(),
      realNow: realNow(),
      ...(nextDue !== undefined && { nextDue }),
    };
  }

  /** What is saved is never behind the clock, so that it does not go back over a restart. */
  const save = (time: number, isFrozen: boolean) => store.save(clock.stateAt(time, isFrozen));

  async function walk(target: number, isFrozen: boolean): Promise<Pick<Advance, 'steps' | 'stoppedBy'>> {
    const since = performance.now();
    for (let steps = 0; ; steps += 1) {
      const isIdle = await within(maxRealMs - (performance.now() - since), idle(), closing.signal);
      if (closing.signal.aborted) return { steps, stoppedBy: 'stop' };
      if (!isIdle) return { steps, stoppedBy: 'time' };
      const due = clock.nextDue() ?? Infinity;
      const isLast = due > target;
      if (!isLast && steps >= maxSteps) return { steps, stoppedBy: 'steps' };
      const next = isLast ? target : Math.max(due, clock.now());
      await save(next, isFrozen);
      clock.moveTo(next);
      if (isLast) return { steps };
    }
  }

  return {
    show,
    freeze: () =>
      inTurn(async () => {
        const wasFrozen = clock.isFrozen();
        clock.freeze();
        try {
          await save(clock.now(), true);
        } catch (error) {
          if (!wasFrozen) clock.resume();
          throw error;
        }
        return show();
      }),
    resume: () =>
      inTurn(async () => {
        await save(clock.now(), false);
        clock.resume();
        return show();
      }),
    set: (move) =>
      inTurn(async () => {
        const target = targetOf(clock.now(), move);
        await save(target, clock.isFrozen());
        clock.moveTo(target);
        return show();
      }),
    advance: (move) =>
      inTurn(async () => {
        const target = targetOf(clock.now(), move);
        const wasFrozen = clock.isFrozen();
        clock.freeze();
        try {
          const { steps, stoppedBy } = await walk(target, wasFrozen);
          if (!wasFrozen) clock.resume();
          return { ...show(), target, steps, ...(stoppedBy && { stoppedBy }) };
        } finally {
          if (!wasFrozen) clock.resume();
        }
      }),
    close: () => closing.abort(),
  };
}

/** Whether it came in time; false as well when it is not waited for any more. */
async function within(ms: number, work: Promise<void>, stop: AbortSignal): Promise<boolean> {
  const enough = new AbortController();
  const signal = AbortSignal.any([stop, enough.signal]);
  const late = sleep(Math.max(0, ms), false, { signal }).catch(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    enough.abort();
  }
}
