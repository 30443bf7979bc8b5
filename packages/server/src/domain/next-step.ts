import type { NextStep, Outcome } from './attempt.ts';
import type { DeliveryPolicy } from './delivery-policy.ts';
import type { NotificationState } from './notification.ts';

const GONE = 410;

/**
 * What follows an attempt. `attemptsMade` counts it too, so it is at least 1; `random` answers 0 … 1.
 * A retry is never earlier than its schedule nor than the receiver's `Retry-After`.
 */
export function nextStep(
  outcome: Outcome,
  attemptsMade: number,
  policy: Pick<DeliveryPolicy, 'retrySchedule' | 'jitter' | 'maxRetryAfter' | 'suspension'>,
  now: number,
  random: () => number,
): NextStep {
  switch (outcome.kind) {
    case 'delivered':
      return { kind: 'done' };
    case 'rejected':
      if (outcome.status === GONE && policy.suspension?.onGone) return { kind: 'suspend' };
      return retry(Math.min(outcome.retryAfterMs ?? 0, policy.maxRetryAfter));
    case 'unreachable':
    case 'forbidden':
      return retry(0);
  }

  function retry(floor: number): NextStep {
    const wait = policy.retrySchedule[attemptsMade];
    if (wait === undefined) return { kind: 'park', why: 'exhausted' };
    return { kind: 'retry', at: now + Math.max(floor, Math.ceil(wait * (1 + random() * policy.jitter))) };
  }
}

/** How a notification is stored once its next step is decided. */
export function stateAfter(next: NextStep): { readonly state: NotificationState; readonly dueAt?: number } {
  switch (next.kind) {
    case 'done':
      return { state: 'delivered' };
    case 'retry':
      return { state: 'pending', dueAt: next.at };
    case 'park':
      return { state: 'parked' };
    case 'suspend':
      return { state: 'pending' };
  }
}
