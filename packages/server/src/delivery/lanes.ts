import type { Channel } from '../domain/channel.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { Notification } from '../domain/notification.ts';
import type { Org } from '../domain/org.ts';
import type { WriteSet } from '../domain/working-set.ts';
import type { OwedNotification } from '../storage/store.ts';
import type { Comebacks } from './comebacks.ts';
import type { Closing, Lane } from './lane-context.ts';
import type { Hold, Ownership } from './ownership.ts';
import type { Receiver, Receivers } from './receivers.ts';
import type { OrgSignings } from './signatures.ts';

/** The lanes of this node, and what is remembered of channels that have none. */
export interface Lanes {
  all(): Iterable<Lane>;
  count(): number;
  of(generation: Generation): Lane | undefined;
  /** Takes what was just committed, unless it is another node's to send. `isNext`: all that was committed before is known. */
  take(org: OrgId, writes: WriteSet, isNext: boolean, isNewest: boolean): void;
  /** Takes a channel as it was just committed or read. `isForgiven`: how its receiver did so far counts no more. */
  channelSaved(org: OrgId, channel: Channel, isForgiven: boolean): void;
  ended(generation: Generation): void;
  lapsed(generation: Generation): void;
  /** Numbers up to this one were given. */
  reaches(org: OrgId, generation: Generation, number: number): void;
  /** Something of the channel is remembered here, which must not grow old. */
  knows(generation: Generation): boolean;
  closed(lane: Lane, receiver: Receiver | undefined, why: Closing): void;
  /** Begins at what is stored, unless it has a lane already. */
  begin(org: OrgId, generation: Generation): void;
  comeBack(org: OrgId, generation: Generation): void;
  isSuspended(org: OrgId): boolean;
  /** Answers whether what the organisation owes is to be read now. */
  suspend(org: OrgId, isSuspended: boolean): boolean;
  /** Which organisations are suspended, as stored. */
  suspendOnly(orgs: readonly OrgId[]): void;
  /** What of these is owed is not known, until it was read. */
  unknown(holds: readonly Hold[]): void;
  known(holds: readonly Hold[]): void;
  unknownOf(org: OrgId): void;
  knownOf(org: OrgId): void;
  /** What is remembered of them is for their next owner to find out. */
  letGo(holds: readonly Hold[]): void;
  forget(org: OrgId): void;
  forgetAll(): void;
}

export interface LanesOptions {
  readonly ownership: Ownership;
  readonly receivers: Receivers;
  readonly comebacks: Comebacks;
  readonly orgSignings: OrgSignings;
  readonly create: (
    org: OrgId,
    generation: Generation,
    from: number,
    receiver: Receiver | undefined,
    hold: Hold,
  ) => Lane;
  readonly isStopping: () => boolean;
  /** The organisation was suspended, or resumed, by a commit of this node. */
  readonly onOrgSaved: (org: OrgId, isSuspended: boolean) => void;
}

export function createLanes(options: LanesOptions): Lanes {
  const { ownership, receivers, comebacks, orgSignings } = options;
  const lanes = new Map<Generation, Lane>();
  /** Their lanes closed over what is still owed: at an expiry that no batch has committed yet, or by a fault. */
  const left = new Set<Generation>();
  /** Organisations that were suspended or resumed: whether they are suspended now. */
  const suspended = new Map<OrgId, boolean>();
  /** What they owe has not been read since they were suspended, or had another history. */
  const unread = new Set<OrgId>();
  /** What they owe has not been read since this node has them: every lane reads from its first number. */
  const unreadHolds = new Set<Hold>();
  /** Suspended channels that owe something: what else they come to owe starts no lane. */
  const resting = new Set<Generation>();

  function open(org: OrgId, generation: Generation, from: number): Lane | undefined {
    const hold = ownership.holdOf(generation);
    if (hold?.state !== 'held') return undefined;
    const lane = options.create(org, generation, from, receivers.known(generation), hold);
    hold.lanes += 1;
    lanes.set(generation, lane);
    left.delete(generation);
    resting.delete(generation);
    return lane;
  }

  function channelSaved(org: OrgId, channel: Channel, isForgiven: boolean): void {
    const { generation } = channel;
    if (channel.endedAt !== undefined) {
      ended(generation);
      return;
    }
    receivers.update(channel, isForgiven);
    if (!channel.suspension) resting.delete(generation);
    const known = lanes.get(generation);
    // It may have been suspended when its lane was opened, with something owed before where that begins.
    if (isForgiven && known && !known.channel()) known.end();
    const lane = lanes.get(generation);
    if (lane) lane.update(channel, isForgiven);
    // It may come back from a lapse or a suspension with something still owed; only the store knows.
    else if (channel.lastNumber > 0 && !channel.suspension) open(org, generation, 1)?.update(channel, isForgiven);
    else if (channel.suspension && ownership.holdOf(generation)?.state === 'held') resting.add(generation);
  }

  function ended(generation: Generation): void {
    // A lane that closes leaves behind what it knew.
    lanes.get(generation)?.end();
    receivers.forget(generation);
    comebacks.forget(generation);
    left.delete(generation);
    resting.delete(generation);
  }

  function lapsed(generation: Generation): void {
    // From now on only its renewal, which is a commit of the channel, starts a lane.
    left.delete(generation);
    lanes.get(generation)?.lapse();
  }

  function isSuspended(org: OrgId): boolean {
    return suspended.get(org) ?? false;
  }

  /** A suspended organisation's lanes close once they rest; all it owes is read anew when it is resumed. */
  function suspend(org: OrgId, isNow: boolean): boolean {
    if (!isNow && !isSuspended(org)) return false;
    suspended.set(org, isNow);
    unread.add(org);
    for (const lane of lanes.values()) if (lane.org === org) lane.wake();
    return !isNow;
  }

  function orgSaved({ id, suspendedAt }: Org): void {
    const isNow = suspendedAt !== undefined;
    if (isNow || isSuspended(id)) options.onOrgSaved(id, isNow);
  }

  function feed(org: OrgId, writes: WriteSet, isNext: boolean): void {
    const fed = new Map<Generation, OwedNotification[]>();
    for (const notification of writes.notifications) {
      const owed = owedFrom(notification);
      const others = fed.get(notification.generation);
      if (others) others.push(owed);
      else fed.set(notification.generation, [owed]);
    }
    for (const [generation, owed] of fed) {
      const first = owed[0];
      if (!first || resting.has(generation) || writes.channels.get(generation)?.endedAt !== undefined) continue;
      const hold = ownership.holdOf(generation);
      // Without a lane nothing before is pending, unless it was left, or is not known.
      const isKnown = isNext && hold && !unreadHolds.has(hold) && !left.has(generation) && !unread.has(org);
      const lane = lanes.get(generation) ?? open(org, generation, isKnown ? first.number : 1);
      lane?.feed(owed);
    }
  }

  function remembered(): Generation[] {
    return [...new Set([...left, ...resting])];
  }

  function drop(generation: Generation): void {
    resting.delete(generation);
    left.delete(generation);
    comebacks.forget(generation);
  }

  return {
    all: () => lanes.values(),
    count: () => lanes.size,
    of: (generation) => lanes.get(generation),
    take(org, writes, isNext, isNewest) {
      if (writes.org) orgSaved(writes.org);
      if (writes.orgSigning) orgSignings.update(org, writes.orgSigning === 'none' ? undefined : writes.orgSigning);
      if (isNewest) {
        for (const channel of writes.channels.values()) {
          channelSaved(org, channel, writes.forgiven.has(channel.generation));
        }
        for (const generation of writes.lapsed.keys()) if (!writes.channels.has(generation)) lapsed(generation);
      }
      for (const [generation, { restart }] of writes.restarts) {
        receivers.restart(generation, restart);
        lanes.get(generation)?.restarted(restart);
      }
      feed(org, writes, isNext);
    },
    channelSaved,
    ended,
    lapsed,
    reaches(org, generation, number) {
      if (resting.has(generation)) return;
      (lanes.get(generation) ?? open(org, generation, 1))?.reaches(number);
    },
    knows: (generation) =>
      lanes.has(generation) ||
      receivers.known(generation) !== undefined ||
      left.has(generation) ||
      resting.has(generation),
    closed(lane, receiver, why) {
      const { org, generation } = lane;
      lane.hold.lanes -= 1;
      if (lanes.get(generation) === lane) lanes.delete(generation);
      if (why === 'moved') {
        receivers.forget(generation);
        comebacks.forget(generation);
        return;
      }
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
    begin(org, generation) {
      if (lanes.has(generation)) return;
      // What is remembered of a receiver does not say how far its numbers have gone since.
      receivers.forget(generation);
      open(org, generation, 1);
    },
    comeBack,
    isSuspended,
    suspend,
    suspendOnly(orgs) {
      for (const org of orgs) suspended.set(org, true);
      for (const [org, isHeld] of suspended) if (isHeld && !orgs.includes(org)) suspended.set(org, false);
    },
    unknown(holds) {
      for (const hold of holds) unreadHolds.add(hold);
    },
    known(holds) {
      for (const hold of holds) unreadHolds.delete(hold);
    },
    unknownOf(org) {
      unread.add(org);
    },
    knownOf(org) {
      unread.delete(org);
    },
    letGo(holds) {
      const gone = new Set(holds);
      for (const hold of holds) unreadHolds.delete(hold);
      const isGone = (generation: Generation): boolean => {
        const hold = ownership.holdOf(generation);
        return hold === undefined || gone.has(hold);
      };
      for (const generation of remembered()) if (isGone(generation)) drop(generation);
      receivers.forgetThose(isGone);
    },
    forget(org) {
      // Every id made in an organisation begins with its own.
      suspended.delete(org);
      unread.delete(org);
      receivers.forgetThose((generation) => generation.startsWith(org));
      orgSignings.forget(org);
      for (const generation of remembered()) if (generation.startsWith(org)) drop(generation);
    },
    forgetAll() {
      receivers.forgetAll();
      orgSignings.forgetAll();
      resting.clear();
    },
  };

  /** Without effect on one that came back meanwhile by a commit, or is to be read when its organisation is resumed. */
  function comeBack(org: OrgId, generation: Generation): void {
    if (options.isStopping() || isSuspended(org) || lanes.has(generation) || !left.has(generation)) return;
    open(org, generation, 1);
  }
}

/** Of the same shape as one that is read: what is written out is built much faster than a copy with additions. */
const owedFrom = (made: Notification): OwedNotification => ({
  org: made.org,
  generation: made.generation,
  number: made.number,
  id: made.id,
  module: made.module,
  operation: made.operation,
  ids: made.ids,
  version: made.version,
  withValues: made.withValues,
  change: made.change,
  job: made.job,
  attemptsMade: 0,
  dueAt: undefined,
});
