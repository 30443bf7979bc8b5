import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type PaidBackAt, type Rate, take, waitFor } from '../../src/domain/rate-limit.ts';

/** Takes at each of the times, from a fresh start: for each the ms to wait, 0 when it was given. */
function takeAll(rate: Rate, times: readonly number[]): number[] {
  let kept: PaidBackAt | undefined;
  return times.map((now) => {
    const taking = take(kept, rate, now);
    if (!taking.ok) return taking.waitMs;
    kept = taking.paidBackAt;
    return 0;
  });
}

describe('a rate', () => {
  const cases: readonly [string, Rate, readonly number[], readonly number[]][] = [
    ['gives the burst at once, then says when', { perSecond: 10, burst: 3 }, [0, 0, 0, 0], [0, 0, 0, 100]],
    ['gives one back after its time', { perSecond: 10, burst: 3 }, [0, 0, 0, 99, 100, 100], [0, 0, 0, 1, 0, 100]],
    ['does not count what it refused', { perSecond: 1, burst: 1 }, [0, 1, 2, 3, 1000], [0, 999, 998, 997, 0]],
    ['saves up no more than the burst', { perSecond: 1, burst: 2 }, [0, 9e6, 9e6, 9e6], [0, 0, 0, 1000]],
    ['may be less than one a second', { perSecond: 0.5, burst: 1 }, [0, 1000, 2000], [0, 1000, 0]],
    [
      'forgives what was taken after the clock went back',
      { perSecond: 1, burst: 1 },
      [1e9, 0, 1, 1000],
      [0, 0, 999, 0],
    ],
  ];

  test.each(cases)('%s', (_what, rate, times, waits) => {
    expect(takeAll(rate, times).map((ms) => Math.round(ms))).toEqual(waits);
  });

  test('only looked at, takes nothing', () => {
    const rate = { perSecond: 1, burst: 1 };
    const first = take(undefined, rate, 0);
    if (!first.ok) throw new Error('nothing was given');
    expect([
      waitFor(undefined, rate, 0),
      waitFor(first.paidBackAt, rate, 250),
      waitFor(first.paidBackAt, rate, 1000),
    ]).toEqual([0, 750, 0]);
  });

  test('never gives more in any stretch of time than the burst and what came back in it', () => {
    const rates = fc.record({ perSecond: fc.integer({ min: 1, max: 50 }), burst: fc.integer({ min: 1, max: 20 }) });
    fc.assert(
      fc.property(rates, fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 100 }), (rate, gaps) => {
        const times = gaps.map((_, i) => gaps.slice(0, i + 1).reduce((sum, gap) => sum + gap, 0));
        const waits = takeAll(rate, times);
        const given = times.filter((_, i) => waits[i] === 0);
        given.forEach((from, i) => {
          given.slice(i).forEach((to, more) => {
            expect(more + 1).toBeLessThanOrEqual(rate.burst + ((to - from) * rate.perSecond) / 1000 + 1e-6);
          });
        });
      }),
    );
  });

  test('gives after the wait that it told', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 50 }), (perSecond, burst) => {
        const rate = { perSecond, burst };
        const times = Array.from({ length: burst + 1 }, () => 5000);
        const wait = takeAll(rate, times).at(-1) ?? 0;
        expect(takeAll(rate, [...times, 5000 + wait]).at(-1)).toBe(0);
      }),
    );
  });
});
