import type { OrgId } from '../domain/ids.ts';

/** Those who wait until nothing happens any more. */
export interface Quiet {
  /** Resolves when all is idle. */
  idle(): Promise<void>;
  /** Resolves when an organisation is quiet. */
  of(org: OrgId): Promise<void>;
  /** Somebody waits. */
  isAwaited(): boolean;
  /** Something may have ended. */
  check(): void;
}

export function createQuiet(isIdle: () => boolean, isQuiet: (org: OrgId) => boolean): Quiet {
  const idlers: (() => void)[] = [];
  const waiters = new Map<() => void, OrgId>();

  function check(): void {
    if (idlers.length > 0 && isIdle()) for (const resolve of idlers.splice(0)) resolve();
    for (const [resolve, org] of waiters) {
      if (!isQuiet(org)) continue;
      waiters.delete(resolve);
      resolve();
    }
  }

  return {
    idle: () =>
      new Promise((resolve) => {
        idlers.push(resolve);
        queueMicrotask(check);
      }),
    of: (org) =>
      new Promise((resolve) => {
        waiters.set(resolve, org);
        queueMicrotask(check);
      }),
    isAwaited: () => idlers.length + waiters.size > 0,
    check,
  };
}
