// npm run replay: what live traffic feels of a replay, and what a kill in the middle of it repeats.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Sqlite from 'better-sqlite3';
import { setUp, startServer } from '../backlog/server.mjs';
import { readCounts } from '../volume/arguments.mjs';
import { quantile } from '../volume/figures.mjs';
import { startReceiver } from './receiver.mjs';

const { values } = parseArgs({
  options: {
    notifications: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '10' },
    live: { type: 'string', default: '200' },
    rate: { type: 'string', default: '1000' },
  },
});
const { notifications, seconds, live, rate } = readCounts(values);
const ADMIN_TOKEN = 'replay-admin-token';
const CALLERS = 32;
const RECORDS = 500;
const SAME = '/same';
const OTHER = '/other';

const say = (text) => process.stdout.write(`${text}\n`);

/** What each channel watches, and the records that are changed. */
const MODULES = [
  { path: SAME, module: 'Contacts', fresh: { Last_Name: 'L' } },
  { path: OTHER, module: 'Leads', fresh: { Last_Name: 'L', Company: 'C' } },
];

async function succeed(answer) {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body;
}

async function addRecords(call, { module, fresh }) {
  const ids = [];
  while (ids.length < RECORDS) {
    const { data } = await succeed(call('POST', `/${module}`, { data: Array(100).fill(fresh) }));
    ids.push(...data.map(({ details }) => details.id));
  }
  return ids;
}

async function open(call, { path, module }, channel_id) {
  const channel_expiry = `${new Date(Date.now() + 86_000_000).toISOString().slice(0, 19)}Z`;
  const entry = { channel_id, channel_expiry, events: [`${module}.all`], notify_url: receiver.origin + path };
  await succeed(call('POST', '/actions/watch', { watch: [{ ...entry, notify_on_related_action: false }] }));
}

let serial = 0;
async function edit(call, module, ids) {
  serial += 1;
  const id = ids[(serial * 7919) % ids.length];
  await succeed(call('PUT', `/${module}/${id}`, { data: [{ Description: `Edit ${serial}` }] }));
}

/** Changes at a fixed rate to both modules; how long each path's notifications took from commit to arrival. */
async function measure(call, records) {
  const before = MODULES.map(({ path }) => receiver.of(path).live);
  const results = MODULES.map(({ path }) => receiver.watch(path));
  const start = performance.now();
  const answers = [];
  for (let n = 0; n < live * seconds; n += 1) {
    const wait = start + (n * 1000) / live - performance.now();
    if (wait > 1) await delay(wait);
    for (const [i, { module }] of MODULES.entries()) answers.push(edit(call, module, records[i]));
  }
  await Promise.all(answers);
  for (const [i, { path }] of MODULES.entries()) await receiver.has(path, before[i] + live * seconds);
  return results.map((result) => result());
}

const figures = (took) => [0.5, 0.99, 1].map((share) => quantile(took, share).toFixed(1).padStart(8)).join('');

function tell(what, [same, other]) {
  say(`${what.padEnd(16)} |${figures(same)} |${figures(other)}`);
}

/** Numbers that a job has delivered, as the store of a server that was killed says. */
function savedBy(dataDir, job) {
  const db = new Sqlite(join(dataDir, 'watchbell.sqlite'));
  const rows = db.prepare(`SELECT number FROM attempt WHERE job = ? AND kind = 'delivered'`).pluck().all(job);
  db.close();
  return new Set(rows);
}

const receiver = await startReceiver();
const dataDir = await mkdtemp(join(tmpdir(), 'watchbell-replay-'));
let server;
try {
  const credentials = setUp(dataDir);
  const start = () => startServer(dataDir, ['--admin-token', ADMIN_TOKEN]);
  server = await start();
  let call = await server.signIn(credentials);
  const records = [];
  for (const [i, one] of MODULES.entries()) {
    records.push(await addRecords(call, one));
    await open(call, one, String(i + 1));
  }
  const began = performance.now();
  let left = notifications;
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (left > 0) {
        left -= 1;
        await edit(call, MODULES[0].module, records[0]);
      }
    }),
  );
  await receiver.has(SAME, notifications);
  say(`${notifications} notifications delivered in ${((performance.now() - began) / 1000).toFixed(0)} s`);

  say(`${live} changes a second to each of two channels for ${seconds} s; ms from commit to arrival`);
  say('                 | channel of the replay   | another channel');
  say('                 |     p50     p99     max |     p50     p99     max');
  await measure(call, records);
  tell('without', await measure(call, records));

  const org = (await succeed(server.administer(ADMIN_TOKEN, 'GET', '/orgs'))).orgs[0].id;
  const { channels } = await succeed(server.administer(ADMIN_TOKEN, 'GET', `/orgs/${org}/channels`));
  const { generation } = channels.find(({ modules }) => modules.includes(MODULES[0].module));
  const job = await succeed(
    server.administer(ADMIN_TOKEN, 'POST', `/orgs/${org}/channels/${generation}/replays`, {
      which: 'all',
      from: 1,
      to: notifications,
      rate,
    }),
  );
  const show = () => succeed(server.administer(ADMIN_TOKEN, 'GET', `/orgs/${org}/jobs/${job.id}`));
  const replayStart = performance.now();
  const beside = await measure(call, records);
  const during = await show();
  const perSecond = (receiver.of(SAME).marked * 1000) / (performance.now() - replayStart);
  tell('with the replay', beside);
  say(`The replay sent ${perSecond.toFixed(0)} a second meanwhile, and was ${during.state} at ${during.position}`);
  tell(
    'without, after',
    await (async () => {
      await succeed(server.administer(ADMIN_TOKEN, 'POST', `/orgs/${org}/jobs/${job.id}/pause`));
      const after = await measure(call, records);
      await succeed(server.administer(ADMIN_TOKEN, 'POST', `/orgs/${org}/jobs/${job.id}/resume`));
      return after;
    })(),
  );

  while (receiver.of(SAME).again.size < notifications / 2) await delay(5);
  process.kill(server.pid, 'SIGKILL');
  await server.stop();
  // What is on its way to the receiver arrives.
  await delay(500);
  const { again } = receiver.of(SAME);
  const arrived = new Set(again.keys());
  const saved = savedBy(dataDir, job.id);
  const unsettled = [...arrived].filter((number) => !saved.has(number));
  say(`Killed when ${arrived.size} had come again, ${unsettled.length} of them not saved`);
  server = await start();
  call = await server.signIn(credentials);
  let shown = await show();
  for (const since = performance.now(); shown.state === 'running'; shown = await show()) {
    if (performance.now() - since > 600_000) throw new Error(`the replay does not end: ${JSON.stringify(shown)}`);
    await delay(200);
  }
  const missing = Array.from({ length: notifications }, (_, i) => i + 1).filter((number) => !again.has(number));
  const twice = [...again].filter(([, times]) => times > 1);
  const wrong = twice.filter(([number, times]) => times > 2 || !unsettled.includes(number));
  say(`It went on by itself and is ${shown.state}: done ${shown.done}, failed ${shown.failed}, passed ${shown.passed}`);
  say(`${again.size} of ${notifications} came again, ${missing.length} are missing`);
  say(`${twice.length} came twice; of what was saved at the kill ${wrong.length}`);
  const isRight = shown.state === 'done' && missing.length === 0 && wrong.length === 0;
  say(isRight ? 'Every notification came again, none twice beyond what was not saved' : 'That is wrong');
  process.exitCode = isRight ? 0 : 1;
} finally {
  await server?.stop();
  receiver.close();
  await rm(dataDir, { recursive: true, force: true });
}
