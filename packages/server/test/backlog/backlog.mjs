// npm run backlog -- --owed 1000000: what a dead receiver that is owed so much costs the others.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readCounts } from '../volume/arguments.mjs';
import { median } from '../volume/figures.mjs';
import { addContacts, deadOrigin, intake, latency, startReceiver, watch } from './load.mjs';
import { countOwed, owe, settledCopy } from './seed.mjs';
import { setUp, startServer } from './server.mjs';

const { values } = parseArgs({
  options: {
    owed: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    rate: { type: 'string', default: '200' },
  },
});
const { owed, rounds, seconds, rate } = readCounts(values);
const RECORDS = 10_000;
/** Between a start and the look at its memory: what the lane tries first has failed by then. */
const REST_MS = 3_000;
/** Before anything is measured: the first calls of a process are slow. */
const WARM_SECONDS = 2;
/** Id of its channel: the first that is opened. */
const DEAD = '1';
/** So that the dead receiver is owed more all the time, instead of overflowing. */
const FLAGS = ['--max-backlog', String(Math.max(10, owed * 2))];

const say = (text) => process.stdout.write(`${text}\n`);

/** One start of the server on one of the two stores. */
async function measure(dataDir) {
  const server = await startServer(dataDir, FLAGS);
  try {
    const call = await server.signIn(credentials);
    await delay(REST_MS);
    const memory = await server.memory();
    const before = receiver.received();
    const warm = await intake(call, records, WARM_SECONDS);
    const taken = await intake(call, records, seconds);
    await receiver.has(before + warm.count + taken.count);
    const arrival = await latency(call, receiver, records, { rate, seconds });
    const edits = warm.count + taken.count + arrival.count;
    const missing = before + edits - receiver.received();
    return {
      ready: server.readyMs,
      memory,
      rate: taken.rate,
      p50: arrival.p50,
      p99: arrival.p99,
      after: await server.memory(),
      edits,
      missing,
    };
  } finally {
    await server.stop();
  }
}

const ROWS = [
  ['start to ready, ms', 'ready', 0],
  ['memory after start, MiB', 'memory', 0],
  ['intake, records/s', 'rate', 0],
  ['commit to arrival p50, ms', 'p50', 1],
  ['commit to arrival p99, ms', 'p99', 1],
  ['memory after load, MiB', 'after', 0],
];
const cell = (number, digits) => number.toFixed(digits).padStart(10);

const directory = await mkdtemp(join(tmpdir(), 'watchbell-backlog-'));
const dirs = { with: join(directory, 'with'), without: join(directory, 'without') };
const receiver = await startReceiver();
const credentials = setUp(dirs.with);
let records = [];
try {
  const server = await startServer(dirs.with, FLAGS);
  try {
    const call = await server.signIn(credentials);
    records = await addContacts(call, RECORDS);
    await watch(call, [await deadOrigin(), receiver.origin]);
  } finally {
    await server.stop();
  }
  const began = Date.now();
  owe(dirs.with, DEAD, records, owed);
  settledCopy(dirs.with, dirs.without);
  const other = await startServer(dirs.without, FLAGS);
  await (await other.signIn(credentials))('DELETE', `/actions/watch?channel_ids=${DEAD}`);
  await other.stop();
  say(`${owed} notifications put into the store in ${Math.round((Date.now() - began) / 1000)} s`);

  const results = { with: [], without: [] };
  for (let round = 1; round <= rounds; round += 1) {
    // Neither side is always the first.
    for (const side of round % 2 === 1 ? ['without', 'with'] : ['with', 'without']) {
      const result = await measure(dirs[side]);
      results[side].push(result);
      say(
        `round ${round}, ${side}: ${ROWS.map(([name, key, digits]) => `${name} ${result[key].toFixed(digits)}`).join('; ')}`,
      );
    }
  }
  say(`median of ${rounds} rounds           |   without |      with`);
  const of = (side, key) => median(results[side].map((result) => result[key]));
  for (const [name, key, digits] of ROWS) {
    say(`${name.padEnd(28)} |${cell(of('without', key), digits)} |${cell(of('with', key), digits)}`);
  }
  say(`memory over idle: ${(of('with', 'memory') - of('without', 'memory')).toFixed(0)} MiB`);

  const edits = results.with.reduce((sum, result) => sum + result.edits, 0);
  const stillOwed = countOwed(dirs.with, DEAD);
  const missing = [...results.with, ...results.without].reduce((sum, result) => sum + result.missing, 0);
  say(`the dead receiver is owed ${stillOwed} after ${edits} edits more; the well one lacks ${missing}`);
  process.exitCode = stillOwed === owed + edits && missing === 0 ? 0 : 1;
} finally {
  receiver.close();
  await rm(directory, { recursive: true, force: true });
}
