// npm run test:cluster: nodes on one database that are killed, frozen, joined and left, and the database restarted, under
// load; then a few kills and a freeze more with the lease as it is when nothing is set.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const FILE = 'packages/server/test/cluster/cluster.test.ts';
const DEFAULTS = { kills: '30', freezes: '10', restarts: '5', joins: '6', lease: '5', 'long-kills': '3' };
const LONG_LEASE = 20;

const options = Object.fromEntries(
  Object.entries(DEFAULTS).map(([name, value]) => [name, { type: 'string', default: value }]),
);
const { values } = parseArgs({ options: { ...options, seed: { type: 'string' } } });
const seed = values.seed ?? String(1 + Math.floor(Math.random() * 1e9));
for (const [name, value] of Object.entries({ ...values, seed })) {
  if (/^(0|[1-9]\d{0,9})$/.test(value) && (name === 'seed' || Number(value) <= 1000)) continue;
  process.stderr.write(`--${name} must be a whole number from 0 to 1000\n`);
  process.exit(2);
}

function run(asked) {
  const env = { ...process.env, WATCHBELL_TEST_CLUSTER: JSON.stringify({ ...asked, seed: Number(seed) }) };
  return spawnSync('npx', ['vitest', 'run', FILE], { stdio: 'inherit', env }).status ?? 1;
}

const [kills, freezes, restarts, joins, lease, longKills] = Object.keys(DEFAULTS).map((name) => Number(values[name]));
let status = run({ kills, freezes, restarts, joins, leaseSeconds: lease });
if (longKills > 0) status ||= run({ kills: longKills, freezes: 1, restarts: 1, joins: 1, leaseSeconds: LONG_LEASE });
process.exit(status);
