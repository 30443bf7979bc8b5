// npm run intake: external changes a second that the embedded store takes, and what it owes and sends for them.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Sqlite from 'better-sqlite3';
import { setUp, startServer } from '../backlog/server.mjs';
import { readCounts } from '../volume/arguments.mjs';
import { sendChanges, startReceiver } from './load.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '12' },
    callers: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
    floor: { type: 'string', default: '10000' },
  },
});
const { seconds, callers, rounds, floor } = readCounts(values);
const SHAPES = [
  { name: '100 changes of 1 record a call', changes: 100, records: 1 },
  { name: '1 change of 100 records a call', changes: 1, records: 100 },
];
/** Before anything is measured: the first calls of a process are slow. */
const WARM_SECONDS = 2;
const MODULE = {
  api_name: 'Orders',
  singular: 'Order',
  plural: 'Orders',
  external: true,
  fields: [
    { api_name: 'Stage', type: 'text' },
    { api_name: 'Total', type: 'integer' },
    { api_name: 'Note', type: 'textarea' },
  ],
};

const say = (text) => process.stdout.write(`${text}\n`);
const load = () => loadavg()[0].toFixed(1);

/** Processor seconds that a process has used, on all of its threads. */
async function cpuOf(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return (user + system) / 100;
}

/** Of a stopped server. */
function counted(dataDir) {
  const db = new Sqlite(join(dataDir, 'watchbell.sqlite'), { readonly: true });
  const counts = db
    .prepare(
      `SELECT (SELECT count(*) FROM record_change WHERE module = 'Orders') AS changes,
        (SELECT count(*) FROM notification WHERE module = 'Orders') AS notifications,
        (SELECT max(number) FROM notification WHERE module = 'Orders') AS last,
        (SELECT count(*) FROM notification WHERE state = 'delivered') AS delivered`,
    )
    .get();
  db.close();
  return counts;
}

/** How many records a second it took; undefined when the store is not as it must be. */
async function measure(shape) {
  const dataDir = await mkdtemp(join(tmpdir(), 'watchbell-intake-'));
  const receiver = await startReceiver();
  try {
    const credentials = setUp(dataDir);
    const server = await startServer(dataDir, []);
    const sums = { changes: 0, owed: 0 };
    try {
      const operate = (method, path, body) => server.administer(credentials.admin_token, method, path, body);
      const [org] = (await operate('GET', '/orgs')).body.orgs;
      const added = await operate('POST', `/orgs/${org.id}/modules`, MODULE);
      if (added.status !== 201) throw new Error(JSON.stringify(added.body));
      const call = await server.signIn(credentials);
      const watch = [{ channel_id: '1', events: ['Orders.edit'], notify_url: `${receiver.origin}/` }];
      const opened = await call('POST', '/actions/watch', { watch });
      if (opened.status !== 201) throw new Error(JSON.stringify(opened.body));
      const send = (body) => operate('POST', `/orgs/${org.id}/changes`, body);
      const add = ({ changes, owed }) => {
        sums.changes += changes;
        sums.owed += owed;
      };
      add(await sendChanges(send, { ...shape, callers, seconds: WARM_SECONDS }));
      await receiver.has(sums.owed);
      const before = await receiver.received();
      const cpuBefore = await cpuOf(server.pid);
      const result = await sendChanges(send, { ...shape, callers, seconds });
      add(result);
      const meanwhile = (await receiver.received()) - before;
      const ended = performance.now();
      await receiver.has(sums.owed);
      const after = (performance.now() - ended) / 1000;
      const cpu = (await cpuOf(server.pid)) - cpuBefore;
      const rate = result.records / result.took;
      say(
        `${shape.name}: ${result.changes} changes of ${result.records} records in ${result.took.toFixed(1)} s by ${callers} callers: ` +
          `${rate.toFixed(0)} records/s, ${(result.changes / result.took).toFixed(0)} changes/s; ` +
          `slowest call ${result.slowest.toFixed(0)} ms; load average ${load()}; the server's processor time with delivery ` +
          `${((cpu * 1e6) / result.records).toFixed(0)} µs a record`,
      );
      const later = result.owed - meanwhile;
      say(
        `  owed ${result.owed} notifications: ${meanwhile} delivered meanwhile, ${later} in ${after.toFixed(1)} s after` +
          (after > 1 ? ` (${(later / after).toFixed(0)}/s)` : ''),
      );
      sums.rate = rate;
    } finally {
      await server.stop();
    }
    const { changes, notifications, last, delivered } = counted(dataDir);
    say(
      `  in the store: ${changes} changes, ${notifications} notifications numbered to ${last}, ${delivered} delivered`,
    );
    const isWhole = [changes, notifications, last, delivered].every((count) => count === sums.changes);
    if (!isWhole || sums.owed !== sums.changes) say('  FAILED: not one notification for each change');
    return isWhole && sums.owed === sums.changes ? sums.rate : undefined;
  } finally {
    receiver.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Of a machine that others use too, the best round is the one that tells. */
let isWell = true;
for (const shape of SHAPES) {
  let best = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const rate = await measure(shape);
    if (rate === undefined) isWell = false;
    best = Math.max(best, rate ?? 0);
  }
  say(`${shape.name}: best of ${rounds} rounds ${best.toFixed(0)} records/s, asked for are ${floor}`);
  if (best < floor) isWell = false;
}
say(isWell ? 'OK' : 'FAILED');
process.exitCode = isWell ? 0 : 1;
