// npm run move -- --notifications 1000000: a store with so many notifications is moved into PostgreSQL, and compared.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { owe } from '../backlog/seed.mjs';
import { generationsOf, seed, sizes } from '../prune/seed.mjs';
import { startPostgres } from '../support/postgres/cluster.mjs';
import { readCounts } from '../volume/arguments.mjs';
import { BIN, startServer } from '../volume/server.mjs';
import { contentsOf, contentsOfDatabase, databaseSize } from './contents.mjs';

const { values } = parseArgs({ options: { notifications: { type: 'string', default: '1000000' } } });
const { notifications } = readCounts(values);
const CHANNELS = 20;
const CONTACTS = 1000;
/** A tenth is owed; the rest was delivered or given up, with an attempt each. */
const OWED = Math.floor(notifications / 10);

const say = (text) => process.stdout.write(`${text}\n`);
const mib = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;
const seconds = (since) => (performance.now() - since) / 1000;

async function fill(dataDir) {
  const server = await startServer(dataDir);
  const channel_expiry = `${new Date(Date.now() + 6 * 86_400_000).toISOString().slice(0, 19)}Z`;
  const notify_url = 'http://127.0.0.1:9/';
  for (let i = 0; i <= CHANNELS; i += 1) {
    const events = [i === 0 ? 'Contacts.edit' : 'Leads.all'];
    const entry = { channel_id: String(1000 + i), events, notify_url, channel_expiry, token: `token ${i}` };
    const { status } = await server.call('POST', '/actions/watch', { watch: [entry] });
    if (status !== 201) throw new Error(`a channel was not opened: ${status}`);
  }
  const ids = await server.addContacts(CONTACTS);
  await server.stop();
  const generations = generationsOf(dataDir, 'Leads');
  seed(dataDir, { count: notifications - OWED, generations, retentionHours: 24, onProgress() {} });
  owe(dataDir, '1000', ids, OWED);
}

/** Runs the command; answers what it printed and the most memory that it had, in bytes (0 where nobody says). */
async function move(dataDir, url) {
  const args = [
    'migrate-store',
    '--dev',
    '--json',
    '--data-dir',
    dataDir,
    '--database-url',
    url,
    '--log-level',
    'error',
  ];
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let peak = 0;
  const watch = setInterval(async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024);
  }, 200);
  const ended = once(child, 'close');
  let out = '';
  for await (const chunk of child.stdout) out += chunk;
  const [code] = await ended;
  clearInterval(watch);
  if (code !== 0) throw new Error(`migrate-store ended with ${code}`);
  return { facts: JSON.parse(out), peak };
}

const dataDir = await mkdtemp(join(tmpdir(), 'watchbell-move-'));
const postgres = await startPostgres({ fsync: true });
try {
  say(`PostgreSQL ${postgres.version}, synced`);
  const filling = performance.now();
  await fill(dataDir);
  say(`${notifications} notifications written in ${Math.round(seconds(filling))} s, file ${mib(sizes(dataDir).file)}`);

  const moving = performance.now();
  const { facts, peak } = await move(dataDir, postgres.url);
  const took = seconds(moving);
  const rows = facts.tables.reduce((sum, table) => sum + table.rows, 0);
  say(`moved and read again in ${took.toFixed(1)} s: ${rows} rows, ${Math.round(rows / took)}/s`);
  say(`memory at most ${mib(peak)}; database ${mib(await databaseSize(postgres.url))}`);
  say(`counters: ${JSON.stringify(facts.counters)}`);

  say('compared by other means:');
  let differing = 0;
  for (const { name, rows: told } of facts.tables) {
    const [here, there] = [contentsOf(dataDir, name), await contentsOfDatabase(postgres.url, name)];
    const isSame = here.rows === there.rows && here.digest === there.digest && here.rows === told;
    if (!isSame) differing += 1;
    say(
      `${name.padEnd(17)} ${String(there.rows).padStart(8)}  ${there.digest.slice(0, 32)}  ${isSame ? 'same' : `${here.rows} ${here.digest}`}`,
    );
  }
  const again = await move(dataDir, postgres.url);
  say(`a second time: done before, at ${again.facts.done_before}`);
  process.exitCode = differing === 0 && again.facts.done_before !== null ? 0 : 1;
} finally {
  await postgres.remove();
  await rm(dataDir, { recursive: true, force: true });
}
