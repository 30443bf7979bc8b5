import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../src/system-clock.ts';

const START = Date.UTC(2026, 0, 5, 9);
const HOUR = 3_600_000;

afterEach(() => vi.useRealTimers());

function callAt(time: number): { readonly calls: number[]; readonly cancel: () => void } {
  const calls: number[] = [];
  return { calls, cancel: systemClock.at(time, () => calls.push(Date.now())) };
}

test('a call comes at its time, however far away, and once', () => {
  vi.useFakeTimers({ now: START });
  const { calls } = callAt(START + 1000 * HOUR);
  vi.advanceTimersByTime(1000 * HOUR - 1);
  expect(calls).toEqual([]);
  vi.advanceTimersByTime(HOUR);
  expect(calls).toEqual([START + 1000 * HOUR]);
});

test('a clock that is set forward past the time calls within half a minute', () => {
  vi.useFakeTimers({ now: START });
  const { calls } = callAt(START + 8 * HOUR);
  vi.setSystemTime(START + 9 * HOUR);
  vi.advanceTimersByTime(30_000);
  expect(calls).toHaveLength(1);
});

test('a clock that is set back delays the call until it shows the time', () => {
  vi.useFakeTimers({ now: START });
  const { calls } = callAt(START + 5000);
  vi.setSystemTime(START - HOUR);
  vi.advanceTimersByTime(HOUR);
  expect(calls).toEqual([]);
  vi.advanceTimersByTime(5000);
  expect(calls).toEqual([START + 5000]);
});

test('a cancelled call does not come, also after it was put off', () => {
  vi.useFakeTimers({ now: START });
  const { calls, cancel } = callAt(START + 2 * HOUR);
  vi.advanceTimersByTime(HOUR);
  cancel();
  vi.advanceTimersByTime(2 * HOUR);
  expect(calls).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
