import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresPair } from '../support/postgres/pair.ts';

/**
 * The transactions that the old primary committed behind the place in its log where the promoted server left it: what
 * PostgreSQL itself says is lost. Undefined where its program for reading logs is not installed.
 */
export function commitsBehind({ primary, replica }: PostgresPair): ReadonlySet<string> | undefined {
  const program = join(primary.bin, 'pg_waldump');
  if (!existsSync(program)) return undefined;
  const history = readFileSync(join(replica.dataDir, 'pg_wal', '00000002.history'), 'utf8');
  const [, left] = /^1\t([0-9A-F]+\/[0-9A-F]+)\t/.exec(history) ?? [];
  if (left === undefined) throw new Error(`The history of the promoted server says something else: ${history}`);
  const from = ['--path', join(primary.dataDir, 'pg_wal'), '--timeline', '1', '--start', left];
  // It ends with 1 where the log does.
  const { stdout } = spawnSync(program, [...from, '--rmgr', 'Transaction'], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return new Set([...stdout.matchAll(/tx:\s+(\d+),.*desc: COMMIT/g)].map(([, transaction]) => String(transaction)));
}
