// What a server keeps its data in.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { giveTo, mayEnter } from './server-user.mjs';

export const SUPERUSER = 'watchbell';

/** What does not change how the server answers, only how much of the machine it takes. */
const SMALL = { max_connections: '300', shared_buffers: '64MB', max_wal_size: '512MB' };
const FAST = { fsync: 'off', full_page_writes: 'off' };
const LOOPBACK_ALONE = { listen_addresses: '127.0.0.1', unix_socket_directories: '' };

/** Makes it where there is none yet, and sets what the caller wants. */
export function prepareData(directory, user, bin, { fsync = false, settings = {}, dataDir: given, password: known }) {
  const dataDir = given ?? join(directory, 'data');
  const password = known ?? randomBytes(18).toString('base64url');
  if (!mayEnter(user, dirname(dataDir)))
    throw new Error(`PostgreSQL does not run as root and may not enter ${dataDir}`);
  if (!existsSync(join(dataDir, 'PG_VERSION'))) initialise(directory, user, bin, dataDir, password);
  giveTo(user, dataDir);
  const all = { ...SMALL, ...(!fsync && FAST), ...LOOPBACK_ALONE, ...settings };
  // In the file, not on the command line, so that ALTER SYSTEM still counts.
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`);
  appendFileSync(join(dataDir, 'postgresql.conf'), `\n${lines.join('')}`);
  return { dataDir, password };
}

function initialise(directory, user, bin, dataDir, password) {
  const passwordFile = join(directory, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  giveTo(user, passwordFile);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  giveTo(user, dataDir);
  const access = ['--auth=scram-sha-256', `--username=${SUPERUSER}`, `--pwfile=${passwordFile}`];
  // C: what the product needs of collations and case folding, it must ask for itself.
  const args = [`--pgdata=${dataDir}`, '--no-sync', '--encoding=UTF8', '--locale=C', ...access];
  const { status, error, stdout, stderr } = spawnSync(join(bin, 'initdb'), args, {
    cwd: directory,
    encoding: 'utf8',
    env: environment(),
    ...user,
  });
  if (status !== 0) throw new Error(`initdb failed: ${error?.message ?? ''}\n${stdout ?? ''}${stderr ?? ''}`);
}

/** Without the caller's PG… settings and locale. */
export const environment = () => ({ PATH: process.env.PATH ?? '', TZ: 'UTC', LC_ALL: 'C' });
