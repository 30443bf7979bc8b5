import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Notification } from '@watchbell/client';

export interface Received {
  /** Path and query as they came. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: Notification;
}

/** Answers one request; whoever leaves it unanswered is a receiver that hangs. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

export const ok: Behaviour = (_request, response) => response.end();
export const failing: Behaviour = (_request, response) => response.writeHead(500).end('out of order');
export const hanging: Behaviour = () => undefined;
export const resetting: Behaviour = (request) => request.socket.resetAndDestroy();

export interface Receiver {
  readonly origin: string;
  readonly received: readonly Received[];
  /** How it answers from now on. */
  behave(behaviour: Behaviour): void;
  /** The first `count` that came (since the start), awaited. Rejects after ten seconds, saying what came. */
  first(count: number): Promise<readonly Received[]>;
  close(): Promise<void>;
}

/** A real HTTP server on a free loopback port that keeps what it gets. */
export async function startReceiver(behaviour: Behaviour = ok): Promise<Receiver> {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  let behave = behaviour;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      received.push({
        target: request.url ?? '',
        headers: request.headers,
        text,
        body: JSON.parse(text) as Notification,
      });
      behave(request, response);
      for (const wake of waiting) wake();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    behave: (next) => {
      behave = next;
    },
    first: (count) =>
      new Promise((resolve, reject) => {
        const finish = (act: () => void) => {
          clearTimeout(timer);
          waiting.delete(check);
          act();
        };
        const check = () => {
          if (received.length >= count) finish(() => resolve(received.slice(0, count)));
        };
        const timer = setTimeout(() => {
          const came = received.map(({ text }) => text).join('\n');
          finish(() => reject(new Error(`${received.length} of ${count} notifications came:\n${came}`)));
        }, 25_000);
        waiting.add(check);
        check();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
