import * as fc from 'fast-check';
import { createAnswerReader } from '../../src/delivery/answers.ts';
import { Misread } from '../../src/delivery/misread.ts';

/** What became of an answer. */
export interface Read {
  readonly status: number;
  /** Of its body, as it was read. */
  readonly body: string;
  /** It was read to its end. */
  readonly isWhole: boolean;
  /** Headers that came, or that are kept of those. */
  readonly retryAfter?: string;
  /** Bytes that came after it. */
  readonly rest: number;
  /** How long its connection may wait for the next request, in milliseconds. */
  readonly keptFor: number;
  readonly error?: string;
}

/** Reads an answer that comes in these pieces and then the end of the connection. */
export function readAnswer(pieces: readonly Buffer[], most = 1_000_000, reader = createAnswerReader()): Read {
  let status = 0;
  let retryAfter: string | undefined;
  let body = '';
  let rest = 0;
  let error: string | undefined;
  const reading = {
    head(code: number, seconds: string | undefined) {
      status = code;
      retryAfter = seconds;
    },
    data(bytes: Uint8Array, from: number, to: number) {
      body += Buffer.from(bytes.subarray(from, to)).toString('latin1');
      return true;
    },
  };
  reader.begin(most, reading);
  for (const piece of pieces) {
    if (error !== undefined) break;
    try {
      rest += piece.length - (reader.isWhole() ? 0 : reader.read(piece, piece.length));
    } catch (thrown) {
      if (!(thrown instanceof Misread)) throw thrown;
      error = thrown.message;
    }
  }
  const isWhole = error === undefined && (reader.isWhole() || reader.endsWithConnection());
  const keptFor = reader.isWhole() && error === undefined ? reader.keptFor() : 0;
  return {
    status,
    body,
    isWhole,
    rest,
    keptFor,
    ...(retryAfter !== undefined && { retryAfter }),
    ...(error !== undefined && { error }),
  };
}

const weighted = (usual: readonly string[], odd: readonly string[]) =>
  fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });

const eol = fc.oneof(
  { weight: 40, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\r\r\n', '') },
);
const version = weighted(
  ['HTTP/1.1', 'HTTP/1.0'],
  ['HTTP/1.2', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP /1.1', 'ICY'],
);
const status = weighted(['200', '204', '304', '404', '500', '600', '205'], ['099', '20', '2000', '-20', '2 0', '999']);
const phrase = weighted(['', ' ', ' OK', ' Not  Found\t!', ' \xfc\xff'], [' a\0b', '  ', '\t']);
const header = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      'x-a: b',
      'Server:nginx',
      'X-Empty:',
      'x-b:  \t spaced \t',
      'Retry-After: 17',
      'RETRY-AFTER:120 ',
      'Connection: close',
      'connection: Keep-Alive',
      'Connection: x-a, close',
      'Keep-Alive: timeout=5, max=100',
      'Keep-Alive: timeout=1',
      'x-c: \xe4\xff',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'x a: b',
      ': b',
      'nothing',
      'x-a : b',
      ' x-a: folded',
      'x-a: a\0b',
      'x-a: a\x7fb',
      'x-\xe4: b',
      'x-a\t: b',
      'content-length : 3',
      `x-long: ${'x'.repeat(300)}`,
      'Upgrade: websocket',
      'Connection: upgrade',
    ),
  },
);
/** Headers that say how long the body is, and a body. */
const framed = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.string({ maxLength: 40 }).map((body) => ({ headers: [`Content-Length: ${body.length}`], body })),
  },
  { weight: 2, arbitrary: fc.string({ maxLength: 40 }).map((body) => ({ headers: [], body })) },
  { weight: 4, arbitrary: fc.array(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 4 }).chain(chunked) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(
        ['content-length: 3', 'content-length: 3'],
        ['content-length: 3', 'content-length: 4'],
        ['content-length: 3, 3'],
        ['content-length: +3'],
        ['content-length: 0x3'],
        ['content-length: 3 3'],
        ['content-length:'],
        ['content-length: 99999999999999999999999'],
        ['content-length: 000000000000000000000003'],
        ['content-length: 3\xa0'],
        ['content-length: 3', 'transfer-encoding: chunked'],
        ['transfer-encoding: chunked', 'content-length: 3'],
        ['transfer-encoding: identity'],
        ['transfer-encoding: gzip, chunked'],
        ['transfer-encoding: chunked, gzip'],
        ['transfer-encoding: xchunked'],
        ['transfer-encoding: chunked', 'transfer-encoding: gzip'],
      )
      .map((headers) => ({ headers, body: '3\r\nabc\r\n0\r\n\r\n' })),
  },
);

function chunked(parts: readonly string[]) {
  return fc
    .record({
      encoding: fc.constantFrom('chunked', 'Chunked', 'gzip, chunked', 'gzip,chunked', 'CHUNKED '),
      extension: weighted([''], [';a=b', ';a', ';a="b"', ' ;a', ' ']),
      size: fc.constantFrom(
        (n: number) => n.toString(16),
        (n: number) => n.toString(16).toUpperCase(),
        (n: number) => `000${n.toString(16)}`,
      ),
      last: weighted(
        ['0\r\n\r\n', '00\r\n\r\n', '0\r\nx-a: b\r\n\r\n'],
        ['0\r\n', '', '-1\r\n\r\n', 'x\r\n\r\n', '0\r\nx a\r\n\r\n'],
      ),
    })
    .map(({ encoding, extension, size, last }) => ({
      headers: [`Transfer-Encoding: ${encoding}`],
      body: parts.map((part) => `${size(part.length)}${extension}\r\n${part}\r\n`).join('') + last,
    }));
}

const interim = fc.oneof(
  { weight: 8, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n', 'HTTP/1.1 102 Processing\r\n\r\n'),
  },
);
/** Something that is put into an answer somewhere, or that a byte of it becomes. */
const fault = fc.oneof(
  { weight: 6, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({
      at: fc.nat(400),
      takesOut: fc.nat(2),
      text: fc.constantFrom('', '\r', '\n', '\r\n', ' ', '\0', ':', '0', 'x', '\t', ','),
    }),
  },
);

/** Answers, most of them right, in Latin-1. */
export const answers: fc.Arbitrary<string> = fc
  .record({
    interim,
    version,
    status,
    phrase,
    eol,
    headers: fc.array(header, { maxLength: 3 }),
    framed,
    fault,
    cut: fc.option(fc.nat(300), { freq: 8 }),
  })
  .map(({ interim, version, status, phrase, eol, headers, framed, fault, cut }) => {
    const fields = [...headers, ...framed.headers].map((field) => `${field}${eol}`).join('');
    const text = `${interim}${version} ${status}${phrase}${eol}${fields}\r\n${framed.body}`;
    const broken = fault ? text.slice(0, fault.at) + fault.text + text.slice(fault.at + fault.takesOut) : text;
    return cut === null ? broken : broken.slice(0, cut);
  });
