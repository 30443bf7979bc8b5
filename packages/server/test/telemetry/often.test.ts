import { Counter, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { oftenCounted, oftenObserved } from '../../src/telemetry/often.ts';

const NAMED = { name: 'some_seconds', help: 'Of something' };

test('what is observed often is told as a histogram of prom-client tells it', async () => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const buckets = [0.005, 0.01, 1, 10];
  const often = oftenObserved({ ...NAMED, buckets }, ours);
  const plain = new Histogram({ ...NAMED, buckets, registers: [theirs] });
  expect(await ours.metrics()).toBe(await theirs.metrics());
  for (const value of [0, 0.004, 0.005, 0.006, 0.01, 0.5, 0.5, 1, 9, 10, 11, 1e9]) {
    often.observe(value);
    plain.observe(value);
    expect(await ours.metrics()).toBe(await theirs.metrics());
  }
  expect(JSON.stringify(await ours.getMetricsAsJSON())).toContain('"some_seconds_sum"');
});

test('what is counted often is told as a counter of prom-client tells it, however often it is read', async () => {
  const [ours, theirs] = [new Registry(), new Registry()];
  const often = oftenCounted({ ...NAMED, label: 'outcome' }, ours);
  const plain = new Counter({ ...NAMED, labelNames: ['outcome'], registers: [theirs] });
  expect(await ours.metrics()).toBe(await theirs.metrics());
  for (const outcome of ['delivered', 'rejected', 'delivered', 'delivered']) {
    often.inc({ outcome });
    plain.inc({ outcome });
  }
  expect(await ours.metrics()).toBe(await theirs.metrics());
  often.inc({ outcome: 'rejected' });
  plain.inc({ outcome: 'rejected' });
  expect(await ours.metrics()).toBe(await theirs.metrics());
  expect(await ours.metrics()).toBe(await theirs.metrics());
});
