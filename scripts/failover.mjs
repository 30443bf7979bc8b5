// npm run test:failover -- --seconds 20: a primary is killed under load, its replica promoted; so long before, and after.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' } } });
if (!/^[1-9]\d?$/.test(values.seconds)) {
  process.stderr.write('--seconds must be a whole number from 1 to 99\n');
  process.exit(2);
}
const file = 'packages/server/test/failover/failover.test.ts';
const { status } = spawnSync('npx', ['vitest', 'run', '--project', 'postgres', file], {
  stdio: 'inherit',
  env: { ...process.env, WATCHBELL_TEST_FAILOVER_SECONDS: values.seconds },
});
process.exit(status ?? 1);
