import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BIN, readCredentials, type ServerProcess, startServerProcess } from '../support/server-process.ts';
import { signIn } from '../support/writing.ts';
import { entryOf, PLAN } from './channel-plan.ts';
import { createJournal, type Journal } from './journal.ts';
import { type Client, createClient, lineTo } from './load.ts';
import { freePort } from './ports.ts';
import { type Receiver, startReceiver } from './receivers.ts';
import { pendingIn, readCopy, readStore } from './store-copy.ts';

/** All that is tried again is over within a quarter of a minute; circuits and suspension are as in production. */
const RETRIES = ['0s', '0s', '0s', '1s', '1s', '1s', '1s', '1s', '2s', '2s'];
export const MAX_ATTEMPTS = RETRIES.length;
const FLAGS = [
  ...[
    '--log-level',
    'error',
    '--retry-schedule',
    RETRIES.join(','),
    '--max-retry-after',
    '2',
    '--attempt-timeout',
    '3',
  ],
  ...['--circuits', 'on', '--suspend-after-hours', '24'],
];

export interface WorldOptions {
  /** What node runs; the command line when left out. */
  readonly program?: readonly string[];
  readonly flags?: readonly string[];
}

/** A server on a data directory of its own, with the planned channels and their receivers, which outlive it. */
export interface World {
  readonly dataDir: string;
  readonly journal: Journal;
  readonly client: Client;
  readonly receivers: ReadonlyMap<string, Receiver>;
  /** The newest change before its channels were opened. */
  readonly opened: number;
  readonly server: () => ServerProcess;
  /** Kills the server in this turn. */
  kill(kind: string): void;
  /** Writes the kill down with what the store says once all that was sent has been read. */
  bury(): Promise<void>;
  /** Buries the server that was killed, and starts it again. */
  restart(flags?: readonly string[]): Promise<void>;
  /** How long the last start took. */
  readonly startMs: () => number;
  /** Starts the server without waiting for it. */
  spawn(): ChildProcess;
  /** Opens the channel, or takes it up again; repeated until it is answered. */
  post(name: string, expiresAt?: Date): Promise<void>;
  /** Resolves with true when the store calls nothing pending. */
  settled(deadlineMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** With the named channels of the plan. */
export async function createWorld(
  names: readonly string[],
  { program = [BIN, 'dev'], flags = [] }: WorldOptions = {},
): Promise<World> {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-crash-'));
  const journal = createJournal();
  const receivers = new Map<string, Receiver>();
  const port = await freePort();
  let last = flags;
  let started = 0;
  let killed: { readonly kind: string; readonly order: number } | undefined;
  const options = (more: readonly string[]) => ({
    dataDir,
    port,
    program,
    flags: [...FLAGS, ...more],
  });
  for (const { name, character } of PLAN) {
    if (names.includes(name)) receivers.set(name, await startReceiver(name, character, journal));
  }
  let startMs = 0;
  async function start(more: readonly string[]): Promise<ServerProcess> {
    const begun = performance.now();
    const running = await startServerProcess(options(more));
    startMs = performance.now() - begun;
    return running;
  }
  let server = await start(flags);
  const client = createClient(lineTo(server.base, await signIn(server.base, readCredentials(dataDir)), 16));

  const world: World = {
    dataDir,
    journal,
    client,
    receivers,
    opened: readStore(storeOf(dataDir), (query) => Number(query('SELECT max(number) AS n FROM record_change')[0]?.n)),
    server: () => server,
    kill(kind) {
      server.process.kill('SIGKILL');
      killed ??= { kind, order: journal.next() };
    },
    async bury() {
      await server.kill('SIGKILL');
      await pause(20);
      const until = journal.next();
      if (killed) journal.kills.push({ ...killed, from: started, until, pending: readCopy(dataDir, pendingIn) });
      killed = undefined;
      started = until;
    },
    async restart(more = last) {
      await world.bury();
      last = more;
      server = await start(more);
    },
    startMs: () => startMs,
    spawn: () => {
      const args = [...program, '--port', String(port), '--data-dir', dataDir, ...options(last).flags];
      return spawn(process.execPath, args, { stdio: 'ignore' });
    },
    async post(name, expiresAt) {
      const plan = PLAN.find((planned) => planned.name === name);
      const url = receivers.get(name)?.url;
      if (!plan || url === undefined) throw new Error(`No receiver ${name}`);
      for (let left = 50; left > 0; left -= 1) {
        const status = await client.watch('POST', plan.version, [entryOf(plan, url, expiresAt)]);
        if (status === 201) return;
        if (status !== undefined && status < 500) throw new Error(`POST of ${name} was answered ${status}`);
        await pause(100);
      }
      throw new Error(`POST of ${name} was not answered`);
    },
    async settled(deadlineMs) {
      for (const end = Date.now() + deadlineMs; Date.now() < end; await pause(100)) {
        if (readStore(storeOf(dataDir), pendingIn).size === 0) return true;
      }
      return false;
    },
    async close() {
      await server.kill('SIGKILL');
      await client.close();
      for (const receiver of receivers.values()) await receiver.shut();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  for (const name of names) await world.post(name);
  return world;
}

export const storeOf = (dataDir: string): string => join(dataDir, 'watchbell.sqlite');

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
