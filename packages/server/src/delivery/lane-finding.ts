import type { Generation, OrgId } from '../domain/ids.ts';
import type { OwedNotification } from '../storage/store.ts';
import type { Backlog } from './backlog.ts';
import type { LaneContext } from './lane-context.ts';
import type { LaneReads } from './lane-reads.ts';
import { finish, found, knownRecords, type LaneState, nextSearch, scan } from './lane-state.ts';
import { type OrgMemory, weigh } from './memory.ts';
import { recordsOf, refOf } from './record-keys.ts';
import type { Item, WaitingList } from './waiting.ts';

/** Finds what a lane may send next: in what it is fed and in the store. */
export interface LaneFinding {
  /** Looks for what waited behind something that ended. */
  search(): void;
  /** Goes on in its numbers until `most` are ready. */
  scanOn(most: number): void;
  hasRoom(): boolean;
  mayGoOn(): boolean;
  /** Numbers up to this one, as read from the store, are due at once. */
  freeTo(number: number): void;
}

/** What finding needs of its lane. */
export interface FindingLane {
  readonly org: OrgId;
  readonly generation: Generation;
  readonly state: LaneState;
  readonly backlog: Backlog;
  readonly ready: Item[];
  readonly waiting: WaitingList;
  readonly reads: LaneReads;
  readonly memory: OrgMemory;
  /** Numbers before it are owed no more. */
  owedFrom(): number;
  soon(): void;
}

export function createLaneFinding(
  { org, generation, state, backlog, ready, waiting, reads, memory, ...lane }: FindingLane,
  { store, clock, policy, searchTurn }: Pick<LaneContext, 'store' | 'clock' | 'policy' | 'searchTurn'>,
): LaneFinding {
  let dueTo = 0;
  let isReading = false;

  function hasRoom(): boolean {
    return state.unfinished.size < policy.maxUnfinished && knownRecords(state) < policy.maxRecords;
  }

  function search(): void {
    while (state.unfinished.size < policy.maxUnfinished) {
      const next = nextSearch(state);
      if (!next) return;
      const { record, from, before } = next;
      void reads.read(
        () =>
          searchTurn(org, () =>
            store.firstAbout(org, generation, refOf(record), Math.max(from, lane.owedFrom()), before),
          ),
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
    void reads.read(
      () => store.window(org, generation, Math.max(gap.from, lane.owedFrom()), rows, policy.windowBytes),
      (window) => {
        isReading = false;
        backlog.fill(gap, window);
      },
    );
  }

  function admit(owed: OwedNotification): void {
    const { number, attemptsMade } = owed;
    const dueAt = number <= dueTo ? 0 : (owed.dueAt ?? 0);
    if (number < lane.owedFrom()) {
      // Read before it was cancelled.
      finish(state, number);
      lane.soon();
    } else if (dueAt > clock.now()) waiting.add({ number, attemptsMade, dueAt });
    else if (memory.isFull()) ready.push({ number, attemptsMade, dueAt });
    else {
      memory.add(weigh(owed));
      ready.push({ number, attemptsMade, dueAt, owed });
    }
  }

  return {
    search,
    scanOn,
    hasRoom,
    mayGoOn: () =>
      (hasRoom() && !backlog.isEmpty()) || (state.free.size > 0 && state.unfinished.size < policy.maxUnfinished),
    freeTo(number) {
      dueTo = number;
    },
  };
}
