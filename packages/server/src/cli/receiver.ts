import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that a receiver got. */
export interface Received {
  readonly body: Buffer;
  readonly headers: IncomingHttpHeaders;
}

export interface Receiver {
  /** Where notifications are to be sent. */
  readonly url: string;
  close(): Promise<void>;
}

/** More than any notification has: 100 records with all their values. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** Listens on a free loopback port; `handle` names the HTTP status of each answer. */
export async function startReceiver(handle: (received: Received) => Promise<number> | number): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    const body = request.method === 'POST' ? await readBody(request) : undefined;
    response.statusCode = body ? await handle({ body, headers: request.headers }) : 400;
    response.end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/notify`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Undefined when the request broke off or is too large. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) return undefined;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch {
    return undefined;
  }
}
