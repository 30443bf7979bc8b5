import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel } from '../domain/channel.ts';
import type { Clock } from '../domain/clock.ts';
import type { ClusterPolicy } from '../domain/cluster-policy.ts';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { SuspensionRequest } from '../domain/suspension.ts';
import type { Compat } from '../domain/wire/compat.ts';
import type { WriteSet } from '../domain/working-set.ts';
import type { DeliveryStore, JobStore } from '../storage/store.ts';
import type { Logger, WrittenLines } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createAir } from './air.ts';
import { createAttemptsGiven } from './attempts-given.ts';
import { createCircuits } from './circuits.ts';
import { type ClusterOptions, createCluster } from './cluster.ts';
import { createComebacks } from './comebacks.ts';
import { createConnections } from './connections.ts';
import { createDueTimes } from './due-times.ts';
import { createFairTurns } from './fair-turns.ts';
import { type Following, followOthers, type Others } from './following.ts';
import { registerGauges } from './gauges.ts';
import type { Guard } from './guard.ts';
import { createJobs, type Jobs, type JobsOptions } from './jobs.ts';
import { createLane } from './lane.ts';
import type { Lane, LaneContext } from './lane-context.ts';
import { createLanes } from './lanes.ts';
import { createMemory } from './memory.ts';
import type { Place } from './news.ts';
import { type Hold, isDrained, type Ownership, ownsAll } from './ownership.ts';
import { createQuiet } from './quiet.ts';
import { createReceivers } from './receivers.ts';
import { createRevisions } from './revisions.ts';
import { createSettler } from './settle.ts';
import { createOrgSignings } from './signatures.ts';
import { createSlots } from './slots.ts';
import { createTakingUp } from './taking-up.ts';
import { sendTest, type TestSent } from './test-send.ts';

export interface DeliveryOptions {
  readonly store: DeliveryStore;
  /** Undefined: this process has the store for itself. */
  readonly cluster?: ClusterOptions;
  /** Told of what other nodes do as well. */
  readonly others?: Others;
  readonly clock: Clock;
  /** For jitter: [0, 1). */
  readonly random: () => number;
  readonly policy: DeliveryPolicy;
  readonly guard: Guard;
  /** Origin that resource URIs in notifications start with, without a slash at the end. */
  readonly base: () => string;
  readonly compat: Compat;
  /** Of this software, for the `user-agent` header. */
  readonly version: string;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Takes the line of each attempt that succeeds. */
  readonly tellDelivered: WrittenLines;
  /** Has the channel's suspension decided and committed; false: not as it is now. Rejects when the store is in trouble. */
  readonly suspend: (org: OrgId, request: SuspensionRequest) => Promise<boolean>;
  readonly jobs: Pick<JobsOptions, 'steps'> & { readonly store: JobStore };
}

/** Sends what is owed, until it is delivered, parked, or its channel lapses or ends. */
export interface Delivery {
  /** Takes up everything that the store still owes. */
  start(): Promise<void>;
  /**
   * The store was lost and is there again: a commit may have been made that nobody was told of. All lanes begin anew, and
   * all that is owed is read.
   */
  recover(): void;
  /**
   * Outcomes that wait for others are written now: a commit is being written that they can share, or somebody asks what
   * became of notifications.
   */
  saveOutcomes(): void;
  /** Told of each commit, in commit order for each organisation. Never throws. */
  committed(org: OrgId, writes: WriteSet): void;
  /** Starts no attempt, ends those in flight within `withinMs`, and saves what became of them. */
  stop(withinMs?: number): Promise<void>;
  /** Resolves when nothing is in flight or unsaved and nothing could be sent now. */
  idle(): Promise<void>;
  /** Resolves when nothing of a suspended organisation is in the air or unsaved; of other nodes as far as they live. */
  quiet(org: OrgId): Promise<void>;
  /** Whether this node is the one that does what is done for an organisation as a whole. */
  isMine(org: OrgId): boolean;
  /** Lets go of what it remembers of an organisation that is quiet and will not come back. */
  forget(org: OrgId): void;
  /** Sends a test notification from this node; what a channel owes is not concerned. Rejects when the store cannot be read. */
  sendTest(org: OrgId, channel: Channel): Promise<TestSent>;
  counts(): DeliveryCounts;
  /** A job was made or changed. */
  lookAtJobs(): void;
  /** Channels that owe something and may be sent to. */
  owing(): readonly { readonly org: OrgId; readonly generation: Generation }[];
}

export interface DeliveryCounts {
  readonly lanes: number;
  readonly stalled: number;
  readonly inFlight: number;
  readonly unsettled: number;
  /** Notifications that wait for their retry. */
  readonly waiting: number;
}

const STOP_WITHIN_MS = 15_000;
const NOBODY: Others = { changed: () => undefined, lookAtAll: () => undefined };
/** Of a commit, when nobody else makes any. */
const ALONE: Place = { isNext: true, isNewest: true };

export function createDelivery(options: DeliveryOptions): Delivery {
  const { store, clock, policy, metrics, logger } = options;
  const stopping = new AbortController();
  const cutting = new AbortController();
  // Every exchange listens.
  setMaxListeners(0, stopping.signal, cutting.signal);

  const cluster = options.cluster && createCluster(options.cluster, followOthers(following), { metrics, logger });
  const ownership: Ownership = cluster ?? ownsAll();
  const comebacks = createComebacks((org, generation) => lanes.comeBack(org, generation));
  const connections = createConnections(options.guard, policy);
  const receivers = createReceivers(store, policy);
  const circuits = createCircuits({ policy, clock, logger, onAdmitting: (...now) => slots.readmit(...now) });
  const isBlocked = () => stopping.signal.aborted || settler.isFull() || !ownership.isOpen();
  const slots = createSlots(policy, isBlocked, circuits);
  const settler = createSettler({
    store,
    policy,
    metrics,
    logger,
    isAwaited: () => quiet.isAwaited(),
    onSaved() {
      slots.deal();
      quiet.check();
    },
  });
  const orgSignings = createOrgSignings(store);
  const context: LaneContext = {
    store,
    clock,
    policy,
    ownership,
    slots,
    settler,
    dueTimes: createDueTimes<Lane>(clock, (lane) => lane.wake()),
    memory: createMemory(policy),
    air: createAir(policy, stopping.signal),
    searchTurn: createFairTurns(policy.searchReads),
    flights: {
      ...options,
      connections,
      userAgent: `Watchbell/${options.version}`,
      orgSignings,
      stop: cutting.signal,
    },
    logger,
    stop: stopping.signal,
    isSuspended: (org) => lanes.isSuspended(org),
    findReceiver: receivers.find,
    circuits,
    suspend,
    onClosed(lane, receiver, why) {
      lanes.closed(lane, receiver, why);
      lookWhetherDrained(lane.hold);
    },
    onRefused(hold) {
      if (hold.state === 'lost') return;
      hold.state = 'lost';
      cluster?.lookAtLeases();
      for (const lane of [...lanes.all()]) if (lane.hold === hold) lane.drop();
    },
    onSettled: lookWhetherDrained,
    onQuiet: () => quiet.check(),
  };
  const jobs: Jobs = createJobs({
    store: options.jobs.store,
    steps: options.jobs.steps,
    ownership,
    policy: policy.jobs,
    isShared: cluster !== undefined,
    isSuspended: context.isSuspended,
    resending: {
      ...context,
      store: options.jobs.store,
      channels: store,
      given: createAttemptsGiven(),
      giveUp: cutting.signal,
      metrics,
    },
    onEnded: lookWhetherDrained,
    onQuiet: () => quiet.check(),
    logger,
  });
  const lanes = createLanes({
    ownership,
    receivers,
    comebacks,
    orgSignings,
    create: (org, generation, from, receiver, hold) => createLane(org, generation, from, receiver, hold, context),
    isStopping: () => stopping.signal.aborted,
    onOrgSaved(org, isSuspended) {
      const isResumed = lanes.suspend(org, isSuspended);
      takingUp.orgSaved();
      if (isResumed) void takingUp.org(org);
    },
  });
  const takingUp = createTakingUp({
    store,
    lanes,
    ownership,
    isShared: cluster !== undefined,
    stop: stopping.signal,
    logger,
    onDone: () => quiet.check(),
  });
  const revisions = createRevisions({ lanes, receivers, ownership, stop: stopping.signal, logger });
  const quiet = createQuiet(isIdle, isQuiet);
  lanes.unknown(ownership.holds());

  function following(): Following {
    const { others = NOBODY } = options;
    return { lanes, slots, receivers, orgSignings, takingUp, revisions, forget, others, check: quiet.check };
  }

  async function suspend(org: OrgId, request: SuspensionRequest): Promise<boolean> {
    const isSuspended = await options.suspend(org, request);
    if (isSuspended) metrics.suspensions.inc({ why: request.why });
    return isSuspended;
  }

  function take(org: OrgId, writes: WriteSet): void {
    const { isNext, isNewest } = cluster?.committed(org, writes) ?? ALONE;
    for (const generation of [...writes.channels.keys(), ...writes.lapsed.keys()]) {
      revisions.saved(generation);
      jobs.changed(generation);
    }
    lanes.take(org, writes, isNext, isNewest);
    if (writes.org) jobs.look(org);
    else if (writes.newJobs.length > 0) jobs.look();
  }

  function recover(): void {
    lanes.forgetAll();
    lanes.unknown(ownership.holds());
    for (const lane of lanes.all()) lane.beginAnew();
    jobs.look();
    // What others committed since is found from where they stand before it is read what is owed.
    if (cluster) cluster.beginAnew();
    else void takingUp.all();
  }

  function forget(org: OrgId): void {
    lanes.forget(org);
    circuits.forget(org);
    cluster?.forget(org);
  }

  function lookWhetherDrained(hold: Hold): void {
    if (hold.state === 'draining' && isDrained(hold)) cluster?.lookAtLeases();
  }

  function counts(): DeliveryCounts {
    let stalled = 0;
    let waiting = 0;
    for (const lane of lanes.all()) {
      if (lane.isStalled()) stalled += 1;
      waiting += lane.waiting();
    }
    return { lanes: lanes.count(), stalled, inFlight: slots.inFlight(), unsettled: settler.size(), waiting };
  }

  function isIdle(): boolean {
    if (slots.inFlight() > 0 || settler.size() > 0 || takingUp.isUnderWay() || cluster?.isReading()) return false;
    if (jobs.isBusy()) return false;
    for (const lane of lanes.all()) if (lane.isBusy()) return false;
    return true;
  }

  function isQuiet(org: OrgId): boolean {
    for (const lane of lanes.all()) if (lane.org === org) return false;
    return !slots.isFlying(org) && !settler.holds(org) && !jobs.holds(org);
  }

  registerGauges(metrics.gauges, {
    circuits: circuits.open,
    lanes: lanes.count,
    inFlight: slots.inFlight,
    counts,
    buckets: () => ownership.holds().length,
    jobs: jobs.running,
    times: () => cluster?.times(),
  });

  return {
    async start() {
      if (cluster) await cluster.start();
      else await takingUp.first();
      await jobs.start();
    },
    committed(org, writes) {
      try {
        if (!stopping.signal.aborted) take(org, writes);
      } catch (error) {
        logger.error({ err: error, org }, 'a commit was not taken up by delivery, which reads anew what is owed');
        recover();
      }
    },
    saveOutcomes: settler.hurry,
    recover,
    async stop(withinMs = STOP_WITHIN_MS) {
      stopping.abort();
      comebacks.stop();
      context.dueTimes.stop();
      circuits.stop();
      cluster?.beginLeaving();
      const timer = setTimeout(() => cutting.abort(), withinMs);
      await jobs.stop();
      await landed();
      await settler.drain(cutting.signal);
      clearTimeout(timer);
      await cluster?.leave();
      await connections.close();
    },
    async idle() {
      await cluster?.lookNow();
      const idle = quiet.idle();
      settler.hurry();
      await idle;
    },
    async quiet(org) {
      const ofOrg = quiet.of(org);
      settler.hurry();
      await ofOrg;
      if (options.cluster && cluster && cluster.others() > 0) await othersQuiet(options.cluster.policy);
    },
    isMine: (org) => ownership.holdOf(org)?.state === 'held',
    forget,
    sendTest: (org, channel) => sendTest(org, channel, context.flights),
    counts,
    lookAtJobs: () => jobs.look(),
    owing: () => Array.from(lanes.all(), ({ org, generation }) => ({ org, generation })),
  };

  /** Others have read by then that it is suspended, and what they had in the air is saved, or will never be. */
  async function othersQuiet({ newsAge, leftForAttempt }: ClusterPolicy): Promise<void> {
    await sleep(newsAge + leftForAttempt, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
  }

  /** Resolves when no request is in the air. */
  async function landed(): Promise<void> {
    while (slots.inFlight() > 0) await new Promise<void>((resolve) => slots.onRelease(resolve));
  }
}
