const sorted = (numbers) => [...numbers].sort((a, b) => a - b);

/** The value that the part `share` of them do not exceed. */
export const quantile = (numbers, share) =>
  sorted(numbers)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))];

export const median = (numbers) => quantile(numbers, 0.5);

const cells = ({ p50, p99, max }) => [p50, p99, max].map((number) => number.toFixed(1).padStart(9)).join('');

/** Writers' milliseconds, alone and beside the reads, round by round. */
export const HEAD = [
  'writes |      alone, ms             |      beside reads, ms',
  'round |      p50      p99      max |      p50      p99      max',
].join('\n');
export const row = (round, alone, beside) => `${String(round).padStart(5)} |${cells(alone)} |${cells(beside)}`;
