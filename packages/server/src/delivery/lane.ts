import type { Outcome } from '../domain/attempt.ts';
import type { Channel, Restart } from '../domain/channel.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import { withRestart } from '../domain/restart.ts';
import { createBacklog } from './backlog.ts';
import type { Closing, Lane, LaneContext } from './lane-context.ts';
import { createLaneFinding } from './lane-finding.ts';
import { createLaneHealth } from './lane-health.ts';
import { createLaneReads } from './lane-reads.ts';
import { createLaneSending } from './lane-sending.ts';
import { createLaneState, finish, isClear } from './lane-state.ts';
import { weigh } from './memory.ts';
import type { Hold } from './ownership.ts';
import { originOf, type Receiver } from './receivers.ts';
import type { Flight, Seat } from './slots.ts';
import { createWaitingList, type Item } from './waiting.ts';

const NOW = Promise.resolve();

/** Starts a lane whose numbers before `from` are all finished. `receiver` undefined: it is looked up first. */
export function createLane(
  org: OrgId,
  generation: Generation,
  from: number,
  receiver: Receiver | undefined,
  hold: Hold,
  context: LaneContext,
): Lane {
  const { clock, policy, ownership, slots, dueTimes, circuits, stop, logger } = context;
  const state = createLaneState(from);
  const memory = context.memory.of(org);
  const backlog = createBacklog(from, policy, memory, () => seat.standing === 'proven');
  const ready: Item[] = [];
  const waiting = createWaitingList();
  let channel = receiver?.channel;
  const health = createLaneHealth(receiver?.health, policy.suspension);
  /** Before that nothing is sent: how its receiver did so far is not known. */
  let isKnown = receiver !== undefined;
  let isScheduled = false;
  let isClosed = false;
  let hasLapsed = false;
  /** It does nothing more but land and save what is in the air, then makes room for its successor. */
  let isLeaving: 'anew' | 'failed' | 'moved' | undefined;
  let lastRestart: Restart | undefined;
  /** Counts the commits that it was told of. */
  let updates = 0;
  const reads = createLaneReads({
    isGivenUp: () => isClosed || stop.aborted,
    stop,
    logger,
    fields: { org, generation },
    onFault: fail,
    onRead: soon,
  });
  const finding = createLaneFinding(
    { org, generation, state, backlog, ready, waiting, reads, memory, owedFrom, soon },
    context,
  );
  const sending = createLaneSending(
    {
      org,
      generation,
      hold,
      state,
      waiting,
      health,
      reads,
      memory,
      channel: () => channel,
      readChannel,
      isClosed: () => isClosed,
      isHeld,
      owedFrom,
      putBack: (item) => ready.unshift(item),
      soon,
    },
    context,
  );

  const seat: Seat = {
    org,
    origin: channel ? originOf(channel) : '',
    standing: receiver?.standing ?? 'unproven',
    level: receiver?.level ?? policy.firstFlights,
    generation,
    most: () => channel?.concurrency ?? policy.channelFlights,
    flying: 0,
    hasReady: () => ready.length > 0 && !isClosed && !isHeld() && ownership.mayStart(org, hold),
    launch(flight) {
      const item = ready.shift();
      const sent = item ? sending.send(item) : Promise.resolve(undefined);
      sent.then(
        (outcome) => back(flight, item, outcome),
        (error) => {
          back(flight, item, undefined);
          fail(error);
        },
      );
      if (isShort()) soon();
    },
  };

  const lane: Lane = {
    org,
    generation,
    hold,
    channel: () => channel,
    feed(owed) {
      for (const one of owed) backlog.feed(one);
      soon();
    },
    reaches(number) {
      backlog.reaches(number);
      soon();
    },
    update(newer, isForgiven) {
      updates += 1;
      const isCut = owedFrom() <= (newer.cancelledTo ?? 0);
      channel = newer;
      hasLapsed = false;
      if (isCut) dropCancelled();
      slots.withdraw(seat);
      seat.origin = originOf(newer);
      if (isForgiven) forgive(newer);
      backlog.reaches(newer.lastNumber);
      soon();
    },
    restarted(restart) {
      lastRestart = restart;
      if (channel) channel = withRestart(channel, restart);
    },
    beginAnew() {
      isLeaving ??= 'anew';
      soon();
    },
    leave() {
      isLeaving = 'moved';
      soon();
    },
    drop() {
      isLeaving = 'moved';
      close();
    },
    lapse() {
      hasLapsed = true;
      soon();
    },
    end: () => close(),
    wake: () => soon(),
    isBusy: () => !isClosed && (isScheduled || !isResting() || (!isHeld() && couldGoOn())),
    isStalled: () => !isHeld() && !finding.hasRoom() && !backlog.isEmpty(),
    waiting: waiting.size,
  };

  if (!isKnown) start();
  soon();
  return lane;

  function start(): void {
    void reads.read(
      () => context.findReceiver(org, generation),
      (known) => {
        // A commit may have brought a newer channel meanwhile.
        channel ??= known?.channel;
        if (!channel) return close();
        if (lastRestart) channel = withRestart(channel, lastRestart);
        isKnown = true;
        slots.withdraw(seat);
        seat.origin = originOf(channel);
        if (known && health.know(known.health)) {
          seat.standing = known.standing;
          seat.level = known.level;
        }
        backlog.reaches(channel.lastNumber);
      },
    );
  }

  /** As it is stored, unless a commit brings a newer one meanwhile. */
  async function readChannel(): Promise<void> {
    const before = updates;
    await reads.read(
      () => context.findReceiver(org, generation),
      (known) => {
        if (!known) close();
        else if (before === updates) channel = known.channel;
      },
    );
  }

  /** Goes on a turn later, once for all that happens in this one. */
  function soon(): void {
    if (isScheduled || isClosed) return;
    isScheduled = true;
    // `queueMicrotask` makes a resource of each.
    void NOW.then(take);
  }

  function take(): void {
    isScheduled = false;
    try {
      goOn();
    } catch (error) {
      fail(error);
    }
    context.onQuiet();
  }

  function goOn(): void {
    if (isClosed || (stop.aborted && isLeaving !== 'moved') || (!isKnown && !isLeaving)) return;
    if (isHeld()) {
      slots.withdraw(seat);
      backlog.forget();
    } else {
      ready.push(...waiting.takeDue(clock.now()));
      finding.search();
      if (isGrounded()) {
        // One is enough to probe with; what is behind it waits in the store.
        finding.scanOn(1);
        backlog.forget();
      } else {
        if (isFailing()) backlog.shrink();
        finding.scanOn(policy.channelFlights);
      }
      arm();
      slots.request(seat);
    }
    if (isResting() && (isHeld() || (isClear(state) && backlog.isEmpty()))) close();
  }

  /** No answer, save or read is awaited. */
  function isResting(): boolean {
    return seat.flying === 0 && !sending.isSaving() && !reads.areUnderWay();
  }

  /** Expired or suspended: what is owed waits for the end of that (P6). Or it leaves: for another lane. */
  function isHeld(): boolean {
    if (hasLapsed || isLeaving || sending.isAsking() || context.isSuspended(org)) return true;
    if (!channel) return false;
    return channel.lapsedFrom !== undefined || channel.suspension !== undefined || clock.now() >= channel.expiresAt;
  }

  /** The circuit of its origin admits no attempt now. */
  function isGrounded(): boolean {
    return !circuits.admits(org, seat.origin);
  }

  /** As many attempts in a row as may be in the air at once: what it keeps is not sent soon. */
  function isFailing(): boolean {
    return (health.now()?.failedAttempts ?? 0) >= policy.channelFlights;
  }

  function couldGoOn(): boolean {
    return isGrounded() ? ready.length === 0 && finding.mayGoOn() : ready.length > 0 || finding.mayGoOn();
  }

  /** It is sent elsewhere, or was resumed: what failed before is tried without waiting on. */
  function forgive({ lastNumber }: Channel): void {
    health.forgive();
    waiting.free();
    finding.freeTo(lastNumber);
    seat.standing = 'unproven';
    seat.level = policy.firstFlights;
  }

  /** Numbers before it are owed no more, though their rows may say pending. */
  function owedFrom(): number {
    return (channel?.cancelledTo ?? 0) + 1;
  }

  /** Of what is in the air, nothing is tried again; the rest goes at once. */
  function dropCancelled(): void {
    waiting.free();
    for (const item of [...waiting.takeDue(clock.now()), ...ready.splice(0)]) {
      if (item.owed) memory.add(-weigh(item.owed));
      finish(state, item.number);
    }
  }

  /** Asks to be woken when the first of those that wait is due. */
  function arm(): void {
    const next = waiting.nextDueAt();
    if (next < Infinity) dueTimes.set(lane, next);
    else dueTimes.remove(lane);
  }

  function back(flight: Flight, item: Item | undefined, outcome: Outcome | undefined): void {
    if (item) sending.leave(item);
    slots.release(seat, flight, outcome);
    if (isClosed) context.onQuiet();
    // After one success among many there is often nothing to do.
    if (outcome?.kind !== 'delivered' || seat.flying === 0 || state.free.size > 0 || isShort()) soon();
  }

  /** Less is ready than should be, and more may be found. */
  function isShort(): boolean {
    return ready.length * 2 <= policy.channelFlights && !backlog.isEmpty();
  }

  /** Closes once nothing is in flight or unsaved, so that the next lane repeats nothing. */
  function fail(error: unknown): void {
    logger.error({ err: error, org, generation }, 'a lane failed and begins anew');
    if (isLeaving === 'failed') close();
    if (isLeaving !== 'moved') isLeaving = 'failed';
    soon();
  }

  function closing(): Closing {
    if (isLeaving) return isLeaving;
    if (!channel || hasLapsed || channel.lapsedFrom !== undefined) return 'done';
    if (channel.suspension) return 'suspended';
    return isClear(state) && backlog.isEmpty() ? 'done' : 'left';
  }

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    slots.withdraw(seat);
    dueTimes.remove(lane);
    backlog.forget();
    for (const { owed } of ready.splice(0)) if (owed) memory.add(-weigh(owed));
    const { standing, level } = seat;
    const failing = health.now();
    const known = isKnown && channel ? { channel, standing, level, ...(failing && { health: failing }) } : undefined;
    context.onClosed(lane, known, closing());
    context.onQuiet();
  }
}
