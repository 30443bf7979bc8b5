// npm run test:crash -- --kills 25: the crash test with as many kills as asked for.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '25' } } });
if (!/^[1-9]\d{0,3}$/.test(values.kills)) {
  process.stderr.write('--kills must be a whole number from 1 to 9999\n');
  process.exit(2);
}
const { status } = spawnSync('npx', ['vitest', 'run', 'packages/server/test/crash/crash.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, WATCHBELL_TEST_KILLS: values.kills },
});
process.exit(status ?? 1);
