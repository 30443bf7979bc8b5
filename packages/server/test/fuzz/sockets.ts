import { connect } from 'node:net';
import fc from 'fast-check';

/** Bytes for a bare connection: nearly HTTP, or nothing like it. */
export interface SocketPlan {
  readonly kind: 'socket';
  readonly head: string;
  readonly rest: readonly number[];
}

const PATH = '/crm/v8/actions/watch';
const HOST = 'Host: localhost\r\n';
const heads = fc.constantFrom(
  '',
  '\r\n\r\n',
  `GET ${PATH}\r\n\r\n`,
  `GET ${PATH} HTTP/0.9\r\n\r\n`,
  `GET ${PATH} HTTP/1.1\r\n\r\n`,
  `GET ${PATH} HTTP/9.9\r\n${HOST}\r\n`,
  `GET ${PATH} HTTP/1.0\r\n\r\n`,
  `get ${PATH} HTTP/1.1\r\n${HOST}\r\n`,
  `NONSENSE ${PATH} HTTP/1.1\r\n${HOST}\r\n`,
  `GET  ${PATH} HTTP/1.1\r\n${HOST}\r\n`,
  `GET http://[ HTTP/1.1\r\n${HOST}\r\n`,
  `GET http://localhost${PATH} HTTP/1.1\r\n${HOST}\r\n`,
  `GET * HTTP/1.1\r\n${HOST}\r\n`,
  `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`,
  `GET ${PATH}\0 HTTP/1.1\r\n${HOST}\r\n`,
  `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n`,
  `GET ${PATH} HTTP/1.1\r\n${HOST}X: ${'a'.repeat(20_000)}\r\n\r\n`,
  `GET ${PATH} HTTP/1.1\r\n${HOST}${HOST}\r\n`,
  `GET ${PATH} HTTP/1.1\r\n${HOST}Bad Header: x\r\n\r\n`,
  `GET ${PATH} HTTP/1.1\r\n${HOST} folded\r\n\r\n`,
  `GET ${PATH} HTTP/1.1\n${HOST}\n`,
  `CONNECT localhost:1 HTTP/1.1\r\n${HOST}\r\n`,
  `GET ${PATH} HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  `GET ${PATH} HTTP/1.1\r\n${HOST}Expect: 100-continue\r\n\r\n`,
  `POST ${PATH} HTTP/1.1\r\n${HOST}Expect: nonsense\r\nContent-Length: 2\r\n\r\n`,
  `POST ${PATH} HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\n`,
  `POST ${PATH} HTTP/1.1\r\n${HOST}Content-Length: 99999999999999999999\r\n\r\n`,
  `POST ${PATH} HTTP/1.1\r\n${HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`,
  `POST ${PATH} HTTP/1.1\r\n${HOST}Content-Length: 50\r\n\r\n{`,
  `POST ${PATH} HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG`,
  `POST ${PATH} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
  `POST ${PATH} HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip\r\n\r\n`,
  `POST ${PATH} HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n`,
);

export const sockets: fc.Arbitrary<SocketPlan> = fc.record({
  kind: fc.constant('socket' as const),
  head: heads,
  rest: fc.array(fc.nat({ max: 255 }), { maxLength: 30 }),
});

/** Sends, says that nothing more comes, and reads to the end. What is wrong with the answer, or with its absence. */
export function tryOnSocket(base: string, { head, rest }: SocketPlan, patienceMs: number): Promise<string[]> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), hostname);
    const finish = (faults: string[]) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(faults);
    };
    const timer = setTimeout(() => finish(['the connection hangs']), patienceMs);
    // A connection may be reset: what was sent after the refusal is not read.
    socket.on('error', () => finish(faultsOf(Buffer.concat(chunks).toString('latin1'))));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => finish(faultsOf(Buffer.concat(chunks).toString('latin1'))));
    socket.end(Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(rest)]));
  });
}

/** Answers come one after the other; nothing at all is fine, too. */
function faultsOf(text: string): string[] {
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
  if (text !== '' && !text.startsWith('HTTP/1.1 ')) return [`no HTTP: ${text.slice(0, 80)}`];
  return statuses.filter((status) => status >= 500).map((status) => `status ${status}`);
}
