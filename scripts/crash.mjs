// npm run test:crash -- --kills 100: so many kills under load, and some more during migrations, pruning and backups.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

/** At least so many of each kind that is placed. */
const LEAST_PLACED = 5;
const FILES = ['crash', 'migration', 'pruning', 'backup'].map((name) => `packages/server/test/crash/${name}.test.ts`);

const { values } = parseArgs({ options: { kills: { type: 'string', default: '25' } } });
if (!/^[1-9]\d{0,3}$/.test(values.kills)) {
  process.stderr.write('--kills must be a whole number from 1 to 9999\n');
  process.exit(2);
}
const placed = Math.max(LEAST_PLACED, Math.ceil(Number(values.kills) / 20));
const { status } = spawnSync('npx', ['vitest', 'run', '--no-file-parallelism', ...FILES], {
  stdio: 'inherit',
  env: { ...process.env, WATCHBELL_TEST_KILLS: values.kills, WATCHBELL_TEST_PLACED_KILLS: String(placed) },
});
process.exit(status ?? 1);
