/**
 * The one clock that expiry, retries and retention read (P12). Socket deadlines, leases, signature time stamps and token
 * life use real time instead.
 */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Calls once when `time` has come; the answer cancels. Far times are fine. */
  at(time: number, call: () => void): () => void;
}

/** How a clock that can be moved stands to real time. */
export interface ClockState {
  /** Milliseconds by which it is ahead of real time; while it is frozen, as it was then. */
  readonly offset: number;
  /** Where it stands still; undefined: it ticks. */
  readonly frozenAt?: number;
  /** Real time from which on it ticks again by itself: it is held for as long as it is being moved step by step. */
  readonly heldUntil?: number;
}

/** What a clock that stands so to real time shows at `real` (epoch ms). Undefined: it was never moved. */
export function timeOf(state: ClockState | undefined, real: number): number {
  const { offset = 0, frozenAt, heldUntil = Infinity } = state ?? {};
  return frozenAt === undefined ? real + offset : frozenAt + Math.max(0, real - heldUntil);
}

/** A clock that can be stopped and moved on, and never goes back. */
export interface MovableClock extends Clock {
  /** Until it is resumed; not while it is only held. */
  isFrozen(): boolean;
  /** Of what waits, the time of the first; undefined when nothing waits. */
  nextDue(): number | undefined;
  /** How it would stand to real time, were it moved to `time` now; with `holdMs` it would be held for so long. */
  stateAt(time: number, isFrozen: boolean, holdMs?: number): ClockState;
  /** Stops where it stands. */
  freeze(): void;
  /** Ticks on from where it stands. */
  resume(): void;
  /** Moves on and calls what is due by then, in the order of the times; a time before now moves it nowhere. */
  moveTo(time: number): void;
  /** Stands to real time from now on as another node has left it, but for what would set it back. */
  follow(state: ClockState | undefined): void;
}
