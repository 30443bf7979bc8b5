import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came over the wire. */
export interface Got {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Undefined: never answer. */
export type Answer = { readonly status?: number; readonly body?: unknown; readonly location?: string } | undefined;

export interface ApiServer {
  readonly base: string;
  /** All requests but those for tokens. */
  readonly got: readonly Got[];
  /** How many access tokens were given; they are `token-1`, `token-2` … */
  tokensGiven(): number;
  close(): Promise<void>;
}

/** A real HTTP server that gives tokens and answers everything else as `answer` says. */
export async function startApiServer(
  answer: (got: Got) => Answer,
  token: (count: number) => unknown = (count) => ({
    access_token: `token-${count}`,
    api_domain: 'http://127.0.0.1',
    token_type: 'Bearer',
    expires_in: 3600,
  }),
): Promise<ApiServer> {
  const got: Got[] = [];
  let tokens = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const received = { method, url, headers, body: Buffer.concat(chunks).toString() };
      const isTokenCall = url === '/oauth/v2/token';
      if (isTokenCall) tokens += 1;
      else got.push(received);
      const reply = isTokenCall ? { body: token(tokens) } : answer(received);
      if (!reply) return;
      response.statusCode = reply.status ?? 200;
      if (reply.location) response.setHeader('location', reply.location);
      response.end(typeof reply.body === 'string' ? reply.body : reply.body && JSON.stringify(reply.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got,
    tokensGiven: () => tokens,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
