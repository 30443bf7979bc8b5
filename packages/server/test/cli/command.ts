import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { BIN } from '../support/server-process.ts';

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  /** The first text that matches in what was or will be written to either stream. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends the signal and awaits the end. */
  stop(signal?: NodeJS.Signals): Promise<Finished>;
  /** As when the reader of a pipe ends. */
  stopReading(): void;
  readonly finished: Promise<Finished>;
}

/** Starts the built command line with an environment that holds no settings but those given. */
export function startCommand(args: readonly string[], settings: Readonly<Record<string, string>> = {}): Running {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...settings };
  const child = spawn(process.execPath, [BIN, ...args], { env, cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const checks = new Set<() => void>();
  const wake = () => {
    for (const check of checks) check();
  };
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    wake();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    wake();
  });
  const finished = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return {
    finished,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const found = pattern.exec(stdout) ?? pattern.exec(stderr);
          if (!found) return;
          checks.delete(check);
          resolve(found);
        };
        checks.add(check);
        check();
        finished.then(({ code }) =>
          reject(new Error(`ended with ${code} before saying ${pattern}:\n${stdout}${stderr}`)),
        );
      }),
    stopReading: () => child.stdout.destroy(),
    stop(signal = 'SIGINT') {
      child.kill(signal);
      return finished;
    },
  };
}

/** Runs a command to its end. */
export const runCommand = (args: readonly string[], settings?: Readonly<Record<string, string>>): Promise<Finished> =>
  startCommand(args, settings).finished;

/** A directory that is gone after the test. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'watchbell-cli-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A loopback port on which nobody listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
