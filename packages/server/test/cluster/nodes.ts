import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../crash/ports.ts';
import { BIN, type ServerProcess, startServerProcess } from '../support/server-process.ts';

/** A process of the cluster; one that starts again in its place is another. */
export interface Node {
  /** Counts the places, from 1. */
  readonly place: number;
  /** That it sends to receivers from: of this process alone. */
  readonly address: string;
  readonly base: string;
  readonly server: ServerProcess;
  /** When it was started, as an order of the journal. */
  readonly from: number;
  isFrozen: boolean;
}

export interface Nodes {
  /** Those that run, frozen ones too. */
  readonly running: readonly Node[];
  /** Starts a node in the lowest free place. */
  add(): Promise<Node>;
  /** The node is gone: it was killed, or left. */
  drop(node: Node): void;
  close(): Promise<void>;
}

const PRELOAD = new URL('./source-address.mjs', import.meta.url);
const SECRET_KEY = '5a'.repeat(32);
/** Of all of them, so that what they send is the same from each. */
const PUBLIC_URL = 'http://127.0.0.1:1';

/** All of 127.0.0.0/8 is this machine. The receivers and the database are at 127.0.0.1. */
const addressOf = (serial: number): string => `127.0.${1 + Math.floor(serial / 250)}.${1 + (serial % 250)}`;

export function createNodes(databaseUrl: string, flags: readonly string[], order: () => number): Nodes {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-cluster-'));
  const running: Node[] = [];
  const ports = new Map<number, number>();
  let serial = 0;
  return {
    running,
    async add() {
      let place = 1;
      while (running.some((node) => node.place === place)) place += 1;
      const port = ports.get(place) ?? (await freePort());
      ports.set(place, port);
      const address = addressOf(serial);
      serial += 1;
      const from = order();
      const server = await startServerProcess({
        dataDir: join(dataDir, String(place)),
        port,
        program: ['--import', `${PRELOAD.href}?address=${address}`, BIN, 'dev'],
        flags: ['--database-url', databaseUrl, '--secret-key', SECRET_KEY, '--public-url', PUBLIC_URL, ...flags],
      });
      const node: Node = { place, address, base: server.base, server, from, isFrozen: false };
      running.push(node);
      return node;
    },
    drop(node) {
      const at = running.indexOf(node);
      if (at >= 0) running.splice(at, 1);
    },
    async close() {
      await Promise.all(running.map(({ server }) => server.kill('SIGKILL')));
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
