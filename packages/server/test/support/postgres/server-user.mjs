// PostgreSQL refuses to run as root: then another user runs it.
import { lchownSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const USERS = ['postgres', 'nobody'];

/** As whom a server has to be started, for `spawn`; empty: as we are. */
export function serverUser() {
  if (process.getuid?.() !== 0) return {};
  const entries = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of USERS) {
    const [, , uid, gid] = entries.find(([found]) => found === name) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(`PostgreSQL does not run as root, and there is no other user to run it: ${USERS.join(', ')}`);
}

/** Whether the directory and all above it let the user through. */
export function mayEnter(user, directory) {
  if (user.uid === undefined) return true;
  for (let path = resolve(directory); ; path = dirname(path)) {
    const { mode, uid, gid } = statSync(path);
    const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0;
    if (((mode >> shift) & 1) === 0) return false;
    if (path === dirname(path)) return true;
  }
}

/** A temporary directory that is the user's. */
export function makeDirectoryFor(user) {
  const parent = [tmpdir(), '/tmp', '/var/tmp'].find((directory) => mayEnter(user, directory));
  if (parent === undefined) throw new Error(`The user who is to run PostgreSQL may not enter ${tmpdir()}`);
  const directory = mkdtempSync(join(parent, 'watchbell-postgres-'));
  giveTo(user, directory);
  return directory;
}

/** Gives the user what is there, with all that is in it. */
export function giveTo(user, path) {
  if (user.uid === undefined) return;
  lchownSync(path, user.uid, user.gid);
  if (!statSync(path).isDirectory()) return;
  for (const entry of readdirSync(path, { recursive: true })) lchownSync(join(path, entry), user.uid, user.gid);
}
