import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { attempt, type Exchange } from '../../src/delivery/attempt.ts';
import { createConnections } from '../../src/delivery/connections.ts';
import { createGuard } from '../../src/delivery/guard.ts';
import { DEFAULT_POLICY, type DeliveryPolicy } from '../../src/domain/delivery-policy.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Answer = (end: string, socket: Socket) => { readonly status: number; readonly closes?: boolean } | undefined;

/** Tells each request, as the body of its answer, at which address it came in. */
async function listen(address: string, port: number, answer: Answer): Promise<number> {
  const server = createServer(({ socket }, response) => {
    const { localAddress, localPort } = socket;
    const end = localAddress?.includes(':') ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
    const given = answer(end, socket);
    if (!given) return;
    setImmediate(() => response.writeHead(given.status, given.closes ? { connection: 'close' } : {}).end(end));
  });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
      }),
  );
  return (server.address() as AddressInfo).port;
}

function sender(addresses: readonly string[], policy: Partial<DeliveryPolicy> = {}) {
  let lookUps = 0;
  const resolve = async () => {
    const address = addresses[lookUps++ % addresses.length] ?? '';
    return [{ address, family: address.includes(':') ? 6 : 4 }];
  };
  const all = { ...DEFAULT_POLICY, ...policy };
  const connections = createConnections(createGuard({ allow: ['127.0.0.0/8', '::1'], resolve }), all);
  closing.push(() => connections.close());
  return (port: number): Promise<Exchange> => {
    const post = { url: new URL(`http://receiver.example:${port}/hook`), headers: {}, body: '{}' };
    return attempt(post, connections, all, new AbortController().signal);
  };
}

const told = ({ outcome }: Exchange) => (outcome.kind === 'rejected' ? outcome.excerpt : undefined);

test('each attempt tells to which of several addresses it was sent, whichever of the connections it took', async () => {
  let serial = 0;
  const answer: Answer = () => {
    serial += 1;
    return { status: 500, closes: serial % 7 === 0 };
  };
  const port = await listen('127.0.0.1', 0, answer);
  await listen('127.0.0.2', port, answer);
  await listen('127.0.0.3', port, answer);
  const send = sender(['127.0.0.1', '127.0.0.2', '127.0.0.3']);
  const seen = new Map<string, number>();
  for (let round = 0; round < 30; round += 1) {
    const sent = await Promise.all(Array.from({ length: 1 + (round % 8) }, () => send(port)));
    for (const exchange of sent) {
      expect(exchange.address).toBe(told(exchange));
      seen.set(exchange.address ?? '', (seen.get(exchange.address ?? '') ?? 0) + 1);
    }
  }
  expect([...seen.keys()].sort()).toEqual([`127.0.0.1:${port}`, `127.0.0.2:${port}`, `127.0.0.3:${port}`]);
});

test('an address of version 6 stands in brackets', async () => {
  const port = await listen('::1', 0, () => ({ status: 500 }));
  const sent = await sender(['::1'])(port);
  expect(sent.address).toBe(`[::1]:${port}`);
  expect(told(sent)).toBe(`[::1]:${port}`);
});

test('an attempt tells when it was sent and when the answer came', async () => {
  const port = await listen('127.0.0.1', 0, () => ({ status: 204 }));
  const { sentMs = -1, answeredMs = -1, outcome } = await sender(['127.0.0.1'])(port);
  expect(outcome.kind).toBe('delivered');
  expect(sentMs).toBeGreaterThanOrEqual(0);
  expect(answeredMs).toBeGreaterThanOrEqual(sentMs);
});

test.each<[string, Answer, object]>([
  ['is not answered in time', () => undefined, { reason: 'timeout' }],
  [
    'is cut off',
    (_end, socket) => {
      socket.resetAndDestroy();
      return undefined;
    },
    { reason: 'reset' },
  ],
])('of one that %s it is known where it was sent, and that no answer came', async (_, answer, outcome) => {
  const port = await listen('127.0.0.1', 0, answer);
  const sent = await sender(['127.0.0.1'], { deadline: 300 })(port);
  expect(sent).toMatchObject({ outcome, address: `127.0.0.1:${port}`, sentMs: expect.any(Number) });
  expect(sent.answeredMs).toBeUndefined();
});

test('one that found no connection was sent nowhere', async () => {
  const port = await listen('127.0.0.1', 0, () => ({ status: 204 }));
  const sent = await sender(['127.0.0.9'])(port);
  expect(sent).toEqual({ outcome: expect.objectContaining({ kind: 'unreachable', reason: 'connect' }) });
});

test('one that comes after a connection was lost tells of the new one', async () => {
  const closes: Answer = () => ({ status: 500, closes: true });
  const port = await listen('127.0.0.1', 0, closes);
  await listen('127.0.0.2', port, closes);
  const send = sender(['127.0.0.1', '127.0.0.2']);
  for (const last of [1, 2, 1, 2]) expect((await send(port)).address).toBe(`127.0.0.${last}:${port}`);
});
