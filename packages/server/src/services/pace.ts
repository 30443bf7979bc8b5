import { setTimeout as sleep } from 'node:timers/promises';

/** Keeps long work in the background from standing in the way of writers: pieces that take a moment, and rests. */
export interface Pace {
  /** Rows of the next piece. */
  size(): number;
  /** Does one piece, and rests three times as long as it took. */
  timed<Result>(piece: () => Promise<Result>): Promise<Result>;
  isStopped(): boolean;
  /** The piece that is being done is the last one, and nobody rests any more. */
  stop(): void;
}

export interface PaceOptions {
  readonly leastRows: number;
  readonly mostRows: number;
  /** What a piece should take; real time, ms. One that takes longer is followed by smaller ones. */
  readonly aimMs: number;
}

/** How many times as long as a piece took the rest after it lasts. */
const REST = 3;
const LONGEST_REST_MS = 1000;
/** What finds nothing to do takes less. */
const WORTH_A_REST_MS = 2;

export function createPace({ leastRows, mostRows, aimMs }: PaceOptions): Pace {
  const stopping = new AbortController();
  let rows = leastRows;
  return {
    size: () => rows,
    async timed(piece) {
      const start = performance.now();
      const result = await piece();
      const took = performance.now() - start;
      if (took > aimMs) rows = Math.max(leastRows, Math.floor(rows / 2));
      else if (took < aimMs / 2) rows = Math.min(mostRows, rows * 2);
      const rest = Math.min(took * REST, LONGEST_REST_MS);
      if (took >= WORTH_A_REST_MS) await sleep(rest, undefined, { signal: stopping.signal }).catch(() => undefined);
      return result;
    },
    isStopped: () => stopping.signal.aborted,
    stop: () => stopping.abort(),
  };
}
