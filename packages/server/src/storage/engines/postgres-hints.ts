import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hints } from '../store.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { plain } from './postgres-sql.ts';

const LISTEN = plain('LISTEN watchbell_committed');
/** Between two hints of a node: what comes meanwhile is one. Each takes a lock of the whole database for a moment. */
const APART_MS = 20;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/** Hints that nobody sends or hears. */
export const noHints: Hints = { tell() {}, onTold() {} };

export interface PostgresHints extends Hints {
  close(): Promise<void>;
}

/**
 * One connection, of its own, that listens and tells; opened when somebody wants to be told, and again whenever it was
 * lost. Nothing waits for it: whoever misses a hint looks by itself a little later.
 */
export function createHints(connect: () => Promise<PostgresConnection>): PostgresHints {
  /** What this node tells comes back to it, too. */
  const self = randomBytes(8).toString('hex');
  const notify = { text: "SELECT pg_notify('watchbell_committed', $1)", values: [self] };
  const calls: (() => void)[] = [];
  const closing = new AbortController();
  let connection: PostgresConnection | undefined;
  let running: Promise<void> | undefined;
  let isTelling = false;
  let isToTell = false;

  async function listen(): Promise<void> {
    for (let pause = FIRST_PAUSE_MS; !closing.signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        const opened = await connect();
        const lost = new Promise<void>((resolve) => opened.onLost(resolve));
        opened.onNotification((from) => {
          if (from === self) return;
          for (const call of calls) call();
        });
        await opened.run([LISTEN]).catch(() => opened.destroy());
        connection = opened;
        if (!opened.isSpoiled()) pause = FIRST_PAUSE_MS;
        if (closing.signal.aborted) await opened.end();
        await lost;
      } catch {
        // Told of by whatever else needs the database.
      }
      connection = undefined;
      await sleep(pause, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
    }
  }

  async function tell(): Promise<void> {
    isTelling = true;
    while (isToTell && connection) {
      isToTell = false;
      await connection.run([notify]).catch(() => undefined);
      await sleep(APART_MS, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
    }
    isTelling = false;
  }

  return {
    tell() {
      isToTell = true;
      if (!isTelling) void tell();
    },
    onTold(call) {
      calls.push(call);
      running ??= listen();
    },
    async close() {
      closing.abort();
      await connection?.end();
      await running;
    },
  };
}
