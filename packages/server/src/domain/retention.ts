import type { Channel, EndedReason } from './channel.ts';
import type { NotificationState } from './notification.ts';

/** A notification as retention looks at it. */
export interface KeptNotification {
  readonly number: number;
  readonly change: number;
  readonly state: NotificationState;
  readonly attempts: number;
  /** Of a cancelled one. */
  readonly reason?: string;
  /** Since when it is not pending. */
  readonly settledAt?: number;
}

/** Numbers, both ends inclusive. */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** Numbers that were never delivered, and why; both ends inclusive. */
export interface UndeliveredRange extends NumberRange {
  readonly reason: string;
}

export interface Removal {
  /** What goes, in order of numbers. */
  readonly runs: readonly NumberRange[];
  /** The part of it that was never delivered. */
  readonly undelivered: readonly UndeliveredRange[];
  /** Notifications that go, and attempts at them. */
  readonly notifications: number;
  readonly attempts: number;
  /** Of what stays, the oldest change. */
  readonly oldestChange?: number;
}

/** What retention removes of notifications in order of numbers: those that were finished at `limit`, never a pending one. */
export function removalOf(notifications: readonly KeptNotification[], limit: number): Removal {
  const runs: NumberRange[] = [];
  const undelivered: UndeliveredRange[] = [];
  let oldestChange: number | undefined;
  let removed = 0;
  let attemptsRemoved = 0;
  for (const { number, change, state, attempts, reason, settledAt } of notifications) {
    if (state === 'pending' || settledAt === undefined || settledAt > limit) {
      oldestChange = Math.min(oldestChange ?? change, change);
      continue;
    }
    removed += 1;
    attemptsRemoved += attempts;
    const run = runs.at(-1);
    if (run?.to === number - 1) runs[runs.length - 1] = { from: run.from, to: number };
    else runs.push({ from: number, to: number });
    if (state !== 'delivered') undelivered.push({ from: number, to: number, reason: reason ?? state });
  }
  return {
    runs,
    undelivered: joined(undelivered),
    notifications: removed,
    attempts: attemptsRemoved,
    ...(oldestChange !== undefined && { oldestChange }),
  };
}

/** The ranges in order, those that touch or overlap and have the same reason as one. */
export function joined(ranges: readonly UndeliveredRange[]): UndeliveredRange[] {
  const joined: UndeliveredRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const before = joined.at(-1);
    const touches = before !== undefined && before.to >= range.from - 1 && before.reason === range.reason;
    if (touches) joined[joined.length - 1] = { ...before, to: Math.max(before.to, range.to) };
    else joined.push(range);
  }
  return joined;
}

/** What a channel that owes no more leaves pending: up to which number it is cancelled, why, and since when it counts. */
export interface Cancellation {
  /** Undefined: all. */
  readonly to?: number;
  readonly reason: string;
  readonly at: number;
}

type Owing = Pick<Channel, 'endedAt' | 'endedReason' | 'cancelledTo' | 'cancelledWhy' | 'expiresAt'>;

/** `now` counts for what was skipped: when that was is not kept. What was held counts from the expiry. */
export function cancellationOf(channel: Owing, now: number): Cancellation | undefined {
  const { endedAt, endedReason = 'deleted', cancelledTo, cancelledWhy = 'expired', expiresAt } = channel;
  if (endedAt !== undefined) {
    return { reason: endedReason, at: endedReason === RETENTION ? Math.min(expiresAt, endedAt) : endedAt };
  }
  return cancelledTo === undefined ? undefined : { to: cancelledTo, reason: cancelledWhy, at: now };
}

const RETENTION: EndedReason = 'retention';

/** A channel that expired so long ago that nothing takes it up again. */
export const isBeyondRetention = (
  { expiresAt }: Pick<Channel, 'expiresAt'>,
  now: number,
  retentionMs: number,
): boolean => now >= expiresAt + retentionMs;
