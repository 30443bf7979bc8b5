import { request } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAnswerReader } from '../../src/delivery/answers.ts';
import { knowLast } from '../../src/delivery/repeated-answers.ts';
import { answers, type Read, readAnswer } from './answer-cases.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const SEED = 20_261_122;
const OK = 'HTTP/1.1 200 OK\r\n';
const NONE = 'content-length: 0\r\n\r\n';

describe('beside the client that comes with Node', () => {
  let answer: Uint8Array = bytes('');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.once('data', () => socket.end(answer));
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(resolve);
      }),
  );

  /** What it reads of the same bytes. */
  function readByNode(sent: Uint8Array): Promise<Pick<Read, 'isWhole'> & Partial<Read>> {
    answer = sent;
    const { port } = server.address() as AddressInfo;
    return new Promise((resolve) => {
      const asked = request({ host: '127.0.0.1', port, method: 'POST', agent: false });
      asked.on('error', () => resolve({ isWhole: false }));
      asked.on('upgrade', (_response, socket) => {
        socket.destroy();
        resolve({ isWhole: false });
      });
      asked.on('response', (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString('latin1');
        });
        response.on('error', () => resolve({ isWhole: false }));
        response.on('end', () => resolve({ isWhole: response.complete, status: response.statusCode ?? 0, body }));
      });
      asked.end();
    });
  }

  /** What is refused that Node takes: no version 1.0 or 1.1, no status, a NUL in its phrase, what nobody asked for. */
  const isRefusedOnPurpose = (text: string): boolean =>
    /(?:^|\r\n)HTTP\/(?:1\.[^01]|[^1]|1\.[01] (?:0|100|101)|1\.[01] \d\d\d [^\r\n]*\0)/.test(text);

  test('reads what Node reads, and refuses what Node refuses, however it is cut into pieces', async () => {
    let whole = 0;
    let broken = 0;
    const repeats = knowLast(createAnswerReader());
    await fc.assert(
      fc.asyncProperty(answers, async (text) => {
        const sent = bytes(text);
        const read = readAnswer([sent]);
        expect(readAnswer(Array.from(sent, (byte) => Buffer.of(byte)))).toEqual(read);
        for (let i = 0; i < 2; i += 1) expect(readAnswer([sent], undefined, repeats)).toEqual(read);
        // Node refuses what comes after an answer together with it.
        const byNode = await readByNode(sent.subarray(0, sent.length - read.rest));
        if (read.isWhole) {
          whole += 1;
          expect(byNode).toEqual({ isWhole: true, status: read.status, body: read.body });
        } else if (!isRefusedOnPurpose(text)) {
          broken += 1;
          expect(byNode.isWhole).toBe(false);
        }
      }),
      { seed: SEED, numRuns: 600 },
    );
    expect(Math.min(whole, broken)).toBeGreaterThan(100);
  }, 60_000);
});

describe('an answer', () => {
  test.each<[string, string, Partial<Read>]>([
    ['without a body', `${OK}${NONE}`, { status: 200, body: '', rest: 0 }],
    ['with a length', `${OK}Content-Length: 4\t \r\n\r\nbody`, { body: 'body', rest: 0 }],
    [
      'in chunks',
      `${OK}transfer-encoding: chunked\r\n\r\n3;a=b\r\nbod\r\n1\r\ny\r\n0\r\nx-a: b\r\n\r\n`,
      { body: 'body' },
    ],
    ['up to the end of the connection', `${OK}\r\nbody`, { body: 'body', keptFor: 0 }],
    [
      'with a code that has no body',
      'HTTP/1.1 204\r\ncontent-length: 4\r\n\r\nbody',
      { status: 204, body: '', rest: 4 },
    ],
    ['after interim ones', `${'HTTP/1.1 103 Early\r\nretry-after: 1\r\n\r\n'.repeat(16)}${OK}${NONE}`, { status: 200 }],
    ['with something after it', `${OK}${NONE}${OK}`, { rest: OK.length }],
    ['that asks for time', `${OK}Retry-After:  12 \r\nretry-after: 13\r\n${NONE}`, { retryAfter: '12' }],
    ['that says nothing of its connection', `${OK}${NONE}`, { keptFor: 4000 }],
    ['that keeps its connection for long', `${OK}keep-alive: timeout=3600\r\n${NONE}`, { keptFor: 600_000 }],
    ['that keeps its connection for a while', `${OK}Keep-Alive: max=9, timeout=5\r\n${NONE}`, { keptFor: 3000 }],
    ['that hardly keeps its connection', `${OK}keep-alive: timeout=2\r\n${NONE}`, { keptFor: 0 }],
    ['that closes its connection', `${OK}Connection: x, CLOSE\r\n${NONE}`, { keptFor: 0 }],
    ['that closes and keeps it', `${OK}connection: keep-alive\r\nconnection: close\r\n${NONE}`, { keptFor: 0 }],
    ['of HTTP/1.0', `HTTP/1.0 200 OK\r\n${NONE}`, { keptFor: 0 }],
    ['of HTTP/1.0 that keeps it', `HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\n${NONE}`, { keptFor: 4000 }],
    ['whose headers are as long as may be', headed(16 * 1024), { status: 200 }],
  ])('%s is read, wherever it is cut in two', (_, text, expected) => {
    const sent = bytes(text);
    const read = readAnswer([sent]);
    expect(read).toMatchObject({ isWhole: true, ...expected });
    for (let at = 0; at <= Math.min(sent.length, 2000); at += 1) {
      expect(readAnswer([sent.subarray(0, at), sent.subarray(at)])).toEqual(read);
    }
  });

  test.each([
    ['whose head is too long', headed(16 * 1024 + 1)],
    ['whose status line is too long', `HTTP/1.1 200 ${'x'.repeat(17_000)}`],
    ['whose trailers are too long', `${OK}transfer-encoding: chunked\r\n\r\n0\r\nx-a: ${'b'.repeat(17_000)}\r\n\r\n`],
    ['with too many interim ones', `${'HTTP/1.1 103 Early\r\n\r\n'.repeat(17)}${OK}${NONE}`],
    ['that folds a header', `${OK}x-a: b\r\n c\r\n${NONE}`],
    ['with a space before a colon', `${OK}content-length : 0\r\n\r\n`],
    ['with a NUL in a header', `${OK}x-a: \0\r\n${NONE}`],
    ['whose lines end by line feeds', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n'],
    ['whose header ends by a line feed', `${OK}x-a: b\n${NONE}`],
    ['whose lines end by carriage returns', 'HTTP/1.1 200 OK\rcontent-length: 0\r\r'],
    ['with two lengths, even the same', `${OK}content-length: 0\r\ncontent-length: 0\r\n\r\n`],
    ['with a length and an encoding', `${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['with a length that is none', `${OK}content-length: 1e1\r\n\r\n`],
    ['with a length beyond all numbers', `${OK}content-length: 9007199254740992\r\n\r\n`],
    ['with a length that is too long to be read', `${OK}content-length: ${'0'.repeat(300)}\r\n\r\n`],
    ['with a chunk beyond all numbers', `${OK}transfer-encoding: chunked\r\n\r\nfffffffffffffff\r\n`],
    ['with a chunk longer than its size', `${OK}transfer-encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n`],
    ['with a chunk without a size', `${OK}transfer-encoding: chunked\r\n\r\n\r\n`],
    ['of another version', `HTTP/2.0 200 OK\r\n${NONE}`],
    ['that tells to go on', `HTTP/1.1 100 Continue\r\n\r\n${OK}${NONE}`],
    ['that switches protocols', 'HTTP/1.1 101 Switching\r\n\r\n'],
  ])('%s is refused, wherever it is cut in two', (_, text) => {
    const sent = bytes(text);
    const { error } = readAnswer([sent]);
    expect(error).toEqual(expect.any(String));
    for (let at = 0; at <= Math.min(sent.length, 2000); at += 1) {
      expect(readAnswer([sent.subarray(0, at), sent.subarray(at)]).error).toBe(error);
    }
  });

  test.each([
    ['within its headers', `${OK}content-le`],
    ['within its body', `${OK}content-length: 5\r\n\r\nfour`],
    ['within a chunk', `${OK}transfer-encoding: chunked\r\n\r\n5\r\nfour`],
    ['after its last chunk', `${OK}transfer-encoding: chunked\r\n\r\n0\r\n`],
    ['after an interim one', 'HTTP/1.1 103 Early\r\n\r\n'],
  ])('that ends %s is not whole', (_, text) => {
    expect(readAnswer([bytes(text)])).toMatchObject({ isWhole: false, keptFor: 0 });
  });

  test('is read up to a number of bytes, whatever they are', () => {
    const text = `${OK}transfer-encoding: chunked\r\n\r\n${'1;x\r\na\r\n'.repeat(100)}`;
    const pieces = [...text].map(bytes);
    expect(readAnswer(pieces, text.length).error).toBeUndefined();
    expect(readAnswer(pieces, text.length - 1).error).toBe('The answer is too long');
  });
});

test('an answer that is the last one again is read as that, and one that is nearly so as itself', () => {
  const reader = knowLast(createAnswerReader());
  const texts = [
    `HTTP/1.1 503 Busy\r\nretry-after: 5\r\ncontent-length: 4\r\n\r\nlate`,
    `HTTP/1.1 503 Busy\r\nretry-after: 6\r\ncontent-length: 4\r\n\r\nlate`,
    `HTTP/1.1 503 Busy\r\nretry-after: 6\r\ncontent-length: 4\r\n\r\nlate!`,
    `HTTP/1.1 503 Busy\r\nretry-after: 6\r\ncontent-length: 4\r\n\r\nlat`,
    `${OK}connection: close\r\n${NONE}`,
    `${OK}connection: keeps\r\n${NONE}`,
    `${OK}\r\nup to the end`,
    `${OK}transfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n`,
    'nonsense',
    '',
  ];
  for (const text of [...texts, ...texts.reverse()]) {
    const read = readAnswer([bytes(text)]);
    for (let i = 0; i < 3; i += 1) {
      expect(readAnswer([bytes(text)], undefined, reader)).toEqual(read);
      for (let at = 1; at < text.length; at += 7) {
        expect(readAnswer([bytes(text.slice(0, at)), bytes(text.slice(at))], undefined, reader)).toEqual(read);
      }
    }
    expect(readAnswer([bytes(text)], 1, reader).isWhole).toBe(false);
  }
});

/** An answer whose head has so many bytes. */
function headed(length: number): string {
  const rest = `${OK}x-a: \r\n${NONE}`.length;
  return `${OK}x-a: ${'b'.repeat(length - rest)}\r\n${NONE}`;
}
