import { quantile } from './figures.ts';
import type { Histogram } from './scenario.ts';

/** Upper bounds in milliseconds. */
const BOUNDS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.5, 2, 3, 5, 7, 10, 15, 20, 30, 50, 100, 200, 500, 1000];

/** Milliseconds from one moment to the other, both in microseconds, sorted; those that lack one of them are left out. */
export function latencies(since: Float64Array, until: Float64Array): Float64Array {
  const millis = since.map((at, i) => ((until[i] ?? Number.NaN) - at) / 1000);
  return millis.filter((value) => !Number.isNaN(value)).sort();
}

export const quantilesOf = (sorted: Float64Array): Readonly<Record<string, number>> => ({
  p50: quantile(sorted, 0.5),
  p90: quantile(sorted, 0.9),
  p99: quantile(sorted, 0.99),
  p99_9: quantile(sorted, 0.999),
  max: quantile(sorted, 1),
});

/** Adds to what was counted before. */
export function tally(millis: Float64Array, before?: Histogram): Histogram {
  const counts = [...(before?.counts ?? new Array<number>(BOUNDS.length + 1).fill(0))];
  for (const value of millis) {
    const found = BOUNDS.findIndex((bound) => value <= bound);
    const at = found < 0 ? BOUNDS.length : found;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return { bounds: BOUNDS, counts };
}
