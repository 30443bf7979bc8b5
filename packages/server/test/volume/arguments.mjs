/** Whole numbers from 1 to ten million; ends the process with what is wrong. */
export function readCounts(values) {
  return Object.fromEntries(
    Object.entries(values).map(([name, text]) => {
      if (/^[1-9]\d{0,7}$/.test(text)) return [name, Number(text)];
      process.stderr.write(`--${name} must be a whole number from 1 to 99999999\n`);
      return process.exit(2);
    }),
  );
}
