import type { ChannelRevision } from '../domain/channel.ts';
import type { Generation, OrgId } from '../domain/ids.ts';

// What nodes that share one database ask it for. The embedded store has none of it: its one process owns everything.

/** A process on the database. Named anew at each start, so that no two ever share a name. */
export interface ClusterNode {
  readonly id: string;
  /** Until then (the database's time, epoch ms) what it owns is its own. */
  readonly leaseUntil: number;
  /** It is stopping and takes no more buckets. */
  readonly isLeaving: boolean;
}

/** Who owns a bucket. */
export interface BucketOwner {
  readonly bucket: number;
  /** Undefined: nobody. */
  readonly node?: string;
  /** Raised by every change of the owner: what was begun under an older one is not saved any more. */
  readonly epoch: number;
}

/** How nodes and buckets stand at one moment. */
export interface ClusterState {
  /** The database's time, epoch ms. */
  readonly now: number;
  readonly nodes: readonly ClusterNode[];
  /** All of them, in order. */
  readonly buckets: readonly BucketOwner[];
}

/** Who may send for which channels: leases in the database, on its real time. */
export interface LeaseStore {
  /** Registers the node or renews its lease for so long from now, and answers how all stand. */
  renew(node: string, leaseMs: number, isLeaving: boolean): Promise<ClusterState>;
  /** Takes those of the buckets that nobody owns, or whose owner's lease has run out; answers those it got, with their epochs. */
  claim(node: string, buckets: readonly number[]): Promise<readonly BucketOwner[]>;
  /** Gives back what it owns under these epochs. */
  release(node: string, buckets: readonly Pick<BucketOwner, 'bucket' | 'epoch'>[]): Promise<void>;
  /** Gives back everything and is no node any more. */
  leave(node: string): Promise<void>;
}

/** How far an organisation has come. */
export interface OrgNews {
  readonly org: OrgId;
  readonly lastChange: number;
  /** Newest channel revision. */
  readonly channelVersion: number;
  readonly isSuspended: boolean;
  /** Differs whenever the secrets that it signs with differ; empty: it does not sign. */
  readonly signing: string;
}

export interface News {
  /** The database's time, epoch ms. */
  readonly now: number;
  /** Differs whenever a node comes or goes, or a bucket changes its owner. */
  readonly sharing: string;
  /** Of the store: under which channels are numbered. */
  readonly epoch: number;
  /** What to look on from at the next look. */
  readonly seen: string;
  /** All organisations are there, not only those that were changed. */
  readonly isComplete: boolean;
  readonly orgs: readonly OrgNews[];
}

/** What other nodes committed. An organisation's commits come one after the other, so counters never skip one. */
export interface NewsStore {
  /**
   * One look at all organisations. With what an earlier look has `seen`: at those that were changed since, and perhaps
   * some more; at all, if the server is another one.
   */
  look(seen?: string): Promise<News>;
  /** Highest number that changes in (after, through] gave, by generation. Many changes are read in pieces. */
  numbered(
    org: OrgId,
    after: number,
    through: number,
  ): Promise<{ readonly through: number; readonly numbers: ReadonlyMap<Generation, number> }>;
  /** Revisions in (after, through], in order; as for changes. */
  revised(
    org: OrgId,
    after: number,
    through: number,
  ): Promise<{
    readonly through: number;
    readonly revisions: readonly { readonly kind: ChannelRevision['kind']; readonly generation: Generation }[];
  }>;
}

/** Wakes the other nodes sooner than they would look by themselves; any hint may be lost. */
export interface Hints {
  /** Something was committed that other nodes are to send. Many at once are one. */
  tell(): void;
  /** Called for hints of other nodes. */
  onTold(call: () => void): void;
}

/** The oldest view of the database that something still has: rows that are gone since then cannot be removed. */
export interface OldestSnapshot {
  /** Who has it, as the server says. */
  readonly holder: string;
  readonly ageMs: number;
}

/** How a database server and the connections to it fare. */
export interface DatabaseHealth {
  connections(): Readonly<Record<'writing' | 'reading', ConnectionCounts>>;
  /** Undefined: there is none. */
  oldestSnapshot(): Promise<OldestSnapshot | undefined>;
}

export interface ConnectionCounts {
  readonly open: number;
  readonly busy: number;
  /** Calls that wait for one. */
  readonly waiting: number;
}

export interface ClusterStore {
  readonly leases: LeaseStore;
  readonly news: NewsStore;
  readonly hints: Hints;
}
