// npm run test:fuzz -- --requests 100000 [--seed N]: made-up requests, as many as asked for.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '100000' }, seed: { type: 'string' } },
});
for (const [name, value] of Object.entries(values)) {
  if (!/^\d{1,9}$/.test(value)) {
    process.stderr.write(`--${name} must be a whole number of at most nine digits\n`);
    process.exit(2);
  }
}
const { status } = spawnSync('npx', ['vitest', 'run', 'packages/server/test/fuzz/fuzz.test.ts'], {
  stdio: 'inherit',
  env: {
    ...process.env,
    WATCHBELL_TEST_REQUESTS: values.requests,
    ...(values.seed !== undefined && { WATCHBELL_TEST_SEED: values.seed }),
  },
});
process.exit(status ?? 1);
