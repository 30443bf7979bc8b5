import { expect, test } from 'vitest';
import { progressLines } from '../../src/cli/migrate-store.ts';
import { runCommand, temporaryDirectory } from './command.ts';

test('a move into no database is used wrongly', async () => {
  const { code, stderr } = await runCommand(['migrate-store', '--dev', '--data-dir', temporaryDirectory()]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('WATCHBELL_DATABASE_URL') });
});

test('progress is told every five seconds, at the rate of what is being done', () => {
  const lines: string[] = [];
  let now = 1000;
  const tell = progressLines(
    (line) => lines.push(line),
    () => now,
  );
  for (const doing of ['copying', 'comparing'] as const) {
    for (let rows = 1; rows <= 2560; rows += 1) {
      now += 5;
      tell({ doing, table: rows <= 1280 ? 'attempt' : 'notification', rows, ofRows: 2560 });
    }
    now += 60_000;
  }
  expect(lines).toEqual([
    'copying attempt: 1024 of 2560 rows, 200/s, 8 s left',
    'copying notification: 2048 of 2560 rows, 200/s, 3 s left',
    'comparing attempt: 1024 of 2560 rows, 200/s, 8 s left',
    'comparing notification: 2048 of 2560 rows, 200/s, 3 s left',
  ]);
});
