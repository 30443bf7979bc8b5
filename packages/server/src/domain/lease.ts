/** What must be left of a node's lease beyond the deadline of an attempt that it starts: to save what comes of it. */
const SETTLE_MS = 2000;
const RENEWALS = 5;

/** How often a lease of so long is renewed. */
export const renewalEvery = (leaseMs: number): number => leaseMs / RENEWALS;

/** Least that must be left of a lease for an attempt with this deadline to start. */
export const leftForAttempt = (deadlineMs: number): number => deadlineMs + SETTLE_MS;

/** The shortest lease under which attempts can start all the time: when the next renewal is due, enough is left. */
export const shortestLease = (deadlineMs: number): number =>
  Math.ceil((leftForAttempt(deadlineMs) * RENEWALS) / (RENEWALS - 1));
