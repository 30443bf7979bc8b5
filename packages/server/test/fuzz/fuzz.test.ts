import { expect, test } from 'vitest';
import { fuzzRun } from './run.ts';

/** `npm run test:fuzz -- --requests N --seed N` sets them. */
const requests = Number(process.env.WATCHBELL_TEST_REQUESTS ?? 3000);
const seed = Number(process.env.WATCHBELL_TEST_SEED ?? Date.now() % 1_000_000_000);

test(`${requests} made-up requests get well-formed documented answers, and leave the channels that the model has`, {
  timeout: 120_000 + requests * 50,
}, async () => {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const started = performance.now();
  say(`seed ${seed}; again: npm run test:fuzz -- --seed ${seed} --requests ${requests}`);
  const { counts, ...figures } = await fuzzRun(requests, seed, say);
  if (process.env.WATCHBELL_TEST_REQUESTS !== undefined) {
    for (const [route, byClass] of [...counts].sort()) {
      say(
        `${route}: ${[...byClass]
          .sort()
          .map(([name, count]) => `${count} × ${name}`)
          .join(', ')}`,
      );
    }
  }
  say(JSON.stringify({ seed, ...figures, seconds: Math.round((performance.now() - started) / 1000) }));
  expect(figures.requests).toBeGreaterThanOrEqual(requests);
  expect(figures.channelsCompared).toBeGreaterThan(0);
});
