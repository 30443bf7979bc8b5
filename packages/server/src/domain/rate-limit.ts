/** At most `burst` at once, and `perSecond` of them come back each second. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** How much one organisation may ask for through one client, and how often an address may be wrong. */
export interface RateLimits {
  /** Requests; absent: as many as come. */
  readonly requests?: Rate;
  /** Requests served at once; absent: as many as come. */
  readonly concurrent?: number;
  /** Tokens and secrets that are none, from one address; absent: as many as come. */
  readonly wrongTokens?: Rate;
}

/** What was taken until now is paid back at this moment, epoch ms: all that has to be kept for one rate. */
export type PaidBackAt = number;

export type Taking =
  | { readonly ok: true; readonly paidBackAt: PaidBackAt }
  | { readonly ok: false; readonly waitMs: number };

/** Of sums of milliseconds. */
const ROUNDING = 1e-6;

/** Takes one at `now`, unless the rate is spent; then it says when there is one again. A clock set back forgives. */
export function take(paidBackAt: PaidBackAt | undefined, { perSecond, burst }: Rate, now: number): Taking {
  const costMs = 1000 / perSecond;
  const owedMs = Math.max(0, (paidBackAt ?? now) - now);
  const debtMs = owedMs > burst * costMs + ROUNDING ? 0 : owedMs;
  const waitMs = debtMs - (burst - 1) * costMs;
  return waitMs > ROUNDING ? { ok: false, waitMs } : { ok: true, paidBackAt: now + debtMs + costMs };
}

/** How long nothing can be taken; 0 when something can. */
export function waitFor(paidBackAt: PaidBackAt | undefined, rate: Rate, now: number): number {
  const taking = take(paidBackAt, rate, now);
  return taking.ok ? 0 : taking.waitMs;
}
