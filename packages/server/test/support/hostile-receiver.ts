import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';

/** What a receiver does with a connection; without `onRequest` requests are read and left unanswered. */
export interface Hostility {
  /** As soon as somebody connected; with TLS once it is agreed on. */
  readonly onConnection?: (socket: Socket) => void;
  /** Whenever a whole request came. */
  readonly onRequest?: (socket: Socket) => void;
  /** Speaks TLS, with a certificate that nobody trusts. */
  readonly isSecure?: boolean;
  /** Of its URL, when it is not what it speaks. */
  readonly scheme?: 'https';
}

export interface HostileReceiver {
  readonly origin: string;
  /** Whole requests that came. */
  readonly requests: readonly string[];
  /** How many connections were made. */
  connections(): number;
  /** Most bytes that one connection took. */
  mostSent(): number;
  /** Resolves when every connection is closed. */
  closed(): Promise<void>;
  close(): Promise<void>;
}

/** A TCP server on a free loopback port that speaks HTTP as badly as it is told to. */
export async function startHostileReceiver(hostility: Hostility): Promise<HostileReceiver> {
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  let connections = 0;
  let mostSent = 0;
  const waiting = new Set<() => void>();

  function take(socket: Socket): void {
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end = endOfRequest(text); end > 0; end = endOfRequest(text)) {
        requests.push(text.slice(0, end));
        text = text.slice(end);
        hostility.onRequest?.(socket);
      }
    });
    hostility.onConnection?.(socket);
  }
  function count(socket: Socket): void {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      mostSent = Math.max(mostSent, socket.bytesWritten);
      sockets.delete(socket);
      if (sockets.size === 0) for (const resolve of waiting) resolve();
    });
  }

  const server = hostility.isSecure ? createSecureServer(UNTRUSTED, take) : createServer(take);
  if (hostility.isSecure) server.on('tlsClientError', () => undefined);
  server.on('connection', count);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `${hostility.isSecure ? 'https' : (hostility.scheme ?? 'http')}://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    mostSent: () => mostSent,
    closed: () => (sockets.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.add(resolve))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Where the first request ends, or 0. */
function endOfRequest(text: string): number {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return 0;
  const length = Number(/^content-length: (\d+)/im.exec(text.slice(0, head))?.[1] ?? 0);
  return text.length >= head + 4 + length ? head + 4 + length : 0;
}

/** Self-signed, for `receiver.example` and 127.0.0.1, good from 2020 to 2120. Protects nothing. */
export const UNTRUSTED = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYpho18D/QvDpRpiN
SXB/QMniKmbyjez2WL+HdD2L3hqhRANCAAS/eOBTkHp/lTjf0n0ZovkQAyQ0E1o1
OiPdfBaVAxm12dlSFBDQgW36PyDDk0k06M42Z5aWc1LPhNeg3HST+Dhs
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBfTCCASKgAwIBAgIBATAKBggqhkjOPQQDAjAbMRkwFwYDVQQDDBByZWNlaXZl
ci5leGFtcGxlMCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAbMRkw
FwYDVQQDDBByZWNlaXZlci5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAEv3jgU5B6f5U439J9GaL5EAMkNBNaNToj3XwWlQMZtdnZUhQQ0IFt+j8gw5NJ
NOjONmeWlnNSz4TXoNx0k/g4bKNVMFMwDwYDVR0TAQH/BAUwAwEB/zAhBgNVHREE
GjAYghByZWNlaXZlci5leGFtcGxlhwR/AAABMB0GA1UdDgQWBBTfA9fb6OmoP1kk
NyJr+c2R6kprFDAKBggqhkjOPQQDAgNJADBGAiEAtCsLIjql3Qivn4qdb4cG4dM4
PDsrZ65/2J/vdb5mbgACIQDEHNC+YpW/MuxTfyohEty3rWug5yXFNyODweFEFTHd
Ww==
-----END CERTIFICATE-----
`,
};
