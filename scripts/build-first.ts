import { spawnSync } from 'node:child_process';
import type { TestProject } from 'vitest/node';

/**
 * Tests start real servers and threads from `dist/`: build it, so that none of them runs stale code. Type errors are
 * printed and do not stop the run (`npm run check` does).
 */
export default function setup(project: TestProject): void {
  // Every project has it from the root, which is always part of a run: once is enough.
  if (!project.isRootProject()) return;
  spawnSync('npx', ['tsc', '-b'], { stdio: 'inherit' });
}
