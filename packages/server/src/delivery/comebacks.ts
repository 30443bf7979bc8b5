import type { Generation, OrgId } from '../domain/ids.ts';

/** Lets lanes that failed begin anew after a pause of real time, a longer one each time that they fail again. */
export interface Comebacks {
  failed(org: OrgId, generation: Generation): void;
  /** It ended well, or its channel is gone. */
  forget(generation: Generation): void;
  stop(): void;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

interface Comeback {
  readonly pause: number;
  timer: NodeJS.Timeout | undefined;
}

export function createComebacks(begin: (org: OrgId, generation: Generation) => void): Comebacks {
  const comebacks = new Map<Generation, Comeback>();
  let isStopped = false;

  return {
    failed(org, generation) {
      if (isStopped) return;
      const before = comebacks.get(generation);
      if (before?.timer) return;
      const pause = before ? Math.min(before.pause * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
      const comeback: Comeback = { pause, timer: undefined };
      comeback.timer = setTimeout(() => {
        comeback.timer = undefined;
        begin(org, generation);
      }, pause).unref();
      comebacks.set(generation, comeback);
    },
    forget(generation) {
      clearTimeout(comebacks.get(generation)?.timer);
      comebacks.delete(generation);
    },
    stop() {
      isStopped = true;
      for (const { timer } of comebacks.values()) clearTimeout(timer);
      comebacks.clear();
    },
  };
}
