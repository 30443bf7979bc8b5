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
}

/** What a clock that stands so to real time shows at `real` (epoch ms). Undefined: it was never moved. */
export const timeOf = (state: ClockState | undefined, real: number): number =>
  state?.frozenAt ?? real + (state?.offset ?? 0);

/** A clock that can be stopped and moved on, and never goes back. */
export interface MovableClock extends Clock {
  isFrozen(): boolean;
  /** Of what waits, the time of the first; undefined when nothing waits. */
  nextDue(): number | undefined;
  /** How it would stand to real time, were it moved to `time` now. */
  stateAt(time: number, isFrozen: boolean): ClockState;
  /** Stops where it stands. */
  freeze(): void;
  /** Ticks on from where it stands. */
  resume(): void;
  /** Moves on and calls what is due by then, in the order of the times; a time before now moves it nowhere. */
  moveTo(time: number): void;
}
