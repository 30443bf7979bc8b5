import type { ClusterPolicy } from '../domain/cluster-policy.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { WriteSet } from '../domain/working-set.ts';
import type { ClusterStore } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createLeases } from './leases.ts';
import { createNews, type NewsOptions, type Place } from './news.ts';
import type { Hold, Ownership } from './ownership.ts';

/** What makes this process a node among others. */
export interface ClusterOptions {
  readonly store: ClusterStore;
  /** Of this process alone, also after a restart. */
  readonly node: string;
  readonly policy: ClusterPolicy;
  /** Milliseconds that count on while the process is frozen (`createMonotonic`). */
  readonly monotonic: () => number;
  /** The database's time (epoch ms), with when it was asked for and answered by the monotonic clock. */
  readonly onTime?: (now: number, sentAt: number, receivedAt: number) => void;
}

/** What follows for lanes from what other nodes do. */
export interface ClusterEvents
  extends Pick<
    NewsOptions,
    | 'onSuspended'
    | 'onSigning'
    | 'onGone'
    | 'onOtherHistory'
    | 'onNumbered'
    | 'onRevised'
    | 'onKnown'
    | 'onRead'
    | 'onAnew'
  > {
  readonly onGained: (holds: readonly Hold[]) => void;
  readonly onLost: (holds: readonly Hold[]) => void;
  readonly onDraining: (holds: readonly Hold[]) => void;
  /** Attempts may start again, after none might. */
  readonly onOpen: () => void;
}

export interface Cluster extends Ownership {
  /** Resolves when this node has what is free for it and knows how far others have come. */
  start(): Promise<void>;
  committed(org: OrgId, writes: WriteSet): Place;
  lookNow(): Promise<void>;
  isReading(): boolean;
  /** Something was drained, or refused. */
  lookAtLeases(): void;
  beginAnew(): void;
  forget(org: OrgId): void;
  /** Milliseconds left of the lease, negative when it is over, and since the last look at what others committed. */
  times(): { readonly leaseLeft: number; readonly newsAge: number };
  beginLeaving(): void;
  /** Other nodes that live, as of a few seconds ago. */
  others(): number;
  /** To be called when all is saved that can be. */
  leave(): Promise<void>;
}

export function createCluster(
  { store, node, policy, monotonic, onTime = () => {} }: ClusterOptions,
  events: ClusterEvents,
  { metrics, logger }: { readonly metrics: Metrics; readonly logger: Logger },
): Cluster {
  /** Some attempt was kept from starting, of all or of these. */
  let isShut = false;
  const shut = new Set<OrgId>();

  const leases = createLeases({
    store: store.leases,
    node,
    policy,
    monotonic,
    metrics,
    logger,
    ...events,
    onTime: open,
    onShared: store.hints.tell,
  });
  const news = createNews({
    ...events,
    store: store.news,
    policy,
    monotonic,
    logger,
    onTime,
    onSharing: () => leases.wake(),
    onFresh: open,
    onKnown(org) {
      if (shut.delete(org)) events.onKnown(org);
    },
  });
  store.hints.onTold(() => news.wake());

  function isOpen(): boolean {
    const is = leases.hasTime() && news.isFresh();
    if (!is) isShut = true;
    return is;
  }

  function open(): void {
    if (!isShut || !leases.hasTime() || !news.isFresh()) return;
    isShut = false;
    events.onOpen();
  }

  const isOthers = (generation: Generation): boolean => leases.holdOf(generation)?.state !== 'held';

  return {
    holdOf: leases.holdOf,
    holds: leases.holds,
    isOpen,
    mayStart(org, hold) {
      if (hold.state !== 'held' || !isOpen()) return false;
      if (!news.isBehind(org)) return true;
      shut.add(org);
      return false;
    },
    epoch: news.epoch,
    async start() {
      await news.start();
      await leases.start();
    },
    committed(org, writes) {
      const concernsOthers =
        writes.org !== undefined ||
        writes.orgSigning !== undefined ||
        writes.revisions.some(({ channel }) => isOthers(channel.generation)) ||
        writes.notifications.some(({ generation }) => isOthers(generation));
      if (concernsOthers) store.hints.tell();
      return news.committed(org, writes);
    },
    lookNow: news.lookNow,
    isReading: news.isReading,
    lookAtLeases: leases.wake,
    beginAnew: news.beginAnew,
    forget(org) {
      shut.delete(org);
      news.forget(org);
    },
    times: () => ({ leaseLeft: leases.left(), newsAge: news.age() }),
    others: leases.others,
    beginLeaving: leases.beginLeaving,
    async leave() {
      await leases.leave();
      await news.stop();
    },
  };
}
