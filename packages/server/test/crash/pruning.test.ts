import { expect, test } from 'vitest';
import { pruneRun } from './pruning.ts';

/** `npm run test:crash` sets it. */
const kills = Number(process.env.WATCHBELL_TEST_PLACED_KILLS ?? 1);

test(`a server that is killed while it removes what is too old loses nothing that is owed (${kills} kills)`, {
  timeout: 60_000 + kills * 60_000,
}, async () => {
  const { faults, ...figures } = await pruneRun(kills, (line) => process.stdout.write(`${line}\n`));
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  expect(faults).toEqual([]);
  expect(figures.inTheMiddle).toBeGreaterThan(0);
});
