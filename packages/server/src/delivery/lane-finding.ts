import type { Generation, OrgId } from '../domain/ids.ts';
import type { OwedNotification } from '../storage/store.ts';
import type { Backlog } from './backlog.ts';
import type { LaneContext } from './lane-context.ts';
import type { LaneReads } from './lane-reads.ts';
import {
  finish,
  found,
  knownRecords,
  type LaneState,
  type Numbered,
  nextSearch,
  type Search,
  scan,
} from './lane-state.ts';
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
  let isSearching = false;

  function hasRoom(): boolean {
    return state.unfinished.size < policy.maxUnfinished && knownRecords(state) < policy.maxRecords;
  }

  function search(): void {
    if (isSearching) return;
    const searches: Search[] = [];
    for (let room = policy.maxUnfinished - state.unfinished.size; room > 0; room -= 1) {
      const next = nextSearch(state);
      if (!next) break;
      searches.push(next);
    }
    if (searches.length > 0) searchAll(searches);
  }

  /** In one read; what is freed meanwhile is searched by the next one. */
  function searchAll(searches: readonly Search[]): void {
    isSearching = true;
    void reads.read(
      () =>
        searchTurn(org, () => {
          const owedFrom = lane.owedFrom();
          const asked = searches.map(({ record, from, before }) => ({
            record: refOf(record),
            from: Math.max(from, owedFrom),
            before,
          }));
          return store.firstAbout(org, generation, asked, policy.windowBytes);
        }),
      (answers) => {
        isSearching = false;
        searches.forEach((one, i) => {
          const { owed, lookedTo } = answers[i] ?? {};
          if (found(state, one, owed && numbered(owed), lookedTo) && owed) admit(owed);
        });
      },
    );
  }

  function scanOn(most: number): void {
    while (ready.length < most && hasRoom()) {
      const next = backlog.take();
      if (!next) {
        readOn();
        return;
      }
      if (scan(state, numbered(next))) admit(next);
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

const numbered = (owed: OwedNotification): Numbered => ({ number: owed.number, records: recordsOf(owed) });
