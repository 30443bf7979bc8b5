/** Whole numbers, both ends inclusive. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** What is left of the ranges without the others. Both in order, none of one list overlapping another of it. */
export function withoutRanges<Kept extends Range>(ranges: readonly Kept[], others: readonly Range[]): Kept[] {
  const left: Kept[] = [];
  let next = 0;
  for (const range of ranges) {
    let { from } = range;
    while ((others[next]?.to ?? Infinity) < from) next += 1;
    for (let at = next; from <= range.to; at += 1) {
      const other = others[at];
      if (!other || other.from > range.to) {
        left.push({ ...range, from });
        break;
      }
      if (other.from > from) left.push({ ...range, from, to: other.from - 1 });
      from = other.to + 1;
    }
  }
  return left;
}
