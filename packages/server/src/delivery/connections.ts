import { type Dispatcher, Pool } from 'undici';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import { createConnector } from './connector.ts';
import type { Guard } from './guard.ts';

type Handler = Dispatcher.DispatchHandler;

/** Kept-alive connections, by origin. Only addresses that the guard allows are ever connected to. */
export interface Connections {
  /** Queues one request; its handler is told everything, errors too. Throws on a request that cannot be written. */
  dispatch(origin: string, request: Omit<Dispatcher.DispatchOptions, 'origin'>, handler: Handler): void;
  /** Call when a dispatched request is over. */
  done(origin: string, handler: Handler): void;
  close(): Promise<void>;
}

interface Origin {
  readonly pool: Pool;
  /** Requests that are not over. */
  readonly flights: Set<Handler>;
  /** Those of them that have no connection yet. */
  readonly waiting: Set<Handler>;
}

export function createConnections(guard: Guard, policy: DeliveryPolicy): Connections {
  const connect = createConnector(guard, policy);
  /** Least recently used first. */
  const origins = new Map<string, Origin>();

  function open(name: string): Origin {
    const origin = origins.get(name);
    if (origin) {
      origins.delete(name);
      origins.set(name, origin);
      return origin;
    }
    const made = make(name);
    origins.set(name, made);
    evict();
    return made;
  }

  function make(name: string): Origin {
    const waiting = new Set<Handler>();
    const pool = new Pool(name, {
      connect(options, done) {
        // A pool connects once more for each request that was given up, only to find that it was.
        if (waiting.size > 0) connect(options, done);
        else done(new Error('Nothing waits for a connection'), null);
      },
      pipelining: 1,
      // Flights are bounded by their slots, so connections are too. The attempt keeps the time.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    return { pool, flights: new Set(), waiting };
  }

  function evict(): void {
    if (origins.size <= policy.maxOrigins) return;
    for (const [name, { pool, flights }] of origins) {
      if (flights.size > 0) continue;
      origins.delete(name);
      pool.destroy().catch(() => undefined);
      if (origins.size <= policy.maxOrigins) return;
    }
  }

  return {
    dispatch(name, request, handler) {
      const { pool, flights, waiting } = open(name);
      flights.add(handler);
      waiting.add(handler);
      const { onRequestStart } = handler;
      const begun: Handler = {
        ...handler,
        onRequestStart(controller, context) {
          waiting.delete(handler);
          onRequestStart?.call(handler, controller, context);
        },
      };
      pool.dispatch({ ...request, origin: name }, begun);
    },
    done(name, handler) {
      const origin = origins.get(name);
      origin?.flights.delete(handler);
      origin?.waiting.delete(handler);
      evict();
    },
    async close() {
      const pools = [...origins.values()].map(({ pool }) => pool.destroy());
      origins.clear();
      await Promise.all(pools);
    },
  };
}
