import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const LINES = 500;
const script = (end: string): string => `
  import { pino } from 'pino';
  import { inPieces } from './dist/telemetry/lines.js';
  const logger = pino({ base: null }, inPieces(pino.destination({ dest: 2, sync: false })));
  const say = () => { for (let i = 0; i < ${LINES}; i += 1) logger.info({ of: 'x'.repeat(3000) }, 'a line'); };
  say();
  ${end}`;

test.each([
  ['by itself', '', LINES],
  ['at once', 'process.exit(1)', LINES],
  ['by an error that nobody caught', "throw new Error('uncaught')", LINES],
  ['in the turn after', 'setImmediate(() => { say(); process.exit(1); })', 2 * LINES],
])('a process that ends %s has written its lines', (_, end, lines) => {
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script(end)], {
    cwd: new URL('../..', import.meta.url),
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  });
  expect(stderr.split('"msg":"a line"}\n')).toHaveLength(lines + 1);
});
