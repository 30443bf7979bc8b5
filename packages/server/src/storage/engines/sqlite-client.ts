import { Worker } from 'node:worker_threads';
import type { Logger } from '../../telemetry/logger.ts';
import type { Row } from '../db.ts';
import { type RefusalCode, StoreRefusal } from '../refusal.ts';
import { type Command, type Reply, type Request, type ThreadOptions, toRows } from './sqlite-message.ts';
import { unavailable } from './unavailable.ts';

/** One thread, seen from the main one. */
export interface ThreadClient {
  readonly migrated: readonly string[];
  send(kind: 'query' | 'write', commands: readonly Command[]): Promise<Row[][]>;
  /** Resolves when all that was sent is answered and the thread has ended. */
  close(): Promise<void>;
  /** Resolves when it has ended, in whatever way. */
  readonly ended: Promise<void>;
}

interface Waiting {
  readonly resolve: (results: Row[][]) => void;
  readonly reject: (error: Error) => void;
}

/** A thread runs what was built: Node 20 cannot start one from `.ts`, which is what tests run from. */
const threadFile = (): URL =>
  import.meta.url.endsWith('.ts')
    ? new URL('../../../dist/storage/engines/sqlite-thread.js', import.meta.url)
    : new URL('./sqlite-thread.js', import.meta.url);

/** Resolves when the thread has opened its connection; rejects with a `StoreRefusal` that says why it could not. */
export function startThread(options: ThreadOptions, logger: Logger): Promise<ThreadClient> {
  // Flags of the main script are not meant for the thread, and some would stop it.
  const worker = new Worker(threadFile(), { workerData: options, name: `watchbell-${options.role}`, execArgv: [] });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let ended: Error | undefined;
  let closing = false;
  let refusal: StoreRefusal | undefined;

  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  /** What is sent in one turn goes as one message, so that the thread has all of it before it begins. */
  let outgoing: Request[] = [];
  function flush(): void {
    worker.postMessage(outgoing);
    outgoing = [];
  }
  function post(request: Request): void {
    if (outgoing.push(request) === 1) process.nextTick(flush);
  }

  function end(reason: Error): void {
    ended ??= reason;
    for (const { reject } of waiting.values()) reject(unavailable(ended));
    waiting.clear();
  }

  const client = (migrated: readonly string[]): ThreadClient => ({
    migrated,
    ended: exited,
    send(kind, commands) {
      if (ended) return Promise.reject(unavailable(ended));
      if (closing) return Promise.reject(unavailable(new Error('The store is closed')));
      return new Promise((resolve, reject) => {
        lastId += 1;
        waiting.set(lastId, { resolve, reject });
        post({ id: lastId, kind, commands });
      });
    },
    async close() {
      if (!closing && !ended) post({ kind: 'close' });
      closing = true;
      await exited;
    },
  });

  return new Promise((resolve, reject) => {
    worker.on('error', (error) => {
      logger.error({ err: error, thread: options.role }, 'A storage thread has failed');
      end(error);
    });
    worker.on('exit', (exitCode) => {
      if (!closing && !refusal && !ended)
        logger.error({ thread: options.role, exitCode }, 'A storage thread has ended');
      end(new Error('The storage thread has ended'));
      // Only now has it let go of the directory. Without effect once the store is open.
      reject(refusal ?? new StoreRefusal('CANNOT_OPEN', `The ${options.role} thread ended before the store was open`));
    });
    worker.on('message', (reply: Reply) => {
      switch (reply.kind) {
        case 'ready':
          resolve(client(reply.migrated));
          return;
        case 'refused':
          refusal = new StoreRefusal(reply.code as RefusalCode, reply.message);
          return;
        case 'done':
          waiting.get(reply.id)?.resolve(reply.results.map(toRows));
          waiting.delete(reply.id);
          return;
        case 'failed':
          waiting.get(reply.id)?.reject(toError(reply));
          waiting.delete(reply.id);
          return;
      }
    });
  });
}

/** A statement that breaks the schema is our bug; whatever else fails is the machine's and may pass. */
function toError({ code, message }: { code: string; message: string }): Error {
  const cause = Object.assign(new Error(message), { code });
  const isBug =
    code === 'UNKNOWN' || code === 'SQLITE_ERROR' || /^SQLITE_(CONSTRAINT|MISMATCH|RANGE|MISUSE)/.test(code);
  return isBug ? new Error(`A statement was refused: ${message}`, { cause }) : unavailable(cause);
}
