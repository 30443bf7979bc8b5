import { readdirSync, readFileSync } from 'node:fs';

/** Of the clock of /proc; the same on every Linux. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

export interface ProcessUsage {
  /** User and system, in seconds. */
  readonly cpu: number;
  /** What processes share is counted for each. */
  readonly residentBytes: number;
}

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly ticks: number;
  readonly pages: number;
}

/** Of a process and all that it started, those that have ended since included. */
export function usageOfTree(root: number): ProcessUsage {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(name) ?? []);
  const tree = new Set([root]);
  // A child may be listed before its parent.
  for (let before = 0; before < tree.size; ) {
    before = tree.size;
    for (const { pid, parent } of all) if (tree.has(parent)) tree.add(pid);
  }
  const mine = all.filter(({ pid }) => tree.has(pid));
  return {
    cpu: mine.reduce((sum, { ticks }) => sum + ticks, 0) / TICKS_PER_SECOND,
    residentBytes: mine.reduce((sum, { pages }) => sum + pages, 0) * PAGE_BYTES,
  };
}

function statOf(pid: string): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name before it, in parentheses, may hold anything.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    // As proc(5) numbers them: 4 the parent, 14 to 17 times of itself and of children it waited for, 24 pages held.
    const field = (number: number): number => fields[number - 3] ?? 0;
    return {
      pid: Number(pid),
      parent: field(4),
      ticks: field(14) + field(15) + field(16) + field(17),
      pages: field(24),
    };
  } catch {
    // It has ended meanwhile: its parent's times tell of it from now on.
    return undefined;
  }
}
