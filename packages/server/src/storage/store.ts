import type { Attempt } from '../domain/attempt.ts';
import type { Channel } from '../domain/channel.ts';
import type { ChannelIndex } from '../domain/channel-index.ts';
import type { Generation, OrgId, ProfileId, RecordId, UserId } from '../domain/ids.ts';
import type { Catalog } from '../domain/modules/catalog.ts';
import type { Notification, NotificationState } from '../domain/notification.ts';
import type { Org, Profile, User } from '../domain/org.ts';
import type { RecordRef, StoredRecord } from '../domain/record.ts';
import type { Needs, OrgCounters, WriteSet } from '../domain/working-set.ts';

/** Everything that is kept. One implementation in SQL; an engine is its driver, its migrations and what differs. */
export interface Store {
  readonly writing: OrgTransactions;
  readonly records: RecordReads;
  readonly channels: ChannelReads;
  readonly delivery: DeliveryStore;
  readonly accounts: AccountStore;
  readonly tokens: TokenStore;
  /** Whether reads and writes work right now; the reason when not. */
  check(): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }>;
  /** Ends the threads or connections after what was begun; releases the data directory. */
  close(): Promise<void>;
}

/** What a batch starts from. */
export interface Loaded {
  readonly org: Org;
  readonly catalog: Catalog;
  readonly counters: OrgCounters;
  readonly records: ReadonlyMap<string, StoredRecord>;
  /** By `keyRef`. */
  readonly keys: ReadonlyMap<string, ReadonlySet<RecordId>>;
  readonly users: ReadonlyMap<UserId, User>;
  /** By `channelKey`; newest generation that has not ended, live or lapsed. */
  readonly channels: ReadonlyMap<string, Channel>;
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
}

interface RecordPage {
  readonly records: readonly StoredRecord[];
  readonly moreRecords: boolean;
}

/** Reads for answers; they run beside the writer and never delay it. */
export interface RecordReads {
  findMany(org: OrgId, module: string, ids: readonly RecordId[]): Promise<StoredRecord[]>;
  /** By id, descending: newest first. `page` from 1, `perPage` 1 … 200. */
  list(org: OrgId, module: string, page: number, perPage: number): Promise<RecordPage>;
  /** Values of the name field for lookups, by `recordKey`; those that are gone or have none are absent. */
  names(org: OrgId, refs: readonly (RecordRef & { readonly nameField: string })[]): Promise<Map<string, string>>;
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
}

export interface DeliveryStore {
  /** Channels (not ended) that owe something, live or lapsed. */
  lanes(): Promise<LaneStart[]>;
  /** The channel of a generation as it is now; undefined when it has ended. `lastSucceeded` from its newest attempt. */
  channel(org: OrgId, generation: Generation): Promise<{ channel: Channel; lastSucceeded?: boolean } | undefined>;
  /** Pending notifications numbered `from` and up, in number order, at most `limit` and about `maxBytes` of values. */
  window(
    org: OrgId,
    generation: Generation,
    from: number,
    limit: number,
    maxBytes: number,
  ): Promise<OwedNotification[]>;
  /** The first pending notification numbered in [from, before) about the record, if any. */
  firstAbout(
    org: OrgId,
    generation: Generation,
    record: RecordRef,
    from: number,
    before: number,
  ): Promise<OwedNotification | undefined>;
  /** All or nothing; durable when it resolves. */
  settle(settlements: readonly Settlement[]): Promise<void>;
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
}

/** Organisations and who may act in them. */
export interface AccountStore {
  addOrg(org: Org, at: number): Promise<void>;
  findOrg(id: OrgId): Promise<Org | undefined>;
  /** Whether any of its records was ever written. */
  hasChanges(id: OrgId): Promise<boolean>;
  listOrgs(): Promise<Org[]>;
  /** Adds a profile, or puts it in the place of the one with its id. */
  addProfile(org: OrgId, profile: Profile): Promise<void>;
  addUser(org: OrgId, user: User, at: number): Promise<void>;
  findMember(org: OrgId, user: UserId): Promise<Membership | undefined>;
  findUsers(org: OrgId, ids: readonly UserId[]): Promise<User[]>;
  /** By user id, ascending. `page` from 1, `perPage` 1 … 200. */
  listMembers(org: OrgId, page: number, perPage: number): Promise<MemberPage>;
  setDeniedModules(org: OrgId, profile: ProfileId, modules: readonly string[]): Promise<void>;
  addClient(client: OAuthClient, at: number): Promise<void>;
  findClient(id: string): Promise<OAuthClient | undefined>;
}

/** A token at rest: only its SHA-256 is kept. */
export interface StoredToken {
  readonly hash: string;
  readonly kind: 'grant' | 'refresh' | 'access' | 'admin';
  readonly orgId: OrgId;
  /** Undefined for admin tokens, which stand for the operator. */
  readonly userId?: UserId;
  readonly clientId?: string;
  readonly scopes: readonly string[];
  readonly redirectUri?: string;
  /** Real time, epoch ms; undefined: until revoked. */
  readonly expiresAt?: number;
  readonly createdAt: number;
}

export interface TokenStore {
  add(token: StoredToken): Promise<void>;
  find(hash: string): Promise<StoredToken | undefined>;
  /** Removes it and says whether this call was the one that did: a grant code counts once. */
  take(hash: string): Promise<boolean>;
  removeExpired(before: number): Promise<void>;
}
