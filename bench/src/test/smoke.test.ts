import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, valuesOf } from '../figures.ts';
import { makeDir, removeDir } from '../processes.ts';
import { measureRates } from '../rates.ts';
import { startSink } from '../sink.ts';
import { raw } from '../systems/raw.ts';
import { watchbell } from '../systems/watchbell.ts';

const ask = { rounds: 1, isQuick: true, log: () => undefined };

test('a round of the ceiling and of Watchbell: each event comes to each channel once', async () => {
  const { rounds } = await measureRates(ask, {
    shape: ({ origins }) => ({ urls: [`${origins[0]}/ok/1`, `${origins[0]}/ok/2`], to: 'each' }),
    systems: [raw, watchbell],
    first: { notifications: 200, events: 20 },
    seconds: { warm: 0.05, measured: 0.1 },
  });
  for (const system of ['raw', 'watchbell']) {
    assert.ok(median(valuesOf(rounds[system], 'notifications_per_second')) > 0, system);
    assert.deepEqual(valuesOf(rounds[system], 'duplicates'), [0]);
  }
});

test('Watchbell tells when each event was committed: after it was handed in, before it came', async () => {
  const sink = await startSink();
  const dir = makeDir('smoke');
  try {
    const shape = { urls: [`${sink.origins[0]}/ok`], to: 'each' } as const;
    const running = await watchbell.start({ dir, sink, shape });
    await sink.keepMoments(7, 40);
    const { handedIn, durable } = await running.steady(7, 200, 0.2);
    await sink.has(40);
    const arrived = await sink.moments();
    await running.stop();
    assert.equal(arrived.length, 40);
    for (const [i, at] of arrived.entries()) {
      const [from = Number.NaN, committed = Number.NaN] = [handedIn[i], durable[i]];
      assert.ok(from < committed && committed < at, `${i}: ${from} ${committed} ${at}`);
    }
  } finally {
    await sink.close();
    removeDir(dir);
  }
});
