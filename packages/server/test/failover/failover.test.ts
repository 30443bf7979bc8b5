import { expect, test } from 'vitest';
import { failover } from './run.ts';

/** `npm run test:failover` sets it. */
const seconds = Number(process.env.WATCHBELL_TEST_FAILOVER_SECONDS ?? 1);

const print = (line: string) => process.stdout.write(`${line}\n`);
const kept = { lost: [], astray: [], undelivered: [], givenTwice: [], gaps: [], told: 1 };

test('with synchronous replication a failover loses nothing that was acknowledged', {
  timeout: 120_000 + seconds * 10_000,
}, async () => {
  const { figures, ...verdict } = await failover(
    { synchronous: true, heldBackMs: 0, loadMs: seconds * 1000, writers: 12 },
    print,
  );
  print(`synchronous: ${JSON.stringify(figures)}`);
  expect(verdict).toEqual(kept);
  expect(figures).toMatchObject({ lostAcknowledged: 0, lostDelivered: 0 });
});

test('without it what PostgreSQL lost is lost, and no number is given twice', {
  timeout: 120_000 + seconds * 10_000,
}, async () => {
  const { figures, ...verdict } = await failover(
    { synchronous: false, heldBackMs: seconds * 1000, loadMs: seconds * 1000, writers: 12 },
    print,
  );
  print(`asynchronous: ${JSON.stringify(figures)}`);
  expect(verdict).toEqual(kept);
  // Else nothing was shown.
  expect(figures.lostAcknowledged).toBeGreaterThan(0);
  expect(figures.lostDelivered).toBeGreaterThan(0);
});
