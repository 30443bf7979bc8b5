import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import type { Flags } from '../../src/settings.ts';
import { type Postgres, startPostgres } from '../support/postgres/cluster.mjs';
import { run } from '../support/postgres/pair.ts';
import { withClient } from '../support/postgres/with-client.ts';
import { ok, type Receiver, startReceiver } from '../support/receiver.ts';
import { startTcpProxy, type TcpProxy, through } from '../support/tcp-proxy.ts';
import { signIn } from '../support/writing.ts';

const MAX_CONNECTIONS = 40;
const CREDENTIALS = { client_id: '1000.DEV', client_secret: 'dev-secret', refresh_token: '1000.dev.refresh' };

/** One that may be stopped, of this file alone. */
let postgres: Postgres;

beforeAll(async () => {
  postgres = await startPostgres({ fsync: true, settings: { max_connections: String(MAX_CONNECTIONS) } });
}, 60_000);

afterAll(() => postgres.remove());

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  /** Of the record that was written. */
  readonly id?: string;
}

interface Scene {
  /** Of the database, past the proxy. */
  readonly url: string;
  readonly proxy: TcpProxy;
  readonly receiver: Receiver;
  /** Creates a lead. */
  write(name: string): Promise<Answer>;
  /** Keeps creating leads, some at once, until stopped; all that was answered. */
  keepWriting(): { stop(): Promise<readonly Answer[]>; answered(): number };
  /** Resolves when a write succeeds again. */
  works(): Promise<void>;
  /** Names of the leads in the database. */
  leads(): Promise<readonly string[]>;
  /** Resolves when nothing is owed any more; the ids of records that the receiver was told of, in order of first arrivals. */
  delivered(): Promise<readonly string[]>;
}

let databases = 0;
let written = 0;

/** A node behind a proxy, with a channel on leads. */
async function setScene(flags: Flags = {}): Promise<Scene> {
  databases += 1;
  const name = `faults${databases}`;
  await run(postgres.url, `CREATE DATABASE ${name}`);
  const url = postgres.url.replace(/\/[^/]*$/, `/${name}`);
  const proxy = await startTcpProxy(Number(new URL(url).port));
  onTestFinished(() => proxy.close());
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-faults-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const receiver = await startReceiver();
  onTestFinished(() => receiver.close());
  const fixed = { port: '0', dataDir, databaseUrl: through(proxy, url), logLevel: 'silent' };
  const app = await createApp(loadConfig('dev', { ...fixed, retrySchedule: '0s,0s,0s,1s,1s,1s', ...flags }, {}));
  onTestFinished(() => app.stop());
  const { base } = await app.start();
  const token = await signIn(base, CREDENTIALS);
  const call = (path: string, body: object) =>
    fetch(`${base}/crm/v8/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
  const channel_expiry = `${new Date(Date.now() + 80_000_000).toISOString().slice(0, 19)}Z`;
  const channel = { channel_id: '1', events: ['Leads.all'], notify_url: receiver.origin, channel_expiry };
  expect((await call('actions/watch', { watch: [channel] })).status).toBe(201);

  const scene: Scene = {
    url,
    proxy,
    receiver,
    async write(Last_Name) {
      const response = await call('Leads', { data: [{ Last_Name, Company: 'Royal Society' }] });
      const { data } = (await response.json()) as { data?: { details: { id: string } }[] };
      const id = data?.[0]?.details.id;
      return { status: response.status, retryAfter: response.headers.get('retry-after'), ...(id && { id }) };
    },
    keepWriting() {
      const answers: Answer[] = [];
      let isStopped = false;
      const work = async () => {
        while (!isStopped) {
          written += 1;
          answers.push(await scene.write(`Boyle ${written}`));
        }
      };
      const working = Array.from({ length: 6 }, work);
      return {
        answered: () => answers.length,
        async stop() {
          isStopped = true;
          await Promise.all(working);
          return answers;
        },
      };
    },
    async works() {
      await vi.waitUntil(async () => (await scene.write('Again')).status === 201, { timeout: 30_000, interval: 50 });
    },
    leads: () =>
      withClient(url, async (client) => {
        const { rows } = await client.query<{ field_values: string }>(
          "SELECT field_values FROM record WHERE module = 'Leads'",
        );
        return rows.map(({ field_values }) => (JSON.parse(field_values) as { Last_Name: string }).Last_Name);
      }),
    async delivered() {
      const isPaid = () =>
        withClient(url, async (client) => {
          const { rows } = await client.query<{ owed: number }>('SELECT count(*)::int AS owed FROM owed');
          return rows[0]?.owed === 0;
        });
      await vi.waitUntil(isPaid, { timeout: 30_000, interval: 50 });
      return [...new Set(receiver.received.flatMap(({ body }) => body.ids))];
    },
  };
  return scene;
}

/** Each is 201, or 503 that says when to come again; what was answered 201 is there, once, and was told once or more. */
async function holds({ leads, delivered }: Scene, answers: readonly Answer[]): Promise<void> {
  const odd = answers.filter(({ status, retryAfter }) => status !== 201 && !(status === 503 && Number(retryAfter) > 0));
  expect(odd).toEqual([]);
  const names = (await leads()).filter((name) => name.startsWith('Boyle'));
  expect(new Set(names).size).toBe(names.length);
  const written = answers.flatMap(({ id }) => id ?? []);
  const told = new Set(await delivered());
  expect(written.filter((id) => !told.has(id))).toEqual([]);
  expect(written.length).toBeGreaterThan(0);
}

test('a restart of the database under load loses nothing that was answered', { timeout: 90_000 }, async () => {
  const scene = await setScene();
  for (const mode of ['fast', 'immediate'] as const) {
    const writing = scene.keepWriting();
    await vi.waitUntil(() => writing.answered() > 20, { timeout: 20_000 });
    await postgres.restart(mode);
    await scene.works();
    const before = writing.answered();
    await vi.waitUntil(() => writing.answered() > before + 10, { timeout: 20_000 });
    const answers = await writing.stop();
    await holds(scene, answers);
    expect(answers.some(({ status }) => status === 503)).toBe(true);
  }
});

test('connections that are cut one by one, whatever they were at, lose nothing that was answered', {
  timeout: 60_000,
}, async () => {
  const scene = await setScene();
  const writing = scene.keepWriting();
  const cut = new Set<string>();
  await withClient(scene.url, async (client) => {
    const begun = Date.now();
    // Until each kind was met: that which listens and tells, and those in the midst of reading, of saving and of committing.
    const wanted = [/^LISTEN|pg_notify/, /FOR UPDATE|^SELECT/, /^(INSERT|UPDATE|DELETE|COMMIT)/];
    while (wanted.some((kind) => ![...cut].some((query) => kind.test(query))) && Date.now() - begun < 20_000) {
      const { rows } = await client.query<{ query: string }>(
        `SELECT query, pg_terminate_backend(pid) FROM (
           SELECT pid, query FROM pg_stat_activity
           WHERE datname = current_database() AND pid <> pg_backend_pid() AND (state <> 'idle' OR query LIKE 'LISTEN%' OR query LIKE '%pg_notify%')
           ORDER BY random() LIMIT 1) AS one`,
      );
      for (const { query } of rows) cut.add(query.trim());
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(wanted.filter((kind) => ![...cut].some((query) => kind.test(query)))).toEqual([]);
  });
  await scene.works();
  await holds(scene, await writing.stop());
});

test('a change whose commit was answered to nobody is there once, and is delivered once', async () => {
  const { proxy, write, leads, delivered, receiver } = await setScene();
  const lost = proxy.loseNext('COMMIT\0');
  const answer = write('Lost');
  await lost;
  expect(await answer).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^[1-9]/) });
  expect((await write('Next')).status).toBe(201);
  expect((await leads()).filter((name) => name === 'Lost' || name === 'Next')).toHaveLength(2);
  await delivered();
  const numbers = receiver.received.map(({ headers }) => Number(headers['watchbell-sequence']));
  expect(numbers.sort()).toEqual([1, 2]);
});

test('while others have taken all connections writes are answered 503, and go on when there is room', {
  timeout: 60_000,
}, async () => {
  const scene = await setScene();
  const { proxy, url } = scene;
  const others: pg.Client[] = [];
  onTestFinished(async () => {
    await Promise.all(others.map((client) => client.end().catch(() => undefined)));
  });
  const take = async () => {
    for (;;) {
      const client = new pg.Client({ connectionString: url });
      client.on('error', () => undefined);
      try {
        await client.connect();
        others.push(client);
      } catch {
        return;
      }
    }
  };
  await take();
  proxy.cut();
  // What it had is free for a moment, and taken by others before it comes back.
  await vi.waitUntil(
    async () => {
      await take();
      return (await scene.write('Crowded')).status === 503;
    },
    { timeout: 20_000, interval: 10 },
  );
  expect((await scene.write('Crowded')).retryAfter).toMatch(/^[1-9]/);
  await Promise.all(others.splice(0).map((client) => client.end()));
  await scene.works();
  await holds(scene, [await scene.write('Boyle')]);
});

test('a write that waits too long for its organisation or for a table is answered 503', async () => {
  const { url, write, works } = await setScene({ databaseLockTimeout: '1', databaseStatementTimeout: '1' });
  await withClient(url, async (client) => {
    for (const lock of ['SELECT id FROM org FOR UPDATE', 'LOCK TABLE record IN ACCESS EXCLUSIVE MODE']) {
      await client.query('BEGIN');
      await client.query(lock);
      expect(await write('Locked')).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^[1-9]/) });
      await client.query('ROLLBACK');
      await works();
    }
  });
});

test('a node whose database says nothing more answers 503, sends nothing once its lease may be over, and then goes on', {
  timeout: 90_000,
}, async () => {
  const scene = await setScene({
    leaseSeconds: '5',
    attemptTimeout: '2',
    databaseConnectTimeout: '1',
    databaseStatementTimeout: '1',
    channelFlights: '4',
  });
  const { url, proxy, receiver, write } = scene;
  const owed = 150;
  const isOver = (msAgo: number) => async () =>
    withClient(url, async (client) => {
      const { rows } = await client.query<{ is: boolean }>(
        `SELECT max(lease_until) + ${msAgo} < extract(epoch FROM clock_timestamp()) * 1000 AS is FROM node`,
      );
      return rows[0]?.is === true;
    });
  // So that much waits in memory, and is sent without asking the database.
  receiver.behave((_request, response) => void setTimeout(() => response.end(), 300));
  await Promise.all(Array.from({ length: owed }, (_, i) => write(`Boyle ${i}`)));
  await receiver.first(8);
  proxy.swallow();
  const hung = write('Hung');
  await vi.waitUntil(isOver(0), { timeout: 20_000, interval: 50 });
  const sent = receiver.received.length;
  expect(sent).toBeLessThan(owed);
  await vi.waitUntil(isOver(2000), { timeout: 20_000, interval: 50 });
  expect(receiver.received).toHaveLength(sent);
  expect(await hung).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^[1-9]/) });
  expect(await write('Hung again')).toMatchObject({ status: 503 });
  receiver.behave(ok);
  proxy.cut();
  proxy.heal();
  await scene.works();
  const written = await scene.write('Boyle again');
  await holds(scene, [written]);
  expect(receiver.received.length).toBeGreaterThan(sent);
});
