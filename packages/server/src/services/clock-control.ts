import { setTimeout as sleep } from 'node:timers/promises';
import type { ClockState, MovableClock } from '../domain/clock.ts';
import { type ClockMove, targetOf } from '../domain/clock-move.ts';
import { AppError } from '../domain/error.ts';
import type { ClockStore } from '../storage/store.ts';

/** Most steps of one advance. */
const MAX_STEPS = 10_000;
/**
 * So long the clock stands still between the steps of an advance on all nodes, in real time, unless the next step or the end
 * comes; then it ticks on, so that the end of a node is not the end of its time.
 */
const HOLD_MS = 30_000;
/** So often somebody else may have moved it just before. */
const MAX_TRIES = 20;
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
  /** Follows what other nodes have done to it. */
  follow(): Promise<void>;
  /** Ends an advance where it stands. */
  close(): void;
}

export interface ClockControlOptions {
  readonly clock: MovableClock;
  readonly store: Pick<ClockStore, 'load' | 'save'>;
  /** How it was left in the store. */
  readonly left: ClockState | undefined;
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
  let known = options.left;
  let following: Promise<void> | undefined;

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

  async function follow(): Promise<void> {
    const { left } = await store.load();
    if (JSON.stringify(left) === JSON.stringify(known)) return;
    known = left;
    clock.follow(left);
  }

  /**
   * Saves how it is to stand, and has it stand so: never behind what it showed before, on any node. Where another node has
   * moved it meanwhile, that is followed first, and `next` asked again.
   */
  async function change(next: () => ClockState): Promise<void> {
    try {
      for (let tries = 0; tries < MAX_TRIES; tries += 1) {
        clock.follow(known);
        const state = next();
        if (await store.save(state, known)) {
          known = state;
          return;
        }
        await follow();
      }
    } finally {
      clock.follow(known);
    }
    throw new AppError('SERVICE_UNAVAILABLE', 'Others move the clock all the time');
  }

  const hold = (time: () => number, isFrozen: boolean): Promise<void> =>
    change(() => {
      clock.freeze();
      return clock.stateAt(time(), isFrozen, HOLD_MS);
    });

  async function walk(target: number, isFrozen: boolean): Promise<Pick<Advance, 'steps' | 'stoppedBy'>> {
    const since = performance.now();
    const isLast = () => (clock.nextDue() ?? Infinity) > target;
    await hold(clock.now, isFrozen);
    for (let steps = 0; ; steps += 1) {
      const isIdle = await within(maxRealMs - (performance.now() - since), idle(), closing.signal);
      if (closing.signal.aborted) return { steps, stoppedBy: 'stop' };
      if (!isIdle) return { steps, stoppedBy: 'time' };
      if (!isLast() && steps >= maxSteps) return { steps, stoppedBy: 'steps' };
      let wasLast = false;
      await hold(() => {
        wasLast = isLast();
        return Math.max(wasLast ? target : (clock.nextDue() ?? target), clock.now());
      }, isFrozen);
      if (wasLast) return { steps };
    }
  }

  return {
    show,
    freeze: () =>
      inTurn(async () => {
        await change(() => {
          clock.freeze();
          return clock.stateAt(clock.now(), true);
        });
        return show();
      }),
    resume: () =>
      inTurn(async () => {
        await change(() => clock.stateAt(clock.now(), false));
        return show();
      }),
    set: (move) =>
      inTurn(async () => {
        await change(() => clock.stateAt(targetOf(clock.now(), move), clock.isFrozen()));
        return show();
      }),
    advance: (move) =>
      inTurn(async () => {
        const target = targetOf(clock.now(), move);
        const wasFrozen = clock.isFrozen();
        const { steps, stoppedBy } = await walk(target, wasFrozen);
        if (!wasFrozen) await change(() => clock.stateAt(clock.now(), false));
        return { ...show(), target, steps, ...(stoppedBy && { stoppedBy }) };
      }),
    follow() {
      following ??= inTurn(follow).finally(() => {
        following = undefined;
      });
      return following;
    },
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
