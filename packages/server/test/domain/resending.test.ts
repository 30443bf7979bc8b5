import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPace, createTally } from '../../src/domain/resending.ts';

const START = { position: 9, done: 0, failed: 0, passed: 0 };

test('the position of a job stays below whatever is still under way', () => {
  const tally = createTally({ ...START, total: 3 }, 10);
  for (const number of [11, 13, 14]) tally.begun(number);
  tally.scanned(20);
  expect(tally.progress()).toEqual({ position: 10, done: 0, failed: 0, passed: 1, total: 3 });
  tally.ended(13, true);
  tally.ended(14, false);
  expect(tally.progress()).toMatchObject({ position: 10, done: 1, failed: 1, passed: 1 });
  expect(tally.underWay()).toBe(1);
  tally.ended(11, true);
  expect(tally.progress()).toMatchObject({ position: 20, done: 2, failed: 1, passed: 8 });
});

test('what was done before a restart, above the position, is counted once', () => {
  const tally = createTally({ position: 2, done: 4, failed: 0, passed: 0 }, 1);
  for (const number of [3, 4, 5]) tally.begun(number);
  tally.known(4);
  tally.known(5);
  tally.scanned(5);
  expect(tally.progress()).toMatchObject({ position: 2, done: 4 });
  tally.ended(3, true);
  expect(tally.progress()).toEqual({ position: 5, done: 5, failed: 0, passed: 0 });
});

test('whatever order they end in, all of a range is done, failed or passed in the end', () => {
  const outcomes = fc.array(fc.constantFrom('delivered', 'failed', 'passed'), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(outcomes, fc.func(fc.nat()), (given, orderOf) => {
      const tally = createTally({ position: 0, done: 0, failed: 0, passed: 0 }, 1);
      const sent = given.flatMap((outcome, i) => (outcome === 'passed' ? [] : [{ number: i + 1, outcome }]));
      for (const { number } of sent) tally.begun(number);
      tally.scanned(given.length);
      let before = tally.progress();
      const open = new Set(sent.map(({ number }) => number));
      for (const { number, outcome } of [...sent].sort((a, b) => orderOf(a.number) - orderOf(b.number))) {
        tally.ended(number, outcome === 'delivered');
        open.delete(number);
        const now = tally.progress();
        expect(now.position).toBe(Math.min(given.length, ...open, Infinity) - (open.size > 0 ? 1 : 0));
        expect(now.position).toBeGreaterThanOrEqual(before.position);
        expect(now.passed).toBeGreaterThanOrEqual(before.passed);
        before = now;
      }
      const count = (what: string) => given.filter((outcome) => outcome === what).length;
      const all = { done: count('delivered'), failed: count('failed'), passed: count('passed') };
      expect(tally.progress()).toEqual({ position: given.length, ...all });
    }),
  );
});

test('a pace lets through no more than its rate, however it is asked', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.array(fc.nat({ max: 300 }), { maxLength: 60 }), (rate, waits) => {
      const pace = createPace(rate);
      let now = 1_700_000_000_000;
      const start = now;
      let through = 0;
      for (const wait of [0, ...waits]) {
        now += wait;
        while (pace.nextAt(now) <= now) {
          pace.take(now);
          through += 1;
        }
        expect(through).toBeLessThanOrEqual(((now - start) * rate) / 1000 + Math.max(1, rate / 10) + 1e-6);
      }
    }),
  );
});

test('a pace keeps nobody waiting longer than it must: whoever comes back when told may go', () => {
  for (const rate of [1, 3, 50, 1000, 5000]) {
    const pace = createPace(rate);
    let now = 0;
    let through = 0;
    while (now < 10_000) {
      if (pace.nextAt(now) <= now) {
        pace.take(now);
        through += 1;
      } else now = pace.nextAt(now);
    }
    expect(through, String(rate)).toBeGreaterThanOrEqual(rate * 10 * 0.9);
  }
});
