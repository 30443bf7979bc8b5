import { type Channel, channelState, type Standing, type SuspendedWhy } from './channel.ts';
import type { NotificationState } from './notification.ts';
import type { Org } from './org.ts';
import { type ShownState, shownState } from './shown-state.ts';

/** Why a notification that is owed is not being sent. */
export type Hold =
  | { readonly kind: 'organisation_suspended'; readonly since: number }
  /** It flows on when its owner opens the channel again in time. */
  | { readonly kind: 'expired'; readonly since: number }
  | { readonly kind: 'suspended'; readonly since: number; readonly why: SuspendedWhy }
  /** Its last attempt failed; not before this time. */
  | { readonly kind: 'retry'; readonly until: number }
  /** One before it about the same record is not finished. */
  | { readonly kind: 'order'; readonly number: number };

export interface Owing {
  readonly number: number;
  readonly state: NotificationState;
  readonly dueAt?: number;
}

/** Nothing of one that is finished; what stands before it, only the store knows. */
export function holdOf(
  notification: Owing,
  channel: Standing & Pick<Channel, 'endedReason' | 'cancelledTo' | 'cancelledWhy'>,
  { suspendedAt }: Pick<Org, 'suspendedAt'>,
  now: number,
): { readonly state: ShownState; readonly reason?: string; readonly hold?: Hold } {
  const shown = shownState(notification, channel, now);
  if (shown.state !== 'pending' && shown.state !== 'held') return shown;
  const { suspension, expiresAt } = channel;
  const standing = channelState(channel, now);
  if (standing === 'expired') return { ...shown, hold: { kind: 'expired', since: expiresAt } };
  if (standing === 'suspended' && suspension)
    return { ...shown, hold: { kind: 'suspended', since: suspension.at, why: suspension.why } };
  if (suspendedAt !== undefined) return { ...shown, hold: { kind: 'organisation_suspended', since: suspendedAt } };
  const { dueAt } = notification;
  return dueAt !== undefined && dueAt > now ? { ...shown, hold: { kind: 'retry', until: dueAt } } : shown;
}
