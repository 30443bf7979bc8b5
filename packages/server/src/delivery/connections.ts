import { type Dispatcher, Pool } from 'undici';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import { createConnector } from './connector.ts';
import type { Guard } from './guard.ts';

/** Kept-alive connections, by origin. Only addresses that the guard allows are ever connected to. */
export interface Connections {
  /** Queues one request; its handler is told everything, errors too. Throws on a request that cannot be written. */
  dispatch(
    origin: string,
    request: Omit<Dispatcher.DispatchOptions, 'origin'>,
    handler: Dispatcher.DispatchHandler,
  ): void;
  /** Call when a dispatched request is over. */
  done(origin: string): void;
  close(): Promise<void>;
}

interface Origin {
  readonly pool: Pool;
  flights: number;
}

export function createConnections(guard: Guard, policy: DeliveryPolicy): Connections {
  const connect = createConnector(guard, policy.connectTimeout);
  /** Least recently used first. */
  const origins = new Map<string, Origin>();

  function open(name: string): Origin {
    const known = origins.get(name);
    // Flights are bounded by their slots, so connections are too. The attempt keeps the time.
    const origin = known ?? {
      pool: new Pool(name, { connect, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 }),
      flights: 0,
    };
    origins.delete(name);
    origins.set(name, origin);
    if (!known) evict();
    return origin;
  }

  function evict(): void {
    if (origins.size <= policy.maxOrigins) return;
    for (const [name, { pool, flights }] of origins) {
      if (flights > 0) continue;
      origins.delete(name);
      pool.destroy().catch(() => undefined);
      if (origins.size <= policy.maxOrigins) return;
    }
  }

  return {
    dispatch(name, request, handler) {
      const origin = open(name);
      origin.flights += 1;
      origin.pool.dispatch({ ...request, origin: name }, handler);
    },
    done(name) {
      const origin = origins.get(name);
      if (origin) origin.flights -= 1;
      evict();
    },
    async close() {
      const pools = [...origins.values()].map(({ pool }) => pool.destroy());
      origins.clear();
      await Promise.all(pools);
    },
  };
}
