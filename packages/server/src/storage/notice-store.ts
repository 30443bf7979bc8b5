import type { Outcome } from '../domain/attempt.ts';
import type { Channel, ChannelRevision, Lapse, Signing } from '../domain/channel.ts';
import type { ChannelId, Generation, OrgId, UserId } from '../domain/ids.ts';
import type { Notice, NoticeState } from '../domain/notice.ts';

/** What there may be to tell of an organisation, and when. */
export interface NoticeLook {
  readonly org: OrgId;
  /** Its newest revision, and up to which one notices were made. */
  readonly version: number;
  readonly told: number;
  /** When a channel of it is next looked at, and when a notice is next due; undefined: none is. Epoch ms. */
  readonly lookAt?: number;
  readonly dueAt?: number;
}

/** Revisions that may tell something, up to and with the version `through`. */
export interface Untold {
  /** There are no newer ones. */
  readonly isAll: boolean;
  readonly through: number;
  readonly revisions: readonly ChannelRevision[];
}

/** What notices are made from, beside the revisions. */
export interface NoticeFacts {
  /** Those that would be told somewhere: their own URL, or the organisation's. */
  readonly listening: ReadonlySet<Generation>;
  readonly lapses: readonly Lapse[];
}

/** Numbers from after `from` through `to` that are cancelled. */
export interface CancelledRange {
  readonly generation: Generation;
  readonly from: number;
  readonly to: number;
}

/** A notice, and where to and with what it is sent. */
export interface DueNotice {
  readonly notice: Notice;
  /** Undefined: nobody is told any more. */
  readonly url?: string;
  readonly signing?: Signing;
}

export interface NoticeFilter {
  /** Of the channels of this user. */
  readonly userId?: UserId;
  readonly generation?: Generation;
  readonly state?: NoticeState;
}

export interface NoticeEntry {
  readonly notice: Notice;
  /** Undefined: its channel is gone. */
  readonly channelId?: ChannelId;
  readonly outcome?: Outcome;
}

/** Notices stand in the order of their revisions. */
export type NoticePlace = Pick<Notice, 'version' | 'part'>;

/** What is told of the life of channels. Of suspended organisations nothing is found to do. */
export interface NoticeStore {
  /** By id, from after `after`; fewer than `limit`: there are no more. */
  looks(after: string, limit: number): Promise<NoticeLook[]>;
  look(org: OrgId): Promise<NoticeLook | undefined>;
  /** Channels that are to be looked at by `now`, the most overdue first. */
  dueChannels(org: OrgId, now: number, limit: number): Promise<Pick<Channel, 'userId' | 'channelId'>[]>;
  untold(org: OrgId, after: number, limit: number): Promise<Untold>;
  /** Lapses: those that begin at these changes. */
  facts(
    org: OrgId,
    generations: readonly Generation[],
    missed: readonly Pick<Lapse, 'generation' | 'fromChange'>[],
  ): Promise<NoticeFacts>;
  /** The lowest number in it that was owed and is cancelled; undefined: none was. In the order of the ranges. */
  firstCancelled(org: OrgId, ranges: readonly CancelledRange[]): Promise<readonly (number | undefined)[]>;
  /** Saves them and that all is told up to this version; what is there already stays as it is. */
  add(org: OrgId, through: number, notices: readonly Notice[]): Promise<void>;
  /** Pending ones that are due, in the order of their times, then of their revisions, from after `after`. */
  due(
    org: OrgId,
    now: number,
    after: (NoticePlace & { readonly dueAt: number }) | undefined,
    limit: number,
  ): Promise<DueNotice[]>;
  /** When the first of those that are not due is; undefined: there is none. */
  nextDue(org: OrgId, now: number): Promise<number | undefined>;
  /** All or nothing. One that is not pending any more stays as it is. */
  settle(notices: readonly (Notice & { readonly org: OrgId; readonly outcome?: Outcome })[]): Promise<void>;
  /** Newest first, from before `before`; `next`: where to go on. Looks at a bounded number of them. */
  list(
    org: OrgId,
    filter: NoticeFilter,
    before: NoticePlace | undefined,
    limit: number,
  ): Promise<{ readonly items: readonly NoticeEntry[]; readonly next?: NoticePlace }>;
  find(org: OrgId, place: NoticePlace): Promise<(NoticeEntry & { readonly userId: UserId }) | undefined>;
  /** Makes one pending again that is not, as if it had never been attempted. */
  sendAgain(org: OrgId, place: NoticePlace, now: number): Promise<void>;
  /** Undefined: the organisation has none. */
  orgUrl(org: OrgId): Promise<string | undefined>;
  setOrgUrl(org: OrgId, url: string | undefined): Promise<void>;
}
