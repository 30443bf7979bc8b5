import type { Outcome } from './attempt.ts';

/** When attempts to an origin that cannot be reached stop, and how they begin again. Times in milliseconds. */
export interface CircuitPolicy {
  /** What is counted is at most this old. */
  readonly window: number;
  /** It opens at this part of failures, if at least `minimum` attempts were counted. */
  readonly share: number;
  readonly minimum: number;
  /** While it is open, one attempt is made so often. */
  readonly probeEvery: number;
  /** So many successes in a row close it. */
  readonly successes: number;
}

/** Attempts that began in one part of the window. */
interface Bucket {
  readonly at: number;
  readonly made: number;
  readonly failed: number;
}

/**
 * What is known of the connections of one organisation to one origin. *Closed*: every attempt may start. *Open*: none.
 * *Half-open*: one at a time, the probe. Plain data; the injected clock counts, since probes stand beside retries: a clock
 * that is moved makes both due.
 */
export type Circuit =
  | { readonly state: 'closed'; readonly buckets: readonly Bucket[] }
  | { readonly state: 'open'; readonly since: number; readonly probeAt: number }
  | { readonly state: 'half-open'; readonly since: number; readonly successes: number; readonly isProbing: boolean };

export const CLOSED: Circuit = { state: 'closed', buckets: [] };

/** Parts that a window is counted in: its end moves on by one part at a time. */
const PARTS = 10;

export type Connection = 'made' | 'failed' | 'none';

/** Of an outcome, whether there was a connection. Any HTTP answer says so; what our own guard refused says nothing. */
export function connectionOf(outcome: Outcome): Connection {
  switch (outcome.kind) {
    case 'delivered':
    case 'rejected':
      return 'made';
    case 'unreachable':
      return outcome.reason === 'protocol' ? 'none' : 'failed';
    case 'forbidden':
      return 'none';
  }
}

/** Whether an attempt may start now. */
export function admits(circuit: Circuit): boolean {
  switch (circuit.state) {
    case 'closed':
      return true;
    case 'open':
      return false;
    case 'half-open':
      return !circuit.isProbing;
  }
}

/** An attempt starts; it is the probe if the circuit is half-open. Only while it `admits` one. */
export const started = (circuit: Circuit): Circuit =>
  circuit.state === 'half-open' ? { ...circuit, isProbing: true } : circuit;

/** The time of the next probe has come. */
export const probeDue = (circuit: Circuit): Circuit =>
  circuit.state === 'open' ? { state: 'half-open', since: circuit.since, successes: 0, isProbing: false } : circuit;

/** What an attempt came to. Of those that began before it opened, nothing is learned while it is not closed. */
export function landed(
  circuit: Circuit,
  isProbe: boolean,
  connection: Connection,
  now: number,
  policy: CircuitPolicy,
): Circuit {
  if (circuit.state === 'closed') return connection === 'none' ? circuit : counted(circuit.buckets, connection);
  if (circuit.state === 'open' || !isProbe) return circuit;
  if (connection !== 'made') return { state: 'open', since: circuit.since, probeAt: now + policy.probeEvery };
  const successes = circuit.successes + 1;
  return successes >= policy.successes ? CLOSED : { ...circuit, successes, isProbing: false };

  function counted(buckets: readonly Bucket[], what: 'made' | 'failed'): Circuit {
    const part = policy.window / PARTS;
    // A clock set back forgets what seems to come.
    const recent = buckets.filter(({ at }) => at > now - policy.window && at <= now);
    const newest = recent.at(-1);
    const bucket = newest && now - newest.at < part ? newest : { at: now, made: 0, failed: 0 };
    if (bucket === newest) recent.pop();
    const isMade = what === 'made';
    recent.push({ at: bucket.at, made: bucket.made + (isMade ? 1 : 0), failed: bucket.failed + (isMade ? 0 : 1) });
    let made = 0;
    let failed = 0;
    for (const one of recent) {
      made += one.made;
      failed += one.failed;
    }
    const all = made + failed;
    // A success never opens it, whatever was before.
    const isOpening = what === 'failed' && all >= policy.minimum && failed >= all * policy.share;
    return isOpening
      ? { state: 'open', since: now, probeAt: now + policy.probeEvery }
      : { state: 'closed', buckets: recent };
  }
}

/** The probe that had started made no request: another may. */
export const probeUnmade = (circuit: Circuit): Circuit =>
  circuit.state === 'half-open' ? { ...circuit, isProbing: false } : circuit;
