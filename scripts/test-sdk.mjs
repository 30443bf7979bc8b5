// npm run test:sdk: installs the official SDKs into their own folder, then drives the server with each of them.
import { spawnSync } from 'node:child_process';

const run = (command, ...args) => {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
run('npm', 'ci', '--prefix', 'sdk-tests', '--ignore-scripts');
run('npx', 'vitest', 'run', '--config', 'vitest.sdk.config.ts', ...process.argv.slice(2));
