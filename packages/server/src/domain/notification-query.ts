import type { Outcome } from './attempt.ts';
import { type Channel, channelState, type Standing } from './channel.ts';
import type { Generation, RecordId, UserId } from './ids.ts';
import type { NotificationState } from './notification.ts';
import { type ShownState, shownState } from './shown-state.ts';

/** What the last attempt came to; `none`: there was none. */
export type LastOutcome = Outcome['kind'] | 'none';

/** Changes by their numbers, both ends inclusive; none when it ends before it begins. */
export interface ChangeRange {
  readonly first: number;
  readonly last: number;
}

/** Which notifications are looked for: all that is given must fit. */
export interface NotificationFilter {
  /** Of these channels; undefined: of any, or of more than are named. */
  readonly generations?: readonly Generation[];
  /** Of channels of this user. */
  readonly user?: UserId;
  /** Their subject module. */
  readonly module?: string;
  /** Of the module: among those that they are about. */
  readonly record?: RecordId;
  readonly state?: ShownState;
  readonly outcome?: LastOutcome;
  readonly changes: ChangeRange;
}

/** What is known of one without reading what it says. */
export interface Candidate {
  readonly generation: Generation;
  readonly number: number;
  /** Number of its change. */
  readonly change: number;
  readonly module: string;
  /** As its row says it. */
  readonly state: NotificationState;
  /** Of a cancelled one. */
  readonly reason?: string;
  /** It was made for a change of a lapse or an overflow, after those of later changes. */
  readonly isRematched: boolean;
  /** Whether the record asked for is among those that it is about. */
  readonly isAbout?: boolean;
  /** The last attempt, where it was asked for. */
  readonly last?: { readonly attempt: number; readonly outcome: Outcome['kind'] };
}

/** What a list needs to know of a channel. */
export type ListedChannel = Standing &
  Pick<
    Channel,
    'generation' | 'userId' | 'channelId' | 'cancelledTo' | 'cancelledWhy' | 'endedReason' | 'restarts' | 'lastNumber'
  >;

/**
 * Ways to walk through notifications, each along an index: changes about a record, or of a subject module, or all of them;
 * numbers of some channels, all of them or only what was not delivered; what is owed; what was not delivered, or failed.
 */
export type Walk = 'record' | 'module' | 'changes' | 'numbers' | 'given-up-numbers' | 'owed' | 'given-up' | 'failed';

/** Most channels whose numbers are walked at once. */
export const MAX_WALKED_CHANNELS = 16;

/** So many changes are walked through in a page or two, whatever else is asked for. */
export const FEW_CHANGES = 1000;

/**
 * The ways to take, one after the other, so that as little as possible is looked at in vain. Together they come upon all
 * that the filter asks for, and upon nothing twice.
 */
export function walksOf(filter: NotificationFilter, fewChanges = FEW_CHANGES): readonly Walk[] {
  const { generations, module, record, state, outcome, changes } = filter;
  if (module !== undefined && record !== undefined) return ['record'];
  const byChanges: Walk = generations ? 'numbers' : module === undefined ? 'changes' : 'module';
  if (changes.last - changes.first < fewChanges) return [byChanges];
  const givenUp: Walk = generations ? 'given-up-numbers' : 'given-up';
  if (state === 'pending' || state === 'held') return ['owed'];
  if (state === 'parked') return [givenUp];
  // What is cancelled is owed by its row until housekeeping writes it down. Without an attempt nothing else has ended.
  if (state === 'cancelled' || (outcome === 'none' && state === undefined)) return ['owed', givenUp];
  if (outcome !== undefined && outcome !== 'none' && outcome !== 'delivered') return ['failed'];
  return [byChanges];
}

export function fits(filter: NotificationFilter, candidate: Candidate, channel: ListedChannel, now: number): boolean {
  const { generations, user, module, record, state, outcome, changes } = filter;
  return (
    candidate.change >= changes.first &&
    candidate.change <= changes.last &&
    (generations === undefined || generations.includes(candidate.generation)) &&
    (user === undefined || channel.userId === user) &&
    (module === undefined || candidate.module === module) &&
    (record === undefined || candidate.isAbout === true) &&
    (outcome === undefined || (candidate.last?.outcome ?? 'none') === outcome) &&
    (state === undefined || shownState(candidate, channel, now).state === state)
  );
}

/** Numbers, from after one through another. */
export interface OwedPart {
  readonly after: number;
  readonly to: number;
}

/** Of what a channel's rows say it is owed, the part in this state; undefined: nothing. Without a state all of it. */
export function owedPart(channel: ListedChannel, state: ShownState | undefined, now: number): OwedPart | undefined {
  const all = { after: 0, to: Number.MAX_SAFE_INTEGER };
  const { cancelledTo = 0 } = channel;
  if (state === undefined) return all;
  const standing = channelState(channel, now);
  if (state === 'cancelled') {
    if (standing === 'ended') return all;
    return cancelledTo > 0 ? { after: 0, to: cancelledTo } : undefined;
  }
  const owing = standing === 'live' ? 'pending' : 'held';
  return standing !== 'ended' && state === owing ? { ...all, after: cancelledTo } : undefined;
}
