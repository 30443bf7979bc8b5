import { expect, test } from 'vitest';
import { crashRun } from './run.ts';

/** `npm run test:crash -- --kills N` sets it. */
const kills = Number(process.env.WATCHBELL_TEST_KILLS ?? 3);

const print = (line: string) => process.stdout.write(`${line}\n`);

test(`${kills} kills under load lose nothing, leave no gap and keep the order of each record`, {
  timeout: 180_000 + kills * 30_000,
}, async () => {
  const { lost, gaps, disorder, wrong, unexplained, figures, ...run } = await crashRun(kills, print);
  for (const [kind, met] of Object.entries(run.interrupted)) print(`${kind}: ${JSON.stringify(met)}`);
  const counts = { lost: lost.length, gaps: gaps.length, disorder: disorder.length, wrong: wrong.length };
  const { acknowledged, unanswered, suspensions } = run;
  print(JSON.stringify({ kills, acknowledged, unanswered, suspensions, ...figures, ...counts }));
  expect({ lost, gaps, disorder, wrong, unexplained }).toEqual({
    lost: [],
    gaps: [],
    disorder: [],
    wrong: [],
    unexplained: [],
  });
  expect(figures.duplicates).toBeLessThanOrEqual(figures.inAir + figures.unsettled);
  expect(run.integrity).toBe('ok');
  expect(acknowledged).toBeGreaterThan(kills);
});
