import { expect, test } from 'vitest';
import { type ClusterOptions, clusterRun } from './run.ts';

/** `npm run test:cluster` sets them; else it is a short run, whose times are not held. */
const asked = process.env.WATCHBELL_TEST_CLUSTER;
const options: ClusterOptions = {
  ...{ kills: 1, freezes: 1, restarts: 1, joins: 1, leaseSeconds: 5, seed: Math.floor(Math.random() * 1e9) },
  ...(JSON.parse(asked ?? '{}') as Partial<ClusterOptions>),
};
const { kills, freezes, restarts, joins, leaseSeconds } = options;
const incidents = kills + freezes + restarts + 2 * joins;

/** Of the faults that may be thousands. */
const MOST_SHOWN = 40;

const print = (line: string) => process.stdout.write(`${line}\n`);

test(`${kills} kills, ${freezes} freezes, ${restarts} restarts of the database and ${joins} joins and leaves lose nothing, leave no gap and keep the order of each record`, {
  timeout: 300_000 + incidents * (40_000 + 2000 * leaseSeconds),
}, async () => {
  print(JSON.stringify(options));
  const { lost, gaps, disorder, wrong, unexplained, figures, faults, ...run } = await clusterRun(options, print);
  const { matching, atOnce, silence, waits, tooLong, ...counted } = run;
  for (const [kind, spread] of Object.entries(waits)) print(`next deliveries, ms, ${kind}: ${JSON.stringify(spread)}`);
  print(`after the end of channels: ${JSON.stringify({ ...silence, faults: silence.faults.length })}`);
  print(`held against revisions: ${JSON.stringify({ ...matching, faults: matching.faults.length })}`);
  print(`of two nodes at once: ${JSON.stringify({ ...atOnce, faults: atOnce.faults.length })}`);
  for (const fault of [...atOnce.faults, ...unexplained].slice(0, MOST_SHOWN)) print(fault);
  const verdict = { lost: lost.length, gaps: gaps.length, disorder: disorder.length, wrong: wrong.length };
  print(JSON.stringify({ ...counted, ...figures, ...verdict, unexplained: unexplained.length }));
  const unmatched = matching.faults;
  expect({ lost, gaps, disorder, wrong, unexplained, faults, unmatched }).toEqual({
    ...{ lost: [], gaps: [], disorder: [], wrong: [], unexplained: [], faults: [], unmatched: [] },
  });
  expect(figures.duplicates).toBeLessThanOrEqual(figures.inAir + figures.unsettled);
  expect(counted.acknowledged).toBeGreaterThan(incidents);
  if (asked === undefined) return;
  expect({ tooLong, afterEnd: silence.faults, atOnce: atOnce.faults }).toEqual({
    tooLong: [],
    afterEnd: [],
    atOnce: [],
  });
});
