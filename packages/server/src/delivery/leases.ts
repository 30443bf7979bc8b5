import { BUCKETS, bucketOf } from '../domain/bucket.ts';
import type { ClusterPolicy } from '../domain/cluster-policy.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import { shareOf } from '../domain/shares.ts';
import type { BucketOwner, ClusterState, LeaseStore } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createAlarm } from './alarm.ts';
import { type Hold, isDrained } from './ownership.ts';

const FIRST_PAUSE_MS = 100;
/** Between two turns, however often it is woken. */
const LEAST_PAUSE_MS = 25;

/** This node's part of the buckets: takes, keeps and gives them back, as long as it can tell the database that it lives. */
export interface Leases {
  /** Resolves when this node is registered and has what is free for it. Rejects when the database cannot be asked. */
  start(): Promise<void>;
  /** Something may have changed: looks again at once. */
  wake(): void;
  holdOf(id: Generation | OrgId): Hold | undefined;
  /** Other nodes that lived when this one's lease was renewed last. */
  others(): number;
  /** Enough is left of the lease for an attempt to start and be saved, by real time. */
  hasTime(): boolean;
  holds(): readonly Hold[];
  /** Milliseconds; negative when it is over. */
  left(): number;
  /** Takes no more buckets; gives each back as soon as it is drained. */
  beginLeaving(): void;
  /** Gives back the rest and is no node any more. */
  leave(): Promise<void>;
}

export interface LeasesOptions {
  readonly store: LeaseStore;
  /** Of this process alone. */
  readonly node: string;
  readonly policy: ClusterPolicy;
  /** Milliseconds that count on while the process is frozen. */
  readonly monotonic: () => number;
  readonly metrics: Pick<Metrics, 'handovers'>;
  readonly logger: Logger;
  readonly onGained: (holds: readonly Hold[]) => void;
  /** They are others' by now: nothing that is still under way for them can be saved. */
  readonly onLost: (holds: readonly Hold[]) => void;
  /** No attempt is to start for them. */
  readonly onDraining: (holds: readonly Hold[]) => void;
  /** There is time again, after there was none. */
  readonly onTime: () => void;
  /** Others may want to know: this node came or went, or buckets are free. */
  readonly onShared: () => void;
}

export function createLeases(options: LeasesOptions): Leases {
  const { store, node, policy, monotonic, metrics, logger } = options;
  const holds: (Hold | undefined)[] = Array.from({ length: BUCKETS }, () => undefined);
  const alarm = createAlarm();
  /** By the monotonic clock, from before the renewal was sent. */
  let validUntil = -Infinity;
  let others = 0;
  let isLeaving = false;
  let isStopped = false;
  let running: Promise<void> | undefined;

  const hasTime = (): boolean => validUntil - monotonic() >= policy.leftForAttempt;

  /** One call at a time, each seeing what the one before came to: so no answer is older than what is known. */
  async function turn(): Promise<number> {
    const sentAt = monotonic();
    const state = await store.renew(node, policy.lease, isLeaving);
    const receivedAt = monotonic();
    const hadTime = hasTime();
    validUntil = sentAt + policy.lease;
    adopt(state);
    others = state.nodes.filter(({ id, leaseUntil }) => id !== node && leaseUntil > state.now).length;
    if (!hadTime) options.onTime();
    const { release, claim, lookAgainAt = Infinity } = shareOf(state, node);
    drain(release);
    await giveBack();
    if (claim.length > 0 && !isStopped) {
      gain(await store.claim(node, claim));
    }
    return Math.min(sentAt + policy.renewEvery, receivedAt + lookAgainAt - state.now);
  }

  /** What the database says about whose the buckets are. */
  function adopt({ buckets }: ClusterState): void {
    const lost: Hold[] = [];
    for (const owner of buckets) {
      const hold = holds[owner.bucket];
      if (!hold || (owner.node === node && owner.epoch === hold.epoch)) continue;
      holds[owner.bucket] = undefined;
      hold.state = 'lost';
      lost.push(hold);
    }
    if (lost.length > 0) {
      metrics.handovers.inc({ kind: 'lost' }, lost.length);
      logger.warn({ node, buckets: lost.map(({ bucket }) => bucket) }, 'others have taken over buckets of this node');
      options.onLost(lost);
    }
    // Also what was claimed when the answer did not come.
    gain(buckets.filter((owner) => owner.node === node && !holds[owner.bucket]));
  }

  function gain(owned: readonly BucketOwner[]): void {
    if (owned.length === 0) return;
    const gained = owned.map(({ bucket, epoch }): Hold => ({ bucket, epoch, state: 'held', lanes: 0, unsaved: 0 }));
    for (const hold of gained) holds[hold.bucket] = hold;
    metrics.handovers.inc({ kind: 'gained' }, gained.length);
    logger.info({ node, buckets: gained.map(({ bucket }) => bucket) }, 'this node sends for more channels');
    options.onGained(gained);
  }

  function drain(buckets: readonly number[]): void {
    const draining = buckets.flatMap((bucket) => holds[bucket] ?? []).filter(({ state }) => state === 'held');
    if (draining.length === 0) return;
    for (const hold of draining) hold.state = 'draining';
    options.onDraining(draining);
  }

  async function giveBack(): Promise<void> {
    const drained = holds.flatMap((hold) =>
      hold?.state === 'draining' && hold.epoch !== undefined && isDrained(hold)
        ? { bucket: hold.bucket, epoch: hold.epoch }
        : [],
    );
    if (drained.length === 0) return;
    await store.release(node, drained);
    for (const { bucket } of drained) {
      const hold = holds[bucket];
      if (hold) hold.state = 'lost';
      holds[bucket] = undefined;
    }
    options.onShared();
    metrics.handovers.inc({ kind: 'released' }, drained.length);
    logger.info({ node, buckets: drained.map(({ bucket }) => bucket) }, 'this node has given buckets back');
  }

  async function run(firstAt: number): Promise<void> {
    let pause = 0;
    for (let nextAt = firstAt; !isStopped; ) {
      const turnedAt = monotonic();
      await alarm.sleep(nextAt - turnedAt);
      const early = LEAST_PAUSE_MS - (monotonic() - turnedAt);
      if (early > 0 && !isStopped) await new Promise((resolve) => setTimeout(resolve, early));
      if (isStopped) return;
      try {
        nextAt = await turn();
        if (pause > 0) logger.info({ node }, 'the lease of this node is renewed again');
        pause = 0;
      } catch (error) {
        if (pause === 0) logger.error({ err: error, node }, 'the lease of this node cannot be renewed, trying again');
        pause = Math.min(Math.max(pause * 2, FIRST_PAUSE_MS), policy.renewEvery / 2);
        nextAt = monotonic() + pause;
      }
    }
  }

  return {
    async start() {
      const nextAt = await turn();
      options.onShared();
      running = run(nextAt);
    },
    wake: alarm.wake,
    holdOf: (id) => holds[bucketOf(id)],
    others: () => others,
    hasTime,
    holds: () => holds.filter((hold) => hold !== undefined),
    left: () => validUntil - monotonic(),
    beginLeaving() {
      isLeaving = true;
      alarm.wake();
    },
    async leave() {
      isStopped = true;
      alarm.wake();
      await running;
      if (validUntil === -Infinity) return;
      try {
        await store.leave(node);
        options.onShared();
      } catch (error) {
        logger.warn({ err: error, node }, 'this node could not give its buckets back; its lease runs out');
      }
    },
  };
}
