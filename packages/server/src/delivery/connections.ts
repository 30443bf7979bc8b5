import type { Socket } from 'node:net';
import { type buildConnector, Client, type Dispatcher, Pool } from 'undici';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import { createConnector } from './connector.ts';
import type { Guard } from './guard.ts';

/** A connection, and those made anew in its place. */
interface Line {
  /** IP address and port at the other end of the newest; undefined until there is one. */
  address?: string;
}

/** The way of one request: which line it takes is known when it begins. */
export interface Route {
  line: Line | undefined;
}

export interface Routed extends Dispatcher.DispatchOptions {
  readonly route?: Route;
}

/** Kept-alive connections, by origin. Only addresses that the guard allows are ever connected to. */
export interface Connections {
  /**
   * Queues one request; its handler is told everything, errors too. From when it begins, the route tells where it goes.
   * Throws on a request that cannot be written.
   */
  dispatch(origin: string, request: Routed, handler: Dispatcher.DispatchHandler): void;
  /** Call when a dispatched request has a connection. */
  begun(origin: string): void;
  /** Call when a dispatched request is over, and whether it had begun. */
  done(origin: string, hasBegun: boolean): void;
  close(): Promise<void>;
}

interface Origin {
  readonly pool: Pool;
  /** Requests that are not over, and those of them that have no connection yet. */
  flights: number;
  waiting: number;
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
    const origin: Origin = {
      flights: 0,
      waiting: 0,
      pool: new Pool(name, {
        factory: lineTo,
        connect(options, done) {
          // A pool connects once more for each request that was given up, only to find that it was.
          if (origin.waiting > 0) connect(options, done);
          else done(new Error('Nothing waits for a connection'), null);
        },
        pipelining: 1,
        // Flights are bounded by their slots, so connections are too. The attempt keeps the time.
        headersTimeout: 0,
        bodyTimeout: 0,
      }),
    };
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
      origin.waiting += 1;
      origin.pool.dispatch(request, handler);
    },
    begun(name) {
      const origin = origins.get(name);
      if (origin) origin.waiting -= 1;
    },
    done(name, hasBegun) {
      const origin = origins.get(name);
      if (origin) {
        origin.flights -= 1;
        if (!hasBegun) origin.waiting -= 1;
      }
      evict();
    },
    async close() {
      const pools = [...origins.values()].map(({ pool }) => pool.destroy());
      origins.clear();
      await Promise.all(pools);
    },
  };
}

/** One of a pool's clients, each of which has one connection at a time: it tells those whose requests it takes. */
function lineTo(origin: URL, options: Client.Options & { readonly connect: buildConnector.connector }): Client {
  const line: Line = {};
  const client = new Client(origin, {
    ...options,
    connect(target, done) {
      options.connect(target, (...result) => {
        const [, socket] = result;
        if (socket) line.address = otherEndOf(socket);
        done(...result);
      });
    },
  });
  const dispatch = client.dispatch.bind(client);
  client.dispatch = (request: Routed, handler) => {
    if (request.route) request.route.line = line;
    return dispatch(request, handler);
  };
  return client;
}

const otherEndOf = ({ remoteAddress = '', remoteFamily, remotePort = 0 }: Socket): string =>
  remoteFamily === 'IPv6' ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
