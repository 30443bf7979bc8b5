import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcome } from '../domain/attempt.ts';
import type { OrgId } from '../domain/ids.ts';
import type { Notice } from '../domain/notice.ts';
import type { NoticeStore } from '../storage/store.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Writes down what became of notices, all that waits together. */
export interface NoticeSettler {
  add(org: OrgId, notice: Notice, outcome?: Outcome): void;
  size(): number;
  /** Whether something of the organisation is unsaved. */
  holds(org: OrgId): boolean;
}

export interface NoticeSettlerOptions {
  readonly store: Pick<NoticeStore, 'settle'>;
  readonly logger: Logger;
  /** Gives up on what is unsaved: it is sent again after the next start. */
  readonly stop: AbortSignal;
  readonly onSaved: (org: OrgId, notice: Notice) => void;
}

type Settled = Parameters<NoticeStore['settle']>[0][number];

const AT_ONCE = 500;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5000;

export function createNoticeSettler({ store, logger, stop, onSaved }: NoticeSettlerOptions): NoticeSettler {
  const queue: Settled[] = [];
  let isRunning = false;

  async function run(): Promise<void> {
    for (let pause = 0; queue.length > 0; ) {
      const batch = queue.slice(0, AT_ONCE);
      try {
        if (!stop.aborted) await store.settle(batch);
        pause = 0;
      } catch (error) {
        if (pause === 0) logger.error({ err: error, unsettled: queue.length }, 'notices cannot be saved, trying again');
        pause = Math.min(Math.max(pause * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
        await sleep(pause, undefined, { signal: stop, ref: false }).catch(() => undefined);
        continue;
      }
      queue.splice(0, batch.length);
      for (const { org, outcome: _, ...notice } of batch) onSaved(org, notice);
    }
    isRunning = false;
  }

  return {
    add(org, notice, outcome) {
      queue.push({ ...notice, org, ...(outcome && { outcome }) });
      if (!isRunning) void Promise.resolve().then(run);
      isRunning = true;
    },
    size: () => queue.length,
    holds: (org) => queue.some((settled) => settled.org === org),
  };
}
