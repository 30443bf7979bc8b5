import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../config.ts';
import { checkStore, pendingMigrations } from '../maintenance.ts';
import { checkDatabase } from './doctor-database.ts';
import { type Finding, finding } from './doctor-finding.ts';
import { CliError, type ExitCode, expectedText, isExpected } from './errors.ts';
import { print, printJson, table } from './output.ts';
import { type Environment, readConfig } from './settings.ts';

export interface DoctorOptions {
  readonly dev?: boolean;
  readonly json?: boolean;
}

const LEAST_NODE = [20, 19] as const;
const TIMEOUT_MS = 3_000;
/** More than file systems round, less than a clock that was set wrong. */
const CLOCK_TOLERANCE_MS = 60_000;

/** Looks at everything that keeps a server from running, changes nothing, and exits 1 when something failed. */
export async function doctor(
  options: DoctorOptions & Readonly<Record<string, unknown>>,
  env: Environment,
): Promise<ExitCode> {
  const findings = [checkNode(process.versions.node), ...(await checkFromConfig(options, env))];
  const isWell = findings.every(({ verdict }) => verdict !== 'fail');
  if (options.json) printJson({ ok: isWell, checks: findings });
  else print(table(findings.map(({ verdict, check, says }) => [verdict, check, says])));
  return isWell ? 0 : 1;
}

async function checkFromConfig(
  options: DoctorOptions & Readonly<Record<string, unknown>>,
  env: Environment,
): Promise<Finding[]> {
  let config: Config;
  try {
    config = readConfig(options.dev ? 'dev' : 'production', options, env);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return [finding('configuration', 'fail', error.message.replaceAll(/\s+/g, ' '))];
  }
  const server = await checkServer(config);
  const { database } = config;
  const place = database ? `, ${database.shown}` : '';
  return [
    finding('configuration', 'ok', `${config.profile} profile${place}`),
    // The production profile keeps nothing there when it has a database.
    ...(database && config.profile !== 'dev' ? [] : [await checkDirectory(config.dataDir)]),
    ...(database ? await checkDatabase(database) : [await checkClock(config.dataDir)]),
    server,
    await checkStoreFor(config, server),
  ];
}

function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isRecent = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  return finding(
    'node',
    isRecent ? 'ok' : 'fail',
    isRecent ? version : `${version}; ${LEAST_NODE.join('.')} is needed`,
  );
}

async function checkDirectory(dataDir: string): Promise<Finding> {
  const check = 'data directory';
  const isThere = await can(dataDir, constants.F_OK);
  if (!isThere) {
    // A start makes those above it, too.
    let above = dirname(dataDir);
    while (above !== dirname(above) && !(await can(above, constants.F_OK))) above = dirname(above);
    if (await can(above, constants.W_OK))
      return finding(check, 'warn', `${dataDir} is not there yet; starting makes it`);
    return finding(check, 'fail', `${dataDir} is not there and cannot be made in ${above}`);
  }
  if (await can(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)) return finding(check, 'ok', dataDir);
  return finding(check, 'fail', `${dataDir} cannot be read and written by this user`);
}

const can = (path: string, mode: number): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  );

/** Committed time never runs backwards: with a clock behind its own data, the store's time would stand still. */
async function checkClock(dataDir: string): Promise<Finding> {
  const now = Date.now();
  const written = await stat(join(dataDir, 'watchbell.sqlite')).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  const shown = new Date(now).toISOString();
  if (written - now <= CLOCK_TOLERANCE_MS) return finding('clock', 'ok', shown);
  return finding('clock', 'warn', `${shown} is before the store was last written, ${new Date(written).toISOString()}`);
}

/** Whether the server of this configuration runs and is ready. The public address may be another machine's, so it comes last. */
async function checkServer(config: Config): Promise<Finding> {
  const here = (await baseInCredentials(config.dataDir)) ?? `http://${reachable(config.host)}:${config.port}`;
  const bases = new Set([here, config.publicUrl ?? here]);
  for (const base of bases) {
    const status = await readiness(base);
    if (status === 200) return finding('server', 'ok', `ready on ${base}`);
    if (status !== undefined) return finding('server', 'fail', `${base}/readyz answers ${status}`);
  }
  return finding('server', 'warn', `nothing answers on ${[...bases].join(' or ')}`);
}

/** Undefined when nothing answers in time. */
const readiness = (base: string): Promise<number | undefined> =>
  fetch(`${base}/readyz`, { signal: AbortSignal.timeout(TIMEOUT_MS) }).then(
    ({ status }) => status,
    () => undefined,
  );

/** What to connect to for an address that is listened on. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

/** The dev profile's server says there where it listens. */
async function baseInCredentials(dataDir: string): Promise<string | undefined> {
  try {
    const { base } = JSON.parse(await readFile(join(dataDir, 'credentials.json'), 'utf8')) as { base?: unknown };
    return typeof base === 'string' ? base : undefined;
  } catch {
    return undefined;
  }
}

/** Opens the store only when that changes nothing. What a server that is well holds is well. */
async function checkStoreFor(config: Config, server: Finding): Promise<Finding> {
  try {
    const { applied, pending } = await pendingMigrations(config);
    if (applied.length === 0) return finding('store', 'warn', 'not made yet; starting makes it');
    if (pending.length > 0) return finding('store', 'warn', `watchbell migrate would apply ${pending.join(', ')}`);
    const state = await checkStore(config);
    return finding('store', state.ok ? 'ok' : 'fail', state.ok ? 'opens, reads and writes' : state.reason);
  } catch (error) {
    if (!isExpected(error)) throw error;
    const isServed = error.code === 'DATA_DIR_IN_USE' && server.verdict === 'ok';
    if (isServed) return finding('store', 'ok', 'held by the running server');
    return finding('store', 'fail', expectedText(error));
  }
}
