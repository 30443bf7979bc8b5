import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { freePort } from '../ports.ts';
import { endWithThis, monotonicMicros } from '../processes.ts';

const BIN = fileURLToPath(new URL('../../../packages/server/bin/watchbell.js', import.meta.url));
/** So that memory is looked at after what is garbage is gone. */
const COLLECTING = ['--expose-gc', '--import', "data:text/javascript,process.on('SIGUSR2', () => globalThis.gc())"];
const SECRET_KEY = '07'.repeat(32);
const MEMORY_SAMPLES = 3;
const READY_WITHIN_MS = 120_000;

/** What `watchbell setup --json` prints. */
export interface Credentials {
  readonly client_id: string;
  readonly client_secret: string;
  readonly refresh_token: string;
  readonly admin_token: string;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export type Call = (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown) => Promise<Answer>;

export interface WatchbellOptions {
  /** Of the embedded store and the log; with a database only of the log. */
  readonly dir: string;
  readonly databaseUrl?: string;
  readonly flags?: readonly string[];
  /** Of node, before the program. */
  readonly nodeFlags?: readonly string[];
  /** The log's name in `dir`. */
  readonly name?: string;
}

/** A `watchbell serve` of its own process. */
export interface Watchbell {
  readonly base: string;
  readonly port: number;
  readonly pid: number;
  /** When it was started, in microseconds of the monotonic clock. */
  readonly spawnedAt: number;
  /** From then until it said that it is ready. */
  readonly readyMs: number;
  signIn(credentials: Credentials): Promise<Session>;
  /** Below `/_watchbell/v1`. */
  administer(token: string): Call;
  /** MiB that it holds of the machine's memory, after its garbage was collected. */
  memory(): Promise<number>;
  /** Also when it was stopped before. */
  stop(): Promise<void>;
}

export interface Session {
  readonly accessToken: string;
  /** Below `/crm/v8`. */
  readonly call: Call;
}

const common = (dir: string): string[] => [
  ...['--data-dir', dir, '--secret-key', SECRET_KEY],
  ...['--public-url', 'http://127.0.0.1'],
];

const environment = (databaseUrl: string | undefined): NodeJS.ProcessEnv => ({
  ...process.env,
  ...(databaseUrl !== undefined && { WATCHBELL_DATABASE_URL: databaseUrl }),
});

/** Makes the store with an organisation; what its first user signs in with. */
export function setUp({ dir, databaseUrl }: Pick<WatchbellOptions, 'dir' | 'databaseUrl'>): Credentials {
  mkdirSync(dir, { recursive: true });
  const who = ['--org', 'Bench', '--email', 'owner@example.com', '--last-name', 'Owner'];
  const args = [BIN, 'setup', '--json', ...who, ...common(dir), '--log-level', 'error'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: environment(databaseUrl),
  });
  if (status !== 0) throw new Error(`watchbell setup ended with ${status}:\n${stderr}`);
  return JSON.parse(stdout) as Credentials;
}

/**
 * The production server as it comes, with its log (a line for each delivery) on disk, but receivers on loopback are
 * allowed and requests are not limited.
 */
export async function startWatchbell(options: WatchbellOptions): Promise<Watchbell> {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const served = ['serve', '--host', '127.0.0.1', '--port', String(port), '--egress-allow', '127.0.0.0/8'];
  const open = ['--egress-ports', '1-65535', '--rate-limit', '0', '--max-concurrent-requests', '0'];
  const args = [...COLLECTING, ...(options.nodeFlags ?? []), BIN, ...served, ...open, ...common(options.dir)];
  const logFile = join(options.dir, `${options.name ?? 'watchbell'}.log`);
  const log = openSync(logFile, 'a');
  const spawnedAt = monotonicMicros();
  const child = spawn(process.execPath, [...args, ...(options.flags ?? [])], {
    stdio: ['ignore', 'ignore', log],
    env: environment(options.databaseUrl),
  });
  endWithThis(child);
  closeSync(log);
  const ended = once(child, 'exit');
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await ended;
  };
  const { pid } = child;
  if (pid === undefined) throw new Error('watchbell could not be started');
  const pool = new Pool(base, { connections: 64 });

  const send = async (method: string, path: string, authorization: string, body: unknown): Promise<Answer> => {
    const response = await pool.request({
      method,
      path,
      headers: { authorization },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.body.text();
    return { status: response.statusCode, body: text === '' ? undefined : JSON.parse(text) };
  };

  try {
    await untilReady(pool, () => child.exitCode !== null || child.signalCode !== null);
  } catch (error) {
    await end('SIGKILL');
    await pool.destroy();
    throw new Error(`${error}\n${readFileSync(logFile, 'utf8').slice(-4000)}`);
  }
  const readyMs = (monotonicMicros() - spawnedAt) / 1000;

  return {
    base,
    port,
    pid,
    spawnedAt,
    readyMs,
    async signIn({ client_id, client_secret, refresh_token }) {
      const form = new URLSearchParams({ grant_type: 'refresh_token', client_id, client_secret, refresh_token });
      const { body } = await pool.request({ method: 'POST', path: '/oauth/v2/token', body: form.toString() });
      const { access_token: accessToken } = (await body.json()) as { access_token: string };
      return {
        accessToken,
        call: (method, path, sent) => send(method, `/crm/v8${path}`, `Zoho-oauthtoken ${accessToken}`, sent),
      };
    },
    administer: (token) => (method, path, body) => send(method, `/_watchbell/v1${path}`, `Bearer ${token}`, body),
    async memory() {
      const seen: number[] = [];
      for (let i = 0; i < MEMORY_SAMPLES; i += 1) {
        child.kill('SIGUSR2');
        await delay(300);
        const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
        seen.push(Number(kib) / 1024);
      }
      return seen.sort((a, b) => a - b)[Math.floor(MEMORY_SAMPLES / 2)] ?? Number.NaN;
    },
    async stop() {
      if (!pool.destroyed) await pool.destroy();
      await end('SIGTERM');
    },
  };
}

/** It is not asked more often than each 5 ms. */
async function untilReady(pool: Pool, hasEnded: () => boolean): Promise<void> {
  const until = Date.now() + READY_WITHIN_MS;
  while (Date.now() < until) {
    if (hasEnded()) throw new Error('watchbell ended before it was ready');
    const ready = await pool.request({ method: 'GET', path: '/readyz' }).catch(() => undefined);
    await ready?.body.dump();
    if (ready?.statusCode === 200) return;
    await delay(5);
  }
  throw new Error('watchbell did not become ready');
}
