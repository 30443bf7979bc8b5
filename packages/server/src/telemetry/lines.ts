/** What lines are written to without waiting. */
interface Output {
  write(text: string): boolean;
  /** Writes what it still has, at the end of the process. */
  flushSync(): void;
}

/** Has an output take the lines of one turn of the event loop together, which costs it as much as one of them. */
export function inTurns<Lines extends Output>(output: Lines): Lines {
  let lines: string[] = [];
  const write = output.write.bind(output);
  const flushSync = output.flushSync.bind(output);

  function pass(): void {
    if (lines.length === 0) return;
    const text = lines.join('');
    lines = [];
    write(text);
  }

  return Object.assign(output, {
    write(line: string) {
      if (lines.push(line) === 1) setImmediate(pass);
      return true;
    },
    flushSync() {
      pass();
      flushSync();
    },
  });
}
