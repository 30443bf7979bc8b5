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
