import { spawnSync } from 'node:child_process';

/**
 * Tests start real servers and threads from `dist/`: build it, so that none of them runs stale code. Type errors are
 * printed and do not stop the run (`npm run check` does).
 */
export default function setup(): void {
  spawnSync('npx', ['tsc', '-b'], { stdio: 'inherit' });
}
