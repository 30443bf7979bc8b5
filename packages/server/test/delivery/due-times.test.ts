import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDueTimes } from '../../src/delivery/due-times.ts';
import { createManualClock } from '../support/manual-clock.ts';

test('wakes each key once, at its newest time, with one timer for all', () => {
  const clock = createManualClock(0);
  const woken: [string, number][] = [];
  const due = createDueTimes<string>(clock, (key) => woken.push([key, clock.now()]));
  due.set('late', 500);
  due.set('moved', 100);
  due.set('moved', 300);
  due.set('gone', 200);
  due.remove('gone');
  expect(clock.waiting()).toBe(1);
  clock.advance(1000);
  expect(woken).toEqual([
    ['moved', 300],
    ['late', 500],
  ]);
  expect(clock.waiting()).toBe(0);
});

test('wakes every key at its time, whatever was set, moved and removed before', () => {
  const step = fc.record({
    key: fc.integer({ min: 0, max: 9 }),
    time: fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const clock = createManualClock(0);
      const woken: [number, number][] = [];
      const due = createDueTimes<number>(clock, (key) => woken.push([key, clock.now()]));
      const expected = new Map<number, number>();
      for (const { key, time } of steps) {
        if (time === undefined) {
          due.remove(key);
          expected.delete(key);
        } else {
          due.set(key, time);
          expected.set(key, time);
        }
      }
      clock.advance(2000);
      expect(new Map(woken)).toEqual(expected);
      expect(woken).toHaveLength(expected.size);
      expect(woken.map(([, time]) => time)).toEqual(woken.map(([, time]) => time).sort((a, b) => a - b));
    }),
  );
});

test('wakes nobody once stopped', () => {
  const clock = createManualClock(0);
  const due = createDueTimes<string>(clock, () => expect.unreachable());
  due.set('one', 100);
  due.stop();
  clock.advance(1000);
  expect(clock.waiting()).toBe(0);
});
