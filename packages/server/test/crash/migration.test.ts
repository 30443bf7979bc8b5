import { expect, test } from 'vitest';
import { migrationRun } from './migrating.ts';

/** `npm run test:crash` sets it. */
const kills = Number(process.env.WATCHBELL_TEST_PLACED_KILLS ?? 2);

test(`a first start that is killed while it makes the store is made good by the next (${kills} kills)`, {
  timeout: 30_000 + kills * 20_000,
}, async () => {
  const { cutShort, faults } = await migrationRun(kills, (line) => process.stdout.write(`${line}\n`));
  expect(faults).toEqual([]);
  expect(cutShort).toBeGreaterThan(0);
});
