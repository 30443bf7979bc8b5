import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { STANDARD_CATALOG } from '../../src/domain/modules/catalog.ts';
import { failing, ok, type Receiver, startReceiver } from '../support/receiver.ts';
import { story } from './commands.ts';
import { VERSIONS } from './facts.ts';
import { runStory } from './run.ts';
import type { Tally } from './world.ts';

/** What was seen over all runs, so that the test cannot pass by seeing nothing. */
const tally: Tally = {
  versions: new Map(),
  operations: new Map(),
  related: 0,
  flowed: 0,
  afterLapse: 0,
  renumbered: 0,
};
const RUNS = Number(process.env.WATCHBELL_TEST_RUNS ?? 12);
const PATIENCE_MS = 60_000 + RUNS * 4000;

let good: Receiver;
let broken: Receiver;

beforeAll(async () => {
  good = await startReceiver(ok);
  broken = await startReceiver(failing);
});
afterAll(async () => {
  await good.close();
  await broken.close();
});

const hasField = (module: string, field: string): boolean =>
  STANDARD_CATALOG.modules.some((one) => one.apiName === module && one.fields.some(({ apiName }) => apiName === field));

test(
  'whatever is watched and changed, exactly the notifications come that a model of the documentation owes',
  async () => {
    const seed = process.env.WATCHBELL_TEST_SEED;
    await fc.assert(
      fc.asyncProperty(story, (steps) => runStory(steps, { good, broken, hasField, tally })),
      {
        numRuns: RUNS,
        ...(seed !== undefined && { seed: Number(seed) }),
        interruptAfterTimeLimit: PATIENCE_MS - 20_000,
      },
    );
    if (RUNS < 12) return;
    expect([...tally.versions.keys()].sort()).toEqual([...VERSIONS].sort());
    expect([...tally.operations.keys()].sort()).toEqual(['delete', 'insert', 'update']);
    for (const seen of [tally.related, tally.flowed, tally.afterLapse, tally.renumbered])
      expect(seen).toBeGreaterThan(0);
  },
  PATIENCE_MS,
);
