import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What was started and made, and has to be gone at the end, whatever comes. */
const running = new Set<number>();
const dirs = new Set<string>();

/** Sees to it that a process ends with this one, at the latest. */
export function endWithThis(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  running.add(pid);
  child.once('exit', () => running.delete(pid));
}

/** A directory on a real disk; removed with all that is in it when this process ends, at the latest. */
export function makeDir(name: string): string {
  const dir = mkdtempSync(join(tmpdir(), `watchbell-bench-${name}-`));
  dirs.add(dir);
  return dir;
}

export function removeDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  dirs.delete(dir);
}

function endAll(): void {
  for (const pid of running) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
  running.clear();
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  dirs.clear();
}

/** To be called once: Ctrl-C, errors and the end leave nothing behind. */
export function cleanUpAtEnd(): void {
  process.on('exit', endAll);
  for (const [signal, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const)
    process.on(signal, () => process.exit(128 + number));
}

/** Microseconds of the monotonic clock, that of `process.hrtime` and of the sink. */
export const monotonicMicros = (): number => Number(process.hrtime.bigint()) / 1000;
