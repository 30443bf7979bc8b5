import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5000;

/**
 * Reads from the store, again and again while it fails, with growing pauses of real time. Undefined when `isGivenUp`
 * said so, else what was read. `onFailure` is told of the first failure.
 */
export async function readPatiently<Rows>(
  read: () => Promise<Rows>,
  isGivenUp: () => boolean,
  stop: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<{ readonly rows: Rows } | undefined> {
  for (let pause = FIRST_PAUSE_MS; !isGivenUp(); pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      const rows = await read();
      return isGivenUp() ? undefined : { rows };
    } catch (error) {
      if (pause === FIRST_PAUSE_MS) onFailure(error);
      await sleep(pause, undefined, { signal: stop, ref: false }).catch(() => undefined);
    }
  }
  return undefined;
}
