// npm run prune -- --notifications 10000000 --rounds 5: what removing finished notifications costs writers, and the disk.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readCounts } from '../volume/arguments.mjs';
import { median } from '../volume/figures.mjs';
import { startServer } from '../volume/server.mjs';
import { openChannel, write } from '../volume/writes.mjs';
import { generationsOf, leftOf, seed, sizes } from './seed.mjs';

const { values } = parseArgs({
  options: {
    notifications: { type: 'string', default: '10000000' },
    rounds: { type: 'string', default: '5' },
    channels: { type: 'string', default: '20' },
    rate: { type: 'string', default: '200' },
    minutes: { type: 'string', default: '10' },
  },
});
const { notifications, rounds, channels, rate, minutes } = readCounts(values);
const RETENTION_HOURS = 24;
/** Writers alone, before the first turn of housekeeping, which begins a minute after the start. */
const ALONE_SECONDS = 40;
const RECORDS = 1000;
const EVERY_MS = 5000;

const say = (text) => process.stdout.write(`${text}\n`);
const mib = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;
const ms = ({ p50, p99, max }) => `p50 ${p50.toFixed(1)}  p99 ${p99.toFixed(1)}  max ${max.toFixed(1)} ms`;

async function metric(server, name) {
  const response = await fetch(`${server.base}/metrics`, { headers: { authorization: 'Bearer dev-admin' } });
  const found = new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(await response.text());
  return found ? Number(found[1]) : 0;
}
const pruned = (server) => metric(server, 'watchbell_housekeeping_rows_total{table="notification"}');
const turns = (server) => metric(server, 'watchbell_housekeeping_seconds_count');

/** Resolves with what was seen from now until the end of a turn of housekeeping, whose begin it tells; rejects after `minutes`. */
async function watchTurn(server, dataDir, turn, progress) {
  const seen = { rows: 0, ms: 0, peak: 0, wal: 0 };
  const give = Date.now() + minutes * 60_000;
  let told = 0;
  for (;;) {
    const [rows, ended] = [await pruned(server), await turns(server)];
    if (rows > 0) turn.began ??= Date.now();
    const { file, wal } = sizes(dataDir);
    Object.assign(seen, { rows, peak: Math.max(seen.peak, file), wal: Math.max(seen.wal, wal) });
    if (turn.began && Date.now() - told > EVERY_MS) {
      told = Date.now();
      progress(rows);
    }
    if (ended > 0) return { ...seen, ms: Date.now() - (turn.began ?? Date.now()) };
    if (Date.now() > give) throw new Error(`not done after ${minutes} minutes`);
    await delay(turn.began ? 200 : 20);
  }
}

const dataDir = await mkdtemp(join(tmpdir(), 'watchbell-prune-'));
const flags = ['--retention-hours', String(RETENTION_HOURS)];
let server;
let live;
let failed = false;
try {
  server = await startServer(dataDir, flags);
  const channel_expiry = `${new Date(Date.now() + 6 * 86_400_000).toISOString().slice(0, 19)}Z`;
  for (let i = 1; i <= channels; i += 1) {
    const entry = {
      channel_id: `${1000 + i}`,
      events: ['Leads.all'],
      notify_url: 'http://127.0.0.1:9/',
      channel_expiry,
    };
    const { status } = await server.call('POST', '/actions/watch', { watch: [entry] });
    if (status !== 201) throw new Error(`a channel was not opened: ${status}`);
  }
  const ids = await server.addContacts(RECORDS);
  live = await openChannel(server);
  await server.stop();
  server = undefined;
  const generations = generationsOf(dataDir, 'Leads');
  const results = [];
  for (let round = 1; round <= rounds; round += 1) {
    const started = Date.now();
    let told = started;
    seed(dataDir, {
      count: Math.floor(notifications / rounds),
      generations,
      retentionHours: RETENTION_HOURS,
      onProgress(count) {
        if (Date.now() - told < EVERY_MS) return;
        told = Date.now();
        say(`round ${round}: ${count} written`);
      },
    });
    const before = sizes(dataDir);
    say(`round ${round}: written in ${Math.round((Date.now() - started) / 1000)} s, file ${mib(before.file)}`);
    server = await startServer(dataDir, flags);
    await write(server, ids, { rate, seconds: 5 });
    const alone = await write(server, ids, { rate, seconds: ALONE_SECONDS });
    if ((await pruned(server)) > 0) throw new Error('housekeeping began before the writers were measured alone');
    const turn = { began: undefined, isOver: false };
    const watched = watchTurn(server, dataDir, turn, (rows) => say(`round ${round}: ${rows} removed`)).finally(() => {
      turn.isOver = true;
    });
    // Until it begins they are not measured.
    await write(server, ids, { rate, until: () => turn.isOver || turn.began !== undefined });
    const beside = await write(server, ids, { rate, until: () => turn.isOver });
    const seen = await watched;
    const after = sizes(dataDir);
    const left = leftOf(dataDir, generations);
    results.push({ alone, beside, before, after, seen });
    say(
      `round ${round}: removed ${seen.rows} in ${(seen.ms / 1000).toFixed(1)} s, ${Math.round((seen.rows * 1000) / seen.ms)}/s`,
    );
    say(
      `round ${round}: file ${mib(before.file)} before, ${mib(after.file)} after, ${mib(after.used)} of it in use; log ${mib(seen.wal)} at most`,
    );
    say(`round ${round}: writes alone ${ms(alone)}; beside ${ms(beside)}`);
    if (left.notifications + left.attempts > 0 || alone.failed + beside.failed > 0) failed = true;
    say(
      `round ${round}: left ${left.notifications} notifications, ${left.attempts} attempts, ${left.ranges} ranges of what was given up`,
    );
    await server.stop();
    server = undefined;
  }
  const of = (side, figure) => median(results.map((result) => result[side][figure])).toFixed(1);
  say(
    `median of ${rounds}: writes p50 ${of('alone', 'p50')} ms alone, ${of('beside', 'p50')} ms beside; p99 ${of('alone', 'p99')} ms alone, ${of('beside', 'p99')} ms beside`,
  );
  const first = results[0].before.file;
  const last = results.at(-1).after.file;
  say(`file ${mib(first)} with the first ${Math.floor(notifications / rounds)}, ${mib(last)} after the last`);
  await live.drained();
  say(`${live.received()} of ${live.owed()} live notifications came`);
  process.exitCode = failed || live.received() < live.owed() ? 1 : 0;
} finally {
  await live?.close();
  await server?.stop();
  await rm(dataDir, { recursive: true, force: true });
}
