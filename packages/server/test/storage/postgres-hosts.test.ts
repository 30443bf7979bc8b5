import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { readDatabaseUrl } from '../../src/domain/database-url.ts';
import { createPostgresStore } from '../../src/storage/engines/postgres.ts';
import { connectPostgres, DEFAULT_TIMEOUTS } from '../../src/storage/engines/postgres-connection.ts';
import { createHosts } from '../../src/storage/engines/postgres-hosts.ts';
import { plain } from '../../src/storage/engines/postgres-sql.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { type PostgresPair, run, startPair } from '../support/postgres/pair.ts';
import { startTcpProxy, through } from '../support/tcp-proxy.ts';

const PORT = 'SELECT inet_server_port() AS port';
const FACTS = "SELECT name, value FROM meta WHERE name IN ('timeline', 'epoch') ORDER BY name DESC";

interface Node {
  ask(text: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Keeps its connection and says whether it stands. */
  stay(): Promise<() => boolean>;
  readonly warnings: string[];
  readonly otherHistories: () => number;
}

/** As a process of its own meets the servers. */
function node(url: string): Node {
  const warnings: string[] = [];
  let otherHistories = 0;
  const tell = (about: object, message: string) => void warnings.push(`${message} ${JSON.stringify(about)}`);
  const logger: Logger = { debug: () => {}, info: () => {}, warn: tell, error: tell };
  const options = { timeouts: DEFAULT_TIMEOUTS, applicationName: 'test', pooler: false };
  const hosts = createHosts({
    hosts: readDatabaseUrl(url).hosts,
    open: (host) => connectPostgres({ connectionString: host.url }, options),
    timeoutMs: 10_000,
    logger,
    onOtherHistory: () => {
      otherHistories += 1;
    },
  });
  return {
    warnings,
    otherHistories: () => otherHistories,
    async ask(text) {
      const connection = await hosts.connect();
      try {
        return (await connection.once([plain(text)]))[0] ?? [];
      } finally {
        await connection.end();
      }
    },
    async stay() {
      const connection = await hosts.connect();
      onTestFinished(() => connection.end());
      return () => !connection.isSpoiled();
    },
  };
}

const portOf = (url: string): number => Number(new URL(url).port);

/** The URL with its hosts the other way round. */
const reversed = (url: string): string => url.replace(/@([^,]+),([^/]+)\//, '@$2,$1/');

let pair: PostgresPair;

beforeAll(async () => {
  pair = await startPair({ synchronous: false, database: 'watchbell' });
  const logger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const store = await createPostgresStore({ url: pair.url, secretKey: new Uint8Array(32), logger, time: 'database' });
  await store.close();
}, 60_000);

afterAll(() => pair.remove());

// One story: each test goes on where the one before it ended.

test('a standby is passed over wherever it stands in the list', async () => {
  const { primary, url } = pair;
  const first = node(reversed(url));
  expect(await first.ask(PORT)).toEqual([{ port: portOf(primary.url) }]);
  expect(first.warnings).toEqual([expect.stringContaining('it is a standby')]);
  const [timeline, ...others] = await first.ask(FACTS);
  expect(JSON.parse(String(timeline?.value))).toEqual({ system: expect.stringMatching(/^\d+$/), timeline: 1 });
  expect(others).toEqual([]);
});

test('a server that takes no writes is passed over', async () => {
  const { primary, url } = pair;
  await run(primary.url, 'ALTER SYSTEM SET default_transaction_read_only = on', 'SELECT pg_reload_conf()');
  const asked = node(url).ask(PORT);
  await asked.catch(() => undefined);
  await run(
    primary.url,
    'SET default_transaction_read_only = off',
    'ALTER SYSTEM RESET ALL',
    'SELECT pg_reload_conf()',
  );
  await expect(asked).rejects.toThrow('it takes no writes');
  expect(await node(url).ask(PORT)).toEqual([{ port: portOf(primary.url) }]);
});

test('a server that does not tell its timeline is used, and that it does not is said', async () => {
  const { primary, url } = pair;
  const database = new URL(primary.url);
  database.pathname = 'watchbell';
  await run(
    database.href,
    "CREATE ROLE plain LOGIN PASSWORD 'plain'",
    'GRANT pg_read_all_data, pg_write_all_data TO plain',
    'REVOKE EXECUTE ON FUNCTION pg_walfile_name(pg_lsn) FROM PUBLIC',
  );
  const hosted = node(url.replace(/\/\/[^@]+@/, '//plain:plain@'));
  expect(await hosted.ask(PORT)).toEqual([{ port: portOf(primary.url) }]);
  expect(await hosted.ask(PORT)).toEqual([{ port: portOf(primary.url) }]);
  expect(hosted.warnings.filter((line) => line.includes('does not tell its timeline'))).toHaveLength(1);
  await run(database.href, 'GRANT EXECUTE ON FUNCTION pg_walfile_name(pg_lsn) TO PUBLIC');
});

test('a server that hangs keeps nobody from the one beside it', async () => {
  const { primary, replica, url } = pair;
  const proxy = await startTcpProxy(portOf(replica.url));
  onTestFinished(() => proxy.close());
  proxy.swallow();
  const hanging = new URL(through(proxy, replica.url)).host;
  const other = node(reversed(url).replace(new URL(replica.url).host, hanging));
  expect(await other.ask(PORT)).toEqual([{ port: portOf(primary.url) }]);
});

test('after a promotion all nodes at once begin one new epoch, and those that knew the old one are told', async () => {
  const { primary, replica, url } = pair;
  const nodes = Array.from({ length: 4 }, () => node(url));
  const stands = await Promise.all(nodes.map(({ stay }) => stay()));
  const [before] = await nodes[0]!.ask('SELECT count(*)::int AS free FROM bucket WHERE epoch >= 1000000');
  expect(before).toEqual({ free: 0 });
  await primary.kill();
  await pair.promote();
  const newcomers = Array.from({ length: 4 }, () => node(url));
  const everybody = [...nodes, ...newcomers];
  const answers = await Promise.all(everybody.flatMap(({ ask }) => [ask(PORT), ask(PORT), ask(PORT)]));
  expect(new Set(answers.map(([row]) => row?.port))).toEqual(new Set([portOf(replica.url)]));
  const [timeline, epoch] = await nodes[0]!.ask(FACTS);
  expect(JSON.parse(String(timeline?.value))).toMatchObject({ timeline: 2 });
  expect(JSON.parse(String(epoch?.value))).toEqual({ number: 1, label: expect.stringMatching(/^[0-9a-f]{12}$/) });
  expect(await nodes[0]!.ask('SELECT count(*)::int AS free FROM bucket WHERE epoch >= 1000000')).toEqual([
    { free: 64 },
  ]);
  const said = everybody.flatMap(({ warnings }) => warnings).filter((line) => line.includes('was promoted'));
  expect(said).toHaveLength(1);
  expect(nodes.map((one) => one.otherHistories())).toEqual([1, 1, 1, 1]);
  expect(newcomers.map((one) => one.otherHistories())).toEqual([0, 0, 0, 0]);
  expect(stands.map((doesStand) => doesStand())).toEqual([false, false, false, false]);
});

test('behind a pooler a connection is of no use any more once it meets another server than before', async () => {
  const connect = (pooler: boolean) =>
    connectPostgres(
      { connectionString: pair.replica.url.replace(/\/[^/]*$/, '/watchbell') },
      { timeouts: DEFAULT_TIMEOUTS, applicationName: 'test', pooler },
    );
  const held = await connect(true);
  onTestFinished(() => held.end());
  held.holdTo(2);
  expect(await held.once([plain('SELECT 1 AS one')])).toEqual([[{ one: 1 }]]);
  held.holdTo(1);
  await expect(held.begin([plain('SELECT 1 AS one')])).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  expect(held.isSpoiled()).toBe(true);
  // Without one a connection leads where it led.
  const direct = await connect(false);
  onTestFinished(() => direct.end());
  direct.holdTo(1);
  expect(await direct.once([plain('SELECT 1 AS one')])).toEqual([[{ one: 1 }]]);
});

test('an old primary that came back is not used, neither by who was there before nor by who is new', async () => {
  const { primary, replica, url } = pair;
  const known = node(url);
  const stands = await known.stay();
  await primary.restart();
  expect(await node(url).ask(PORT)).toEqual([{ port: portOf(replica.url) }]);
  expect(await known.ask(PORT)).toEqual([{ port: portOf(replica.url) }]);
  expect(stands()).toBe(true);
  // Alone it is not taken for the one that is gone.
  await replica.stop();
  await expect(known.ask(PORT)).rejects.toThrow('its data are older than those used until now');
  await replica.restart();
  expect(await known.ask(PORT)).toEqual([{ port: portOf(replica.url) }]);
  expect(known.otherHistories()).toBe(0);
});

test('data that were read into another cluster begin a new epoch, data of a newer timeline are refused', async () => {
  const { replica, url } = pair;
  const database = new URL(replica.url);
  database.pathname = 'watchbell';
  const write = (history: object) =>
    run(database.href, `UPDATE meta SET value = '${JSON.stringify(history)}' WHERE name = 'timeline'`);
  const [row] = await node(url).ask(FACTS);
  const { system } = JSON.parse(String(row?.value)) as { system: string };
  await write({ system, timeline: 7 });
  await expect(node(database.href).ask(PORT)).rejects.toThrow('its timeline is 2, and its data are of timeline 7');
  await write({ system: '7', timeline: 7 });
  const [timeline, epoch] = await node(database.href).ask(FACTS);
  expect(JSON.parse(String(timeline?.value))).toEqual({ system, timeline: 2 });
  expect(JSON.parse(String(epoch?.value))).toMatchObject({ number: 2 });
});
