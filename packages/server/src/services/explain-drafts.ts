import { type Concern, concerns, type Due, isLiveAt, type Passing, type Then } from '../domain/explain.ts';
import type { Hold } from '../domain/hold.ts';
import type { ShownState } from '../domain/shown-state.ts';
import type { NotificationTrace, PassedChannel, PassedTraces, TracedChannel } from '../storage/store.ts';

export interface ExplainedNotification {
  readonly number: number;
  /** Undefined: it was finished, and retention removed it. */
  readonly trace?: NotificationTrace;
  readonly state: ShownState | 'removed';
  readonly reason?: string;
  readonly hold?: Hold;
}

/** A change and a channel, before it is known what became of it. */
export interface Draft {
  readonly concern: Concern;
  /** Number that the change gave it, of several the highest. */
  readonly highest?: number;
  readonly found?: TracedChannel;
  readonly then?: Then;
  readonly rule?: Passing;
}

/** The numbers that the change gave its notifications which concern the record. */
function numbersOf({ rule, concern, then, highest }: Draft): number[] {
  if (!rule || then?.kind !== 'there' || !isLiveAt(then.revision.channel, concern.change)) return [];
  return highest === undefined ? [] : rule.due.map(({ place, of }: Due) => highest - of + 1 + place);
}

/** What to look up of a channel that it passes. */
export function askedOf(draft: Draft): PassedChannel | undefined {
  const { then, concern } = draft;
  if (then?.kind !== 'there') return undefined;
  const { channel } = then.revision;
  const numbers = numbersOf(draft);
  const lapse = isLiveAt(channel, concern.change) ? channel.overflowFrom !== undefined && 'overflow' : 'expired';
  return {
    generation: channel.generation,
    change: concern.change,
    ...(numbers.length > 0 && { numbers: { from: Math.min(...numbers), to: Math.max(...numbers) } }),
    ...(lapse && { lapse }),
  };
}

/** Of a re-match that was made of it. */
export function rematchedOf(draft: Draft, trace: PassedTraces | undefined) {
  const made = (trace?.notifications ?? []).filter((one) => one.job !== undefined && concerns(draft.concern, one));
  const job = made[0]?.job;
  return job === undefined ? {} : { rematched: { job, numbers: made.map(({ number }) => number) } };
}

/** Those that concern the record, by their numbers. */
export function notificationsOf(draft: Draft, { notifications }: PassedTraces): ExplainedNotification[] {
  const given = numbersOf(draft).map((number): ExplainedNotification => {
    const trace = notifications.find((one) => one.number === number && one.job === undefined);
    return trace ? { number, trace, state: trace.state } : { number, state: 'removed' };
  });
  const made = notifications.filter((one) => one.job !== undefined && concerns(draft.concern, one));
  return [...given, ...made.map((trace) => ({ number: trace.number, trace, state: trace.state }))];
}
