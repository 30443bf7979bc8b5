import { spawnSync } from 'node:child_process';
import pino from 'pino';
import { expect, test } from 'vitest';
import { writtenLines } from '../../src/telemetry/written-lines.ts';

test('a line of which the fields are text is the one that the logger would have written', () => {
  const lines: string[] = [];
  const output = { write: (line: string) => lines.push(line) > 0 };
  const logger = pino({ base: null }, output);
  const fields = { org: '3652397', number: 7, receiver: 'http://127.0.0.1/"hook"' };
  logger.info(fields, 'notification "delivered"');
  writtenLines(output, 30, 'notification "delivered"')(JSON.stringify(fields).slice(1, -1));
  const [theirs, ours] = lines.map((line) => line.replace(/"time":\d+/, '"time":0'));
  expect(ours).toBe(theirs);
});

const script = (logLevel: string, level: string): string => `
  import { createLogger } from './dist/opening.js';
  createLogger({ logLevel: '${logLevel}' }).lines('${level}', 'a line')('"a":1');`;

test.each([
  ['info', 'info', '{"level":30,"time":0,"a":1,"msg":"a line"}\n'],
  ['debug', 'debug', '{"level":20,"time":0,"a":1,"msg":"a line"}\n'],
  ['info', 'debug', ''],
  ['silent', 'info', ''],
])('at log level %s, lines of level %s are written or not', (logLevel, level, written) => {
  const { stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script(logLevel, level)], {
    cwd: new URL('../..', import.meta.url),
    encoding: 'utf8',
  });
  expect(stderr.replace(/"time":\d+/, '"time":0')).toBe(written);
});
