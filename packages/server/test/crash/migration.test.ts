import { expect, test } from 'vitest';
import { migrationRun } from './migrating.ts';

/** `npm run test:crash` sets it. Spread over the whole start, of which making the schema is the first half. */
const placed = Number(process.env.WATCHBELL_TEST_PLACED_KILLS ?? 1);
const kills = placed * 3;

test(`a first start that is killed while it makes the store is made good by the next (${kills} kills)`, {
  timeout: 30_000 + kills * 20_000,
}, async () => {
  const { cutShort, isExact, faults } = await migrationRun(kills, (line) => process.stdout.write(`${line}\n`));
  expect(faults).toEqual([]);
  if (isExact) expect(cutShort).toBeGreaterThanOrEqual(placed);
});
