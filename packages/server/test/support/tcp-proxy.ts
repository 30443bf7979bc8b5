import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What stands between a client and a server on loopback, so that it can be cut at a chosen moment. */
export interface TcpProxy {
  readonly port: number;
  /** Connections that stand, through to the server. */
  open(): number;
  /** Cuts all that stand, both ends. New ones are let in. */
  cut(): void;
  /** Takes what comes from either end and passes nothing on, until `heal`. New connections are taken and not answered. */
  swallow(): void;
  /** What was swallowed is passed on, late, unless it was cut. */
  heal(): void;
  /**
   * Cuts the connection on which the server says this next, and keeps it from the client. Resolves when it was said.
   */
  loseNext(text: string): Promise<void>;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** `follow` is called for each connection; what it answers, for all that the client sends on it. */
export async function startTcpProxy(target: number, follow?: () => (sent: Buffer) => void): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let isSwallowing = false;
  let losing: { readonly text: string; readonly lost: () => void } | undefined;

  function end(pair: Pair): void {
    pairs.delete(pair);
    pair.client.resetAndDestroy();
    pair.server.destroy();
  }

  const listener = createServer((client) => {
    const server = connect(target, '127.0.0.1');
    const pair: Pair = { client, server };
    pairs.add(pair);
    client.setNoDelay(true);
    server.setNoDelay(true);
    for (const socket of [client, server]) {
      socket.on('error', () => end(pair));
      socket.on('close', () => end(pair));
    }
    const sees = follow?.();
    client.on('data', (chunk) => {
      sees?.(chunk);
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (losing && chunk.includes(losing.text)) {
        const { lost } = losing;
        losing = undefined;
        end(pair);
        lost();
      } else client.write(chunk);
    });
    if (isSwallowing) for (const socket of [client, server]) socket.pause();
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');

  return {
    port: (listener.address() as AddressInfo).port,
    open: () => pairs.size,
    cut() {
      for (const pair of [...pairs]) end(pair);
    },
    swallow() {
      isSwallowing = true;
      for (const { client, server } of pairs) for (const socket of [client, server]) socket.pause();
    },
    heal() {
      isSwallowing = false;
      for (const { client, server } of pairs) for (const socket of [client, server]) socket.resume();
    },
    loseNext: (text) =>
      new Promise((lost) => {
        losing = { text, lost };
      }),
    async close() {
      for (const pair of [...pairs]) end(pair);
      listener.close();
      await once(listener, 'close');
    },
  };
}

/** The URL with the proxy in the place of the server. */
export function through(proxy: Pick<TcpProxy, 'port'>, url: string): string {
  const changed = new URL(url);
  changed.hostname = '127.0.0.1';
  changed.port = String(proxy.port);
  return changed.href;
}
