// npm run setup: all that the benchmarks need, from Debian's and npm's packages. What is there is left as it is.
//   --bare   without what only the systems beside Watchbell need
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const isBare = process.argv.includes('--bare');

const say = (text) => process.stderr.write(`${text}\n`);

function run(cwd, program, ...args) {
  say(`${program} ${args.join(' ')}`);
  execFileSync(program, args, { cwd, stdio: ['ignore', 2, 2] });
}

const isThere = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;

/** Only as root, where apt-get is. */
function installPackages() {
  const missing = [
    ...(isThere('gcc') ? [] : ['gcc', 'libc6-dev']),
    ...(isBare || isThere('redis-server') ? [] : ['redis-server']),
  ];
  if (missing.length === 0) return;
  const canInstall = process.getuid?.() === 0 && isThere('apt-get');
  if (!canInstall) throw new Error(`install these packages first: ${missing.join(', ')}`);
  run(HERE, 'apt-get', 'update', '-qq');
  run(HERE, 'apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...missing);
}

/** Whether all that the lock file names is there, in the version that it names. */
function isInstalled(dir) {
  const installed = `${dir}node_modules/.package-lock.json`;
  if (!existsSync(installed)) return false;
  const [wanted, present] = [`${dir}package-lock.json`, installed].map(
    (file) => JSON.parse(readFileSync(file, 'utf8')).packages,
  );
  return Object.entries(wanted).every(
    ([path, { version, link, optional, devOptional }]) =>
      !path.startsWith('node_modules/') ||
      link ||
      present[path]?.version === version ||
      (!present[path] && (optional || devOptional)),
  );
}

function install(dir) {
  if (!isInstalled(dir)) run(dir, 'npm', 'ci', '--no-audit', '--no-fund');
}

function compileSink() {
  const [source, program] = [`${HERE}sink/sink.c`, `${HERE}sink/sink`];
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return;
  run(HERE, 'gcc', '-O2', '-Wall', '-Wextra', '-std=c11', '-o', program, source);
}

try {
  installPackages();
  install(ROOT);
  run(ROOT, 'node_modules/.bin/tsc', '-b');
  install(HERE);
  compileSink();
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
