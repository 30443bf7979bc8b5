import type { AddressInfo, LookupFunction, TcpNetConnectOpts } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { attempt } from '../../src/delivery/attempt.ts';
import { createConnections } from '../../src/delivery/connections.ts';
import { createGuard } from '../../src/delivery/guard.ts';
import type { Resolve } from '../../src/delivery/resolve.ts';
import type { Outcome } from '../../src/domain/attempt.ts';
import { DEFAULT_POLICY } from '../../src/domain/delivery-policy.ts';

/** Where every socket really goes, when a test says so. */
const diverted: { to?: string } = {};
vi.mock('node:net', async (original) => {
  const net = await original<typeof import('node:net')>();
  const divert: LookupFunction = (_host, { all }, done) => {
    const address = diverted.to ?? '';
    if (all) done(null, [{ address, family: 4 }]);
    else done(null, address, 4);
  };
  return {
    ...net,
    connect: (options: TcpNetConnectOpts) =>
      net.connect(diverted.to === undefined ? options : { ...options, lookup: divert }),
  };
});

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  delete diverted.to;
  for (const close of closing.splice(0).reverse()) await close();
});

interface Station {
  /** How often it was connected to, and what it was sent. */
  connections: number;
  bytes: number;
}

/** Answers every request on its connection and closes it: the next one connects anew. */
async function listen(address: string, port: number): Promise<Station & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const station = { connections: 0, bytes: 0, port };
  const server: Server = createServer((socket) => {
    station.connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      station.bytes += chunk.length;
      socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(resolve);
      }),
  );
  station.port = (server.address() as AddressInfo).port;
  return station;
}

function sender(resolve: Resolve, allow: readonly string[]): (port: number) => Promise<Outcome> {
  const connections = createConnections(createGuard({ allow, resolve }), DEFAULT_POLICY);
  closing.push(() => connections.close());
  return async (port) => {
    const post = { url: new URL(`http://receiver.example:${port}/hook`), headers: {}, body: '{}' };
    return (await attempt(post, connections, DEFAULT_POLICY, new AbortController().signal)).outcome;
  };
}

const v4 = (...addresses: string[]) => addresses.map((address) => ({ address, family: 4 }));

test('DNS that changes between look-ups reaches nothing that was not vetted: there is one look-up for a connection', async () => {
  const outside = await listen('127.0.0.2', 0);
  const inside = await listen('127.0.0.1', outside.port);
  const answers = [v4('127.0.0.2'), v4('127.0.0.1'), v4('127.0.0.2')];
  let lookUps = 0;
  const send = sender(async () => answers[lookUps++] ?? [], ['127.0.0.2']);
  expect(await send(outside.port)).toEqual({ kind: 'delivered', status: 204 });
  expect(lookUps).toBe(1);
  expect(await send(outside.port)).toEqual({ kind: 'forbidden', address: '127.0.0.1', reason: 'loopback' });
  expect(lookUps).toBe(2);
  expect(await send(outside.port)).toEqual({ kind: 'delivered', status: 204 });
  expect(lookUps).toBe(3);
  expect([outside.connections, inside.connections]).toEqual([2, 0]);
});

test('a vetted address that does not answer is not made up for by one that was refused', async () => {
  const inside = await listen('127.0.0.1', 0);
  const send = sender(async () => v4('127.0.0.1', '127.0.0.2', '127.0.0.3'), ['127.0.0.2', '127.0.0.3']);
  expect(await send(inside.port)).toMatchObject({ kind: 'unreachable', reason: 'connect' });
  expect(inside.connections).toBe(0);
});

test('of several vetted addresses the one that answers is used', async () => {
  const second = await listen('127.0.0.3', 0);
  const send = sender(async () => v4('127.0.0.2', '127.0.0.3'), ['127.0.0.0/8']);
  expect(await send(second.port)).toEqual({ kind: 'delivered', status: 204 });
});

test('a connection that ends at another address than those vetted is closed before a byte is sent', async () => {
  const elsewhere = await listen('127.0.0.1', 0);
  diverted.to = '127.0.0.1';
  const send = sender(async () => v4('127.0.0.2'), ['127.0.0.0/8']);
  expect(await send(elsewhere.port)).toEqual({ kind: 'forbidden', address: '127.0.0.1', reason: 'unvetted' });
  expect(elsewhere.bytes).toBe(0);
});
