import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { attempt } from '../../src/delivery/attempt.ts';
import { createConnections } from '../../src/delivery/connections.ts';
import { createGuard } from '../../src/delivery/guard.ts';
import type { Outcome } from '../../src/domain/attempt.ts';
import { DEFAULT_POLICY } from '../../src/domain/delivery-policy.ts';
import { UNTRUSTED } from '../support/hostile-receiver.ts';

// Whom to trust is read when the process starts; who is not trusted is tested elsewhere.
beforeEach(() => vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0'));
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  vi.unstubAllEnvs();
});

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';

/** A receiver with TLS, whose connections answer each request, and something that sends to it. */
async function meet(answer: (socket: TLSSocket) => void) {
  const sockets: TLSSocket[] = [];
  const resumed: boolean[] = [];
  let text = '';
  const server = createServer(UNTRUSTED, (socket) => {
    sockets.push(socket);
    resumed.push(socket.isSessionReused());
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      text += chunk;
      if (text.endsWith('{}')) answer(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const connections = createConnections(createGuard({ allow: ['127.0.0.0/8'] }), DEFAULT_POLICY);
  closing.push(async () => {
    await connections.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
  async function send(body = '{}'): Promise<Outcome> {
    const { outcome } = await attempt(
      { url, headers: {}, body },
      connections,
      DEFAULT_POLICY,
      new AbortController().signal,
    );
    for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
    return outcome;
  }
  return { sockets, resumed, send };
}

test('a connection with TLS takes one request after another', async () => {
  const { sockets, send } = await meet((socket) => socket.write(OK));
  for (const body of ['{}', `${'ü'.repeat(500_000)}{}`, '{}'])
    expect(await send(body)).toEqual({ kind: 'delivered', status: 200 });
  expect(sockets).toHaveLength(1);
});

test('an answer ends with its connection, whose session the next one takes up again', async () => {
  const { resumed, send } = await meet((socket) => socket.end('HTTP/1.1 404 None\r\n\r\nup to the end'));
  for (let i = 0; i < 3; i += 1) expect(await send()).toMatchObject({ kind: 'rejected', excerpt: 'up to the end' });
  expect(resumed).toEqual([false, true, true]);
});

test('what is said unasked with TLS closes the connection, and is no answer to the next request', async () => {
  const { sockets, send } = await meet((socket) =>
    socket.write(sockets.length === 1 ? OK : 'HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n'),
  );
  expect(await send()).toEqual({ kind: 'delivered', status: 200 });
  const [first] = sockets as [TLSSocket];
  first.write(OK);
  await once(first, 'close');
  expect(await send()).toEqual({ kind: 'rejected', status: 410 });
});
