import type { Clock, ClockState, MovableClock } from './domain/clock.ts';

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
  let frozenAt = left?.frozenAt === undefined ? undefined : Math.max(left.frozenAt, notBefore);
  let offset = Math.max(left?.offset ?? 0, frozenAt === undefined ? notBefore - real.now() : -Infinity);
  let last = notBefore;

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
    isFrozen: () => frozenAt !== undefined,
    nextDue() {
      let first: number | undefined;
      for (const { time } of waiting) first = Math.min(first ?? Infinity, time);
      return first;
    },
    stateAt: (time, isFrozen) => ({ offset: time - real.now(), ...(isFrozen && { frozenAt: time }) }),
    freeze() {
      frozenAt = now();
      rearm();
    },
    resume() {
      if (frozenAt === undefined) return;
      last = frozenAt;
      offset = frozenAt - real.now();
      frozenAt = undefined;
      rearm();
    },
    moveTo(time) {
      const to = Math.max(now(), time);
      if (frozenAt !== undefined) frozenAt = to;
      else offset = to - real.now();
      last = to;
      const due = [...waiting].filter((entry) => entry.time <= to).sort((a, b) => a.time - b.time);
      for (const entry of due) ring(entry);
      rearm();
    },
  };
}
