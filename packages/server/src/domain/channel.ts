import type { FieldCondition } from './condition.ts';
import type { EventType } from './event-type.ts';
import type { ChannelId, Generation, RecordId, UserId } from './ids.ts';
import type { ApiVersion } from './wire/api-version.ts';

/** What matching needs of a channel: kept in memory for every live one, so it stays small (P10). */
export interface LiveChannel {
  readonly generation: Generation;
  readonly userId: UserId;
  readonly channelId: ChannelId;
  /** Whose shapes its notifications have: the version of the last POST or PUT. */
  readonly version: ApiVersion;
  /** Without repeats, ordered by module as first given, then as `OPERATIONS`. */
  readonly events: readonly EventType[];
  readonly notifyOnRelated: boolean;
  readonly withValues: boolean;
  /** At most one a module; empty means none was set. */
  readonly conditions: readonly FieldCondition[];
  /** Epoch milliseconds. Live if and only if the batch's time is before it. */
  readonly expiresAt: number;
  /** The org's change number after which it owed too much and took no more; undefined while it takes notifications. */
  readonly overflowFrom?: number;
  /** Of the store when it took its newest notification; one restored from a backup has a higher one. Set as the next. */
  epoch: number;
  /** Number of its newest notification; 0 at the start of a generation. Counted up in place by the writer alone. */
  lastNumber: number;
}

/** A channel as stored: one row for each generation. */
export interface Channel extends LiveChannel {
  readonly notifyUrl: string;
  readonly token: string | null;
  /** The client by which its last POST came. */
  readonly clientId?: string;
  readonly openedAt: number;
  readonly modifiedAt: number;
  /** The org's change number at its expiry, once that was committed; undefined while live. */
  readonly lapsedFrom?: number;
  /** Numbers up to this one that were still owed are cancelled. */
  readonly cancelledTo?: number;
  /** There whenever `cancelledTo` is: it had expired (`compat.afterExpiry`), or they were skipped when it was resumed. */
  readonly cancelledWhy?: CancelledWhy;
  /** No attempt starts until its owner or an operator resumes it. */
  readonly suspension?: Suspension;
  readonly signing?: Signing;
  /** Most attempts at once, 1 to 16; undefined: as many as any. */
  readonly concurrency?: number;
  /** Where its owner is told of its life; undefined: where the organisation is, if anywhere. */
  readonly lifecycleUrl?: string;
  /** When it is next looked at, for its owner to be told that it expires or has; undefined: it has, or has ended. */
  readonly noticeAt?: number;
  /** Where its numbers began anew, in order of `from`; empty: never. */
  readonly restarts: readonly Restart[];
  /** Set at its end: what it still owed is cancelled. */
  readonly endedAt?: number;
  /** Why it ended; there whenever `endedAt` is. */
  readonly endedReason?: EndedReason;
}

export type CancelledWhy = 'expired' | 'skipped';
export const CANCELLED_WHYS: readonly CancelledWhy[] = ['expired', 'skipped'];

/** Why attempts were stopped: its receiver failed for long, or answered that it is gone; or an operator said so. */
export type SuspendedWhy = 'failing' | 'gone' | 'operator';
export const SUSPENDED_WHYS: readonly SuspendedWhy[] = ['failing', 'gone', 'operator'];

export interface Suspension {
  readonly at: number;
  readonly why: SuspendedWhy;
}

/** Secrets (`whsec_…`) that notifications are signed with: of a channel, or of an organisation for those without own. */
export interface Signing {
  readonly secret: string;
  /** Since when it is the present one (real time, epoch ms). */
  readonly since: number;
  /** Signs too until then (real time, epoch ms), while receivers change over. */
  readonly former?: { readonly secret: string; readonly until: number };
}

/** From this number on a restored store says another generation, counted from 1, so that no number is given twice. */
export interface Restart {
  readonly from: number;
  readonly generation: string;
}

/**
 * Why a generation ended: its owner deleted it, its owner's account or its client was taken away, or it stayed expired
 * beyond the retention time and its id was opened anew.
 */
export type EndedReason = 'deleted' | 'user-deactivated' | 'user-removed' | 'client-removed' | 'retention';
export const ENDED_REASONS: readonly EndedReason[] = [
  'deleted',
  'user-deactivated',
  'user-removed',
  'client-removed',
  'retention',
];

/** Of one that is expired and suspended, expired: only its owner can take it up again. */
export type ChannelState = 'live' | 'suspended' | 'expired' | 'ended';

/** What says in which state a channel is. */
export type Standing = Pick<Channel, 'expiresAt' | 'lapsedFrom' | 'suspension' | 'endedAt'>;

export function channelState(channel: Standing, now: number): ChannelState {
  if (channel.endedAt !== undefined) return 'ended';
  if (channel.lapsedFrom !== undefined || now >= channel.expiresAt) return 'expired';
  return channel.suspension ? 'suspended' : 'live';
}

/** What a channel was from one moment on: for explaining and for other nodes. Holds no secret. */
export interface ChannelRevision {
  /** Counts the channel changes of an organisation, contiguous. */
  readonly version: number;
  readonly at: number;
  readonly kind:
    | 'opened'
    | 'replaced'
    | 'merged'
    | 'pruned'
    | 'renewed'
    | 'expired'
    | 'suspended'
    | 'resumed'
    | 'overflowed'
    | 'flowing'
    | 'signing'
    | 'settings'
    /** Nothing of it changed: its expiry comes near. */
    | 'expiring'
    /** It took numbers for changes of a lapse or an overflow. */
    | 'rematched'
    | EndedReason;
  readonly channel: LiveChannel;
  readonly details?: RevisionDetails;
}

/** What a revision tells beside the channel as it left it. Holds no secret. */
export interface RevisionDetails {
  /** Why it was suspended. */
  readonly why?: SuspendedWhy;
  readonly missed?: readonly MissedRange[];
}

/** What a channel does not get, as far as one revision tells of it. */
export type MissedRange =
  /** Changes from after `fromChange` through `toChange`, while it had expired or owed too much. */
  | { readonly kind: 'lapse' | 'overflow'; readonly fromChange: number; readonly toChange: number }
  /** Of the numbers from after `fromNumber` through `toNumber` those that were owed, which are cancelled. */
  | {
      readonly kind: 'numbers';
      readonly fromNumber: number;
      readonly toNumber: number;
      readonly why: CancelledWhy | 'retention';
    };

/** Changes that a channel did not see: from (exclusive) to (inclusive, undefined while open). */
export interface Lapse {
  readonly generation: Generation;
  readonly kind: 'expired' | 'overflow';
  readonly fromChange: number;
  readonly toChange?: number;
  readonly at: number;
  /** There whenever `toChange` is. */
  readonly endedAt?: number;
  /** The last change of it that was matched again; undefined: none. */
  readonly rematchedTo?: number;
}

export const channelKey = (userId: UserId, channelId: ChannelId): string => `${userId}/${channelId}`;

/** The part of a change that one channel is owed: becomes a notification. */
export interface Owed {
  readonly channel: LiveChannel;
  /** Subject module: the changed one, or the related one that a lookup points at. */
  readonly module: string;
  readonly operation: EventType['operation'];
  readonly ids: readonly RecordId[];
}
