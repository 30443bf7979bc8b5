import { setTimeout as sleep } from 'node:timers/promises';
import type { OrgId } from '../domain/ids.ts';
import type { ErasureStore } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Takes organisations out of the store, in pieces, beside everything else. */
export interface Erasure {
  /** Takes up what is marked as being erased; on a store that nodes share again and again, as others may be gone. */
  start(): Promise<void>;
  /**
   * Starts on an organisation that is marked as being erased; once is enough. What is another node's to erase, it finds
   * within ten seconds.
   */
  begin(org: OrgId): void;
  /** Erases one that is marked here and now, whichever node's it is; resolves when it is gone. */
  finish(org: OrgId): Promise<void>;
  /** Stops between two pieces; what is left is done after the next start. */
  stop(): Promise<void>;
}

export interface ErasureOptions {
  readonly store: ErasureStore;
  readonly logger: Logger;
  /** Of a store that nodes share: whether this node is the one that does it for an organisation. */
  readonly isMine?: (org: OrgId) => boolean;
  /** Resolves when nothing of the organisation is being sent or saved. */
  readonly quiet: (org: OrgId) => Promise<void>;
  /** Told when no row of it is left. */
  readonly onErased: (org: OrgId) => void;
}

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 2000;
const LOOK_EVERY_MS = 10_000;

export function createErasure({ store, logger, isMine, quiet, onErased }: ErasureOptions): Erasure {
  const running = new Map<OrgId, Promise<void>>();
  const stopping = new AbortController();
  let looking: Promise<void> | undefined;
  const stopped = new Promise<void>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve(), { once: true });
  });

  /** One walk over all tables; says how many rows it found. */
  async function sweep(org: OrgId): Promise<number> {
    let removed = 0;
    for (const table of await store.tables()) {
      for (let rows = -1; rows !== 0 && !stopping.signal.aborted; removed += rows) {
        rows = await store.removeSome(org, table);
      }
    }
    return removed;
  }

  async function erase(org: OrgId): Promise<void> {
    await Promise.race([quiet(org), stopped]);
    let rows = 0;
    // What was begun before the organisation was closed may write once more: until a walk finds nothing.
    for (let found = -1; found !== 0 && !stopping.signal.aborted; rows += found) found = await sweep(org);
    if (stopping.signal.aborted) return;
    await seal();
    await store.removeOrg(org);
    onErased(org);
    await seal();
    logger.info({ org, rows }, 'an organisation is erased');
  }

  async function seal(): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; !stopping.signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      if (await store.seal()) return;
      await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  /** Failures of the store pass; each try goes on where the one before ended. */
  async function patiently(org: OrgId): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; !stopping.signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        await erase(org);
        return;
      } catch (error) {
        if (pause === FIRST_PAUSE_MS)
          logger.error({ err: error, org }, 'an organisation cannot be erased, trying again');
        await sleep(pause, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  }

  function run(org: OrgId): Promise<void> {
    const work = running.get(org) ?? patiently(org).finally(() => running.delete(org));
    running.set(org, work);
    return work;
  }

  function begin(org: OrgId): void {
    if (!stopping.signal.aborted && isMine?.(org) !== false) void run(org);
  }

  async function look(): Promise<void> {
    for (const org of await store.pending()) begin(org);
  }

  async function lookAgain(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sleep(LOOK_EVERY_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => undefined);
      if (!stopping.signal.aborted) await look().catch((error) => logger.warn({ err: error }, 'erasing is put off'));
    }
  }

  return {
    async start() {
      await look();
      if (isMine) looking = lookAgain();
    },
    begin,
    finish: run,
    async stop() {
      stopping.abort();
      await looking;
      await Promise.all(running.values());
    },
  };
}
