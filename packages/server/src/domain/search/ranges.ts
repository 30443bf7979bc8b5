import type { Range } from './condition.ts';

export type Ordered = string | number;

interface Ranged<Value> {
  readonly ranges: readonly Range<Value>[];
  readonly outside: boolean;
}

/** What an operator on ordered values asks for. `between` includes both of its ends. */
export function rangesOf<Value extends Ordered>(operator: string, values: readonly Value[]): Ranged<Value> {
  const [first, second] = values;
  const within = (range: Range<Value>): Ranged<Value> => ({ ranges: [range], outside: false });
  if (first === undefined) return { ranges: [], outside: false };
  switch (operator) {
    case 'greater_than':
      return within({ from: first, above: true });
    case 'greater_equal':
      return within({ from: first });
    case 'less_than':
      return within({ to: first, below: true });
    case 'less_equal':
      return within({ to: first });
    case 'between':
      return within({ from: first, ...(second !== undefined && { to: second }) });
    default:
      return { ranges: values.map((value) => ({ from: value, to: value })), outside: operator === 'not_equal' };
  }
}

export const inRanges = <Value>({ ranges, outside }: Ranged<Value>, change: (range: Range<Value>) => Range<Value>) => ({
  ranges: ranges.map(change),
  outside,
});

const SECOND_MS = 1000;

/** Times of records are kept to the millisecond and shown to the second: a second stands for all of its milliseconds. */
export function secondsOf({ from, above, to, below }: Range<number>): Range<number> {
  return {
    ...(from !== undefined && { from: above ? from + SECOND_MS : from }),
    ...(to !== undefined && (below ? { to, below } : { to: to + SECOND_MS, below: true })),
  };
}
