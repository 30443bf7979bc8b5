const sorted = (numbers) => [...numbers].sort((a, b) => a - b);

/** The value that the part `share` of them do not exceed. */
export const quantile = (numbers, share) =>
  sorted(numbers)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))];

export const median = (numbers) => quantile(numbers, 0.5);

/** Writers' milliseconds, alone and beside the reads, round by round. */
export function table(results) {
  const cell = (number) => number.toFixed(1).padStart(9);
  const row = ({ round, alone, beside }) =>
    `${String(round).padStart(5)} |${cell(alone.p50)}${cell(alone.p99)}${cell(alone.max)} |${cell(beside.p50)}${cell(beside.p99)}${cell(beside.max)}`;
  return [
    'writes |      alone, ms             |      beside reads, ms',
    'round |      p50      p99      max |      p50      p99      max',
    ...results.map(row),
  ].join('\n');
}
