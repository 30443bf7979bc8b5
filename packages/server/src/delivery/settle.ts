import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import { AppError } from '../domain/error.ts';
import type { OrgId } from '../domain/ids.ts';
import type { DeliveryStore, Settlement } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5000;

/**
 * Writes outcomes down, everything that waits together, one write at a time and in the order they came. An outcome that
 * comes alone waits a little for others, or for a commit that it can share.
 */
export interface Settler {
  /** `told` is called once it is durable, or was refused since another node owns its bucket. */
  add(settlement: Settlement, told: (isSaved: boolean) => void): void;
  /** Writes what waits without waiting for more. */
  hurry(): void;
  size(): number;
  /** Whether something of the organisation is unsaved. */
  holds(org: OrgId): boolean;
  /** So much is unsaved that no new attempt may start. */
  isFull(): boolean;
  /** Resolves when all is saved, or when `stop` gives up on it: then it is attempted again after the next start. */
  drain(stop: AbortSignal): Promise<void>;
}

export interface SettlerOptions {
  readonly store: Pick<DeliveryStore, 'settle'>;
  readonly policy: Pick<DeliveryPolicy, 'settleBatch' | 'settleWithin' | 'settleAtOnce' | 'maxUnsettled'>;
  readonly metrics: Pick<Metrics, 'settleBatch' | 'refusedOutcomes'>;
  readonly logger: Logger;
  /** Somebody waits for all to be saved. */
  readonly isAwaited: () => boolean;
  /** Called after each write. */
  readonly onSaved: () => void;
}

interface Waiting {
  readonly settlement: Settlement;
  readonly told: (isSaved: boolean) => void;
}

export function createSettler({ store, policy, metrics, logger, isAwaited, onSaved }: SettlerOptions): Settler {
  const queue: Waiting[] = [];
  const many = Math.min(policy.settleAtOnce, policy.maxUnsettled);
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isHurried = false;
  let isDraining = false;
  const given = new AbortController();

  const isDue = (): boolean => isHurried || isDraining || queue.length >= many || isAwaited();

  function begin(): void {
    clearTimeout(timer);
    timer = undefined;
    isHurried = true;
    running ??= run();
  }

  function wait(): void {
    if (isDue()) begin();
    else timer ??= setTimeout(begin, policy.settleWithin);
  }

  async function run(): Promise<void> {
    let pause = 0;
    let size = policy.settleBatch;
    while (queue.length > 0 && isDue() && !given.signal.aborted) {
      isHurried = false;
      const batch = queue.slice(0, size);
      let refused: readonly Settlement[] = [];
      try {
        refused = await store.settle(batch.map(({ settlement }) => settlement));
        if (pause > 0) logger.info({ settled: batch.length }, 'outcomes are saved again');
        pause = 0;
      } catch (error) {
        isHurried = true;
        if (isPassing(error)) {
          if (pause === 0)
            logger.error({ err: error, unsettled: queue.length }, 'outcomes cannot be saved, trying again');
          pause = Math.min(Math.max(pause * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
          await sleep(pause, undefined, { signal: given.signal }).catch(() => undefined);
          continue;
        }
        if (batch.length > 1) {
          // One of them is at fault: found by halves, so that the others are saved.
          size = Math.ceil(batch.length / 2);
          continue;
        }
        const { org, generation, number } = batch[0]?.settlement ?? {};
        logger.error(
          { err: error, org, generation, number },
          'an outcome cannot be saved; it is sent again after a restart',
        );
      }
      size = policy.settleBatch;
      metrics.settleBatch.observe(batch.length);
      queue.splice(0, batch.length);
      if (refused.length > 0) metrics.refusedOutcomes.inc(refused.length);
      for (const { settlement, told } of batch) told(refused.length === 0 || !refused.includes(settlement));
      onSaved();
    }
    isHurried = false;
    running = undefined;
    if (queue.length > 0 && !given.signal.aborted) wait();
  }

  return {
    add(settlement, told) {
      queue.push({ settlement, told });
      if (!running) wait();
    },
    hurry() {
      if (queue.length > 0) begin();
    },
    size: () => queue.length,
    holds: (org) => queue.some(({ settlement }) => settlement.org === org),
    isFull: () => queue.length >= policy.maxUnsettled,
    async drain(stop) {
      isDraining = true;
      const givenUp = new Promise<void>((resolve) => {
        given.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      if (stop.aborted) given.abort();
      stop.addEventListener('abort', () => given.abort(), { once: true });
      if (queue.length > 0) begin();
      if (running && !given.signal.aborted) await Promise.race([running, givenUp]);
    },
  };
}

/** The store's trouble, which ends; anything else is a fault of this one write, which would fail for ever. */
const isPassing = (error: unknown): boolean => error instanceof AppError && error.code === 'SERVICE_UNAVAILABLE';
