import { expect, test } from 'vitest';
import { backupRun } from './backing-up.ts';

/** `npm run test:crash` sets it; of the server and of the backup in turn. */
const kills = Number(process.env.WATCHBELL_TEST_PLACED_KILLS ?? 1) * 2;

test(`a kill of the server or of the backup leaves a whole copy or none, and loses nothing (${kills} kills)`, {
  timeout: 120_000 + kills * 20_000,
}, async () => {
  const run = await backupRun(kills, (line) => process.stdout.write(`${line}\n`));
  const { lost, gaps, disorder, wrong, unexplained, faults, figures, ...counts } = run;
  process.stdout.write(`${JSON.stringify({ ...counts, ...figures })}\n`);
  expect({ lost, gaps, disorder, wrong, unexplained, faults }).toEqual({
    lost: [],
    gaps: [],
    disorder: [],
    wrong: [],
    unexplained: [],
    faults: [],
  });
  expect(counts).toEqual({ ofServer: kills / 2, ofBackup: kills / 2, whole: kills / 2 });
});
