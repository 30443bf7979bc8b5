import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSqliteStore } from '../../src/storage/engines/sqlite.ts';
import type { Store } from '../../src/storage/store.ts';

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const KEY = new Uint8Array(32).fill(7);
const BUILT = new URL('../../dist/storage/engines/sqlite.js', import.meta.url).href;

/** Adds tokens one after another and prints the hash of each that was answered; then says why it stopped, and stays. */
const CHILD = `
  const { createSqliteStore } = await import(${JSON.stringify(BUILT)});
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const store = await createSqliteStore({ dataDir: process.argv[1], secretKey: new Uint8Array(32).fill(7), logger });
  const scopes = ['x'.repeat(2000)];
  try {
    for (let i = 0; ; i += 1) {
      await store.tokens.add({ hash: String(i), kind: 'refresh', orgId: '3652397', scopes, createdAt: 0 });
      console.log('added ' + i);
    }
  } catch (error) {
    console.log('stopped ' + error.code + ' ' + Boolean(await store.tokens.find('0')));
  }
  setInterval(() => {}, 1000);
`;

/** `fileKiB`: no file may grow beyond it, as on a disk that is full. */
function startChild(dataDir: string, fileKiB: number | 'unlimited'): ChildProcess {
  const command = `ulimit -f ${fileKiB}; exec "$0" --input-type=module -e "$1" "$2"`;
  const child = spawn('bash', ['-c', command, process.execPath, CHILD, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function* linesOf(child: ChildProcess): AsyncGenerator<string> {
  if (child.stdout) yield* createInterface({ input: child.stdout });
}

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'watchbell-process-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function openStore(dataDir: string): Promise<Store> {
  const store = await createSqliteStore({ dataDir, secretKey: KEY, logger: silent });
  onTestFinished(() => store.close());
  return store;
}

describe('a process that owns a data directory', () => {
  it('keeps another one out until it is killed, and loses nothing that it answered', async () => {
    const dataDir = await makeDirectory();
    const child = startChild(dataDir, 'unlimited');
    let answered = -1;
    for await (const line of linesOf(child)) {
      answered = Number(line.replace('added ', ''));
      if (answered === 0) await expect(openStore(dataDir)).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
      if (answered === 50) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
    expect(answered).toBeGreaterThanOrEqual(50);
    const { tokens } = await openStore(dataDir);
    for (let i = 0; i <= answered; i += 1) expect((await tokens.find(String(i)))?.hash).toBe(String(i));
  });

  it('answers SERVICE_UNAVAILABLE when the disk is full, still reads, and has kept all that it answered', async () => {
    const dataDir = await makeDirectory();
    const child = startChild(dataDir, 1500);
    let answered = -1;
    for await (const line of linesOf(child)) {
      if (line.startsWith('added ')) answered = Number(line.replace('added ', ''));
      else {
        expect(line).toBe('stopped SERVICE_UNAVAILABLE true');
        child.kill('SIGKILL');
      }
    }
    expect(answered).toBeGreaterThan(10);
    const { tokens } = await openStore(dataDir);
    for (let i = 0; i <= answered; i += 1) expect((await tokens.find(String(i)))?.hash).toBe(String(i));
  });
});
