import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SETTINGS } from '../../src/settings.ts';
import { dataFlags } from './test-data.ts';

export const BIN = fileURLToPath(new URL('../../bin/watchbell.js', import.meta.url));

export interface ServerProcess {
  readonly base: string;
  readonly process: ChildProcess;
  /** What it wrote to standard error so far. */
  readonly log: () => string;
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
}

/** Starts the built dev server as a process of its own; resolves when it answers /readyz, rejects when it ends before. */
export async function startServerProcess(options: {
  readonly dataDir: string;
  /** 0: any. */
  readonly port: number;
  /** Put before the command, such as a tracer with its flags. */
  readonly wrapper?: readonly string[];
  /** What node runs; the dev profile of the command line when left out. */
  readonly program?: readonly string[];
  readonly flags?: readonly string[];
  /** Told of the process before it serves. */
  readonly onSpawn?: (child: ChildProcess) => void;
}): Promise<ServerProcess> {
  const { databaseUrl } = await dataFlags(options.dataDir);
  const [command = process.execPath, ...args] = [
    ...(options.wrapper ?? []),
    process.execPath,
    ...(options.program ?? [BIN, 'dev']),
    ...['--port', String(options.port), '--data-dir', options.dataDir, '--log-level', 'warn'],
    ...(options.flags ?? []),
  ];
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(databaseUrl !== undefined && { [SETTINGS.databaseUrl.env]: databaseUrl }) },
  });
  options.onSpawn?.(child);
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const exited = once(child, 'exit');
  let out = '';
  // The base is printed when requests are served: a public one, if it has one.
  const printed = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(out);
      if (found) resolve(found[0]);
    });
    exited.then(([code]) => reject(new Error(`the server ended with ${code}:\n${log}${out}`)));
  });
  const base = options.port === 0 ? printed : `http://127.0.0.1:${options.port}`;
  for (;;) {
    const ready = await fetch(`${base}/readyz`).catch(() => undefined);
    if (ready?.ok) break;
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ended early:\n${log}${out}`);
    await delay(10);
  }
  return {
    base,
    process: child,
    log: () => log,
    async kill(signal) {
      child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
}

export const readCredentials = (dataDir: string): Record<string, string> =>
  JSON.parse(readFileSync(join(dataDir, 'credentials.json'), 'utf8')) as Record<string, string>;
