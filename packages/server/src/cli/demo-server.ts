import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CliError } from './errors.ts';
import type { Environment } from './settings.ts';

/** A server of the dev profile in a child process, on data that does not outlive it. */
export interface DemoServer {
  readonly dataDir: string;
  stop(): Promise<void>;
}

const BIN = fileURLToPath(new URL('../../bin/watchbell.js', import.meta.url));
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 15_000;

/** Resolves when it serves, with settings of its own: those in the environment are for another server. */
export async function startDemoServer(env: Environment): Promise<DemoServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'watchbell-demo-'));
  const args = [BIN, 'dev', '--port', '0', '--data-dir', dataDir, '--json'];
  const child = spawn(process.execPath, args, { env: withoutSettings(env), stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  async function stop(): Promise<void> {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
    await rm(dataDir, { recursive: true, force: true });
  }
  try {
    await ready(child, ended);
  } catch (error) {
    await stop();
    throw error;
  }
  return { dataDir, stop };
}

const withoutSettings = (env: Environment): Environment =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('WATCHBELL_')));

/** `watchbell dev --json` prints one line, and that when it is ready. */
async function ready(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (!child.stdout) throw new CliError('The server of the demo has no output.');
  const lines = createInterface({ input: child.stdout });
  let timer: NodeJS.Timeout | undefined;
  const state = await Promise.race([
    new Promise<'ready'>((resolve) => lines.once('line', () => resolve('ready'))),
    ended.then(() => 'ended' as const),
    new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), START_TIMEOUT_MS);
    }),
  ]);
  clearTimeout(timer);
  if (state === 'ended') throw new CliError('The server of the demo did not start.');
  if (state === 'late') throw new CliError(`The server of the demo was not ready within ${START_TIMEOUT_MS / 1000} s.`);
}
