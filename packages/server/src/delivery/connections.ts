import type { Socket } from 'node:net';
import { Client, type Dispatcher } from 'undici';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import { createConnector } from './connector.ts';
import type { Guard } from './guard.ts';

/** A connection, and those made anew in its place; it carries one request at a time. */
export interface Line {
  /** Sends the request that it was taken for; its handler is told everything, errors too. Throws on what cannot be written. */
  dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void;
  /** IP address and port at the other end of the newest; undefined until there is one. */
  address(): string | undefined;
  /** Gives it back; `isWhole`: its answer was read to the end. Else it is closed, whatever it is doing. */
  done(isWhole: boolean): void;
}

/** Kept-alive connections, by origin. Only addresses that the guard allows are ever connected to. */
export interface Connections {
  /** For one request: one that waits for its next, or a new one. */
  take(origin: string): Line;
  close(): Promise<void>;
}

interface Origin {
  /** Used last are last: those that are not needed any more close. */
  readonly idle: Line[];
  readonly clients: Set<Client>;
  flights: number;
}

export function createConnections(guard: Guard, policy: DeliveryPolicy): Connections {
  const connect = createConnector(guard, policy);
  /** Least recently used first. */
  const origins = new Map<string, Origin>();
  let newest: string | undefined;

  function use(name: string): Origin {
    const known = origins.get(name);
    if (known && newest === name) return known;
    const origin = known ?? { idle: [], clients: new Set(), flights: 0 };
    newest = name;
    origins.delete(name);
    origins.set(name, origin);
    return origin;
  }

  function open(name: string, origin: Origin): Line {
    let address: string | undefined;
    const client = new Client(name, {
      connect(target, done) {
        connect(target, (...result) => {
          const [, socket] = result;
          if (socket) address = otherEndOf(socket);
          done(...result);
        });
      },
      pipelining: 1,
      // The attempt keeps the time.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    origin.clients.add(client);
    const line: Line = {
      dispatch(request, handler) {
        client.dispatch(request, handler);
      },
      address: () => address,
      done(isWhole) {
        origin.flights -= 1;
        // A turn later, so that what its receiver says unasked is read before its next request is written.
        if (isWhole) setImmediate(() => origin.idle.push(line));
        else {
          origin.clients.delete(client);
          client.destroy().catch(() => undefined);
        }
        evict();
      },
    };
    return line;
  }

  function evict(): void {
    if (origins.size <= policy.maxOrigins) return;
    for (const [name, { clients, flights }] of origins) {
      if (flights > 0) continue;
      origins.delete(name);
      for (const client of clients) client.destroy().catch(() => undefined);
      if (origins.size <= policy.maxOrigins) return;
    }
  }

  return {
    take(name) {
      const origin = use(name);
      origin.flights += 1;
      evict();
      return origin.idle.pop() ?? open(name, origin);
    },
    async close() {
      const clients = Array.from(origins.values(), (origin) => [...origin.clients]).flat();
      origins.clear();
      await Promise.all(clients.map((client) => client.destroy()));
    },
  };
}

const otherEndOf = ({ remoteAddress = '', remoteFamily, remotePort = 0 }: Socket): string =>
  remoteFamily === 'IPv6' ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
