import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import { createConnector } from './connector.ts';
import type { Guard } from './guard.ts';
import { createLine, type Line, type PooledLine } from './line.ts';

/** Kept-alive connections, by origin. Only addresses that the guard allows are ever connected to. */
export interface Connections {
  /** For one request: one that waits for its next, or a new one. */
  take(origin: string): Line;
  close(): Promise<void>;
}

interface Origin {
  readonly url: URL;
  /** Used last are last: those that are not needed any more close. */
  readonly idle: PooledLine[];
  readonly lines: Set<PooledLine>;
  flights: number;
}

/** How much longer than its body an answer may be: status line, headers, chunks. */
const OVERHEAD = 4;
/** How often is looked for connections that were idle for too long; milliseconds. */
const SWEEP_EVERY = 500;

export function createConnections(guard: Guard, policy: DeliveryPolicy): Connections {
  const connect = createConnector(guard, policy);
  const maxAnswer = policy.maxAnswer * OVERHEAD;
  /** Least recently used first. */
  const origins = new Map<string, Origin>();
  let newest: string | undefined;
  const waitATurn = createTurns();
  let sweeping: NodeJS.Timeout | undefined;

  function use(name: string): Origin {
    const known = origins.get(name);
    if (known && newest === name) return known;
    const origin = known ?? { url: new URL(name), idle: [], lines: new Set(), flights: 0 };
    newest = name;
    origins.delete(name);
    origins.set(name, origin);
    return origin;
  }

  function open(origin: Origin): Line {
    const line = createLine({
      origin: origin.url,
      connect,
      maxAnswer,
      waitATurn,
      onDone() {
        origin.flights -= 1;
        evict();
      },
      onIdle(given) {
        origin.idle.push(given);
        sweeping ??= setTimeout(sweep, SWEEP_EVERY).unref();
      },
      onClosed(closed) {
        origin.lines.delete(closed);
        const at = origin.idle.indexOf(closed);
        if (at >= 0) origin.idle.splice(at, 1);
      },
    });
    origin.lines.add(line);
    return line;
  }

  /** Closes before the other side does: what is written to a connection that it closes meanwhile is lost. */
  function sweep(): void {
    const now = performance.now();
    let isAnyLeft = false;
    for (const { idle } of origins.values()) {
      for (const line of [...idle]) if (line.goodUntil() <= now) void line.close();
      if (idle.length > 0) isAnyLeft = true;
    }
    sweeping = isAnyLeft ? setTimeout(sweep, SWEEP_EVERY).unref() : undefined;
  }

  function evict(): void {
    if (origins.size <= policy.maxOrigins) return;
    for (const [name, { lines, flights }] of origins) {
      if (flights > 0) continue;
      origins.delete(name);
      for (const line of lines) void line.close();
      if (origins.size <= policy.maxOrigins) return;
    }
  }

  return {
    take(name) {
      const origin = use(name);
      origin.flights += 1;
      evict();
      const now = performance.now();
      for (let line = origin.idle.pop(); line; line = origin.idle.pop()) {
        if (line.goodUntil() > now) return line;
        void line.close();
      }
      return open(origin);
    },
    async close() {
      clearTimeout(sweeping);
      const lines = Array.from(origins.values(), (origin) => [...origin.lines]).flat();
      origins.clear();
      await Promise.all(lines.map((line) => line.close()));
    },
  };
}

/** Calls lines back in the next turn, when all that has come until now was read: one callback for all of them. */
function createTurns(): (line: PooledLine) => void {
  let waiting: PooledLine[] = [];
  function turn(): void {
    const now = waiting;
    waiting = [];
    for (const line of now) line.onTurn();
  }
  return (line) => {
    if (waiting.push(line) === 1) setImmediate(turn);
  };
}
