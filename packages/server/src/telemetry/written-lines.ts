import type { WrittenLines } from './logger.ts';

/** The lines that a logger of `output` would write, for fields that come again and again: their text is kept. */
export function writtenLines(output: { write(line: string): boolean }, level: number, message: string): WrittenLines {
  const end = `,"msg":${JSON.stringify(message)}}\n`;
  return (fields) => {
    output.write(`{"level":${level},"time":${Date.now()},${fields}${end}`);
  };
}
