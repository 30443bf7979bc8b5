// npm run scale -- --seconds 20: what a notification, an idle channel and a look at all organisations cost on PostgreSQL.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { addContacts, startReceiver } from '../backlog/load.mjs';
import { setUp, startServer } from '../backlog/server.mjs';
import { startPostgres } from '../support/postgres/cluster.mjs';
import { readCounts } from '../volume/arguments.mjs';
import { median } from '../volume/figures.mjs';
import { cpuOf, cpuOfFamily } from './cpu.mjs';
import { loadOf } from './load.mjs';
import { addChannels, addOrgs } from './seed.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    channels: { type: 'string', default: '100000' },
    orgs: { type: 'string', default: '100000' },
  },
});
const { seconds, channels, orgs } = readCounts(values);
const RECORDS = 6000;
const FAN_OUT = 100;
const LOOKS = 50;

const say = (text) => process.stdout.write(`${text}\n`);
const number = (value, digits = 2) => value.toFixed(digits).padStart(9);

const dataDir = await mkdtemp(join(tmpdir(), 'watchbell-scale-'));
const postgres = await startPostgres({ fsync: true });
// The server and `setup` are told in this way.
process.env.WATCHBELL_DATABASE_URL = postgres.url;
const client = new pg.Client({ connectionString: postgres.url });
await client.connect();
const one = async (text) => Number((await client.query(text)).rows[0].value);
const receiver = await startReceiver();
let server;

/** What so much work took: of the write-ahead log, the disk, transactions, and both processors. */
async function costs(work) {
  const read = async () => ({
    wal: await one("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS value"),
    disk: await one('SELECT pg_database_size(current_database()) AS value'),
    node: await cpuOf(server.pid),
    database: await cpuOfFamily(postgres.pid),
    notifications: receiver.received(),
  });
  const before = await read();
  const began = performance.now();
  await work();
  const took = (performance.now() - began) / 1000;
  const after = await read();
  const count = after.notifications - before.notifications;
  const each = (name) => (after[name] - before[name]) / count;
  return {
    count,
    rate: count / took,
    wal: each('wal'),
    disk: each('disk'),
    node: each('node'),
    database: each('database'),
  };
}

try {
  say(`PostgreSQL ${postgres.version}, synced`);
  const credentials = setUp(dataDir);
  server = await startServer(dataDir, []);
  const call = await server.signIn(credentials);
  const load = await loadOf(call, receiver, { records: RECORDS, fanOut: FAN_OUT });
  say('of a notification    | count | bytes of log | bytes on disk | node, CPU ms | database, CPU ms | delivered/s');
  for (const kind of ['single', 'fanOut', 'hundred']) {
    await load[kind](2);
    const { count, rate, wal, disk, node, database } = await costs(() => load[kind](seconds));
    say(
      `${load.names[kind].padEnd(21)}|${String(count).padStart(6)} |    ${number(wal, 0)} |     ${number(disk, 0)} |    ${number(node)} |        ${number(database)} |${number(rate, 0)}`,
    );
  }

  await server.stop();
  server = await startServer(dataDir, []);
  const again = await server.signIn(credentials);
  await addContacts(again, 1);
  const without = await server.memory();
  await server.stop();
  const [size, revisions] = [
    "SELECT pg_total_relation_size('channel') AS value",
    "SELECT pg_total_relation_size('channel_revision') AS value",
  ];
  const [sizeBefore, revisionsBefore] = [await one(size), await one(revisions)];
  await addChannels(client, channels);
  const rowBytes = ((await one(size)) - sizeBefore) / channels;
  const revisionBytes = ((await one(revisions)) - revisionsBefore) / channels;
  server = await startServer(dataDir, []);
  const third = await server.signIn(credentials);
  const began = performance.now();
  await addContacts(third, 1);
  const first = performance.now() - began;
  const grown = ((await server.memory()) - without) * 2 ** 20;
  say(
    `of an idle channel, of ${channels}: ${Math.round(grown / channels)} bytes of the node's memory, ${Math.round(rowBytes)} of the table, ${Math.round(revisionBytes)} of its first revision; the first write reads them all, ${Math.round(first)} ms`,
  );
  await server.stop();
  server = undefined;

  const { createPostgresStore } = await import('../../dist/storage/engines/postgres.js');
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const store = await createPostgresStore({
    url: postgres.url,
    secretKey: Buffer.from('07'.repeat(32), 'hex'),
    logger: silent,
    time: 'database',
  });
  for (let have = 1, want = 100; want <= orgs; want *= 10) {
    await addOrgs(client, have, want);
    have = want;
    const { seen } = await store.cluster.news.look();
    const times = [];
    const cpu = await cpuOfFamily(postgres.pid);
    for (let i = 0; i < LOOKS; i += 1) {
      const start = performance.now();
      await store.cluster.news.look(seen);
      times.push(performance.now() - start);
    }
    const spent = ((await cpuOfFamily(postgres.pid)) - cpu) / LOOKS;
    say(
      `a look at ${want} organisations, nothing new: median ${median(times).toFixed(1)} ms, database ${spent.toFixed(1)} ms of CPU`,
    );
  }
  await store.close();
} finally {
  await server?.stop();
  receiver.close();
  await client.end();
  await postgres.remove();
  await rm(dataDir, { recursive: true, force: true });
}
