import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A place for a data directory that can be made unwritable under a running process, and writable again. */
export interface FaultyDisk {
  readonly dataDir: string;
  /** For the process that writes there. */
  break(pid: number): void;
  mend(pid: number): void;
  remove(): void;
}

export interface DiskFault {
  readonly name: string;
  /** Undefined when it can be had here, else why not. */
  readonly lacks?: string;
  make(): FaultyDisk;
}

const run = (command: string, ...args: readonly string[]): boolean => spawnSync(command, args).status === 0;

function must(command: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
}

const temporary = (): string => mkdtempSync(join(tmpdir(), 'watchbell-disk-'));
const LARGEST_FILE = 4096;

/** No file grows: what the kernel refuses with EFBIG, SQLite takes as it takes a full disk. Needs no rights. */
const fileSize = (): FaultyDisk => {
  const dataDir = temporary();
  const limit = (pid: number, soft: string) => must('prlimit', '--pid', String(pid), `--fsize=${soft}:`);
  return {
    dataDir,
    break: (pid) => limit(pid, String(LARGEST_FILE)),
    mend: (pid) => limit(pid, 'unlimited'),
    remove: () => rmSync(dataDir, { recursive: true, force: true }),
  };
};

/** A small file system of its own, filled to the last byte (ENOSPC). */
const fullDisk = (): FaultyDisk => {
  const mount = temporary();
  must('mount', '-t', 'tmpfs', '-o', 'size=12m', 'watchbell-test', mount);
  const filler = join(mount, 'filler');
  return {
    dataDir: join(mount, 'data'),
    break() {
      for (const size of [1 << 20, 1 << 12, 1]) {
        for (let n = 0; ; n += 1) {
          try {
            writeFileSync(`${filler}-${size}-${n}`, Buffer.alloc(size));
          } catch {
            rmSync(`${filler}-${size}-${n}`, { force: true });
            break;
          }
        }
      }
    },
    mend() {
      for (const name of readdirSync(mount)) if (name.startsWith('filler')) rmSync(join(mount, name));
    },
    remove() {
      must('umount', mount);
      rmSync(mount, { recursive: true, force: true });
    },
  };
};

/** Files that may be read but not written, though they are open: as on a file system that went read-only. */
const readOnly = (): FaultyDisk => {
  const dataDir = temporary();
  const change = (flag: string) => {
    for (const name of ['watchbell.sqlite', 'watchbell.sqlite-wal']) must('chattr', flag, join(dataDir, name));
  };
  return {
    dataDir,
    break: () => change('+i'),
    mend: () => change('-i'),
    remove() {
      for (const name of readdirSync(dataDir)) run('chattr', '-i', join(dataDir, name));
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
};

/** Tries it once: rights, tools and file systems differ. */
function lack(make: () => FaultyDisk, tool: string): { readonly lacks?: string } {
  if (spawnSync(tool, ['--version']).error) return { lacks: `there is no ${tool}` };
  if (make === fileSize) return {};
  try {
    const disk = make();
    try {
      if (make === readOnly) return canFreeze(disk.dataDir) ? {} : { lacks: 'files cannot be made immutable here' };
      return {};
    } finally {
      disk.remove();
    }
  } catch {
    return { lacks: `${tool} is not allowed here` };
  }
}

function canFreeze(dataDir: string): boolean {
  const file = join(dataDir, 'watchbell.sqlite');
  writeFileSync(file, '');
  if (!run('chattr', '+i', file)) return false;
  try {
    writeFileSync(file, 'x');
    return false;
  } catch {
    return true;
  }
}

export const DISK_FAULTS: readonly DiskFault[] = [
  { name: 'no file may grow', make: fileSize, ...lack(fileSize, 'prlimit') },
  { name: 'the disk is full', make: fullDisk, ...lack(fullDisk, 'mount') },
  { name: 'the store has become read-only', make: readOnly, ...lack(readOnly, 'chattr') },
];
