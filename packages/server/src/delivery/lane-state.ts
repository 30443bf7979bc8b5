/**
 * What a lane knows about its numbers. Plain data, so that the rules of order (P4) can be tested without a socket.
 *
 * Every number below `scanFrom` has been considered: it is finished, unfinished, answered, or it was skipped because
 * something before it about one of its records was not finished. Skipped ones are not kept, only where they begin:
 * for all records r of a skipped number n, `resume[r] <= n`. A record that nobody holds is either in `free` or `looking`
 * (its next skipped number is being searched), or its `resume` is that number exactly. Beyond `last` none was skipped.
 *
 * A number that was dispatched is never found again by a search, although its row still says pending: searches start at
 * `resume`, and dispatching n moves `resume` of all its records past n.
 *
 * No two records wait for each other for ever: let n be the lowest skipped number. None of its records has a skipped
 * number below n, so each of them is held by something unfinished, which will end, or is searched until its `resume` is
 * n. The last one to get there finds all the others there, and n is dispatched.
 */
export interface LaneState {
  scanFrom: number;
  /** In flight, waiting for a retry, or parked but not saved yet; with their records. */
  readonly unfinished: Map<number, readonly string[]>;
  /** Answered 2xx, not saved yet: their rows still say pending. */
  readonly answered: Set<number>;
  /** Which unfinished number holds a record. */
  readonly holders: Map<string, number>;
  readonly resume: Map<string, number>;
  /** The last number skipped for each record that is in `resume`. */
  readonly last: Map<string, number>;
  /** Records whose next skipped number is to be searched. */
  readonly free: Set<string>;
  /** Records being searched. */
  readonly looking: Set<string>;
}

export interface Numbered {
  readonly number: number;
  /** Keys of its records, none twice. */
  readonly records: readonly string[];
}

export interface Search {
  readonly record: string;
  readonly from: number;
  /** Exclusive. */
  readonly before: number;
}

export const createLaneState = (scanFrom: number): LaneState => ({
  scanFrom,
  unfinished: new Map(),
  answered: new Set(),
  holders: new Map(),
  resume: new Map(),
  last: new Map(),
  free: new Set(),
  looking: new Set(),
});

/**
 * Considers the next pending number, not below `scanFrom`; numbers between are finished. True: it shares no record with
 * anything unfinished or skipped before it and is dispatched; it now holds its records. False: it is skipped.
 */
export function scan(state: LaneState, next: Numbered): boolean {
  state.scanFrom = next.number + 1;
  const blocked = next.records.some((record) => state.holders.has(record) || state.resume.has(record));
  if (!blocked) {
    hold(state, next);
    return true;
  }
  for (const record of next.records) {
    if (!state.resume.has(record)) state.resume.set(record, next.number);
    state.last.set(record, next.number);
  }
  return false;
}

/** It was answered 2xx: what waits behind it may go, before that is saved. */
export function answer(state: LaneState, number: number): void {
  state.answered.add(number);
  release(state, number);
}

/** It ended and that is saved, or it is no longer owed. */
export function finish(state: LaneState, number: number): void {
  state.answered.delete(number);
  release(state, number);
}

function release(state: LaneState, number: number): void {
  for (const record of state.unfinished.get(number) ?? []) {
    state.holders.delete(record);
    if (state.resume.has(record)) state.free.add(record);
  }
  state.unfinished.delete(number);
}

/** Searches that one lane makes at once. */
const MAX_SEARCHES = 32;

/** The next search to make; answer it with `found`. */
export function nextSearch(state: LaneState): Search | undefined {
  if (state.looking.size >= MAX_SEARCHES) return undefined;
  for (const record of state.free) {
    const from = state.resume.get(record);
    if (state.looking.has(record)) continue;
    state.free.delete(record);
    if (from === undefined || state.holders.has(record)) continue;
    state.looking.add(record);
    return { record, from, before: (state.last.get(record) ?? from) + 1 };
  }
  return undefined;
}

/**
 * Takes the first pending number of a search, or that there is none before `lookedTo`. True: that number is dispatched.
 */
export function found(
  state: LaneState,
  { record, before }: Search,
  first: Numbered | undefined,
  lookedTo: number = before,
): boolean {
  state.looking.delete(record);
  const from = state.resume.get(record);
  if (from === undefined || state.holders.has(record)) return false;
  if (first && first.number < from) {
    // Found before something about the record was dispatched and ended meanwhile.
    state.free.add(record);
    return false;
  }
  if (first && (state.answered.has(first.number) || state.unfinished.has(first.number))) {
    if (resumeAt(state, record, first.number + 1)) state.free.add(record);
    return false;
  }
  if (!first) {
    if (resumeAt(state, record, Math.max(lookedTo, from))) state.free.add(record);
    return false;
  }
  state.resume.set(record, first.number);
  const isNext = first.records.every((one) => !state.holders.has(one) && (state.resume.get(one) ?? 0) >= first.number);
  if (isNext) hold(state, first);
  return isNext;
}

function hold(state: LaneState, { number, records }: Numbered): void {
  state.unfinished.set(number, records);
  for (const record of records) {
    state.holders.set(record, number);
    state.free.delete(record);
    resumeAt(state, record, number + 1);
  }
}

/** Nothing was skipped for the record below the number. False: nothing was skipped beyond it, either. */
function resumeAt(state: LaneState, record: string, number: number): boolean {
  const isLeft = number <= (state.last.get(record) ?? 0);
  if (isLeft) state.resume.set(record, number);
  else {
    state.resume.delete(record);
    state.last.delete(record);
  }
  return isLeft;
}

/** How many records are kept in mind, those of both kinds twice. */
export const knownRecords = (state: LaneState): number => state.holders.size + state.resume.size;

/** Nothing that was considered is still owed. */
export const isClear = (state: LaneState): boolean =>
  state.unfinished.size === 0 && state.answered.size === 0 && state.resume.size === 0;
