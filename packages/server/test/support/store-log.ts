import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the log of the store holds since it was begun: a commit is one fsync of it (test/crash/fsync.test.ts). */
export function readLog(dataDir: string) {
  const log = readFileSync(join(dataDir, 'watchbell.sqlite-wal'));
  const frame = 24 + log.readUInt32BE(8);
  const salt = log.subarray(16, 24);
  let [pages, commits] = [0, 0];
  for (let at = 32; at + frame <= log.length && log.subarray(at + 8, at + 16).equals(salt); at += frame) {
    pages += 1;
    if (log.readUInt32BE(at + 4) > 0) commits += 1;
  }
  return { pages, commits, salt: salt.toString('hex') };
}
