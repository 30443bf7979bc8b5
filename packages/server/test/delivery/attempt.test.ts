import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { attempt, parseRetryAfter } from '../../src/delivery/attempt.ts';
import { type Connections, createConnections } from '../../src/delivery/connections.ts';
import { createGuard } from '../../src/delivery/guard.ts';
import type { Outcome } from '../../src/domain/attempt.ts';
import { DEFAULT_POLICY, type DeliveryPolicy } from '../../src/domain/delivery-policy.ts';
import { type Behaviour, hanging, type Receiver, resetting, startReceiver } from '../support/receiver.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function connections(allow: readonly string[] = ['127.0.0.0/8'], policy: DeliveryPolicy = DEFAULT_POLICY): Connections {
  const made = createConnections(createGuard({ allow }), policy);
  closing.push(() => made.close());
  return made;
}
async function receiver(behaviour: Behaviour): Promise<Receiver> {
  const started = await startReceiver(behaviour);
  closing.push(() => started.close());
  return started;
}
/** Answers with these bytes and leaves the connection open. */
async function raw(text: string): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(text));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sockets = new Set<{ destroy(): unknown }>();
  server.on('connection', (socket) => sockets.add(socket));
  closing.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(resolve);
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function post(origin: string, made = connections(), policy: Partial<DeliveryPolicy> = {}): Promise<Outcome> {
  const { signal } = new AbortController();
  const request = { url: new URL(`${origin}/hook?a=b`), headers: { 'content-type': 'application/json' }, body: '{}' };
  return (await attempt(request, made, { ...DEFAULT_POLICY, ...policy }, signal)).outcome;
}

describe('an attempt', () => {
  test.each([200, 201, 202, 204, 299])('is delivered by %i', async (status) => {
    const { origin } = await receiver((_request, response) => response.writeHead(status).end());
    expect(await post(origin)).toEqual({ kind: 'delivered', status });
  });

  test.each([301, 302, 307, 308])('is rejected by %i, which is not followed', async (status) => {
    const elsewhere = await receiver((_request, response) => response.end());
    const { origin } = await receiver((_request, response) =>
      response.writeHead(status, { location: elsewhere.origin }).end(),
    );
    expect(await post(origin)).toEqual({ kind: 'rejected', status });
    expect(elsewhere.received).toEqual([]);
  });

  test('keeps the first KiB of a rejection, as text that can be stored', async () => {
    const { origin } = await receiver((_request, response) =>
      response.writeHead(500).end(Buffer.concat([Buffer.from([0, 0xff]), Buffer.alloc(5000, 'x')])),
    );
    expect(await post(origin)).toEqual({ kind: 'rejected', status: 500, excerpt: `\uFFFD\uFFFD${'x'.repeat(1022)}` });
  });

  test('that was held up beyond its deadline before it was written is not sent, though no timer could say so', async () => {
    const { origin, received } = await receiver((_request, response) => response.end());
    const made = connections();
    const standStill = (ms: number): void => {
      for (const until = performance.now() + ms; performance.now() < until; );
    };
    const heldUp: Connections = {
      ...made,
      take(to) {
        const line = made.take(to);
        return {
          ...line,
          dispatch: (request, telling) =>
            line.dispatch(request, {
              ...telling,
              start() {
                standStill(60);
                telling.start();
              },
            }),
        };
      },
    };
    expect(await post(origin, heldUp, { deadline: 50 })).toMatchObject({ kind: 'unreachable', reason: 'timeout' });
    // Written later than whatever was sent, so it comes after that.
    expect(await post(origin, made)).toEqual({ kind: 'delivered', status: 200 });
    expect(received).toHaveLength(1);
  });

  test('reads Retry-After', async () => {
    const { origin } = await receiver((_request, response) => response.writeHead(429, { 'retry-after': '7' }).end());
    expect(await post(origin)).toEqual({ kind: 'rejected', status: 429, retryAfterMs: 7000 });
  });

  test('is delivered by complete 2xx headers, though the body is too long', async () => {
    const { origin } = await receiver((_request, response) => response.writeHead(200).end(Buffer.alloc(1_000_000)));
    expect(await post(origin)).toEqual({ kind: 'delivered', status: 200 });
  });

  test('is delivered by complete 2xx headers, though the body never ends', async () => {
    const origin = await raw('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
    expect(await post(origin, undefined, { deadline: 200 })).toEqual({ kind: 'delivered', status: 200 });
  });

  test('is delivered by complete 2xx headers, though the connection breaks in the body', async () => {
    const { origin } = await receiver((request, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('half', () => request.socket.destroy());
    });
    expect(await post(origin)).toEqual({ kind: 'delivered', status: 200 });
  });

  test('does not wait for the end of a body that is too long, nor for one answer after many interim ones', async () => {
    const body = await raw(`HTTP/1.1 500 Bad\r\ncontent-length: 1000000\r\n\r\n${'x'.repeat(70_000)}`);
    expect(await post(body, undefined, { deadline: 60_000 })).toMatchObject({ kind: 'rejected', status: 500 });
    const interim = await raw('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(17));
    const outcome = await post(interim, undefined, { deadline: 60_000 });
    expect(outcome).toMatchObject({ kind: 'unreachable', message: 'Too many interim answers' });
  });

  test('is not delivered by a 2xx status line whose headers never end', async () => {
    const origin = await raw('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n');
    expect(await post(origin, undefined, { deadline: 200 })).toMatchObject({ kind: 'unreachable', reason: 'timeout' });
  });

  test('is not delivered by an interim answer', async () => {
    const origin = await raw('HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n');
    expect(await post(origin, undefined, { deadline: 200 })).toMatchObject({ kind: 'unreachable', reason: 'timeout' });
  });

  test('ends at its deadline when nothing is answered', async () => {
    const { origin } = await receiver(hanging);
    expect(await post(origin, undefined, { deadline: 100 })).toMatchObject({ kind: 'unreachable', reason: 'timeout' });
  });

  test('tells a reset from nonsense from a closed port', async () => {
    const reset = await receiver(resetting);
    expect(await post(reset.origin)).toMatchObject({ kind: 'unreachable', reason: 'reset' });
    const nonsense = await raw('SSH-2.0-OpenSSH_9.2\r\n\r\n');
    expect(await post(nonsense)).toMatchObject({ kind: 'unreachable', reason: 'protocol' });
    const gone = await startReceiver();
    await gone.close();
    expect(await post(gone.origin)).toMatchObject({ kind: 'unreachable', reason: 'connect' });
    expect(await post(reset.origin.replace('http:', 'https:'))).toMatchObject({ kind: 'unreachable' });
  });

  test('reaches no loopback receiver that is not allowed, by address or by name', async () => {
    const inside = await receiver((_request, response) => response.end());
    const { port } = new URL(inside.origin);
    for (const host of ['127.0.0.1', '0x7f.1', '[::ffff:127.0.0.1]', '[::1]', 'localhost', '0.0.0.0']) {
      expect(await post(`http://${host}:${port}`, connections([])), host).toMatchObject({ kind: 'forbidden' });
    }
    expect(inside.received).toEqual([]);
    expect(await post(`http://localhost:${port}`, connections(['localhost']))).toMatchObject({ kind: 'delivered' });
  });

  test('keeps connections of few origins', async () => {
    const made = connections(undefined, { ...DEFAULT_POLICY, maxOrigins: 1 });
    const first = await receiver((_request, response) => response.end());
    const second = await receiver((_request, response) => response.end());
    for (const { origin } of [first, second, first]) expect(await post(origin, made)).toMatchObject({ status: 200 });
  });
});

describe('Retry-After', () => {
  const NOW = Date.UTC(2026, 0, 5, 9);
  test.each([
    ['120', 120_000],
    [' 5 ', 5_000],
    ['0', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['999999999999999999999999', 3_600_000],
    ['Mon, 05 Jan 2026 09:00:30 GMT', 30_000],
    ['Mon, 05 Jan 2026 08:59:30 GMT', undefined],
    ['Tue, 06 Jan 2026 09:00:00 GMT', 3_600_000],
  ])('%j is read as %s ms', (text, expected) => {
    expect(parseRetryAfter(text, NOW, 3_600_000)).toBe(expected);
  });
});
