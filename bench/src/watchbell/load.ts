import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { endWithThis } from '../processes.ts';

const APP = fileURLToPath(new URL('../apps/http-load.js', import.meta.url));

/** Records to be edited over HTTP. */
export interface LoadOrder {
  /** Of the servers, which callers are dealt to in turns. */
  readonly ports: readonly number[];
  readonly accessToken: string;
  readonly module: string;
  /** Edited in turns. */
  readonly ids: readonly string[];
  readonly calls: number;
  /** Records in each. */
  readonly perCall: number;
  /** Each on a connection of its own, going on when it is answered. */
  readonly callers: number;
  /** Of the text that each record gets; with its marker. */
  readonly textLength: number;
}

/** With the first call's marker; the next ones follow it. */
export interface MarkedOrder extends LoadOrder {
  readonly from: number;
}

export type LoadDone =
  | {
      readonly kind: 'done';
      /** When the first call was sent and the last one answered, in microseconds of the monotonic clock. */
      readonly firstAt: number;
      readonly lastAt: number;
    }
  | { readonly kind: 'failed'; readonly message: string };

export interface Load {
  readonly pid: number;
  /** One at a time. No marker comes twice, so that each edit is a change. */
  run(order: LoadOrder): Promise<LoadDone & { readonly kind: 'done' }>;
  close(): Promise<void>;
}

/** The process from which records are written. */
export function startLoad(): Load {
  const child = fork(APP);
  endWithThis(child);
  const { pid } = child;
  if (pid === undefined) throw new Error('the load could not be started');
  const exited = once(child, 'exit');
  let next = 0;
  return {
    pid,
    async run(order) {
      child.send({ ...order, from: next } satisfies MarkedOrder);
      next += order.calls;
      const [done] = (await Promise.race([
        once(child, 'message'),
        exited.then(() => Promise.reject(new Error('the load ended'))),
      ])) as [LoadDone];
      if (done.kind === 'failed') throw new Error(done.message);
      return done;
    },
    async close() {
      child.disconnect();
      await exited;
    },
  };
}
