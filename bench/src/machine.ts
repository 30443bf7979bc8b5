import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
}

export const machine = (): Machine => ({
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
  node: process.version,
});

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LIBRARIES = ['bullmq', 'graphile-worker', 'pg', 'pg-boss', 'undici'];

/** Of what is measured; those that cannot be told are left out. */
export function versions(): Readonly<Record<string, string>> {
  const found = {
    watchbell: watchbellVersion(),
    postgresql: postgresVersion(),
    redis: /v=(\S+)/.exec(outputOf('redis-server', '--version') ?? '')?.[1],
    ...Object.fromEntries(LIBRARIES.map((name) => [name, libraryVersion(name)])),
  };
  return Object.fromEntries(Object.entries(found).flatMap(([name, version]) => (version ? [[name, version]] : [])));
}

/** The commit, and whether anything was changed since. */
function watchbellVersion(): string | undefined {
  const commit = outputOf('git', '-C', ROOT, 'rev-parse', '--short=12', 'HEAD');
  const changed = outputOf('git', '-C', ROOT, 'status', '--porcelain', '--untracked-files=no');
  return commit && (changed ? `${commit} with changes` : commit);
}

/** Of the one that is used: the newest installed. */
function postgresVersion(): string | undefined {
  const binary = outputOf(
    'sh',
    '-c',
    'ls -1dv /usr/lib/postgresql/*/bin/postgres /usr/local/bin/postgres 2>/dev/null | tail -1',
  );
  return binary && outputOf(binary, '--version')?.replace(/^postgres \(PostgreSQL\) /, '');
}

function outputOf(program: string, ...args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

function libraryVersion(name: string): string | undefined {
  try {
    const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
    return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version?: string }).version;
  } catch {
    return undefined;
  }
}
