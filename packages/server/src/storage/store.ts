import type { Channel, Lapse, Signing } from '../domain/channel.ts';
import type { ChannelIndex } from '../domain/channel-index.ts';
import type { DeletedRecord } from '../domain/deleted-record.ts';
import type { KeptAnswer } from '../domain/idempotency.ts';
import type { ChannelId, Generation, OrgId, RecordId, UserId } from '../domain/ids.ts';
import type { Catalog } from '../domain/modules/catalog.ts';
import type { Org, User } from '../domain/org.ts';
import type { StoredRecord } from '../domain/record.ts';
import type { StoreEpoch } from '../domain/restart.ts';
import type { Needs, OrgCounters, WriteSet } from '../domain/working-set.ts';
import type { AccountStore, AdministrationStore } from './account-stores.ts';
import type { ClusterStore, DatabaseHealth } from './cluster-store.ts';
import type { BacklogReads, DeliveryStore } from './delivery-store.ts';
import type { ExplainReads } from './explaining-store.ts';
import type { FeedStore, LapseReads } from './feed-store.ts';
import type { JobStore } from './job-store.ts';
import type { ClockStore, ErasureStore, HousekeepingStore, SealedStore } from './keeping-stores.ts';
import type { LookStore } from './look-store.ts';
import type { NoticeStore } from './notice-store.ts';
import type { ClientStore, TokenStore } from './oauth-stores.ts';
import type { DeletedRecordStore, RecordListReads, RecordReads, RelatedReads, SearchReads } from './record-reads.ts';

// All that other rooms may know of the store; each part in a file of its own.
export type * from './account-stores.ts';
export type * from './cluster-store.ts';
export type * from './delivery-store.ts';
export type * from './explaining-store.ts';
export type * from './feed-store.ts';
export type * from './job-store.ts';
export type * from './keeping-stores.ts';
export type * from './look-store.ts';
export type * from './notice-store.ts';
export type * from './oauth-stores.ts';
export type * from './record-reads.ts';

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
  readonly jobs: JobStore;
  readonly notices: NoticeStore;
  readonly accounts: AccountStore;
  readonly clients: ClientStore;
  readonly tokens: TokenStore;
  readonly administration: AdministrationStore;
  readonly erasure: ErasureStore;
  readonly sealed: SealedStore;
  readonly housekeeping: HousekeepingStore;
  readonly clock: ClockStore;
  readonly backlog: BacklogReads;
  readonly feed: FeedStore;
  readonly look: LookStore;
  readonly explaining: ExplainReads;
  readonly lapses: LapseReads;
  /** Undefined: this process is the only one on the data. */
  readonly cluster?: ClusterStore;
  /** Undefined: there is no server, and there are no connections. */
  readonly database?: DatabaseHealth;
  /** Whether reads and writes work right now; the reason when not. */
  check(): Promise<{ readonly ok: true } | { readonly ok: false; readonly reason: string }>;
  /** Ends the threads or connections after what was begun; releases the data directory. */
  close(): Promise<void>;
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
  /** Of the generations asked for. */
  readonly lapses: readonly Lapse[];
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

/** A channel as its owner names it. */
export interface OwnChannel {
  readonly channelId: ChannelId;
  /** Undefined: the present one. */
  readonly generation?: Generation;
}

export interface ChannelReads {
  /** A user's channels that are live at `now`, by time of opening, then id. */
  listLive(org: OrgId, user: UserId, now: number): Promise<Channel[]>;
  /** The generation of a user's channel that has not ended; with `generation`, of that one, ended or not. */
  findOwn(org: OrgId, user: UserId, channel: OwnChannel): Promise<Generation | undefined>;
}
