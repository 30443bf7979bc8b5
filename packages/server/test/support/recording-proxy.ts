import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { GivenAnswer } from './oas/check.ts';

export interface RecordingProxy {
  /** What callers use, and the server's public URL. */
  readonly base: string;
  /** Where the server behind it has to listen. */
  readonly port: number;
  stop(): Promise<void>;
}

/** A reverse proxy on loopback that changes nothing, and gives away each answer as the caller gets it. */
export async function startRecordingProxy(onAnswer: (answer: GivenAnswer) => void): Promise<RecordingProxy> {
  const port = await freePort();
  // A connection each: none is left over when the server behind starts anew.
  const agent = new Agent({ keepAlive: false });
  const proxy = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const forwarded = request({ host: '127.0.0.1', port, method, path: url, headers, agent }, (answer) => {
      pass(answer, outgoing, (body) => onAnswer({ method, path: url, ...head(answer), body }));
    });
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  return {
    base: `http://127.0.0.1:${await listen(proxy)}`,
    port,
    async stop() {
      proxy.closeAllConnections();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}

function pass(answer: IncomingMessage, outgoing: ServerResponse, onBody: (text: string) => void): void {
  const chunks: Buffer[] = [];
  outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  // Before the caller can see the end: what it does next comes after.
  answer.on('end', () => onBody(unpacked(Buffer.concat(chunks), answer.headers['content-encoding'])));
  answer.pipe(outgoing);
}

const head = ({ statusCode = 502, headers }: IncomingMessage) => ({
  status: statusCode,
  contentType: headers['content-type'] ?? null,
});

function unpacked(body: Buffer, encoding: string | undefined): string {
  if (encoding === 'gzip') return gunzipSync(body).toString();
  if (encoding === 'br') return brotliDecompressSync(body).toString();
  return body.toString();
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}
