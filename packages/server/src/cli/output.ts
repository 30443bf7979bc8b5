/** Data: what was asked for, on stdout. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** One JSON object on one line. */
export function printJson(value: object): void {
  print(JSON.stringify(value));
}

/** Everything that is not data, on stderr. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/**
 * Columns of a table for people, two blanks apart; the last one is not padded. A terminal is given no orders: what
 * receivers answer, and names, may hold escapes, line ends and what turns the direction of writing.
 */
export function table(given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map((cell) => cell.replaceAll(ORDERS, escaped)));
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  const line = (row: readonly string[]) =>
    row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('  ');
  return rows.map(line).join('\n');
}

const ORDERS = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu;
const escaped = (order: string): string => `\\u${order.charCodeAt(0).toString(16).padStart(4, '0')}`;
