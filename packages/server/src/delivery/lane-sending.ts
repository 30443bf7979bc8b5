import type { Attempt, NextStep, Outcome } from '../domain/attempt.ts';
import type { Channel } from '../domain/channel.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import { stateAfter } from '../domain/next-step.ts';
import type { OwedNotification } from '../storage/store.ts';
import { fly } from './flight.ts';
import type { LaneContext } from './lane-context.ts';
import type { LaneHealth } from './lane-health.ts';
import type { LaneReads } from './lane-reads.ts';
import { answer, finish, type LaneState } from './lane-state.ts';
import { type OrgMemory, weigh } from './memory.ts';
import type { Hold } from './ownership.ts';
import type { Item, WaitingList } from './waiting.ts';

/** Sends what a lane dispatched, saves what came of it, and asks for the suspension of a channel that fails. */
export interface LaneSending {
  /** Makes one attempt; undefined when none was made. To be followed by `leave`, whatever came of it. */
  send(item: Item): Promise<Outcome | undefined>;
  leave(item: Item): void;
  /** Outcomes are not saved yet. */
  isSaving(): boolean;
  /** Until its suspension is decided, nothing is sent. */
  isAsking(): boolean;
}

/** What sending needs of its lane. */
export interface SendingLane {
  readonly org: OrgId;
  readonly generation: Generation;
  readonly hold: Hold;
  readonly state: LaneState;
  readonly waiting: WaitingList;
  readonly health: LaneHealth;
  readonly reads: LaneReads;
  readonly memory: OrgMemory;
  /** As it is now. */
  channel(): Channel | undefined;
  /** Reads it anew. */
  readChannel(): Promise<void>;
  isClosed(): boolean;
  isHeld(): boolean;
  /** Numbers before it are owed no more. */
  owedFrom(): number;
  /** Takes back what cannot be sent now: it is the next that is. */
  putBack(item: Item): void;
  soon(): void;
}

export function createLaneSending(
  { org, generation, hold, state, waiting, health, reads, memory, ...lane }: SendingLane,
  context: LaneContext,
): LaneSending {
  const { store, clock, policy, ownership, settler, flights, air, stop } = context;
  let saving = 0;
  let isAsking = false;

  function send(item: Item): Promise<Outcome | undefined> {
    try {
      const room = air.enter(org, bytesOf(item));
      const { owed, number } = item;
      const target = lane.channel();
      // Most have nothing to wait for.
      const isReady = !room && owed && target && flights.orgSignings.isKnown(org) && !mayHaveBegunAnew(number);
      if (isReady && number >= lane.owedFrom() && mayStart()) return go(item, owed, target);
      return prepare(item, room);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async function prepare(item: Item, room: Promise<void> | undefined): Promise<Outcome | undefined> {
    if (room) await room;
    const owed = item.owed ?? (await readAgain(item.number));
    if (!flights.orgSignings.isKnown(org)) await loadSigning();
    while (mayHaveBegunAnew(item.number)) await lane.readChannel();
    const target = lane.channel();
    if (!lane.isClosed() && (!target || !mayStart())) {
      lane.putBack(item);
      return undefined;
    }
    if (lane.isClosed() || !target || !owed || item.number < lane.owedFrom()) {
      if (item.owed) memory.add(-weigh(item.owed));
      // Its row says pending no more, or it was cancelled while it was read.
      if (!lane.isClosed() && target) finish(state, item.number);
      return undefined;
    }
    return go(item, owed, target);
  }

  const mayStart = (): boolean => !lane.isClosed() && !stop.aborted && !lane.isHeld() && ownership.mayStart(org, hold);

  function go(item: Item, owed: OwedNotification, target: Channel): Promise<Outcome> {
    if (item.owed) memory.add(-weigh(item.owed));
    const begun = health.begin();
    hold.unsaved += 1;
    return fly(owed, item.attemptsMade, target, flights, (attempt, next) => {
      land(item, attempt, next, target, begun);
      return attempt.outcome;
    });
  }

  /** What it counts for in the air. */
  const bytesOf = ({ owed }: Item): number => (owed ? weigh(owed) : policy.windowBytes);

  /** Numbered by another node since the channel was read here, under an epoch in which its numbers begin anew. */
  function mayHaveBegunAnew(number: number): boolean {
    const channel = lane.channel();
    if (!channel || lane.isClosed() || stop.aborted) return false;
    return channel.epoch < ownership.epoch() && number > channel.lastNumber;
  }

  /** Nothing that is to be signed is sent without. */
  async function loadSigning(): Promise<void> {
    await reads.read(
      () => flights.orgSignings.load(org),
      () => undefined,
    );
  }

  async function readAgain(number: number): Promise<OwedNotification | undefined> {
    let first: OwedNotification | undefined;
    await reads.read(
      () => store.window(org, generation, number, 1, policy.windowBytes),
      ([row]) => {
        first = row;
      },
    );
    return first?.number === number ? first : undefined;
  }

  /** `target`: the channel as it was sent to. */
  function land({ number }: Item, attempt: Attempt, next: NextStep, target: Channel, begun: number): void {
    saving += 1;
    // What waits behind a success may go before it is saved (P4).
    if (next.kind === 'done') answer(state, number);
    const told = health.judge(begun, attempt, number);
    const { state: settled, dueAt } = stateAfter(next);
    const settlement = {
      org,
      generation,
      number,
      attempt,
      state: settled,
      dueAt,
      health: told,
      epoch: hold.epoch,
      // Asked when it is written, for which it may wait.
      get isCancelled() {
        return lane.isClosed() || number < lane.owedFrom() || undefined;
      },
    };
    settler.add(settlement, (isSaved) => {
      saving -= 1;
      hold.unsaved -= 1;
      // Its next owner sends it again.
      if (!isSaved) return context.onRefused(hold);
      if (hold.unsaved === 0) context.onSettled(hold);
      const isOwed = (next.kind === 'retry' || next.kind === 'suspend') && number >= lane.owedFrom();
      if (isOwed) waiting.add({ number, attemptsMade: attempt.attempt, dueAt: next.kind === 'retry' ? next.at : 0 });
      else finish(state, number);
      if (isOwed || saving === 0 || state.free.size > 0) lane.soon();
    });
    if (next.kind === 'done') return;
    const why = health.verdict(begun, next, clock.now());
    if (why === undefined || lane.isHeld()) return;
    isAsking = true;
    void reads.read(
      () => context.suspend(org, { channel: target, why }),
      () => {
        isAsking = false;
      },
    );
  }

  return {
    send,
    leave: (item) => air.leave(org, bytesOf(item)),
    isSaving: () => saving > 0,
    isAsking: () => isAsking,
  };
}
