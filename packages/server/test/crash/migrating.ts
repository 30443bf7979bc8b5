import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BIN, readCredentials, startServerProcess } from '../support/server-process.ts';
import { signIn } from '../support/writing.ts';
import { entryOf, PLAN, type Planned } from './channel-plan.ts';
import { createJournal } from './journal.ts';
import { createClient, lineTo } from './load.ts';
import { startReceiver } from './receivers.ts';
import { type Query, readCopy, readStore } from './store-copy.ts';
import { pause, storeOf } from './world.ts';

export interface MigrationRun {
  readonly kills: number;
  /** Kills that left a store's file without its schema. */
  readonly cutShort: number;
  /** Whether kills fall on the write that they are meant for (needs strace), or near it. */
  readonly isExact: boolean;
  /** What was not as after a start that nobody disturbed. */
  readonly faults: readonly string[];
}

/** Writes to files in a first start, of which the schema is the first half. */
const WRITES = 260;
const canTrace = spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0;

/** Kills first starts while the schema is made and the sample is put in, and holds the next start against an undisturbed one. */
export async function migrationRun(kills: number, say: (line: string) => void): Promise<MigrationRun> {
  const expected = await firstStart(undefined);
  const faults: string[] = [];
  let cutShort = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const part = (kill + 0.2 + 0.6 * Math.random()) / kills;
    const found = await firstStart(part);
    if (found.left === 'no schema') cutShort += 1;
    say(`first start ${kill + 1} of ${kills}, killed at ${Math.round(part * 100)} %: ${found.left}`);
    for (const what of ['schema', 'records', 'delivered'] as const) {
      if (found[what] !== expected[what]) faults.push(`killed at ${part}: ${what} is ${found[what]}`);
    }
  }
  return { kills, cutShort, isExact: canTrace, faults };
}

interface FirstStart {
  readonly left: 'nothing' | 'no schema' | 'a schema';
  readonly schema: string;
  readonly records: number;
  /** Numbers that the receiver of a first channel got. */
  readonly delivered: string;
}

async function firstStart(part: number | undefined): Promise<FirstStart> {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-migration-'));
  try {
    if (part !== undefined) await killedStart(dataDir, part);
    const left = !existsSync(storeOf(dataDir)) ? 'nothing' : readCopy(dataDir, isMigrated) ? 'a schema' : 'no schema';
    return { left, ...(await secondStart(dataDir)) };
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

const isMigrated = (query: Query): boolean => query(`SELECT 1 FROM sqlite_schema WHERE name = 'migration'`).length > 0;

async function killedStart(dataDir: string, part: number): Promise<void> {
  const server = [process.execPath, BIN, 'dev', '--port', '0', '--data-dir', dataDir];
  const write = 1 + Math.floor(part * WRITES);
  const tracer = ['strace', '-D', '-f', '-o', '/dev/null', '-e', `inject=pwrite64:signal=KILL:when=${write}`];
  const [command = '', ...args] = canTrace ? [...tracer, ...server] : server;
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  // It has made fewer writes than that.
  child.stdout.once('data', () => child.kill('SIGKILL'));
  if (!canTrace) await watchAndKill(child, dataDir, part);
  await ended;
}

/** Without a tracer: when the log of the store has grown so far. */
async function watchAndKill(child: ChildProcess, dataDir: string, part: number): Promise<void> {
  const size = () => statSync(`${storeOf(dataDir)}-wal`, { throwIfNoEntry: false })?.size ?? -1;
  while (child.exitCode === null && size() < part * 400_000) await pause(0);
  child.kill('SIGKILL');
}

async function secondStart(dataDir: string): Promise<Omit<FirstStart, 'left'>> {
  const journal = createJournal();
  const plan = PLAN.find(({ name }) => name === 'gate') as Planned;
  const receiver = await startReceiver(plan.name, plan.character, journal);
  const server = await startServerProcess({ dataDir, port: 0 });
  const client = createClient(lineTo(server.base, await signIn(server.base, readCredentials(dataDir)), 1));
  try {
    const counted = readStore(storeOf(dataDir), (query) => ({
      schema: query('SELECT name, sql FROM sqlite_schema ORDER BY name')
        .map(({ name, sql }) => `${name}: ${sql}`)
        .join('\n'),
      records: Number(query('SELECT count(*) AS n FROM record')[0]?.n),
    }));
    await client.watch('POST', plan.version, [entryOf(plan, receiver.url)]);
    await client.insert('Accounts', 1);
    await journal.until(() => journal.arrivals.length > 0, 10_000);
    return { ...counted, delivered: journal.arrivals.map(({ number }) => number).join() };
  } finally {
    await client.close();
    await server.kill('SIGTERM');
    await receiver.shut();
  }
}
