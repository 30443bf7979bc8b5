import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type App, createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import { BUCKETS } from '../../src/domain/bucket.ts';
import { groupBy } from '../../src/storage/group.ts';
import { createDatabase } from '../support/postgres/database.ts';
import { signIn } from '../support/writing.ts';
import { ask } from './tables.ts';

export interface Answered {
  readonly status: number;
  /** Parsed; undefined when there was none. */
  readonly body: unknown;
  /** When the call was made and when the answer was there, as places in one order. */
  readonly sent: number;
  readonly answered: number;
}

export interface PairNode {
  readonly app: App;
  /** Buckets that it owned when both were there. */
  readonly buckets: ReadonlySet<number>;
  /** Rejects when the node could not do it: that is no answer of its. */
  call(method: string, path: string, body?: object): Promise<Answered>;
}

/** Two nodes in this process, on a database of their own, each with its share of the buckets; on real time. */
export interface Pair {
  readonly url: string;
  readonly nodes: readonly [PairNode, PairNode];
  close(): Promise<void>;
}

const DEV_CREDENTIALS = { client_id: '1000.DEV', client_secret: 'dev-secret', refresh_token: '1000.dev.refresh' };
const FLAGS = { port: '0', secretKey: '5a'.repeat(32), logLevel: 'silent' };

export async function startPair(): Promise<Pair> {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-pair-'));
  const database = await createDatabase();
  const apps: App[] = [];
  let order = 0;

  async function start(): Promise<Omit<PairNode, 'buckets'>> {
    const config = loadConfig('dev', { ...FLAGS, dataDir, databaseUrl: database.url }, {});
    const app = await createApp(config);
    apps.push(app);
    const { base } = await app.start();
    const token = await signIn(base, DEV_CREDENTIALS);
    return {
      app,
      async call(method, path, body) {
        order += 1;
        const sent = order;
        const response = await fetch(`${base}/crm/${path}`, {
          method,
          headers: { authorization: `Zoho-oauthtoken ${token}` },
          ...(body && { body: JSON.stringify(body) }),
        });
        const text = await response.text();
        order += 1;
        if (response.status >= 500) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
        return { status: response.status, body: text === '' ? undefined : JSON.parse(text), sent, answered: order };
      },
    };
  }

  async function close(): Promise<void> {
    await Promise.all(apps.map((app) => app.stop()));
    await database.drop();
    rmSync(dataDir, { recursive: true, force: true });
  }

  try {
    const first = await start();
    const [[name = ''] = []] = await untilShared(database.url, 1);
    const second = await start();
    const shares = await untilShared(database.url, 2);
    const owned = (isFirst: boolean) => new Set(shares.find(([node]) => (node === name) === isFirst)?.[1]);
    return {
      url: database.url,
      nodes: [
        { ...first, buckets: owned(true) },
        { ...second, buckets: owned(false) },
      ],
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Resolves when so many nodes own all buckets, about as many each. */
async function untilShared(url: string, count: number): Promise<[string, number[]][]> {
  for (;;) {
    const rows = await ask(url, 'SELECT node, bucket FROM bucket WHERE node IS NOT NULL');
    const shares = groupBy(rows, ({ node }) => String(node));
    const isFair = shares.every(([, own]) => own.length >= Math.floor(BUCKETS / count));
    if (rows.length === BUCKETS && shares.length === count && isFair)
      return shares.map(([node, own]) => [node, own.map(({ bucket }) => Number(bucket))]);
    await delay(20);
  }
}
