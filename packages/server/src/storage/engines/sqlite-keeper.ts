import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../telemetry/logger.ts';
import { startThread, type ThreadClient } from './sqlite-client.ts';
import type { ThreadOptions } from './sqlite-message.ts';
import { unavailable } from './unavailable.ts';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** One that worked for so long begins with the first pause again. */
const WELL_MS = 60_000;

/**
 * A thread that is started again whenever it ends: what was sent to the lost one, and what is sent meanwhile, is answered
 * `SERVICE_UNAVAILABLE`. `onBack` is told when there is one again; what waited for the lost one may have been done by it.
 */
export async function keepThread(options: ThreadOptions, logger: Logger, onBack: () => void): Promise<ThreadClient> {
  let current: ThreadClient | undefined = await startThread(options, logger);
  const { migrated } = current;
  const closing = new AbortController();
  let pause = FIRST_PAUSE_MS;
  let comingBack = Promise.resolve();
  watch(current);

  function watch(thread: ThreadClient): void {
    const since = performance.now();
    void thread.ended.then(() => {
      if (closing.signal.aborted) return;
      if (performance.now() - since >= WELL_MS) pause = FIRST_PAUSE_MS;
      current = undefined;
      comingBack = bringBack();
    });
  }

  async function bringBack(): Promise<void> {
    for (let failures = 0; ; failures += 1) {
      await sleep(pause, undefined, { signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted) return;
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      try {
        const thread = await startThread({ ...options, isReopening: true }, logger);
        current = thread;
        watch(thread);
      } catch (error) {
        if (failures === 0)
          logger.error({ err: error, thread: options.role }, 'A storage thread cannot be started again, trying on');
        continue;
      }
      logger.warn({ thread: options.role }, 'A storage thread is back');
      onBack();
      return;
    }
  }

  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });

  return {
    migrated,
    ended,
    send(kind, commands) {
      if (current) return current.send(kind, commands);
      const reason = closing.signal.aborted ? 'The store is closed' : 'The storage thread is being started again';
      return Promise.reject(unavailable(new Error(reason)));
    },
    async close() {
      closing.abort();
      await comingBack;
      await current?.close();
      end();
    },
  };
}
