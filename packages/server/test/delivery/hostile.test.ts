import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HostileReceiver, type Hostility, startHostileReceiver } from '../support/hostile-receiver.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { type Stage, setStage } from './stage.ts';

/** Of the log line of each attempt. */
type Facts = Readonly<Record<string, unknown>>;

interface Row extends Hostility {
  readonly name: string;
  readonly expected: Facts;
  /** Its connections stay open: they are in order, or it does not look. */
  readonly isKept?: true;
  /** Its channel stops at its first answer. */
  readonly isLast?: true;
}

const CHANGES = 2;
/** Long enough for a busy machine to answer what is answered at once. */
const POLICY = { deadline: 8000, connectTimeout: 5000 };
/** What an answer may cost: the body that is read and what the two sockets' buffers hold. */
const MOST_SENT = 8 * 1024 * 1024;

const delivered = (status: number): Facts => ({ outcome: 'delivered', status });
const rejected = (status: number): Facts => ({ outcome: 'rejected', status });
const unreachable = (reason: string): Facts => ({ outcome: 'unreachable', reason });

const says =
  (...parts: (string | Buffer)[]) =>
  (socket: Socket): void => {
    for (const part of parts) socket.write(part, 'latin1');
  };
const ends =
  (...parts: (string | Buffer)[]) =>
  (socket: Socket): void => {
    says(...parts)(socket);
    socket.end();
  };
/** As fast as it is taken, until the other side closes. */
const endlessly =
  (head: string, part: string) =>
  (socket: Socket): void => {
    const block = Buffer.from(part.repeat(Math.ceil(65_536 / part.length)), 'latin1');
    socket.write(head, 'latin1');
    const pour = (): void => {
      while (!socket.destroyed && socket.write(block));
    };
    socket.on('drain', pour);
    pour();
  };
/** A byte at a time. */
const dripping =
  (text: string) =>
  (socket: Socket): void => {
    let at = 0;
    const timer = setInterval(() => socket.write(text[at++ % text.length] ?? ''), 20);
    socket.on('close', () => clearInterval(timer));
  };
const closesAtOnce = (socket: Socket): void => {
  socket.end();
};
const resets = (socket: Socket): void => {
  socket.resetAndDestroy();
};

const OK = 'HTTP/1.1 200 OK\r\n';
const BAD = 'HTTP/1.1 500 Bad\r\n';
const bomb = gzipSync(Buffer.alloc(8_000_000));

const ROWS: readonly Row[] = [
  { name: 'never answers', expected: unreachable('timeout') },
  {
    name: 'never reads',
    onConnection: (socket) => {
      socket.pause();
    },
    expected: unreachable('timeout'),
    isKept: true,
  },
  {
    name: 'sends its status line a byte at a time',
    onRequest: dripping(`HTTP/1.1 200 ${'x'.repeat(10_000)}`),
    expected: unreachable('timeout'),
  },
  {
    name: 'sends its headers a byte at a time',
    onRequest: (socket) => {
      socket.write(OK);
      dripping('x-a: b\r\n')(socket);
    },
    expected: unreachable('timeout'),
  },
  {
    name: 'sends its body a byte at a time',
    onRequest: (socket) => {
      socket.write(`${OK}content-length: 1000000\r\n\r\n`);
      dripping('x')(socket);
    },
    expected: delivered(200),
  },
  {
    name: 'sends the body of its refusal a byte at a time',
    onRequest: (socket) => {
      socket.write(`${BAD}content-length: 1000000\r\n\r\n`);
      dripping('x')(socket);
    },
    expected: rejected(500),
  },
  { name: 'sends a body without end', onRequest: endlessly(`${OK}\r\n`, 'x'), expected: delivered(200) },
  { name: 'refuses with a body without end', onRequest: endlessly(`${BAD}\r\n`, 'x'), expected: rejected(500) },
  {
    name: 'sends chunks without end',
    onRequest: endlessly(`${OK}transfer-encoding: chunked\r\n\r\n`, '5\r\nhello\r\n'),
    expected: delivered(200),
  },
  {
    name: 'refuses with chunks without end',
    onRequest: endlessly(`${BAD}transfer-encoding: chunked\r\n\r\n`, '5\r\nhello\r\n'),
    expected: rejected(500),
  },
  {
    name: 'sends a chunk whose extension has no end',
    onRequest: endlessly(`${OK}transfer-encoding: chunked\r\n\r\n5;`, 'name=value;'),
    expected: delivered(200),
  },
  {
    name: 'refuses with a chunk whose extension has no end',
    onRequest: endlessly(`${BAD}transfer-encoding: chunked\r\n\r\n5;`, 'name=value;'),
    expected: rejected(500),
  },
  {
    name: 'sends trailers without end',
    onRequest: endlessly(`${OK}transfer-encoding: chunked\r\n\r\n0\r\n`, 'x-a: b\r\n'),
    expected: delivered(200),
  },
  {
    name: 'never ends its chunks',
    onRequest: says(`${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`),
    expected: delivered(200),
  },
  {
    name: 'refuses and never ends its chunks',
    onRequest: says(`${BAD}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`),
    expected: rejected(500),
  },
  {
    name: 'sends a chunk of no size',
    onRequest: says(`${OK}transfer-encoding: chunked\r\n\r\nsize\r\nhello\r\n`),
    expected: delivered(200),
  },
  {
    name: 'sends one huge header',
    onRequest: says(`${OK}x-a: ${'x'.repeat(1_000_000)}\r\n\r\n`),
    expected: unreachable('protocol'),
  },
  {
    name: 'sends headers without end',
    onRequest: endlessly(OK, 'x-a: b\r\n'),
    expected: unreachable('protocol'),
  },
  {
    name: 'sends a status line without end',
    onRequest: endlessly('HTTP/1.1 200 ', 'x'),
    expected: unreachable('protocol'),
  },
  {
    name: 'closes after its headers',
    onRequest: ends(`${OK}content-length: 10\r\n\r\n`),
    expected: delivered(200),
  },
  {
    name: 'closes after the headers of its refusal',
    onRequest: ends(`${BAD}content-length: 10\r\n\r\n`),
    expected: rejected(500),
  },
  { name: 'closes within its headers', onRequest: ends(`${OK}content-le`), expected: unreachable('reset') },
  { name: 'closes without a word', onRequest: closesAtOnce, expected: unreachable('reset') },
  { name: 'closes before it is asked', onConnection: closesAtOnce, expected: unreachable('reset') },
  { name: 'resets when it is asked', onRequest: resets, expected: unreachable('reset') },
  { name: 'resets at once', onConnection: resets, expected: unreachable('reset') },
  {
    name: 'sends garbage after 204',
    onRequest: says('HTTP/1.1 204 No Content\r\n\r\n', 'garbage'.repeat(1000)),
    expected: delivered(204),
  },
  {
    name: 'sends a body with 204',
    onRequest: says('HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello'),
    expected: delivered(204),
  },
  { name: 'sends garbage', onRequest: says('garbage\r\n\r\n'), expected: unreachable('protocol') },
  { name: 'sends a page and no header', onRequest: ends('<html></html>'), expected: unreachable('protocol') },
  {
    name: 'speaks HTTP/2',
    onRequest: says(Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 16, 0, 0])),
    expected: unreachable('protocol'),
  },
  { name: 'speaks HTTP/1.0', onRequest: ends('HTTP/1.0 200 OK\r\n\r\nfine'), expected: delivered(200) },
  {
    name: 'refuses in HTTP/1.0',
    onRequest: ends('HTTP/1.0 503 Busy\r\n\r\nlater'),
    expected: rejected(503),
  },
  {
    name: 'promises less than it sends',
    onRequest: says(`${OK}content-length: 2\r\n\r\nmore than two`),
    expected: delivered(200),
  },
  {
    name: 'promises more than it sends',
    onRequest: says(`${OK}content-length: 1000\r\n\r\nfew`),
    expected: delivered(200),
  },
  {
    name: 'refuses and promises more than it sends',
    onRequest: says(`${BAD}content-length: 1000\r\n\r\nfew`),
    expected: rejected(500),
  },
  {
    name: 'promises two lengths',
    onRequest: says(`${OK}content-length: 2\r\ncontent-length: 3\r\n\r\nabc`),
    expected: unreachable('protocol'),
  },
  {
    name: 'promises a length that is none',
    onRequest: says(`${OK}content-length: -2\r\n\r\n`),
    expected: unreachable('protocol'),
  },
  {
    name: 'promises a length beyond all numbers',
    onRequest: says(`${OK}content-length: 99999999999999999999999\r\n\r\n`),
    expected: unreachable('protocol'),
  },
  {
    name: 'sends a NUL in a header',
    onRequest: says(`${OK}x-a: a\0b\r\ncontent-length: 0\r\n\r\n`),
    expected: unreachable('protocol'),
  },
  {
    name: 'sends a header without a colon',
    onRequest: says(`${OK}nothing\r\ncontent-length: 0\r\n\r\n`),
    expected: unreachable('protocol'),
  },
  {
    name: 'folds a header',
    onRequest: says(`${OK}x-a: a\r\n b\r\ncontent-length: 0\r\n\r\n`),
    expected: unreachable('protocol'),
  },
  {
    name: 'answers 600',
    onRequest: says('HTTP/1.1 600 What\r\ncontent-length: 0\r\n\r\n'),
    expected: rejected(600),
    isKept: true,
  },
  {
    name: 'hints, then accepts',
    onRequest: says('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 204 Done\r\n\r\n'),
    expected: delivered(204),
    isKept: true,
  },
  {
    name: 'tells to go on when it was not asked',
    onRequest: says('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 Done\r\n\r\n'),
    expected: unreachable('reset'),
  },
  {
    name: 'sends interim answers without end',
    onRequest: endlessly('', 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'),
    expected: unreachable('protocol'),
  },
  {
    name: 'switches protocols',
    onRequest: says('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'),
    expected: unreachable('reset'),
  },
  {
    name: 'answers before it is asked',
    onConnection: (socket) => {
      socket.pause();
      socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    },
    // Taken as the answer, or a breach of order: whichever is seen first.
    expected: {},
    isKept: true,
  },
  {
    name: 'answers before it has read what it is asked',
    onConnection: (socket) => {
      socket.once('data', () => {
        socket.pause();
        socket.write('HTTP/1.1 204 No Content\r\n\r\n');
      });
    },
    expected: delivered(204),
    isKept: true,
  },
  {
    name: 'sends a bomb',
    onRequest: says(`${OK}content-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`, bomb),
    expected: delivered(200),
    isKept: true,
  },
  {
    name: 'sends its visitors to a metadata service',
    onRequest: says(
      'HTTP/1.1 301 Moved\r\nlocation: http://169.254.169.254/latest/meta-data/\r\ncontent-length: 0\r\n\r\n',
    ),
    expected: rejected(301),
    isKept: true,
  },
  {
    name: 'is gone',
    onRequest: says('HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n'),
    expected: rejected(410),
    isKept: true,
    isLast: true,
  },
  {
    name: 'has a certificate that nobody trusts',
    isSecure: true,
    onRequest: says(`${OK}content-length: 0\r\n\r\n`),
    expected: unreachable('tls'),
  },
  { name: 'never begins TLS', scheme: 'https', expected: unreachable('tls') },
  {
    name: 'speaks no TLS',
    scheme: 'https',
    onConnection: says('HTTP/1.1 400 Bad\r\n\r\n'),
    expected: unreachable('tls'),
  },
  { name: 'closes within TLS', scheme: 'https', onConnection: closesAtOnce, expected: unreachable('reset') },
];

describe('beside all of these at once', () => {
  const receivers = new Map<Row, HostileReceiver>();
  let well: Receiver;
  let stage: Stage;
  let attempts: readonly Facts[];

  beforeAll(async () => {
    stage = await setStage({ policy: POLICY });
    well = await startReceiver();
    for (const [i, row] of ROWS.entries()) {
      const receiver = await startHostileReceiver(row);
      receivers.set(row, receiver);
      await stage.open(String(100 + i), `${receiver.origin}/hook`);
    }
    await stage.open('1', `${well.origin}/hook`);
    for (let i = 0; i < CHANGES; i += 1) await stage.change(i);
    await stage.delivery.idle();
    attempts = stage.log.map(({ fields }) => fields).filter(({ attempt }) => attempt !== undefined);
  });
  afterAll(async () => {
    await stage?.close();
    await well?.close();
    for (const receiver of receivers.values()) await receiver.close();
  });

  test('a well receiver gets everything at the first attempt', () => {
    expect(well.received.map(({ headers }) => headers['watchbell-sequence']).sort()).toEqual(['1', '2']);
    expect(well.received.map(({ headers }) => headers['watchbell-attempt'])).toEqual(['1', '1']);
  });

  test('nothing is left in the air or unsaved', () => {
    expect(stage.delivery.counts()).toMatchObject({ inFlight: 0, unsettled: 0 });
  });

  test.each(ROWS.map((row) => [row.name, row] as const))(
    'a receiver that %s costs its own attempts',
    async (_, row) => {
      const receiver = receivers.get(row) as HostileReceiver;
      const own = attempts.filter((facts) => facts.receiver === `${receiver.origin}/hook`);
      if (row.isLast) expect(own.length).toBeGreaterThan(0);
      else expect(own).toHaveLength(CHANGES);
      for (const facts of own) expect(facts).toMatchObject({ attempt: 1, ...row.expected });
      if (!row.isKept) await receiver.closed();
      expect(receiver.connections()).toBeLessThanOrEqual(2 * CHANGES);
      expect(receiver.mostSent()).toBeLessThan(MOST_SENT);
      if (row.isSecure || row.scheme) expect(receiver.requests).toEqual([]);
    },
  );
});

describe('a receiver that asks for time', () => {
  const HOUR = 3_600_000;
  const dated = (): string => new Date(Date.now() + 20 * 60_000).toUTCString();
  test.each([
    ['seconds', () => '600', 600_000, 0],
    // Of a date to the second, by real time, which goes on meanwhile.
    ['a date', dated, 20 * 60_000, 60_000],
    ['an absurd number of seconds', () => '9'.repeat(30), HOUR, 0],
    ['an absurd date', () => 'Fri, 31 Dec 9999 23:59:59 GMT', HOUR, 0],
    ['nothing that can be read', () => 'later', 5000, 0],
    ['an absurd text', () => '9'.repeat(10_000), 5000, 0],
    ['less than the schedule', () => '1', 5000, 0],
  ])('by %s is asked again then, and not before', async (_, retryAfter, wait, slack) => {
    const stage = await setStage();
    const receiver = await startReceiver((_request, response) => {
      response.writeHead(429, { 'retry-after': retryAfter() }).end();
    });
    try {
      await stage.open('1', receiver.origin);
      await stage.change(1);
      await stage.delivery.idle();
      stage.clock.advance(wait - slack - 1);
      await stage.delivery.idle();
      expect(receiver.received).toHaveLength(1);
      stage.clock.advance(slack + 1);
      await stage.delivery.idle();
      expect(receiver.received).toHaveLength(2);
    } finally {
      await stage.close();
      await receiver.close();
    }
  });
});

test('a name that nobody answers for costs its own attempts only, and is asked for anew', async () => {
  let isAnswered = false;
  const asked: string[] = [];
  const well = await startReceiver();
  const stage = await setStage({
    policy: { connectTimeout: 100 },
    resolve(host) {
      asked.push(host);
      return isAnswered ? Promise.resolve([{ address: '127.0.0.1', family: 4 }]) : new Promise(() => undefined);
    },
  });
  try {
    const { port } = new URL(well.origin);
    const silent = await stage.open('1', `http://silent.example:${port}/`);
    await stage.open('2', `${well.origin}/`);
    await stage.change(1);
    await stage.delivery.idle();
    expect(well.received.map(({ body }) => body.channel_id)).toEqual(['2']);
    expect(stage.log.map(({ fields }) => fields)).toContainEqual(
      expect.objectContaining({ channel: '1', outcome: 'unreachable', reason: 'dns' }),
    );
    isAnswered = true;
    stage.clock.advance(5000);
    await stage.delivery.idle();
    expect(await stage.pending(silent)).toEqual([]);
    expect(asked).toEqual(['silent.example', 'silent.example']);
  } finally {
    await stage.close();
    await well.close();
  }
});

test('a request that was given up is not connected for once more', async () => {
  const receiver = await startHostileReceiver({});
  const stage = await setStage({ policy: { deadline: 50 } });
  try {
    await stage.open('1', receiver.origin);
    await stage.change(1);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await stage.delivery.idle();
      await receiver.closed();
      expect(receiver.requests).toHaveLength(attempt);
      stage.clock.advance(3_600_000);
    }
    await stage.delivery.idle();
    expect(receiver.connections()).toBe(receiver.requests.length);
  } finally {
    await stage.close();
    await receiver.close();
  }
});
