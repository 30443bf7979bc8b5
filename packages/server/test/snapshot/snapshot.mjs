// npm run snapshot -- --minutes 10: what a snapshot that another session keeps open does to rates and tables.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { addContacts, edit, startReceiver, watch } from '../backlog/load.mjs';
import { setUp, startServer } from '../backlog/server.mjs';
import { startPostgres } from '../support/postgres/cluster.mjs';
import { readCounts } from '../volume/arguments.mjs';
import { quantile } from '../volume/figures.mjs';

const { values } = parseArgs({
  options: {
    /** That the snapshot is open. */
    minutes: { type: 'string', default: '10' },
    /** Before and after it. */
    around: { type: 'string', default: '2' },
    /** Writes a second, at the steady rate. */
    rate: { type: 'string', default: '100' },
    callers: { type: 'string', default: '32' },
  },
});
const { minutes, around, rate, callers } = readCounts(values);
const RECORDS = 6000;
const CHANNELS = 4;
/** Written so often that what a snapshot keeps of them counts; in order of their first column below. */
const TABLES = ['org', 'channel', 'owed', 'notification', 'attempt', 'record', 'record_change', 'node'];
/** At the full rate no caller is further ahead of the receiver. */
const MOST_AHEAD = 5000;
const MIB = 1 << 20;

const say = (text) => process.stdout.write(`${text}\n`);

const dataDir = await mkdtemp(join(tmpdir(), 'watchbell-snapshot-'));
// As it is installed: synced, pages written whole, cleaned up by itself.
const postgres = await startPostgres({ fsync: true, settings: { full_page_writes: 'on', shared_buffers: '256MB' } });
process.env.WATCHBELL_DATABASE_URL = postgres.url;
const connect = async () => {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  return client;
};
const watcher = await connect();
const receiver = await startReceiver();
let server;

/** Of each table: MiB with its indexes, and rows that nobody needs any more but that are still there. */
async function sizes() {
  const { rows } = await watcher.query(
    `SELECT relname, pg_total_relation_size(relid)::float8 AS bytes, n_dead_tup::float8 AS dead
     FROM pg_stat_user_tables WHERE relname = ANY ($1)`,
    [TABLES],
  );
  return new Map(rows.map(({ relname, bytes, dead }) => [relname, { bytes, dead }]));
}

const cell = (text, width) => String(text).padStart(width);

function head() {
  const tables = TABLES.map((table) => cell(table, 14)).join('');
  say(
    `${cell('minute', 18)}${cell('writes/s', 10)}${cell('delivered/s', 12)}${cell('p50 ms', 8)}${cell('p99 ms', 9)}${tables}`,
  );
  say(`${cell('', 57)}${TABLES.map(() => cell('MiB (dead)', 14)).join('')}`);
}

/** Writes for so many minutes and says of each how it went. */
async function write(name, count, once) {
  for (let minute = 1; minute <= count; minute += 1) {
    const took = receiver.watch();
    const received = receiver.received();
    const began = performance.now();
    const written = await once(began + 60_000);
    const seconds = (performance.now() - began) / 1000;
    const delivered = receiver.received() - received;
    const times = took();
    const tables = await sizes();
    const shown = TABLES.map((table) => {
      const { bytes = 0, dead = 0 } = tables.get(table) ?? {};
      return cell(`${(bytes / MIB).toFixed(1)} (${Math.round(dead / 1000)}k)`, 14);
    });
    const rates = `${cell((written / seconds).toFixed(0), 10)}${cell((delivered / seconds).toFixed(0), 12)}`;
    const [p50, p99] = [0.5, 0.99].map((share) => (quantile(times, share) ?? 0).toFixed(1));
    say(`${cell(`${name} ${minute}`, 18)}${rates}${cell(p50, 8)}${cell(p99, 9)}${shown.join('')}`);
  }
}

/** So many a second, begun on time whether or not those before were answered. */
const steadily = (call, records) => async (until) => {
  const answers = new Set();
  const began = performance.now();
  let written = 0;
  for (; performance.now() < until; written += 1) {
    const wait = began + (written * 1000) / rate - performance.now();
    if (wait > 1) await delay(wait);
    const answer = edit(call, records).finally(() => answers.delete(answer));
    answers.add(answer);
  }
  await Promise.all(answers);
  return written;
};

/** As fast as the callers are answered. */
const fully = (call, records) => {
  let owed = 0;
  const before = receiver.received();
  return async (until) => {
    let written = 0;
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (performance.now() < until) {
          if (owed - (receiver.received() - before) > MOST_AHEAD) await delay(20);
          else {
            await edit(call, records);
            written += 1;
            owed += CHANNELS;
          }
        }
      }),
    );
    return written;
  };
};

try {
  const credentials = setUp(dataDir);
  server = await startServer(dataDir, ['--log-delivered', 'off']);
  const call = await server.signIn(credentials);
  const records = await addContacts(call, RECORDS);
  await watch(
    call,
    Array.from({ length: CHANNELS }, () => receiver.origin),
  );
  for (const [name, load] of [
    [`${rate} writes/s`, steadily],
    [`${callers} callers`, fully],
  ]) {
    say(`\n${name}, ${CHANNELS} channels, PostgreSQL ${postgres.version}`);
    head();
    const once = load(call, records);
    await write('before', around, once);
    const other = await connect();
    await other.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await other.query('SELECT count(*) FROM org');
    await write('snapshot open', minutes, once);
    await other.end();
    await write('after', around, once);
  }
} finally {
  await server?.stop();
  await watcher.end();
  receiver.close();
  await postgres.remove();
  await rm(dataDir, { recursive: true, force: true });
}
