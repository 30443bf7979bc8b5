import type { Outcome } from '../domain/attempt.ts';
import type { Channel, Restart } from '../domain/channel.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import { stateAfter } from '../domain/next-step.ts';
import { withRestart } from '../domain/restart.ts';
import type { OwedNotification } from '../storage/store.ts';
import { createBacklog } from './backlog.ts';
import { fly, type Landed } from './flight.ts';
import type { Closing, Lane, LaneContext } from './lane-context.ts';
import { createLaneHealth } from './lane-health.ts';
import { answer, createLaneState, finish, found, isClear, knownRecords, nextSearch, scan } from './lane-state.ts';
import { weigh } from './memory.ts';
import { readPatiently } from './patient-read.ts';
import { originOf, type Receiver } from './receivers.ts';
import { recordsOf, refOf } from './record-keys.ts';
import type { Flight, Seat } from './slots.ts';
import { createWaitingList, type Item } from './waiting.ts';

/** Starts a lane whose numbers before `from` are all finished. `receiver` undefined: it is looked up first. */
export function createLane(
  org: OrgId,
  generation: Generation,
  from: number,
  receiver: Receiver | undefined,
  context: LaneContext,
): Lane {
  const { store, clock, policy, slots, settler, dueTimes, memory, circuits, stop } = context;
  const state = createLaneState(from);
  const backlog = createBacklog(from, policy, memory);
  const ready: Item[] = [];
  const waiting = createWaitingList();
  let channel = receiver?.channel;
  const health = createLaneHealth(receiver?.health, policy.suspension);
  /** Before that nothing is sent: how its receiver did so far is not known. */
  let isKnown = receiver !== undefined;
  /** Numbers up to this one, as read from the store, are due at once. */
  let dueTo = 0;
  /** Until its suspension is decided, nothing is sent. */
  let isAsking = false;
  let reads = 0;
  let saving = 0;
  let isReading = false;
  let isScheduled = false;
  let isClosed = false;
  let hasLapsed = false;
  /** It does nothing more but land and save what is in the air, then makes room for its successor. */
  let isLeaving: 'anew' | 'failed' | undefined;
  let lastRestart: Restart | undefined;

  const seat: Seat = {
    org,
    origin: channel ? originOf(channel) : '',
    standing: receiver?.standing ?? 'unproven',
    level: receiver?.level ?? policy.firstFlights,
    flying: 0,
    hasReady: () => ready.length > 0 && !isClosed && !isHeld(),
    launch(flight) {
      const item = ready.shift();
      void send(item).then(
        (outcome) => back(flight, outcome),
        (error) => {
          back(flight, undefined);
          fail(error);
        },
      );
      soon();
    },
  };

  const lane: Lane = {
    org,
    generation,
    feed(owed) {
      for (const one of owed) backlog.feed(one);
      soon();
    },
    update(newer, isForgiven) {
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
    lapse() {
      hasLapsed = true;
      soon();
    },
    end: () => close(),
    wake: () => soon(),
    isBusy: () => !isClosed && (isScheduled || !isResting() || (!isHeld() && couldGoOn())),
    isStalled: () => !isHeld() && !hasRoom() && !backlog.isEmpty(),
    waiting: waiting.size,
  };

  if (!isKnown) start();
  soon();
  return lane;

  function start(): void {
    void read(
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

  /** Goes on a turn later, once for all that happens in this one. */
  function soon(): void {
    if (isScheduled || isClosed) return;
    isScheduled = true;
    queueMicrotask(() => {
      isScheduled = false;
      try {
        goOn();
      } catch (error) {
        fail(error);
      }
      context.onQuiet();
    });
  }

  function goOn(): void {
    if (isClosed || stop.aborted || (!isKnown && !isLeaving)) return;
    if (isHeld()) {
      slots.withdraw(seat);
      backlog.forget();
    } else {
      ready.push(...waiting.takeDue(clock.now()));
      search();
      if (isGrounded()) {
        // One is enough to probe with; what is behind it waits in the store.
        scanOn(1);
        backlog.forget();
      } else {
        scanOn(policy.channelFlights);
      }
      arm();
      slots.request(seat);
    }
    if (isResting() && (isHeld() || (isClear(state) && backlog.isEmpty()))) close();
  }

  /** No answer, save or read is awaited. */
  function isResting(): boolean {
    return seat.flying === 0 && saving === 0 && reads === 0;
  }

  /** Expired or suspended: what is owed waits for the end of that (P6). Or it leaves: for another lane. */
  function isHeld(): boolean {
    if (hasLapsed || isLeaving || isAsking || context.isSuspended(org)) return true;
    if (!channel) return false;
    return channel.lapsedFrom !== undefined || channel.suspension !== undefined || clock.now() >= channel.expiresAt;
  }

  /** The circuit of its origin admits no attempt now. */
  function isGrounded(): boolean {
    return !circuits.admits(org, seat.origin);
  }

  function couldGoOn(): boolean {
    return isGrounded() ? ready.length === 0 && mayGoOn() : ready.length > 0 || mayGoOn();
  }

  /** It is sent elsewhere, or was resumed: what failed before is tried without waiting on. */
  function forgive({ lastNumber }: Channel): void {
    health.forgive();
    waiting.free();
    dueTo = lastNumber;
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

  function hasRoom(): boolean {
    return state.unfinished.size < policy.maxUnfinished && knownRecords(state) < policy.maxRecords;
  }

  function mayGoOn(): boolean {
    return (hasRoom() && !backlog.isEmpty()) || (state.free.size > 0 && state.unfinished.size < policy.maxUnfinished);
  }

  /** Asks to be woken when the first of those that wait is due. */
  function arm(): void {
    const next = waiting.nextDueAt();
    if (next < Infinity) dueTimes.set(lane, next);
    else dueTimes.remove(lane);
  }

  function search(): void {
    while (state.unfinished.size < policy.maxUnfinished) {
      const next = nextSearch(state);
      if (!next) return;
      void read(
        () => store.firstAbout(org, generation, refOf(next.record), Math.max(next.from, owedFrom()), next.before),
        (row) => {
          if (found(state, next, row && { number: row.number, records: recordsOf(row) }) && row) admit(row);
        },
      );
    }
  }

  function scanOn(most: number): void {
    while (ready.length < most && hasRoom()) {
      const next = backlog.take();
      if (!next) {
        readOn();
        return;
      }
      if (scan(state, { number: next.number, records: recordsOf(next) })) admit(next);
    }
  }

  function readOn(): void {
    const gap = backlog.gap();
    if (!gap || isReading) return;
    isReading = true;
    const rows = memory.isFull() ? 1 : policy.windowRows;
    void read(
      () => store.window(org, generation, Math.max(gap.from, owedFrom()), rows, policy.windowBytes),
      (window) => {
        isReading = false;
        backlog.fill(gap, window);
      },
    );
  }

  function admit(owed: OwedNotification): void {
    const { number, attemptsMade } = owed;
    const dueAt = number <= dueTo ? 0 : (owed.dueAt ?? 0);
    if (number < owedFrom()) {
      // Read before it was cancelled.
      finish(state, number);
      soon();
    } else if (dueAt > clock.now()) waiting.add({ number, attemptsMade, dueAt });
    else if (memory.isFull()) ready.push({ number, attemptsMade, dueAt });
    else {
      memory.add(weigh(owed));
      ready.push({ number, attemptsMade, dueAt, owed });
    }
  }

  /** Makes one attempt; undefined when none was made. */
  async function send(item: Item | undefined): Promise<Outcome | undefined> {
    if (!item) return undefined;
    const owed = item.owed ?? (await readAgain(item.number));
    if (!context.flights.orgSignings.isKnown(org)) await loadSigning();
    if (!isClosed && (stop.aborted || !channel || isHeld())) {
      ready.unshift(item);
      return undefined;
    }
    if (item.owed) memory.add(-weigh(item.owed));
    if (isClosed || !channel) return undefined;
    if (!owed || item.number < owedFrom()) {
      // Its row says pending no more, or it was cancelled while it was read.
      finish(state, item.number);
      return undefined;
    }
    const target = channel;
    const begun = health.begin();
    const landed = await fly({ ...owed, attemptsMade: item.attemptsMade }, target, context.flights);
    land(item, landed, target, begun);
    return landed.attempt.outcome;
  }

  /** Nothing that is to be signed is sent without. */
  async function loadSigning(): Promise<void> {
    await read(
      () => context.flights.orgSignings.load(org),
      () => undefined,
    );
  }

  async function readAgain(number: number): Promise<OwedNotification | undefined> {
    let first: OwedNotification | undefined;
    await read(
      () => store.window(org, generation, number, 1, policy.windowBytes),
      ([row]) => {
        first = row;
      },
    );
    return first?.number === number ? first : undefined;
  }

  function back(flight: Flight, outcome: Outcome | undefined): void {
    slots.release(seat, flight, outcome);
    if (isClosed) context.onQuiet();
    soon();
  }

  /** `target`: the channel as it was sent to. */
  function land({ number }: Item, { attempt, next }: Landed, target: Channel, begun: number): void {
    saving += 1;
    // What waits behind a success may go before it is saved (P4).
    if (next.kind === 'done') answer(state, number);
    const told = health.judge(begun, attempt, number);
    settler.add({ org, generation, number, attempt, ...stateAfter(next), ...told }, () => {
      saving -= 1;
      const isOwed = (next.kind === 'retry' || next.kind === 'suspend') && number >= owedFrom();
      if (isOwed) waiting.add({ number, attemptsMade: attempt.attempt, dueAt: next.kind === 'retry' ? next.at : 0 });
      else finish(state, number);
      soon();
    });
    const why = health.verdict(begun, next, clock.now());
    if (why === undefined || isHeld()) return;
    isAsking = true;
    void read(
      () => context.suspend(org, { channel: target, why }),
      () => {
        isAsking = false;
      },
    );
  }

  /** Nothing is made of what was read once the lane is closed or stopped. */
  async function read<Rows>(load: () => Promise<Rows>, use: (rows: Rows) => void): Promise<void> {
    reads += 1;
    const isGivenUp = () => isClosed || stop.aborted;
    const answered = await readPatiently(load, isGivenUp, stop, (error) =>
      context.logger.error({ err: error, org, generation }, 'a lane cannot read, trying again'),
    );
    reads -= 1;
    try {
      if (answered) use(answered.rows);
    } catch (error) {
      fail(error);
    }
    soon();
  }

  /** Closes once nothing is in flight or unsaved, so that the next lane repeats nothing. */
  function fail(error: unknown): void {
    context.logger.error({ err: error, org, generation }, 'a lane failed and begins anew');
    if (isLeaving === 'failed') close();
    isLeaving = 'failed';
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
