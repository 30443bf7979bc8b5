import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { attempt, type Post } from '../../src/delivery/attempt.ts';
import { createConnections } from '../../src/delivery/connections.ts';
import { createGuard } from '../../src/delivery/guard.ts';
import type { Outcome } from '../../src/domain/attempt.ts';
import { DEFAULT_POLICY } from '../../src/domain/delivery-policy.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Peer {
  readonly origin: string;
  /** In the order in which they came. */
  readonly sockets: readonly Socket[];
  /** All that came, of all connections. */
  text(): string;
}

/** Calls `answer` whenever something comes on one of its connections. */
async function listen(answer: (socket: Socket, connection: number) => void): Promise<Peer> {
  const sockets: Socket[] = [];
  const chunks: Buffer[] = [];
  const server = createServer((socket) => {
    const connection = sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      answer(socket, connection);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(resolve);
      }),
  );
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, sockets, text: () => Buffer.concat(chunks).toString() };
}

function sender(policy = DEFAULT_POLICY) {
  const connections = createConnections(createGuard({ allow: ['127.0.0.0/8'] }), policy);
  closing.push(() => connections.close());
  const send = async (origin: string, post: Partial<Post> = {}): Promise<Outcome> => {
    const all: Post = { url: new URL(`${origin}/hook`), headers: {}, body: '{}', ...post };
    return (await attempt(all, connections, policy, new AbortController().signal)).outcome;
  };
  return { send, connections };
}

/** Some turns, so that everything is read that has come. */
async function turns(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
const DELIVERED: Outcome = { kind: 'delivered', status: 200 };

test('a request is written as it is, with the bytes of its body counted', async () => {
  const peer = await listen((socket) => socket.write(OK));
  const { send } = sender();
  await send(peer.origin, {
    url: new URL(`${peer.origin}/a%20b?c=ü&d`),
    headers: { 'content-type': 'application/json', 'webhook-id': 'id' },
    body: '{"ü":"😀"}',
  });
  await turns();
  await send(peer.origin);
  const { host } = new URL(peer.origin);
  const start = (path: string): string => `POST ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
  expect(peer.text()).toBe(
    `${start('/a%20b?c=%C3%BC&d')}content-type: application/json\r\nwebhook-id: id\r\ncontent-length: 13\r\n\r\n{"ü":"😀"}` +
      `${start('/hook')}content-length: 2\r\n\r\n{}`,
  );
  expect(peer.sockets).toHaveLength(1);
});

test.each<[string, Partial<Post>]>([
  ['a header with a line in it', { headers: { 'x-a': 'b\r\nx-c: d' } }],
  ['a header with a NUL', { headers: { 'x-a': '\0' } }],
  ['a header of other letters', { headers: { 'x-a': 'ü' } }],
  ['a header whose name is a line', { headers: { 'x-a: b\r\nx-c': 'd' } }],
  ['a path with a line in it', { url: { origin: 'replaced', pathname: '/\r\n', search: '' } }],
  ['a path with a space', { url: { origin: 'replaced', pathname: '/a b', search: '' } }],
])('%s is not sent', async (_, post) => {
  const peer = await listen((socket) => socket.write(OK));
  const url = post.url && { ...post.url, origin: peer.origin };
  const outcome = await sender().send(peer.origin, { ...post, ...(url && { url }) });
  expect(outcome).toMatchObject({ kind: 'unreachable', reason: 'protocol' });
  expect(peer.text()).toBe('');
});

describe('after an answer', () => {
  test.each([
    ['that is whole', OK],
    ['in chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
    ['that refuses', 'HTTP/1.1 503 Busy\r\ncontent-length: 4\r\n\r\nlate'],
    ['of HTTP/1.0 that keeps it', 'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n'],
  ])('%s the connection takes the next request', async (_, answer) => {
    const peer = await listen((socket) => socket.write(answer));
    const { send } = sender();
    for (let i = 0; i < 3; i += 1) {
      await send(peer.origin);
      await turns();
    }
    expect(peer.sockets).toHaveLength(1);
  });

  test.each([
    ['that closes it', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'],
    ['that hardly keeps it', 'HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 0\r\n\r\n'],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n'],
    ['that something follows', `${OK}more`],
    ['that another follows', `${OK}${OK}`],
  ])('%s the next request has a connection of its own', async (_, answer) => {
    const peer = await listen((socket) => socket.write(answer));
    const { send } = sender();
    for (const expected of [1, 2]) {
      expect(await send(peer.origin)).toEqual(DELIVERED);
      await turns();
      expect(peer.sockets).toHaveLength(expected);
    }
    for (const socket of peer.sockets) if (!socket.destroyed) await once(socket, 'close');
  });

  test('that comes before all of its request is written the rest is written, and then the next one', async () => {
    let hasAnswered = false;
    const peer = await listen((socket) => {
      if (hasAnswered) return;
      hasAnswered = true;
      socket.pause();
      socket.write(OK, () => setImmediate(() => socket.resume()));
    });
    const { send } = sender();
    expect(await send(peer.origin, { body: `${'x'.repeat(20_000_000)}.` })).toEqual(DELIVERED);
    const [first] = peer.sockets as [Socket];
    while (!peer.text().endsWith('.')) {
      expect(first.destroyed).toBe(false);
      await Promise.race([once(first, 'data'), once(first, 'close')]);
    }
    hasAnswered = false;
    expect(await send(peer.origin)).toEqual(DELIVERED);
    expect(peer.sockets).toHaveLength(1);
  });

  test('that comes before all of its request is written, which is never read, the next one has a connection of its own', async () => {
    const peer = await listen((socket, connection) => {
      if (connection === 1) socket.pause();
      socket.write(OK);
    });
    const { send } = sender({ ...DEFAULT_POLICY, deadline: 500 });
    expect(await send(peer.origin, { body: 'x'.repeat(20_000_000) })).toEqual(DELIVERED);
    await turns();
    expect(await send(peer.origin)).toEqual(DELIVERED);
    expect(peer.sockets).toHaveLength(2);
  });

  test('what is said unasked closes the connection, and is no answer to the next request', async () => {
    const peer = await listen((socket, connection) => {
      socket.write(connection === 1 ? OK : 'HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n');
    });
    const { send } = sender();
    expect(await send(peer.origin)).toEqual(DELIVERED);
    await turns();
    const [first] = peer.sockets;
    first?.write(OK);
    await once(first as Socket, 'close');
    expect(await send(peer.origin)).toEqual({ kind: 'rejected', status: 410 });
  });

  test('what is said unasked in the moment in which the next request is made closes the connection, too', async () => {
    const peer = await listen((socket, connection) => {
      socket.write(connection === 1 ? OK : 'HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n');
    });
    const { send } = sender();
    expect(await send(peer.origin)).toEqual(DELIVERED);
    await turns();
    const [first] = peer.sockets as [Socket];
    // In the receive buffer of the connection before the request is made.
    await new Promise<void>((resolve) => first.write(OK, () => resolve()));
    expect(await send(peer.origin)).toEqual({ kind: 'rejected', status: 410 });
    expect(peer.sockets).toHaveLength(2);
  });

  test('a connection that is closed in the moment in which the next request is made is not used for it', async () => {
    const peer = await listen((socket) => socket.write(OK));
    const { send } = sender();
    for (let i = 1; i <= 20; i += 1) {
      expect(await send(peer.origin)).toEqual(DELIVERED);
      await turns();
      const socket = peer.sockets[i - 1] as Socket;
      await new Promise<void>((resolve) => socket.end(() => resolve()));
    }
    expect(peer.sockets).toHaveLength(20);
  });

  test('an idle connection is closed before the time that the other side says', async () => {
    const peer = await listen((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nkeep-alive: timeout=3\r\ncontent-length: 0\r\n\r\n'),
    );
    const { send } = sender();
    expect(await send(peer.origin)).toEqual(DELIVERED);
    await once(peer.sockets[0] as Socket, 'end');
  });
});

test('connections that are closed end what is under way', async () => {
  let come: () => void = () => undefined;
  const hasCome = new Promise<void>((resolve) => {
    come = resolve;
  });
  const peer = await listen(() => come());
  const { send, connections } = sender();
  const sent = send(peer.origin);
  await hasCome;
  await connections.close();
  expect(await sent).toMatchObject({ kind: 'unreachable', reason: 'reset' });
});

test('an idle connection keeps nothing of what was sent on it', async () => {
  const peer = await listen((socket) => socket.write(OK));
  const { send } = sender();
  const sent: WeakRef<object>[] = [];
  async function sendOne(): Promise<void> {
    const url = new URL(`${peer.origin}/hook`);
    sent.push(new WeakRef(url));
    await send(peer.origin, { url });
  }
  await sendOne();
  await turns();
  await sendOne();
  await turns();
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  expect(sent.map((url) => url.deref())).toEqual([undefined, undefined]);
  expect(peer.sockets.map((socket) => socket.destroyed)).toEqual([false]);
});
