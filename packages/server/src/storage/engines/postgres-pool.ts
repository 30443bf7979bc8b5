import { AppError } from '../../domain/error.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { unavailable } from './unavailable.ts';

export interface PoolCounts {
  readonly open: number;
  readonly busy: number;
  readonly waiting: number;
}

/** A few connections, lent one at a time, in the order in which they are asked for. */
export interface PostgresPool {
  /** Rejects with SERVICE_UNAVAILABLE when none can be had in time. */
  use<T>(work: (connection: PostgresConnection) => Promise<T>): Promise<T>;
  counts(): PoolCounts;
  /** Ends those that are not in use: what they are connected to is not what it was. */
  dropIdle(): void;
  /** Resolves when all that was lent is back and all are ended. Nothing is lent any more. */
  close(): Promise<void>;
}

export interface PoolOptions {
  readonly size: number;
  readonly connect: () => Promise<PostgresConnection>;
  /** Longest that a call waits for a free one, ms. */
  readonly acquireMs: number;
}

interface Waiting {
  readonly resolve: (connection: PostgresConnection) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export function openPool({ size, connect, acquireMs }: PoolOptions): PostgresPool {
  const idle: PostgresConnection[] = [];
  const busy = new Set<PostgresConnection>();
  const waiting: Waiting[] = [];
  let connecting = 0;
  let isClosed = false;
  let emptied: () => void = () => {};

  function lend(connection: PostgresConnection): void {
    if (connection.isSpoiled()) {
      serve();
      return;
    }
    const next = waiting.shift();
    if (!next) {
      if (isClosed) void connection.end().finally(settle);
      else idle.push(connection);
      return;
    }
    clearTimeout(next.timer);
    busy.add(connection);
    next.resolve(connection);
  }

  function release(connection: PostgresConnection): void {
    busy.delete(connection);
    lend(connection);
    settle();
  }

  /** Gives those who wait what is there, and begins as many connections as they need. */
  function serve(): void {
    while (waiting.length > 0) {
      const connection = idle.pop();
      if (!connection) break;
      lend(connection);
    }
    while (waiting.length > connecting && busy.size + idle.length + connecting < size) void add();
    settle();
  }

  async function add(): Promise<void> {
    connecting += 1;
    try {
      const connection = await connect();
      connecting -= 1;
      connection.onLost(() => {
        const at = idle.indexOf(connection);
        if (at >= 0) idle.splice(at, 1);
      });
      lend(connection);
    } catch (cause) {
      connecting -= 1;
      const error =
        cause instanceof AppError ? cause : unavailable(cause instanceof Error ? cause : new Error(String(cause)));
      // With some that work those who wait are served; with none they are told at once.
      if (busy.size + idle.length === 0)
        for (const { reject, timer } of waiting.splice(0)) {
          clearTimeout(timer);
          reject(error);
        }
    }
    settle();
  }

  function acquire(): Promise<PostgresConnection> {
    if (isClosed) return Promise.reject(unavailable(new Error('The store is closed')));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const at = waiting.findIndex((one) => one.timer === timer);
        if (at >= 0) waiting.splice(at, 1);
        reject(unavailable(new Error('No connection to the database was free in time')));
      }, acquireMs);
      waiting.push({ resolve, reject, timer });
      serve();
    });
  }

  function settle(): void {
    if (isClosed && busy.size + connecting + waiting.length === 0) emptied();
  }

  function dropIdle(): void {
    for (const connection of idle.splice(0)) connection.destroy();
  }

  return {
    async use(work) {
      const connection = await acquire();
      try {
        return await work(connection);
      } finally {
        release(connection);
      }
    },
    counts: () => ({ open: busy.size + idle.length, busy: busy.size, waiting: waiting.length }),
    dropIdle,
    async close() {
      if (isClosed) return;
      isClosed = true;
      await new Promise<void>((resolve) => {
        emptied = resolve;
        settle();
      });
      await Promise.all(idle.splice(0).map((connection) => connection.end()));
    },
  };
}
