// npm run neighbours: what an organisation with a thousand channels at bad receivers costs another one.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { addContacts, deadOrigin, edit, intake, latency, startReceiver, watch } from '../backlog/load.mjs';
import { setUp, startServer } from '../backlog/server.mjs';
import { readCounts } from '../volume/arguments.mjs';
import { median } from '../volume/figures.mjs';

const { values } = parseArgs({
  options: {
    channels: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    rate: { type: 'string', default: '200' },
  },
});
const { channels, rounds, seconds, rate } = readCounts(values);
const ADMIN_TOKEN = 'neighbours-admin-token';
const RECORDS = 1000;
const WARM_SECONDS = 2;
/** Between two changes of the bad organisation, each of which all of its channels are owed. */
const PAUSE_MS = 500;

const say = (text) => process.stdout.write(`${text}\n`);

/** In turns: no listener, never an answer and 404; of the latter two every other on the well organisation's host. */
const badUrl = (i) => {
  const host = (i % 2 === 0 ? receiver : otherHost).origin;
  return [dead, `${host}/hangs`, `${host}/gone`][i % 3];
};

/** Another organisation, which makes changes until it is told to stop. */
async function startNeighbour(server) {
  const who = { name: 'Bad', email: 'bad@example.com', last_name: 'Bad' };
  const { status, body } = await server.administer(ADMIN_TOKEN, 'POST', '/orgs', who);
  if (status !== 201) throw new Error(JSON.stringify(body));
  const call = await server.signIn(body);
  const records = await addContacts(call, RECORDS);
  await watch(
    call,
    Array.from({ length: channels }, (_, i) => badUrl(i)),
  );
  let isOn = true;
  let owed = 0;
  const writing = (async () => {
    while (isOn) {
      await edit(call, records);
      owed += channels;
      await delay(PAUSE_MS);
    }
  })();
  return {
    async stop() {
      isOn = false;
      await writing;
      return owed;
    },
  };
}

/** One organisation's figures, on a store of its own. */
async function measure(isBeside) {
  const dataDir = await mkdtemp(join(tmpdir(), 'watchbell-neighbours-'));
  const credentials = setUp(dataDir);
  const server = await startServer(dataDir, ['--admin-token', ADMIN_TOKEN]);
  try {
    const call = await server.signIn(credentials);
    const records = await addContacts(call, RECORDS);
    await watch(call, [`${receiver.origin}/well`]);
    const neighbour = isBeside ? await startNeighbour(server) : undefined;
    const before = receiver.received();
    const warm = await intake(call, records, WARM_SECONDS);
    const start = performance.now();
    const taken = await intake(call, records, seconds);
    await receiver.has(before + warm.count + taken.count);
    const delivered = (taken.count * 1000) / (performance.now() - start);
    const arrival = await latency(call, receiver, records, { rate, seconds });
    const owed = await neighbour?.stop();
    const missing = before + warm.count + taken.count + arrival.count - receiver.received();
    return { delivered, p50: arrival.p50, p99: arrival.p99, missing, owed };
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

const line = ({ delivered, p50, p99 }) =>
  `${delivered.toFixed(0).padStart(6)} delivered/s; commit to arrival p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;

const receiver = await startReceiver();
const otherHost = await startReceiver();
const dead = await deadOrigin();
try {
  const results = { alone: [], beside: [] };
  for (let round = 1; round <= rounds; round += 1) {
    // Neither side is always the first.
    for (const side of round % 2 === 1 ? ['alone', 'beside'] : ['beside', 'alone']) {
      const result = await measure(side === 'beside');
      results[side].push(result);
      const owed = result.owed === undefined ? '' : `; its neighbour was owed ${result.owed}`;
      say(`round ${round}, ${side.padEnd(6)}: ${line(result)}${owed}`);
    }
  }
  for (const side of ['alone', 'beside']) {
    const of = (key) => median(results[side].map((result) => result[key]));
    say(`median,  ${side.padEnd(6)}: ${line({ delivered: of('delivered'), p50: of('p50'), p99: of('p99') })}`);
  }
  const missing = [...results.alone, ...results.beside].reduce((sum, result) => sum + result.missing, 0);
  say(missing === 0 ? 'Every notification of the well organisation came, once' : `${missing} notifications differ`);
  process.exitCode = missing === 0 ? 0 : 1;
} finally {
  receiver.close();
  otherHost.close();
}
