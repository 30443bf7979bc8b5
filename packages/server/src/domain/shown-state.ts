import { type Channel, channelState, type Standing } from './channel.ts';
import type { NotificationState } from './notification.ts';

/** The state of a notification as everybody is told it. */
export type ShownState = NotificationState | 'held';
export const SHOWN_STATES: readonly ShownState[] = ['pending', 'held', 'delivered', 'parked', 'cancelled'];

export interface Shown {
  readonly state: ShownState;
  /** Of a cancelled one. */
  readonly reason?: string;
}

/** What a row that says pending means, by its channel as it is at `now` (docs/decisions/0002). */
export function shownState(
  { number, state, reason }: { readonly number: number; readonly state: NotificationState; readonly reason?: string },
  channel: Standing & Pick<Channel, 'endedReason' | 'cancelledTo' | 'cancelledWhy'>,
  now: number,
): Shown {
  if (state !== 'pending') return { state, ...(reason !== undefined && { reason }) };
  if (channel.endedAt !== undefined) return { state: 'cancelled', reason: channel.endedReason ?? 'deleted' };
  if (number <= (channel.cancelledTo ?? 0)) return { state: 'cancelled', reason: channel.cancelledWhy ?? 'expired' };
  return { state: channelState(channel, now) === 'live' ? 'pending' : 'held' };
}
