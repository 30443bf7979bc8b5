import { setMaxListeners } from 'node:events';
import type { Channel } from '../domain/channel.ts';
import type { Clock } from '../domain/clock.ts';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { Org } from '../domain/org.ts';
import type { SuspensionRequest } from '../domain/suspension.ts';
import type { Compat } from '../domain/wire/compat.ts';
import type { WriteSet } from '../domain/working-set.ts';
import type { DeliveryStore, OwedNotification } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createAir } from './air.ts';
import { createCircuits } from './circuits.ts';
import { createComebacks } from './comebacks.ts';
import { createConnections } from './connections.ts';
import { createDueTimes } from './due-times.ts';
import { createFairTurns } from './fair-turns.ts';
import type { Guard } from './guard.ts';
import { createLane } from './lane.ts';
import type { Lane, LaneContext } from './lane-context.ts';
import { createMemory } from './memory.ts';
import { readPatiently } from './patient-read.ts';
import { createReceivers } from './receivers.ts';
import { createSettler } from './settle.ts';
import { createOrgSignings } from './signatures.ts';
import { createSlots } from './slots.ts';

export interface DeliveryOptions {
  readonly store: DeliveryStore;
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
  /** Attempts that succeed are told of as information, else for debugging only. */
  readonly logDelivered: boolean;
  /** Has the channel's suspension decided and committed; false: not as it is now. Rejects when the store is in trouble. */
  readonly suspend: (org: OrgId, request: SuspensionRequest) => Promise<boolean>;
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
  /** Told of each commit, in commit order for each organisation. Never throws. */
  committed(org: OrgId, writes: WriteSet): void;
  /** Starts no attempt, ends those in flight within `withinMs`, and saves what became of them. */
  stop(withinMs?: number): Promise<void>;
  /** Resolves when nothing is in flight or unsaved and nothing could be sent now. */
  idle(): Promise<void>;
  /** Resolves when nothing of a suspended organisation is in the air or unsaved. */
  quiet(org: OrgId): Promise<void>;
  /** Lets go of what it remembers of an organisation that is quiet and will not come back. */
  forget(org: OrgId): void;
  counts(): DeliveryCounts;
  /** Channels that owe something and may be sent to. */
  owing(): readonly { readonly org: OrgId; readonly generation: Generation }[];
}

interface DeliveryCounts {
  readonly lanes: number;
  readonly stalled: number;
  readonly inFlight: number;
  readonly unsettled: number;
  /** Notifications that wait for their retry. */
  readonly waiting: number;
}

const STOP_WITHIN_MS = 15_000;

export function createDelivery(options: DeliveryOptions): Delivery {
  const { store, clock, policy, metrics, logger } = options;
  const lanes = new Map<Generation, Lane>();
  /** Their lanes closed over what is still owed: at an expiry that no batch has committed yet, or by a fault. */
  const left = new Set<Generation>();
  /** Organisations that were suspended or resumed: whether they are suspended now. */
  const suspended = new Map<OrgId, boolean>();
  /** What they owe has not been read since they were suspended. */
  const unread = new Set<OrgId>();
  /** Suspended channels that owe something: what else they come to owe starts no lane. */
  const resting = new Set<Generation>();
  let takingUp = 0;
  const idlers: (() => void)[] = [];
  const quietWaiters = new Map<() => void, OrgId>();
  const stopping = new AbortController();
  const cutting = new AbortController();
  // Every exchange listens.
  setMaxListeners(0, stopping.signal, cutting.signal);
  /** Before that, what is owed is not known, and every lane reads from its first number. */
  let isStarted = false;
  /** Counts what began to read all that is owed; only the last one is used. */
  let recoveries = 0;

  const comebacks = createComebacks(comeBack);
  const connections = createConnections(options.guard, policy);
  const receivers = createReceivers(store, policy);
  const circuits = createCircuits({ policy, clock, logger, onAdmitting: (...now) => slots.readmit(...now) });
  const slots = createSlots(policy, () => stopping.signal.aborted || settler.isFull(), circuits);
  const settler = createSettler({
    store,
    policy,
    metrics,
    logger,
    onSaved() {
      slots.deal();
      checkIdle();
    },
  });
  const orgSignings = createOrgSignings(store);
  const context: LaneContext = {
    store,
    clock,
    policy,
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
    isSuspended,
    findReceiver: receivers.find,
    circuits,
    suspend,
    onClosed(lane, receiver, why) {
      const { org, generation } = lane;
      if (lanes.get(generation) === lane) lanes.delete(generation);
      if (why === 'suspended') resting.add(generation);
      else if (why !== 'done' && !isSuspended(org)) left.add(generation);
      if (why === 'anew' || why === 'failed') {
        // What it knew of its channel may be what was wrong.
        receivers.forget(generation);
        if (why === 'failed') comebacks.failed(org, generation);
        else comeBack(org, generation);
        return;
      }
      comebacks.forget(generation);
      if (receiver) receivers.remember(receiver);
    },
    onQuiet: checkIdle,
  };

  function open(org: OrgId, generation: Generation, from: number): Lane {
    const lane = createLane(org, generation, from, receivers.known(generation), context);
    lanes.set(generation, lane);
    left.delete(generation);
    resting.delete(generation);
    return lane;
  }

  /** Without effect on one that came back meanwhile by a commit, or is to be read when its organisation is resumed. */
  function comeBack(org: OrgId, generation: Generation): void {
    if (stopping.signal.aborted || isSuspended(org) || lanes.has(generation) || !left.has(generation)) return;
    open(org, generation, 1);
  }

  async function suspend(org: OrgId, request: SuspensionRequest): Promise<boolean> {
    const isSuspended = await options.suspend(org, request);
    if (isSuspended) {
      const { channelId, generation } = request.channel;
      metrics.suspensions.inc({ why: request.why });
      logger.warn({ org, channel: channelId, generation, why: request.why }, 'channel suspended: its receiver fails');
    }
    return isSuspended;
  }

  function channelSaved(org: OrgId, channel: Channel, isForgiven: boolean): void {
    const lane = lanes.get(channel.generation);
    if (channel.endedAt !== undefined) {
      receivers.forget(channel.generation);
      comebacks.forget(channel.generation);
      lane?.end();
      left.delete(channel.generation);
      resting.delete(channel.generation);
      return;
    }
    receivers.update(channel, isForgiven);
    if (!channel.suspension) resting.delete(channel.generation);
    if (lane) lane.update(channel, isForgiven);
    // It may come back from a lapse or a suspension with something still owed; only the store knows.
    else if (channel.lastNumber > 0 && !channel.suspension) {
      open(org, channel.generation, 1).update(channel, isForgiven);
    } else if (channel.suspension) resting.add(channel.generation);
  }

  function isSuspended(org: OrgId): boolean {
    return suspended.get(org) ?? false;
  }

  /** A suspended organisation's lanes close once they rest; all it owes is read anew when it is resumed. */
  function orgSaved({ id, suspendedAt }: Org): void {
    const wasSuspended = isSuspended(id);
    if (suspendedAt === undefined && !wasSuspended) return;
    suspended.set(id, suspendedAt !== undefined);
    unread.add(id);
    if (!isStarted && recoveries > 0) void recoverAll();
    for (const lane of lanes.values()) if (lane.org === id) lane.wake();
    if (suspendedAt === undefined) void takeUp(id);
  }

  async function takeUp(org: OrgId): Promise<void> {
    const isGivenUp = () => stopping.signal.aborted || isSuspended(org);
    takingUp += 1;
    const read = await readPatiently(
      () => store.lanes(org),
      isGivenUp,
      stopping.signal,
      (error) => logger.error({ err: error, org }, 'what an organisation owes cannot be read, trying again'),
    );
    takingUp -= 1;
    if (read && !isGivenUp()) {
      unread.delete(org);
      for (const { generation } of read.rows) {
        if (lanes.has(generation)) continue;
        // What is remembered of a receiver does not say how far its numbers have gone since.
        receivers.forget(generation);
        open(org, generation, 1);
      }
    }
    checkIdle();
  }

  function recover(): void {
    isStarted = false;
    receivers.forgetAll();
    orgSignings.forgetAll();
    resting.clear();
    for (const lane of lanes.values()) lane.beginAnew();
    void recoverAll();
  }

  async function recoverAll(): Promise<void> {
    recoveries += 1;
    const recovery = recoveries;
    // What changes while it is read is read once more.
    const isGivenUp = () => stopping.signal.aborted || recovery !== recoveries;
    takingUp += 1;
    const read = await readPatiently(
      () => Promise.all([store.lanes(), store.suspended()]),
      isGivenUp,
      stopping.signal,
      (error) => logger.error({ err: error }, 'what is owed cannot be read, trying again'),
    );
    takingUp -= 1;
    if (read && !isGivenUp()) {
      isStarted = true;
      const [owing, held] = read.rows;
      for (const org of held) suspended.set(org, true);
      for (const [org, isHeld] of suspended) if (isHeld && !held.includes(org)) suspended.set(org, false);
      for (const { org, generation } of owing) if (!lanes.has(generation)) open(org, generation, 1);
    }
    checkIdle();
  }

  function take(org: OrgId, writes: WriteSet): void {
    if (writes.org) orgSaved(writes.org);
    if (writes.orgSigning) orgSignings.update(org, writes.orgSigning === 'none' ? undefined : writes.orgSigning);
    for (const channel of writes.channels.values()) channelSaved(org, channel, writes.forgiven.has(channel.generation));
    for (const generation of writes.lapsed.keys()) {
      if (writes.channels.has(generation)) continue;
      // From now on only its renewal, which is a commit of the channel, starts a lane.
      left.delete(generation);
      lanes.get(generation)?.lapse();
    }
    for (const [generation, { restart }] of writes.restarts) {
      receivers.restart(generation, restart);
      lanes.get(generation)?.restarted(restart);
    }
    const fed = new Map<Generation, OwedNotification[]>();
    for (const notification of writes.notifications) {
      const owed = { ...notification, attemptsMade: 0 };
      const others = fed.get(notification.generation);
      if (others) others.push(owed);
      else fed.set(notification.generation, [owed]);
    }
    for (const [generation, owed] of fed) {
      const first = owed[0];
      if (!first || resting.has(generation) || writes.channels.get(generation)?.endedAt !== undefined) continue;
      // Without a lane nothing before is pending, unless it was left.
      const isKnown = isStarted && !left.has(generation) && !unread.has(org);
      const lane = lanes.get(generation) ?? open(org, generation, isKnown ? first.number : 1);
      lane.feed(owed);
    }
  }

  function counts(): DeliveryCounts {
    let stalled = 0;
    let waiting = 0;
    for (const lane of lanes.values()) {
      if (lane.isStalled()) stalled += 1;
      waiting += lane.waiting();
    }
    return { lanes: lanes.size, stalled, inFlight: slots.inFlight(), unsettled: settler.size(), waiting };
  }

  function isIdle(): boolean {
    if (slots.inFlight() > 0 || settler.size() > 0 || takingUp > 0) return false;
    for (const lane of lanes.values()) if (lane.isBusy()) return false;
    return true;
  }

  function checkIdle(): void {
    if (idlers.length > 0 && isIdle()) for (const resolve of idlers.splice(0)) resolve();
    for (const [resolve, org] of quietWaiters) {
      if (!isQuiet(org)) continue;
      quietWaiters.delete(resolve);
      resolve();
    }
  }

  function isQuiet(org: OrgId): boolean {
    for (const lane of lanes.values()) if (lane.org === org) return false;
    return !slots.isFlying(org) && !settler.holds(org);
  }

  metrics.gauges.register('watchbell_circuits_open', 'Receivers that are only probed', () => circuits.open());
  metrics.gauges.register('watchbell_lanes', 'Channels that owe something', () => lanes.size);
  metrics.gauges.register('watchbell_lanes_stalled', 'Lanes that owe too much to look further', () => counts().stalled);
  metrics.gauges.register('watchbell_attempts_in_flight', 'Requests to receivers in the air', () => slots.inFlight());
  metrics.gauges.register('watchbell_outcomes_unsettled', 'Outcomes not saved yet', () => settler.size());
  metrics.gauges.register('watchbell_retries_waiting', 'Notifications waiting for a retry', () => counts().waiting);

  return {
    async start() {
      const [owing, held] = await Promise.all([store.lanes(), store.suspended()]);
      isStarted = true;
      for (const org of held) if (!suspended.has(org)) suspended.set(org, true);
      for (const { org, generation } of owing) if (!lanes.has(generation)) open(org, generation, 1);
    },
    committed(org, writes) {
      try {
        if (!stopping.signal.aborted) take(org, writes);
      } catch (error) {
        logger.error({ err: error, org }, 'a commit was not taken up by delivery, which reads anew what is owed');
        recover();
      }
    },
    recover,
    async stop(withinMs = STOP_WITHIN_MS) {
      stopping.abort();
      comebacks.stop();
      context.dueTimes.stop();
      circuits.stop();
      const timer = setTimeout(() => cutting.abort(), withinMs);
      await landed();
      await settler.drain(cutting.signal);
      clearTimeout(timer);
      await connections.close();
    },
    idle: () =>
      new Promise((resolve) => {
        idlers.push(resolve);
        queueMicrotask(checkIdle);
      }),
    quiet: (org) =>
      new Promise((resolve) => {
        quietWaiters.set(resolve, org);
        queueMicrotask(checkIdle);
      }),
    forget(org) {
      suspended.delete(org);
      unread.delete(org);
      receivers.forgetOrg(org);
      orgSignings.forget(org);
      circuits.forget(org);
      // Every id made in an organisation begins with its own.
      for (const generation of resting) if (generation.startsWith(org)) resting.delete(generation);
      for (const generation of left) {
        if (!generation.startsWith(org)) continue;
        left.delete(generation);
        comebacks.forget(generation);
      }
    },
    counts,
    owing: () => [...lanes.values()].map(({ org, generation }) => ({ org, generation })),
  };

  /** Resolves when no request is in the air. */
  async function landed(): Promise<void> {
    while (slots.inFlight() > 0) await new Promise<void>((resolve) => slots.onRelease(resolve));
  }
}
