import type { Figures } from './scenario.ts';

/** Of at least one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}

/** The value that a share of all does not exceed; of sorted ones. */
export const quantile = (sorted: ArrayLike<number>, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? Number.NaN;

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

/** One figure of each round; empty when it was not measured. */
export const valuesOf = (rounds: readonly Figures[] | undefined, figure: string): number[] =>
  (rounds ?? []).flatMap((figures) => figures[figure] ?? []);

/** Of what was measured one after the other in the same round. */
export const pairs = (
  left: readonly number[],
  right: readonly number[],
  combine: (left: number, right: number) => number,
): number[] => left.slice(0, right.length).map((value, round) => combine(value, right[round] ?? Number.NaN));

/** Four digits that count, with thousands apart. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return value === 0 ? '0' : value.toFixed(2);
}
