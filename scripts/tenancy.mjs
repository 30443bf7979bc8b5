// npm run tenancy: what each kind of caller is answered on each route when it asks by the names of another organisation.
import { spawnSync } from 'node:child_process';

const { status } = spawnSync('npx', ['vitest', 'run', 'packages/server/test/e2e/tenancy.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, WATCHBELL_TEST_PRINT: 'true' },
});
process.exit(status ?? 1);
