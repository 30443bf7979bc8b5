import type { Channel } from '../domain/channel.ts';
import type { ClockState } from '../domain/clock.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { Cancellation, KeptNotification, Removal, UndeliveredRange } from '../domain/retention.ts';

/** How the dev profile's clock was left. */
export interface ClockStore {
  /** `lastTime`: committed last by any organisation, epoch ms; 0 when nothing was. */
  load(): Promise<{ readonly left?: ClockState; readonly lastTime: number }>;
  /** False, and nothing is saved, when it was not left as `before` any more: another node has moved it. */
  save(state: ClockState, before: ClockState | undefined): Promise<boolean>;
}

/** A table that holds rows of organisations, with the columns of its key. */
export interface OrgTable {
  readonly name: string;
  readonly key: string;
}

/** Takes an organisation out of the store, piece by piece; what is removed is overwritten, too. */
export interface ErasureStore {
  /** Organisations that are marked as being erased. */
  pending(): Promise<OrgId[]>;
  /** In an order in which no row is needed by another that is still there. */
  tables(): Promise<OrgTable[]>;
  /** Removes a bounded number of its rows; says how many. None of an organisation that is not marked. */
  removeSome(org: OrgId, table: OrgTable): Promise<number>;
  /** The last step, if it is marked: nothing says any more that it ever was. */
  removeOrg(org: OrgId): Promise<void>;
  /** Takes older copies of what was removed out of the log; false when a reader stood in the way. */
  seal(): Promise<boolean>;
}

/** A channel, ended or not, as housekeeping looks at it. */
export interface KeptChannel
  extends Pick<
    Channel,
    'generation' | 'userId' | 'channelId' | 'expiresAt' | 'cancelledTo' | 'cancelledWhy' | 'endedAt' | 'endedReason'
  > {
  /** Lowest number that is kept, and that says pending. */
  readonly firstNumber?: number;
  readonly firstPending?: number;
  /** Lapses or removed numbers are listed of it. */
  readonly hasRanges: boolean;
}

/**
 * Writes down what was derived and removes what is finished, in pieces of at most `limit` rows; each answers how many it
 * changed or removed.
 */
export interface HousekeepingStore {
  /** In order of generations, from after `after`. */
  channels(org: OrgId, after: string, limit: number): Promise<KeptChannel[]>;
  cancel(org: OrgId, generation: Generation, cancellation: Cancellation, limit: number): Promise<number>;
  /**
   * In order of numbers, up to the first that is about a change beyond `throughChange`: all that follow were numbered after
   * that change. Fewer than `limit`: there are no more of them.
   */
  notifications(
    org: OrgId,
    generation: Generation,
    from: number,
    throughChange: number,
    limit: number,
  ): Promise<KeptNotification[]>;
  /** With their attempts; what was never delivered is listed as a range from then on. */
  removeNotifications(
    org: OrgId,
    generation: Generation,
    removal: Pick<Removal, 'runs' | 'undelivered'>,
    at: number,
  ): Promise<void>;
  /** In order of numbers; those that touch are one. */
  removedRanges(org: OrgId, generation: Generation): Promise<UndeliveredRange[]>;
  /** The newest change committed at or before `until`; 0 when there is none. */
  newestChange(org: OrgId, until: number): Promise<number>;
  oldestChange(org: OrgId): Promise<{ readonly number: number; readonly at: number } | undefined>;
  /** The lowest change after which a channel sees none at present. */
  openLapse(org: OrgId): Promise<number | undefined>;
  /** The lowest change that something that was matched again is about, or that a re-match has before it. */
  neededByRematch(org: OrgId): Promise<number | undefined>;
  /**
   * With what leads to them. Big ones go in smaller pieces; 0: there are no more, or a re-match that began meanwhile needs
   * them.
   */
  removeChanges(org: OrgId, below: number, limit: number): Promise<number>;
  /** Those that a newer one before `before` has replaced; `last` says from where on there may be more. */
  removeRevisions(
    org: OrgId,
    after: number,
    before: number,
    limit: number,
  ): Promise<{ readonly removed: number; readonly last?: number }>;
  /** Of expiries, when all of their changes are below. */
  removeLapses(org: OrgId, below: number, limit: number): Promise<number>;
  removeChannels(org: OrgId, generations: readonly Generation[]): Promise<void>;
  /** Answers kept for callers' keys. */
  removeAnswers(org: OrgId, until: number, limit: number): Promise<number>;
  /** Look-up entries of fields that were removed. */
  removeLookUps(org: OrgId, limit: number): Promise<number>;
  /** What mass actions came to. */
  removeJobs(org: OrgId, until: number, limit: number): Promise<number>;
  /** Jobs that ended, or rest while their channels have, from after this one; `last` says from where on there may be more. */
  removeFinishedJobs(
    org: OrgId,
    after: string,
    until: number,
    limit: number,
  ): Promise<{ readonly removed: number; readonly last?: string }>;
  /** Those that were delivered or given up, from after this revision; `last` says from where on there may be more. */
  removeNotices(
    org: OrgId,
    after: number,
    until: number,
    limit: number,
  ): Promise<{ readonly removed: number; readonly last?: number }>;
}

/** A channel in the order in which they are sealed anew. */
export interface SealedPosition {
  readonly org: string;
  readonly generation: string;
}

/** How many rows a step sealed anew, and the last one it looked at; none: there are no more. */
export interface Resealed<Position> {
  readonly resealed: number;
  readonly last?: Position;
}

/** Secrets at rest that are still sealed under former keys. Keys are called by their ids. */
export interface SealedStore {
  /** Of the present key. */
  readonly keyId: string;
  /** Those under which something may be sealed yet. */
  formerKeys(): readonly string[];
  /** Those of them under which another node still seals. */
  formerKeysInUse(): Promise<readonly string[]>;
  /** A bounded number of organisations from after this one on. */
  resealOrgs(after?: string): Promise<Resealed<string>>;
  resealChannels(after?: SealedPosition): Promise<Resealed<SealedPosition>>;
  /** To be called once all were walked: the store opens without those keys. */
  forgetFormerKeys(): Promise<void>;
}
