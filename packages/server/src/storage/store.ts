import type { Attempt } from '../domain/attempt.ts';
import type { Channel, Signing } from '../domain/channel.ts';
import type { ChannelHealth } from '../domain/channel-health.ts';
import type { ChannelIndex } from '../domain/channel-index.ts';
import type { ClockState } from '../domain/clock.ts';
import type { DeletedRecord } from '../domain/deleted-record.ts';
import type { KeptAnswer } from '../domain/idempotency.ts';
import type { ChannelId, Generation, OrgId, ProfileId, RecordId, UserId } from '../domain/ids.ts';
import type { Catalog } from '../domain/modules/catalog.ts';
import type { Notification, NotificationState } from '../domain/notification.ts';
import type { Org, Profile, User, UserStatus } from '../domain/org.ts';
import type { RecordRef, StoredRecord } from '../domain/record.ts';
import type { Position, SortOrder } from '../domain/record-list.ts';
import type { StoreEpoch } from '../domain/restart.ts';
import type { Cancellation, KeptNotification, Removal, UndeliveredRange } from '../domain/retention.ts';
import type { Condition } from '../domain/search/condition.ts';
import type { Candidates } from '../domain/search/plan.ts';
import type { Needs, OrgCounters, WriteSet } from '../domain/working-set.ts';
import type { ClusterStore, DatabaseHealth } from './cluster-store.ts';

export type {
  BucketOwner,
  ClusterState,
  ClusterStore,
  DatabaseHealth,
  Hints,
  LeaseStore,
  News,
  NewsStore,
  OldestSnapshot,
  OrgNews,
} from './cluster-store.ts';

/** Everything that is kept. One implementation in SQL; an engine is its driver, its migrations and what differs. */
export interface Store {
  readonly writing: OrgTransactions;
  readonly records: RecordReads;
  readonly search: SearchReads;
  readonly recordLists: RecordListReads;
  readonly deleted: DeletedRecordStore;
  readonly related: RelatedReads;
  readonly channels: ChannelReads;
  readonly delivery: DeliveryStore;
  readonly accounts: AccountStore;
  readonly clients: ClientStore;
  readonly tokens: TokenStore;
  readonly administration: AdministrationStore;
  readonly erasure: ErasureStore;
  readonly sealed: SealedStore;
  readonly housekeeping: HousekeepingStore;
  readonly clock: ClockStore;
  readonly backlog: BacklogReads;
  /** Undefined: this process is the only one on the data. */
  readonly cluster?: ClusterStore;
  /** Undefined: there is no server, and there are no connections. */
  readonly database?: DatabaseHealth;
  /** Whether reads and writes work right now; the reason when not. */
  check(): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }>;
  /** Ends the threads or connections after what was begun; releases the data directory. */
  close(): Promise<void>;
}

/** What a channel is owed. */
export interface Owed {
  readonly count: number;
  /** When the change of the oldest was made, epoch ms; undefined when nothing is owed. */
  readonly oldestAt?: number;
}

/** Counts what channels are owed, held or not: in slices, beside the writer. */
export interface BacklogReads {
  /** In the order of the channels; each is counted up to `most`. */
  owed(
    channels: readonly { readonly org: OrgId; readonly generation: Generation }[],
    most: number,
  ): Promise<readonly Owed[]>;
}

/** How the dev profile's clock was left. */
export interface ClockStore {
  /** `lastTime`: committed last by any organisation, epoch ms; 0 when nothing was. */
  load(): Promise<{ readonly left?: ClockState; readonly lastTime: number }>;
  /** False, and nothing is saved, when it was not left as `before` any more: another node has moved it. */
  save(state: ClockState, before: ClockState | undefined): Promise<boolean>;
}

/** What a batch starts from. */
export interface Loaded {
  readonly org: Org;
  /** When it was added, epoch ms: the sample organisation may be made anew under its id. */
  readonly orgCreatedAt: number;
  /** The store's own time (epoch ms), read under the organisation's lock; undefined: the injected clock says it. */
  readonly now?: number;
  readonly catalog: Catalog;
  readonly epoch: StoreEpoch;
  readonly counters: OrgCounters;
  readonly records: ReadonlyMap<string, StoredRecord>;
  /** By `recordKey`: what the records point at and was not loaded with them, as far as it is there. */
  readonly present: ReadonlySet<string>;
  /** By `keyRef`. */
  readonly keys: ReadonlyMap<string, ReadonlySet<RecordId>>;
  readonly deleted: ReadonlyMap<RecordId, DeletedRecord>;
  readonly users: ReadonlyMap<UserId, User>;
  /** Of the modules asked for, those that have records. */
  readonly modulesInUse: ReadonlySet<string>;
  /** By `channelKey`; newest generation that has not ended, live or lapsed. */
  readonly channels: ReadonlyMap<string, Channel>;
  /** With what the organisation signs; undefined when it does not, or was not asked for. */
  readonly orgSigning?: Signing | undefined;
  /** By `answerKey`. */
  readonly answers: ReadonlyMap<string, KeptAnswer>;
  /** Up to date with the newest revision. Owned by the engine; the decision may change it. */
  readonly index: ChannelIndex;
}

/** The seam between engines: load · decide · save for one organisation, serialised with every other of it (DESIGN §3). */
export interface OrgTransactions {
  /**
   * `decide` is pure apart from `loaded.index`; it may run again when a save is retried. Resolves after the commit is
   * durable. When `decide` throws, or the save fails (`AppError` SERVICE_UNAVAILABLE), nothing is saved and the index is
   * rebuilt before its next use. An organisation that is not there is an `AppError` INVALID_TOKEN.
   */
  inOrg<T>(org: OrgId, needs: Needs, decide: (loaded: Loaded) => { writes: WriteSet; result: T }): Promise<T>;
  /** Lets go of what is kept in memory of an organisation. */
  forget(org: OrgId): void;
}

/** Reads for answers; they run beside the writer and never delay it. */
export interface RecordReads {
  findMany(org: OrgId, module: string, ids: readonly RecordId[]): Promise<StoredRecord[]>;
  /** Values of the name field for lookups, by `recordKey`; null where it has none, absent where the record is gone. */
  names(org: OrgId, refs: readonly (RecordRef & { readonly nameField: string })[]): Promise<Map<string, string | null>>;
}

/** A part of a list of records. */
export interface RecordPageQuery {
  readonly by: 'id' | 'modified';
  readonly order: SortOrder;
  /** Only what was modified after this time. */
  readonly since?: number | undefined;
  /** Beyond this position, in the list's order. */
  readonly after?: Position | undefined;
  /** So many further on; a big number takes several steps. */
  readonly skip: number;
  readonly limit: number;
}

/** Lists of any length, read in steps that delay nobody. */
export interface RecordListReads {
  page(org: OrgId, module: string, query: RecordPageQuery): Promise<StoredRecord[]>;
  count(org: OrgId, module: string): Promise<number>;
}

interface DeletedQuery {
  readonly type: 'all' | 'recycle' | 'permanent';
  /** Deleted after this time. */
  readonly since: number;
  readonly now: number;
  readonly offset: number;
  readonly limit: number;
}

interface BinQuery {
  readonly now: number;
  /** By the time of deletion. */
  readonly order: 'asc' | 'desc';
  readonly offset: number;
  readonly limit: number;
}

/** Deleted records; what changes them besides age goes through the org's writer. */
export interface DeletedRecordStore {
  findMany(org: OrgId, ids: readonly RecordId[]): Promise<DeletedRecord[]>;
  /** Newest first. */
  listModule(org: OrgId, module: string, query: DeletedQuery): Promise<DeletedRecord[]>;
  /** What can be restored, of these modules. */
  listBin(org: OrgId, modules: readonly string[], query: BinQuery): Promise<DeletedRecord[]>;
  countBin(org: OrgId, modules: readonly string[], now: number): Promise<number>;
  /** Removes some of what is too old, values or all; says whether there may be more. */
  purge(org: OrgId, now: number): Promise<boolean>;
}

export interface SearchSliceQuery {
  readonly candidates: Candidates;
  readonly condition: Condition;
  /** Only candidates older than this one. */
  readonly below?: RecordId | undefined;
  /** Candidates that are looked at. */
  readonly size: number;
  /** Most ids that are wanted. */
  readonly limit: number;
}

export interface SearchSlice {
  /** Of the records that match, newest first. */
  readonly ids: readonly RecordId[];
  /** The oldest candidate looked at; undefined when there are no more. */
  readonly last?: RecordId;
}

/** Searches go slice by slice, so that other reads come in between. */
export interface SearchReads {
  slice(org: OrgId, module: string, query: SearchSliceQuery): Promise<SearchSlice>;
}

export interface RelatedQuery {
  /** From 1. */
  readonly page: number;
  /** 1 … 200. */
  readonly perPage: number;
  readonly sortBy: 'created' | 'modified';
  readonly ascending: boolean;
}

/** Finds records by what they point at, and by external ids. */
export interface RelatedReads {
  /** The oldest record that holds each of these folded values, by value. */
  holders(org: OrgId, module: string, field: string, values: readonly string[]): Promise<Map<string, RecordId>>;
  /** Records of the module that point at `target` by one of the fields. */
  page(
    org: OrgId,
    module: string,
    fields: readonly string[],
    target: RecordId,
    query: RelatedQuery,
  ): Promise<{ readonly records: readonly StoredRecord[]; readonly moreRecords: boolean }>;
  /** Ids of those that point at one of the targets, ascending from after `after` (empty: from the first). */
  ids(
    org: OrgId,
    module: string,
    fields: readonly string[],
    targets: readonly RecordId[],
    after: string,
    limit: number,
  ): Promise<RecordId[]>;
  count(org: OrgId, module: string, field: string, target: RecordId): Promise<number>;
  /** Of a small module, such as the tags of another: its first 1000 records. */
  all(org: OrgId, module: string): Promise<StoredRecord[]>;
}

export interface ChannelReads {
  /** A user's channels that are live at `now`, by time of opening, then id. */
  listLive(org: OrgId, user: UserId, now: number): Promise<Channel[]>;
}

interface LaneStart {
  readonly org: OrgId;
  readonly generation: Generation;
}

/** A notification as delivery reads it, with what earlier attempts left. */
export interface OwedNotification extends Notification {
  readonly attemptsMade: number;
  /** Not before this time (epoch ms); undefined when it was never attempted. */
  readonly dueAt?: number;
}

/** Outcome of one attempt and the state it leaves; written with others in one transaction. */
export interface Settlement {
  readonly org: OrgId;
  readonly generation: Generation;
  readonly number: number;
  readonly attempt: Attempt;
  readonly state: NotificationState;
  /** Time of the next attempt, while pending. */
  readonly dueAt?: number;
  /** Of its channel after it; null: it is well again. Absent: as it was. */
  readonly health?: ChannelHealth | null;
  /** Of the lease on its bucket under which the attempt was made; undefined: this process owns everything. */
  readonly epoch?: number;
}

export interface DeliveryStore {
  /**
   * Channels (neither ended nor suspended) that owe something that is not cancelled, live or lapsed: of one organisation,
   * or of all. Which of these are suspended, the caller knows: whether they were when this was read says nothing of now.
   */
  lanes(org?: OrgId): Promise<LaneStart[]>;
  /** Organisations whose channels send nothing. */
  suspended(): Promise<OrgId[]>;
  /** The channel of a generation as it is now; undefined when it has ended. `lastSucceeded` from its newest attempt. */
  channel(
    org: OrgId,
    generation: Generation,
  ): Promise<{ channel: Channel; lastSucceeded?: boolean; health?: ChannelHealth } | undefined>;
  /** With what the organisation signs for channels without secrets of their own. */
  signing(org: OrgId): Promise<Signing | undefined>;
  /** Pending notifications numbered `from` and up, in number order, at most `limit` and about `maxBytes` of values. */
  window(
    org: OrgId,
    generation: Generation,
    from: number,
    limit: number,
    maxBytes: number,
  ): Promise<OwedNotification[]>;
  /**
   * One answer for each search, in their order. All in one read that is bounded: how many numbers it looks through, for
   * all of them together, and about how many bytes of values it brings. Whoever wants more asks again from there.
   */
  firstAbout(
    org: OrgId,
    generation: Generation,
    searches: readonly RecordSearch[],
    maxBytes: number,
  ): Promise<readonly FirstAbout[]>;
  /**
   * All or nothing, but for those whose lease was lost: they are answered, and nothing of them is saved. Durable when it
   * resolves.
   */
  settle(settlements: readonly Settlement[]): Promise<readonly Settlement[]>;
}

export interface Member {
  readonly org: Org;
  readonly user: User;
  readonly profile: Profile;
}

/** A member with all that says what it may see. */
export interface Membership extends Member {
  readonly catalog: Catalog;
}

export interface MemberPage {
  readonly members: readonly Member[];
  readonly moreMembers: boolean;
}

export interface OAuthClient {
  readonly id: string;
  readonly orgId: OrgId;
  readonly name: string;
  readonly secretHash: string;
  /** The secret before the last rotation; good before `until` (real time, epoch ms). */
  readonly formerSecret?: { readonly hash: string; readonly until: number };
  /** Where codes may be sent, compared letter by letter. */
  readonly redirectUris: readonly string[];
  /** Whom it acts as without a person (`client_credentials`). */
  readonly actingUserId?: UserId;
  /** Epoch ms. */
  readonly createdAt: number;
}

/** For the first pending notification numbered in [from, before) about the record. */
export interface RecordSearch {
  readonly record: RecordRef;
  readonly from: number;
  readonly before: number;
}

/** The notification, or below which number there is none; that is `before` when there is none at all. */
export type FirstAbout =
  | { readonly owed: OwedNotification; readonly lookedTo?: undefined }
  | { readonly owed?: undefined; readonly lookedTo: number };

/** Organisations and who may act in them. */
export interface AccountStore {
  addOrg(org: Org, at: number): Promise<void>;
  findOrg(id: OrgId): Promise<Org | undefined>;
  /** Undefined when there is no such organisation. */
  findCatalog(id: OrgId): Promise<Catalog | undefined>;
  /** Record changes that were ever committed. */
  countChanges(id: OrgId): Promise<number>;
  listOrgs(): Promise<Org[]>;
  /** Adds a profile, or puts it in the place of the one with its id. */
  addProfile(org: OrgId, profile: Profile): Promise<void>;
  addUser(org: OrgId, user: User, at: number): Promise<void>;
  findMember(org: OrgId, user: UserId): Promise<Membership | undefined>;
  findUsers(org: OrgId, ids: readonly UserId[]): Promise<User[]>;
  /** By user id, ascending. `page` from 1, `perPage` 1 … 200. */
  listMembers(org: OrgId, page: number, perPage: number, statuses?: readonly UserStatus[]): Promise<MemberPage>;
  setDeniedModules(org: OrgId, profile: ProfileId, modules: readonly string[]): Promise<void>;
}

/** What may be changed of a client; what is absent stays, `null` takes the user away. */
export interface ClientChange {
  readonly name?: string;
  readonly redirectUris?: readonly string[];
  readonly actingUserId?: UserId | null;
}

export interface ClientStore {
  add(client: OAuthClient): Promise<void>;
  find(id: string): Promise<OAuthClient | undefined>;
  /** By time of making. `page` from 1, `perPage` 1 … 200. */
  list(
    org: OrgId,
    page: number,
    perPage: number,
  ): Promise<{ readonly clients: readonly OAuthClient[]; readonly moreClients: boolean }>;
  /** False when there is none. */
  change(org: OrgId, id: string, change: ClientChange): Promise<boolean>;
  /** The present secret becomes the former one, good before `formerUntil`. False when there is no such client. */
  rotateSecret(org: OrgId, id: string, secretHash: string, formerUntil: number): Promise<boolean>;
  /** With all of its tokens, in one step. False when there is none. */
  remove(org: OrgId, id: string): Promise<boolean>;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly hasMore: boolean;
}

/** Whose channels; all that is given must fit. */
export interface ChannelFilter {
  readonly userId?: UserId | undefined;
  readonly clientId?: string | undefined;
  /** Those that have ended instead of the others, live or lapsed. */
  readonly ended: boolean;
}

/** A channel as the operator sees it. */
export interface ChannelEntry {
  readonly channel: Channel;
  /** Undefined: its last attempt succeeded, or there was none. */
  readonly health?: ChannelHealth;
}

/** All of a user, or all that were opened by a client. */
export type ChannelOwner =
  | { readonly userId: UserId; readonly clientId?: undefined }
  | { readonly userId?: undefined; readonly clientId: string };

/** What only the operator does. `page` from 1, `perPage` 1 … 200; lists are by id, ascending. */
export interface AdministrationStore {
  /** A number for a new organisation: `start` for the store's first, then one more each time, so that none comes twice. */
  nextOrg(start: number): Promise<number>;
  listOrgs(page: number, perPage: number): Promise<Page<Org>>;
  /**
   * False when somebody else in the organisation, who was not removed, has the e-mail address (letter case ignored), or
   * there is no such profile.
   */
  addUser(org: OrgId, user: User, at: number): Promise<boolean>;
  /** False as above, or when there is no such user, or no more. What is not given stays as it is. */
  changeUser(org: OrgId, id: UserId, change: Partial<Omit<User, 'id'>>): Promise<boolean>;
  listProfiles(org: OrgId, page: number, perPage: number): Promise<Page<Profile>>;
  findProfile(org: OrgId, id: ProfileId): Promise<Profile | undefined>;
  /** As it is then; undefined when there is none. What is not given stays as it is. */
  changeProfile(org: OrgId, id: ProfileId, change: Partial<Omit<Profile, 'id'>>): Promise<Profile | undefined>;
  /** False when it is used, also by a removed user, or not there. */
  removeProfile(org: OrgId, id: ProfileId): Promise<boolean>;
  listChannels(org: OrgId, filter: ChannelFilter, page: number, perPage: number): Promise<Page<ChannelEntry>>;
  /** Of any generation, ended or not. */
  findChannel(org: OrgId, generation: Generation): Promise<ChannelEntry | undefined>;
  /** Channels of a user or a client that have not ended, at most `limit`. */
  currentChannels(
    org: OrgId,
    whose: ChannelOwner,
    limit: number,
  ): Promise<{ readonly userId: UserId; readonly channelId: ChannelId }[]>;
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
  /** In order of numbers; those about changes up to `throughChange`. Fewer than `limit`: there are no more of them. */
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
  /** Big ones go in smaller pieces; 0: there are no more. */
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

/** A token at rest: only its SHA-256 is kept. */
export interface StoredToken {
  readonly hash: string;
  /** `sign-in`: a key with which a user proves on the consent page who they are. */
  readonly kind: 'grant' | 'refresh' | 'access' | 'admin' | 'sign-in';
  readonly orgId: OrgId;
  /** Undefined for admin tokens, which stand for the operator. */
  readonly userId?: UserId;
  readonly clientId?: string;
  readonly scopes: readonly string[];
  readonly redirectUri?: string;
  /** What it was issued from: a client's id, or the hash of the token it was given for, with which it ends. */
  readonly source?: string;
  /** A grant that gives no refresh token. */
  readonly isOnline?: boolean;
  /** Real time, epoch ms; undefined: until revoked. */
  readonly expiresAt?: number;
  /** When a grant was exchanged; it stays to be counted. */
  readonly spentAt?: number;
  readonly createdAt: number;
}

/** A token to be issued, with what it is held against in the same step. */
export interface Issue {
  readonly token: StoredToken & { readonly source: string };
  /** Refused when its source has given `count` of its kind after `since` (epoch ms). */
  readonly atMost?: { readonly count: number; readonly since: number };
  /** How many of its kind there may be with it, of its source or its user; the oldest beyond end, with what they gave. */
  readonly keep?: { readonly count: number; readonly of: 'source' | 'user' };
}

export type IssueAnswer =
  | { readonly kind: 'issued' /** Hashes of those that ended for it. */; readonly ended: readonly string[] }
  /** Gone: what it was to be issued from has ended meanwhile. */
  | { readonly kind: 'refused'; readonly reason: 'limited' | 'gone' };

/** Whose tokens; all that is given must fit. */
export interface TokenFilter {
  readonly userId?: UserId;
  readonly clientId?: string;
}

export interface TokenStore {
  /** Without asking for limits. */
  add(token: StoredToken): Promise<void>;
  /** Adds it in the place of those of its kind that its user has. */
  replace(token: StoredToken & { readonly userId: UserId }): Promise<void>;
  /** One after the other in one step; the first may be what the next is issued from. */
  issue(issues: readonly [Issue, ...Issue[]]): Promise<IssueAnswer>;
  find(hash: string): Promise<StoredToken | undefined>;
  /** Marks a grant as exchanged and says whether this call was the one that did: it counts once. */
  spend(hash: string, at: number): Promise<boolean>;
  /** Ends it and what was issued from it; the hashes of all that ended, none when it was not there. */
  remove(hash: string): Promise<readonly string[]>;
  /** Those of an organisation that are alive at `now`, newest first. `page` from 1, `perPage` 1 … 200. */
  list(
    org: OrgId,
    filter: TokenFilter,
    now: number,
    page: number,
    perPage: number,
  ): Promise<{ readonly tokens: readonly StoredToken[]; readonly moreTokens: boolean }>;
  /** The one of an organisation whose hash begins so, if it is the only one. */
  findByPrefix(org: OrgId, prefix: string): Promise<StoredToken | undefined>;
  /** Ends those of a user or client, of one kind or of all; says how many. */
  removeOf(org: OrgId, filter: TokenFilter, kind?: StoredToken['kind']): Promise<number>;
  /** Removes a bounded number of those that expired before (epoch ms); whether there may be more. */
  removeExpired(before: number): Promise<boolean>;
}
