/** Writes lines of one level and message; their fields are the inside of a JSON object, as text. */
export type WrittenLines = (fields: string) => void;

/** The lines that a logger of `output` would write, for fields that come again and again: their text is kept. */
export function writtenLines(output: { write(line: string): boolean }, level: number, message: string): WrittenLines {
  const end = `,"msg":${JSON.stringify(message)}}\n`;
  return (fields) => {
    output.write(`{"level":${level},"time":${Date.now()},${fields}${end}`);
  };
}
