import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endWithThis } from './processes.ts';

/**
 * The receiver of all systems: a program of its own in C (`sink/sink.c`), one thread, keep-alive, that reads a POST,
 * finds its `webhook-id` header and the marker `t:` with 12 digits in its body, and answers 200 without a body.
 * By path: `/ok…` 200, `/fail…` 503, `/hang…` never answered. It counts what came to `/ok…` by distinct `webhook-id`.
 */
export interface Sink {
  /** `http://127.0.0.1:port`; with `origins` asked for, one for each address in 127.0.0.0/8, all on one port. */
  readonly origins: readonly string[];
  /** Forgets all that came. */
  reset(): Promise<void>;
  counts(): Promise<SinkCounts>;
  /** Resolves when so many distinct ones have come; rejects when none has come for `patienceMs`. */
  has(distinct: number, patienceMs?: number): Promise<SinkCounts>;
  /** From now on, until the next reset, the first arrival of each of `expected` serials from `from` on is noted. */
  keepMoments(from: number, expected: number): Promise<void>;
  /** Of the monotonic clock, in microseconds, by serial from `from` on; NaN: has not come. */
  moments(): Promise<Float64Array>;
  readonly pid: number;
  close(): Promise<void>;
}

export interface SinkCounts {
  readonly requests: number;
  readonly distinct: number;
  readonly duplicates: number;
  /** Of the first and the last distinct one since the reset; microseconds of the monotonic clock. */
  readonly firstAt: number;
  readonly lastAt: number;
}

const PROGRAM = fileURLToPath(new URL('../sink/sink', import.meta.url));
const PATIENCE_MS = 20_000;
/** How often it is looked whether anything comes at all. */
const LOOK_MS = 500;

export interface SinkOptions {
  /** How many addresses of loopback it listens at, each of them an origin; 1 when left out, at most 4,096. */
  readonly origins?: number;
}

/** Starts the program, which ends when it is closed, or when this process ends. */
export async function startSink({ origins = 1 }: SinkOptions = {}): Promise<Sink> {
  if (!existsSync(PROGRAM)) throw new Error('sink/sink was not compiled: run npm run setup');
  const child = spawn(PROGRAM, [String(origins)], { stdio: ['pipe', 'pipe', 'inherit'] });
  endWithThis(child);
  const exited = once(child, 'exit');
  const asked = new Map<string, (answer: string) => void>();
  let ready: (port: number) => void = () => undefined;
  const listening = new Promise<number>((resolve) => {
    ready = resolve;
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [id = '', ...rest] = line.split(' ');
    const answer = rest.join(' ');
    if (id === 'ready') ready(Number(answer));
    asked.get(id)?.(answer);
    asked.delete(id);
  });
  const ended: Promise<never> = exited.then(() => {
    throw new Error('the sink has ended');
  });
  ended.catch(() => undefined);
  const port = await Promise.race([listening, ended]);
  const { pid } = child;
  if (pid === undefined) throw new Error('the sink could not be started');
  let last = 0;

  async function ask(command: string): Promise<string> {
    last += 1;
    const id = String(last);
    const answered = new Promise<string>((resolve) => asked.set(id, resolve));
    child.stdin.write(`${id} ${command}\n`);
    return Promise.race([answered, ended]);
  }

  async function command(text: string): Promise<void> {
    const answer = await ask(text);
    if (answer !== 'ok') throw new Error(`the sink answered ${answer} to ${text}`);
  }

  async function counts(): Promise<SinkCounts> {
    const [requests = 0, distinct = 0, duplicates = 0, firstAt = 0, lastAt = 0, bad = 0] = (await ask('counts'))
      .split(' ')
      .map(Number);
    if (bad > 0) throw new Error(`${bad} requests to the sink were no POST with a webhook-id and a length`);
    return { requests, distinct, duplicates, firstAt, lastAt };
  }

  return {
    origins: Array.from({ length: origins }, (_, i) => `http://${addressOf(i)}:${port}`),
    pid,
    counts,
    reset: () => command('reset'),
    keepMoments: (from, expected) => command(`keep ${from} ${expected}`),
    async has(wanted, patienceMs = PATIENCE_MS) {
      let isReached = false;
      const reached = ask(`wait ${wanted}`).then((answer) => {
        if (answer !== 'reached') throw new Error(`the sink was told to wait for something else than ${wanted}`);
        isReached = true;
      });
      let seen = -1;
      let since = Date.now();
      while (!isReached) {
        const looking = new AbortController();
        await Promise.race([reached, delay(LOOK_MS, undefined, { signal: looking.signal }).catch(() => undefined)]);
        looking.abort();
        if (isReached) break;
        const { distinct } = await counts();
        if (distinct !== seen) since = Date.now();
        else if (Date.now() - since > patienceMs) {
          reached.catch(() => undefined);
          throw new Error(`${distinct} of ${wanted} notifications have come, and no more for ${patienceMs} ms`);
        }
        seen = distinct;
      }
      return counts();
    },
    async moments() {
      const file = join(tmpdir(), `watchbell-bench-moments-${pid}`);
      try {
        await command(`moments ${file}`);
        const bytes = readFileSync(file);
        return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
      } finally {
        rmSync(file, { force: true });
      }
    },
    async close() {
      child.stdin.end();
      await exited;
    },
  };
}

/** As the program has it. */
const addressOf = (origin: number): string => `127.0.${Math.floor(origin / 250)}.${(origin % 250) + 1}`;
