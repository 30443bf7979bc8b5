import { setTimeout as sleep } from 'node:timers/promises';
import type { SealedPosition, SealedStore } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Brings all secrets at rest under the present key, in steps, beside everything else. */
export interface Resealing {
  /** Stops between two steps; the next start begins again and finds most of it done. */
  stop(): Promise<void>;
  /** Resolves when nothing is being done any more. */
  idle(): Promise<void>;
}

export interface ResealingOptions {
  readonly store: SealedStore;
  readonly logger: Logger;
  /** How many former keys were given. */
  readonly given: number;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 60_000;
const OTHERS_PAUSE_MS = 10_000;

/** A crash at any moment leaves a store that opens with the same keys: each text names its own, and none is lost. */
export function startResealing({ store, logger, given }: ResealingOptions): Resealing {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function walk(): Promise<number> {
    let rows = 0;
    for (let after: string | undefined; !signal.aborted; ) {
      const { resealed, last } = await store.resealOrgs(after);
      rows += resealed;
      if (last === undefined) break;
      after = last;
    }
    for (let after: SealedPosition | undefined; !signal.aborted; ) {
      const { resealed, last } = await store.resealChannels(after);
      rows += resealed;
      if (last === undefined) break;
      after = last;
    }
    return rows;
  }

  /** What others seal under a former key meanwhile would be lost with it. False when it was stopped before. */
  async function othersChanged(keyId: string): Promise<boolean> {
    for (let isTold = false; !signal.aborted; isTold = true) {
      const inUse = await store.formerKeysInUse();
      if (inUse.length === 0) return true;
      if (!isTold)
        logger.info({ keyId, inUse }, 'other nodes still seal under a former secret key: they are waited for');
      await sleep(OTHERS_PAUSE_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
    return false;
  }

  async function run(): Promise<void> {
    const former = store.formerKeys();
    const { keyId } = store;
    if (former.length === 0) {
      if (given > 0) logger.info({ keyId }, 'no former secret key is needed any more: take them away');
      return;
    }
    if (!(await othersChanged(keyId))) return;
    logger.info({ keyId, former }, 'secrets are sealed anew under the present key');
    const rows = await walk();
    if (signal.aborted) return;
    await store.forgetFormerKeys();
    logger.info({ keyId, former, rows }, 'all secrets are under the present key: take the former ones away');
  }

  /** What was done before a failure is found done. */
  async function patiently(): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        return await run();
      } catch (error) {
        if (pause === FIRST_PAUSE_MS) logger.error({ err: error }, 'secrets cannot be sealed anew, trying again');
        await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }

  const running = patiently();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
    idle: () => running,
  };
}
