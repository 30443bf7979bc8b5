/** What lines are written to without waiting. */
interface Output {
  write(text: string): boolean;
  /** Writes what it still has, at the end of the process; but for what it is writing, of which all may not get out. */
  flushSync(): void;
  /** Whether it writes in the turn in which it is told to. */
  sync?: boolean;
}

/** Characters that are written at once, however many lines there are: as many as a pipe that is read has room for. */
const PIECE = 16 * 1024;

/** How long a line waits for others. */
const WITHIN_MS = 50;

/** Has an output take the lines of a moment together: writing them wakes a thread, which wakes this one when it is done. */
export function inPieces<Lines extends Output>(output: Lines): Lines {
  let lines: string[] = [];
  let length = 0;
  const write = output.write.bind(output);
  const flushSync = output.flushSync.bind(output);

  function take(): string[] {
    const taken = lines;
    lines = [];
    length = 0;
    return taken;
  }
  function pass(): void {
    if (lines.length > 0) write(take().join(''));
  }

  return Object.assign(output, {
    write(line: string) {
      if (length + line.length > PIECE) pass();
      length += line.length;
      if (lines.push(line) === 1) setTimeout(pass, WITHIN_MS).unref();
      return true;
    },
    flushSync() {
      // In this turn: a thread that is told to write may end before it does.
      output.sync = true;
      for (const line of take()) write(line);
      output.sync = false;
      flushSync();
    },
  });
}
