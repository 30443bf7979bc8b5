import { type Clock, type ClockState, type MovableClock, timeOf } from './domain/clock.ts';

interface Waiting {
  readonly time: number;
  readonly call: () => void;
  /** Of the real clock's call; undefined while this one stands still before its time. */
  cancel: (() => void) | undefined;
}

/**
 * The dev profile's clock: real time and an offset, or a time at which it stands still. It starts as it was left, and not
 * before `notBefore`, which is what was committed last. When real time is set back, it ticks on from where it stood.
 */
export function createDevClock(real: Clock, left: ClockState | undefined, notBefore: number): MovableClock {
  const waiting = new Set<Waiting>();
  let frozenAt: number | undefined;
  /** Ends what holds it; undefined: it ticks, or is frozen until it is resumed. */
  let release: (() => void) | undefined;
  let offset = 0;
  let last = notBefore;
  take(left);

  function now(): number {
    if (frozenAt !== undefined) return frozenAt;
    const time = real.now() + offset;
    if (time < last) {
      offset += last - time;
      rearm();
    } else {
      last = time;
    }
    return last;
  }

  /** As it was left, but for what would set it back. */
  function take(state: ClockState | undefined): void {
    release?.();
    release = undefined;
    const to = timeOf(state, real.now());
    const isHeld = state?.heldUntil !== undefined;
    if (state?.frozenAt === undefined || (isHeld && to > state.frozenAt)) {
      frozenAt = undefined;
      offset = Math.max(to, last) - real.now();
      return;
    }
    frozenAt = Math.max(to, last);
    last = frozenAt;
    offset = state.offset;
    if (isHeld) release = real.at(state.heldUntil, resume);
  }

  function resume(): void {
    release?.();
    release = undefined;
    if (frozenAt === undefined) return;
    last = frozenAt;
    offset = frozenAt - real.now();
    frozenAt = undefined;
    rearm();
  }

  /** Calls what is due, in the order of the times. */
  function ringDue(): void {
    const to = now();
    const due = [...waiting].filter((entry) => entry.time <= to).sort((a, b) => a.time - b.time);
    for (const entry of due) ring(entry);
    rearm();
  }

  function arm(entry: Waiting): void {
    entry.cancel?.();
    if (frozenAt === undefined) entry.cancel = real.at(entry.time - offset, () => ring(entry));
    else entry.cancel = entry.time <= frozenAt ? real.at(real.now(), () => ring(entry)) : undefined;
  }

  function rearm(): void {
    for (const entry of waiting) arm(entry);
  }

  function ring(entry: Waiting): void {
    if (!waiting.delete(entry)) return;
    entry.cancel?.();
    entry.call();
  }

  return {
    now,
    at(time, call) {
      const entry: Waiting = { time, call, cancel: undefined };
      waiting.add(entry);
      arm(entry);
      return () => {
        waiting.delete(entry);
        entry.cancel?.();
      };
    },
    isFrozen: () => frozenAt !== undefined && !release,
    nextDue() {
      let first: number | undefined;
      for (const { time } of waiting) first = Math.min(first ?? Infinity, time);
      return first;
    },
    stateAt: (time, isFrozen, holdMs) => ({
      offset: time - real.now(),
      ...((isFrozen || holdMs !== undefined) && { frozenAt: time }),
      ...(!isFrozen && holdMs !== undefined && { heldUntil: real.now() + holdMs }),
    }),
    freeze() {
      frozenAt = now();
      release?.();
      release = undefined;
      rearm();
    },
    resume,
    moveTo(time) {
      const to = Math.max(now(), time);
      if (frozenAt !== undefined) frozenAt = to;
      else offset = to - real.now();
      last = to;
      ringDue();
    },
    follow(state) {
      now();
      take(state);
      ringDue();
    },
  };
}
