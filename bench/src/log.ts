/** Progress of long work, to standard error: the report alone goes to standard output. */
export type Log = (text: string) => void;

export const log: Log = (text) => {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
};
