/**
 * The receiver of all systems: a program of its own in C (`sink/sink.c`), one thread, keep-alive, that reads a POST,
 * finds its `webhook-id` header and the marker `t:` with 12 digits in its body, and answers 200 without a body.
 * By path: `/ok…` 200, `/fail…` 503, `/hang…` never answered. It counts what came to `/ok…` by distinct `webhook-id`.
 */
export interface Sink {
  /** `http://127.0.0.1:port`; with `origins` asked for, one for each address in 127.0.0.0/8, all on one port. */
  readonly origins: readonly string[];
  /** Forgets all that came. */
  reset(): Promise<void>;
  counts(): Promise<SinkCounts>;
  /** Resolves when so many distinct ones have come; rejects when none has come for `patienceMs`. */
  has(distinct: number, patienceMs?: number): Promise<SinkCounts>;
  /** From now on the moments of arrival are kept: of the first arrival of each serial (least `expected` + 1 of them). */
  keepMoments(from: number, expected: number): Promise<void>;
  /** Of the monotonic clock, in microseconds, by serial from `from` on; NaN: has not come. */
  moments(): Promise<Float64Array>;
  readonly pid: number;
  close(): Promise<void>;
}

export interface SinkCounts {
  readonly requests: number;
  readonly distinct: number;
  readonly duplicates: number;
  /** Of the first and the last distinct one since the reset; microseconds of the monotonic clock. */
  readonly firstAt: number;
  readonly lastAt: number;
}
