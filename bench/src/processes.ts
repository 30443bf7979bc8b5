import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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

/** Clock ticks of /proc in a second; the same on every Linux. */
const TICKS = 100;

/** User and system seconds of all threads of some processes, and of those children that they waited for. */
export const cpuOf = (...pids: readonly number[]): number => pids.reduce((sum, pid) => sum + ownCpu(pid), 0);

function ownCpu(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const times = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15);
  return times.reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS;
}

/** Bytes of memory that processes hold; what they share is counted once for each. */
export const residentOf = (...pids: readonly number[]): number => pids.reduce((sum, pid) => sum + ownResident(pid), 0);

function ownResident(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib ?? 0) * 1024;
}

/** A process and all below it. */
export function treeOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === root || isBelow(parents.get(pid)));
  return [...parents.keys()].filter(isBelow);
}
