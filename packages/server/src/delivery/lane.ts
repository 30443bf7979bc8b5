import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel } from '../domain/channel.ts';
import type { Clock } from '../domain/clock.ts';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { Generation, OrgId, RecordId } from '../domain/ids.ts';
import { type RecordRef, recordKey } from '../domain/record.ts';
import { requestUrl } from '../domain/wire/notification-body.ts';
import type { DeliveryStore, OwedNotification } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createBacklog } from './backlog.ts';
import type { DueTimes } from './due-times.ts';
import { type FlightContext, fly, type Landed } from './flight.ts';
import { answer, createLaneState, finish, found, isClear, nextSearch, scan } from './lane-state.ts';
import type { Memory } from './memory.ts';
import type { Settler } from './settle.ts';
import type { Flight, Seat, Slots, Standing } from './slots.ts';

const MAX_SEARCHES = 8;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5000;

/** What is known of a channel when its lane starts. */
export interface Receiver {
  readonly channel: Channel;
  readonly standing: Standing;
  readonly level: number;
}

/** Sends what one channel is owed, in the order of its numbers as far as they share records (P4). */
export interface Lane {
  readonly org: OrgId;
  readonly generation: Generation;
  /** Takes notifications just committed, in number order. */
  feed(owed: readonly OwedNotification[]): void;
  /** Takes the channel as a commit left it: where it is sent to and until when. */
  update(channel: Channel): void;
  /** Its expiry was committed: no attempt starts any more. */
  lapse(): void;
  /** Its channel was deleted: what it still owes is cancelled. */
  end(): void;
  /** Something it waits for has come. */
  wake(): void;
  /** It could do something now, or waits for an answer or a save. */
  isBusy(): boolean;
  /** It owes more than it may keep track of and reads no further until something ends. */
  isStalled(): boolean;
  /** Notifications that wait for their retry. */
  waiting(): number;
}

export interface LaneContext {
  readonly store: DeliveryStore;
  readonly clock: Clock;
  readonly policy: DeliveryPolicy;
  readonly slots: Slots;
  readonly settler: Settler;
  readonly dueTimes: DueTimes<Lane>;
  readonly memory: Memory;
  readonly flights: FlightContext;
  readonly logger: Logger;
  /** Aborted when no attempt starts any more. */
  readonly stop: AbortSignal;
  /** The receiver as it is now; undefined when the channel has ended. */
  readonly findReceiver: (org: OrgId, generation: Generation) => Promise<Receiver | undefined>;
  readonly onClosed: (lane: Lane, receiver: Receiver | undefined) => void;
  /** Called when it may have stopped being busy. */
  readonly onQuiet: () => void;
}

/** A notification that was dispatched. Its content is dropped while it waits long. */
interface Item {
  readonly number: number;
  readonly attemptsMade: number;
  readonly dueAt: number;
  readonly owed: OwedNotification | undefined;
}

/** Starts a lane whose numbers before `from` are all finished. `receiver` undefined: it is looked up first. */
export function createLane(
  org: OrgId,
  generation: Generation,
  from: number,
  receiver: Receiver | undefined,
  context: LaneContext,
): Lane {
  const { store, clock, policy, slots, settler, dueTimes, stop } = context;
  const state = createLaneState(from);
  const backlog = createBacklog(from, policy, context.memory);
  const ready: Item[] = [];
  const waiting = new Map<number, Item>();
  let nextDueAt = Infinity;
  let channel = receiver?.channel;
  let reads = 0;
  let searches = 0;
  let saving = 0;
  let isReading = false;
  let isScheduled = false;
  let isClosed = false;

  const seat: Seat = {
    org,
    origin: channel ? originOf(channel) : '',
    standing: receiver?.standing ?? 'unproven',
    level: receiver?.level ?? policy.firstFlights,
    flying: 0,
    hasReady: () => ready.length > 0 && !isClosed && !isHeld(),
    launch(flight) {
      const item = ready.shift();
      // Counted before the next turn, so that the lane is not taken for finished meanwhile.
      if (item) void send(item, flight).catch((error) => fail(error));
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
    update(newer) {
      const isMoved = channel !== undefined && channel.notifyUrl !== newer.notifyUrl;
      channel = newer;
      slots.withdraw(seat);
      seat.origin = originOf(newer);
      if (isMoved) freeWaiting();
      backlog.reaches(newer.lastNumber);
      soon();
    },
    lapse() {
      if (channel) channel = { ...channel, expiresAt: Math.min(channel.expiresAt, clock.now()) };
      soon();
    },
    end: () => close(),
    wake: () => soon(),
    isBusy: () => !isClosed && (isScheduled || !isResting() || (!isHeld() && (ready.length > 0 || mayGoOn()))),
    isStalled: () => !isHeld() && !hasRoom() && !backlog.isEmpty(),
    waiting: () => waiting.size,
  };

  if (!channel) start();
  soon();
  return lane;

  function start(): void {
    void read(
      () => context.findReceiver(org, generation),
      (known) => {
        // A commit may have brought a newer channel meanwhile.
        channel ??= known?.channel;
        if (!channel) return close();
        seat.origin = originOf(channel);
        seat.standing = known?.standing ?? seat.standing;
        seat.level = known?.level ?? seat.level;
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
    if (isClosed || !channel || stop.aborted) return;
    if (isHeld()) {
      slots.withdraw(seat);
      backlog.forget();
    } else {
      wakeDue();
      search();
      scanOn();
      slots.request(seat);
    }
    const isDone = isClear(state) && backlog.isEmpty();
    if (isResting() && (isHeld() || isDone)) close();
  }

  /** No answer, save or read is awaited. */
  function isResting(): boolean {
    return seat.flying === 0 && saving === 0 && reads === 0;
  }

  /** Expired: what is owed waits for its owner to renew the channel (P6). */
  function isHeld(): boolean {
    return channel !== undefined && clock.now() >= channel.expiresAt;
  }

  function hasRoom(): boolean {
    return state.unfinished.size < policy.maxUnfinished && state.resume.size < policy.maxSkippedRecords;
  }

  function mayGoOn(): boolean {
    return (hasRoom() && !backlog.isEmpty()) || (state.free.size > 0 && state.unfinished.size < policy.maxUnfinished);
  }

  function wakeDue(): void {
    const now = clock.now();
    if (now < nextDueAt) return;
    nextDueAt = Infinity;
    for (const item of waiting.values()) {
      if (item.dueAt > now) nextDueAt = Math.min(nextDueAt, item.dueAt);
      else {
        waiting.delete(item.number);
        ready.push(item);
      }
    }
    if (nextDueAt < Infinity) dueTimes.set(lane, nextDueAt);
    else dueTimes.remove(lane);
  }

  function wait(item: Item): void {
    waiting.set(item.number, { ...item, owed: undefined });
    if (item.dueAt >= nextDueAt) return;
    nextDueAt = item.dueAt;
    dueTimes.set(lane, nextDueAt);
  }

  /** The channel goes elsewhere now: what failed there is tried here without waiting on. */
  function freeWaiting(): void {
    for (const item of waiting.values()) waiting.set(item.number, { ...item, dueAt: clock.now() });
    nextDueAt = clock.now();
    seat.standing = 'unproven';
    seat.level = policy.firstFlights;
  }

  function search(): void {
    while (searches < MAX_SEARCHES && state.unfinished.size < policy.maxUnfinished) {
      const next = nextSearch(state);
      if (!next) return;
      searches += 1;
      void read(
        () => store.firstAbout(org, generation, refOf(next.record), next.from, next.before),
        (row) => {
          searches -= 1;
          if (found(state, next, row && { number: row.number, records: recordsOf(row) }) && row) admit(row);
        },
      );
    }
  }

  function scanOn(): void {
    while (ready.length < policy.channelFlights && hasRoom()) {
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
    const rows = context.memory.isFull() ? 1 : policy.windowRows;
    void read(
      () => store.window(org, generation, gap.from, rows, policy.windowBytes),
      (window) => {
        isReading = false;
        backlog.fill(gap, window);
      },
    );
  }

  function admit(owed: OwedNotification): void {
    const { number, attemptsMade, dueAt = 0 } = owed;
    const item: Item = { number, attemptsMade, dueAt, owed: context.memory.isFull() ? undefined : owed };
    if (dueAt > clock.now()) wait(item);
    else ready.push(item);
  }

  async function send(item: Item, flight: Flight): Promise<void> {
    let owed = item.owed;
    if (!owed)
      await read(
        () => store.window(org, generation, item.number, 1, policy.windowBytes),
        (rows) => {
          owed = rows.find(({ number }) => number === item.number);
        },
      );
    if (isClosed || stop.aborted || !channel || isHeld()) {
      ready.unshift({ ...item, owed });
      slots.release(seat, flight, undefined);
    } else if (owed) {
      const landed = await fly({ ...owed, attemptsMade: item.attemptsMade }, channel, context.flights);
      land(item, landed);
      slots.release(seat, flight, landed.next.kind === 'done');
    } else {
      // Its row says pending no more.
      finish(state, item.number);
      slots.release(seat, flight, undefined);
    }
    soon();
  }

  function land({ number }: Item, { attempt, next }: Landed): void {
    const about = { org, generation, number, attempt };
    saving += 1;
    switch (next.kind) {
      case 'done':
        answer(state, number);
        settler.add({ ...about, state: 'delivered' }, () => saved(() => finish(state, number)));
        return;
      case 'retry': {
        const item: Item = { number, attemptsMade: attempt.attempt, dueAt: next.at, owed: undefined };
        settler.add({ ...about, state: 'pending', dueAt: next.at }, () => saved(() => wait(item)));
        return;
      }
      case 'park':
        settler.add({ ...about, state: 'parked' }, () => saved(() => finish(state, number)));
    }
  }

  function saved(then: () => void): void {
    saving -= 1;
    if (isClosed) return;
    then();
    soon();
  }

  /** Reads from the store, again and again while it fails; nothing more happens once the lane is closed or stopped. */
  async function read<Rows>(load: () => Promise<Rows>, use: (rows: Rows) => void): Promise<void> {
    reads += 1;
    for (let pause = FIRST_PAUSE_MS; !isClosed && !stop.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      let rows: Rows;
      try {
        rows = await load();
      } catch (error) {
        if (pause === FIRST_PAUSE_MS) context.logger.error({ err: error, org, generation }, 'a lane cannot read');
        await sleep(pause, undefined, { signal: stop, ref: false }).catch(() => undefined);
        continue;
      }
      if (!isClosed) use(rows);
      break;
    }
    reads -= 1;
    soon();
  }

  function fail(error: unknown): void {
    context.logger.error({ err: error, org, generation }, 'a lane failed and is closed until the next start');
    close();
  }

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    slots.withdraw(seat);
    dueTimes.remove(lane);
    backlog.forget();
    context.onClosed(lane, channel && { channel, standing: seat.standing, level: seat.level });
    context.onQuiet();
  }
}

const recordsOf = ({ module, ids }: OwedNotification): string[] => ids.map((id) => recordKey(module, id));

function refOf(key: string): RecordRef {
  const slash = key.lastIndexOf('/');
  return { module: key.slice(0, slash), id: key.slice(slash + 1) as RecordId };
}

const originOf = ({ notifyUrl }: Channel): string =>
  URL.canParse(notifyUrl) ? new URL(requestUrl(notifyUrl)).origin : notifyUrl;
