/** A jump of the machine's clock ahead of what was counted: it stood still, or was set. */
const JUMP_MS = 500;

/**
 * Milliseconds that never run backwards. The kernel's own do not count while a machine is suspended, but its clock is
 * ahead afterwards: that is counted, too. A clock that is set forward looks the same, and only costs some patience.
 */
export function createMonotonic(
  counted: () => number = () => performance.now(),
  clock: () => number = Date.now,
): () => number {
  let lastCounted = counted();
  let lastClock = clock();
  let slept = 0;
  return () => {
    const now = counted();
    const wall = clock();
    const ahead = wall - lastClock - (now - lastCounted);
    if (ahead > JUMP_MS) slept += ahead;
    lastCounted = now;
    lastClock = wall;
    return now + slept;
  };
}
