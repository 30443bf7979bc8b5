import type { ClusterWorld } from './world.ts';

const LOOKED_AT = 20_000;

/** Measured channels that the node was the last to send for. */
export function channelsOf({ journal: { arrivals }, measured }: ClusterWorld, address: string): string[] {
  const left = new Set(measured);
  const own: string[] = [];
  for (let at = arrivals.length - 1; at >= 0 && left.size > 0 && at > arrivals.length - LOOKED_AT; at -= 1) {
    const arrival = arrivals[at];
    if (arrival && left.delete(arrival.generation) && arrival.from === address) own.push(arrival.generation);
  }
  return own;
}

export interface HandOver {
  /** From `since` to the next arrival of each channel from another node, ms. */
  readonly waits: readonly number[];
  /** Channels that nothing came for. */
  readonly missing: readonly string[];
}

/** Waits until something came for each of the channels that others than these sent. `since`: this process' own time. */
export async function nextArrivals(
  { journal }: ClusterWorld,
  channels: readonly string[],
  senders: readonly string[],
  since: number,
  patienceMs: number,
): Promise<HandOver> {
  const left = new Set(channels);
  const waits: number[] = [];
  let next = journal.arrivals.findLastIndex(({ at }) => at <= since) + 1;
  const look = () => {
    for (; next < journal.arrivals.length; next += 1) {
      const arrival = journal.arrivals[next];
      if (arrival && !senders.includes(arrival.from) && left.delete(arrival.generation)) waits.push(arrival.at - since);
    }
    return left.size === 0;
  };
  await journal.until(look, patienceMs);
  return { waits, missing: [...left] };
}

export interface Spread {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** In whole ms. */
export function spreadOf(times: readonly number[]): Spread | undefined {
  const sorted = times.map(Math.round).sort((a, b) => a - b);
  const [min] = sorted;
  const median = sorted[Math.floor(sorted.length / 2)];
  const max = sorted.at(-1);
  if (min === undefined || median === undefined || max === undefined) return undefined;
  return { count: sorted.length, min, median, max };
}
