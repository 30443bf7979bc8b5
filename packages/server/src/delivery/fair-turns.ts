import type { OrgId } from '../domain/ids.ts';

/** Does `work` when its turn comes: `most` at once, dealt round-robin by organisation, so that none waits for all of another's (P5). */
export type FairTurns = <Answer>(org: OrgId, work: () => Promise<Answer>) => Promise<Answer>;

export function createFairTurns(most: number): FairTurns {
  /** Whoever waits, by organisation, the one whose turn is next first. */
  const queues = new Map<OrgId, Set<() => void>>();
  let working = 0;

  function queueUp(org: OrgId, begin: () => void): void {
    const queue = queues.get(org);
    if (queue) queue.add(begin);
    else queues.set(org, new Set([begin]));
  }

  function nextInLine(): (() => void) | undefined {
    for (const [org, queue] of queues) {
      queues.delete(org);
      for (const begin of queue) {
        queue.delete(begin);
        if (queue.size > 0) queues.set(org, queue);
        return begin;
      }
    }
    return undefined;
  }

  return async (org, work) => {
    if (working >= most) await new Promise<void>((resolve) => queueUp(org, resolve));
    else working += 1;
    try {
      return await work();
    } finally {
      const next = nextInLine();
      if (next) next();
      else working -= 1;
    }
  };
}
