import { expect, test } from 'vitest';
import { crashRun } from './run.ts';

/** `npm run test:crash -- --kills N` sets it. */
const kills = Number(process.env.WATCHBELL_TEST_KILLS ?? 3);

test(`${kills} kills under load lose nothing, leave no gap and keep the order of each record`, {
  timeout: 120_000 + kills * 30_000,
}, async () => {
  const run = await crashRun(kills, (line) => process.stdout.write(`${line}\n`));
  const { lost, gaps, disorder, ...figures } = run;
  process.stdout.write(
    `${JSON.stringify({ ...figures, lost: lost.length, gaps: gaps.length, disorder: disorder.length })}\n`,
  );
  expect(lost).toEqual([]);
  expect(gaps).toEqual([]);
  expect(disorder).toEqual([]);
  expect(run.pending).toBe(0);
  expect(run.acknowledged).toBeGreaterThan(kills);
});
