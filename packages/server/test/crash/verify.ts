import type { Acknowledged } from './load.ts';
import type { Arrival } from './recorder.ts';

export interface Verdict {
  readonly arrivals: number;
  readonly distinct: number;
  readonly duplicates: number;
  /** Acknowledged changes that a channel owed them never got. */
  readonly lost: readonly string[];
  /** Numbers missing in a generation between 1 and its last. */
  readonly gaps: readonly string[];
  /** First arrivals of one record out of commit order. */
  readonly disorder: readonly string[];
}

/** One channel of the run: which operations on contacts it watches, and how many numbers the store gave out. */
export interface Watched {
  readonly name: string;
  readonly generation: string;
  readonly operations: readonly string[];
  readonly lastNumber: number;
}

/** Holds what arrived against what was answered 2xx. */
export function verify(
  channels: readonly Watched[],
  arrivals: readonly Arrival[],
  acknowledged: readonly Acknowledged[],
): Verdict {
  const lost: string[] = [];
  const gaps: string[] = [];
  const disorder: string[] = [];
  for (const channel of channels) {
    const own = arrivals.filter(({ generation }) => generation === channel.generation);
    const first = new Map<number, Arrival>();
    for (const arrival of own) if (!first.has(arrival.number)) first.set(arrival.number, arrival);
    for (let number = 1; number <= channel.lastNumber; number += 1) {
      if (!first.has(number)) gaps.push(`${channel.name} #${number}`);
    }
    const lastOfRecord = new Map<string, number>();
    for (const { number, ids } of first.values()) {
      for (const id of ids) {
        const before = lastOfRecord.get(id) ?? 0;
        if (number < before) disorder.push(`${channel.name} record ${id}: #${number} after #${before}`);
        lastOfRecord.set(id, number);
      }
    }
    const got = new Set(own.flatMap((arrival) => arrival.ids.map((id) => mark(arrival.operation, id, arrival))));
    for (const change of acknowledged) {
      const wanted = `${change.operation} ${change.id} ${change.description ?? ''}`;
      if (channel.operations.includes(change.operation) && !got.has(wanted)) lost.push(`${channel.name}: ${wanted}`);
    }
  }
  const distinct = new Set(arrivals.map(({ id }) => id)).size;
  return { arrivals: arrivals.length, distinct, duplicates: arrivals.length - distinct, lost, gaps, disorder };
}

const mark = (operation: string, id: string, arrival: Arrival): string =>
  `${operation} ${id} ${arrival.descriptions.get(id) ?? ''}`;
