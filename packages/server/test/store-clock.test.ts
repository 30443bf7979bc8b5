import { expect, test, vi } from 'vitest';
import { createStoreClock } from '../src/store-clock.ts';

const T = Date.UTC(2026, 0, 5, 9);

function open() {
  let monotonic = 1000;
  const clock = createStoreClock(() => monotonic);
  return {
    clock,
    /** The database is asked, and said its time `askedAfter` into the `took` milliseconds until its answer was here. */
    ask(time: number, took: number) {
      const sentAt = monotonic;
      monotonic += took;
      clock.onTime(time, sentAt, monotonic);
    },
    pass(ms: number) {
      monotonic += ms;
    },
  };
}

test('it is the time that the database said, counted on, and not behind it however slow the answer was', () => {
  const { clock, ask, pass } = open();
  // It was said when the question had just arrived: 40 ms ago.
  ask(T, 40);
  expect(clock.now()).toBe(T + 41);
  pass(1000);
  expect(clock.now()).toBe(T + 1041);
});

test('a slow answer makes it no worse than a quick one before it', () => {
  const { clock, ask, pass } = open();
  ask(T, 2);
  pass(500);
  ask(T + 3000, 5000);
  expect(clock.now()).toBe(T + 5503);
});

test('a quicker answer makes it better, but it never goes back', () => {
  const { clock, ask, pass } = open();
  ask(T, 400);
  expect(clock.now()).toBe(T + 401);
  pass(100);
  ask(T + 500, 2);
  expect(clock.now()).toBe(T + 503);
  pass(10);
  expect(clock.now()).toBe(T + 513);
});

test('it is not behind a database that said its time a moment before it answered', () => {
  const { clock, ask } = open();
  ask(T, 2);
  // Sent at T + 3 at the latest, said when it came: T + 100.
  ask(T + 100, 100);
  expect(clock.now()).toBeGreaterThanOrEqual(T + 100);
});

test('a server whose time is ahead moves it on, and one whose time is behind lets it stand until it comes there', () => {
  const { clock, ask, pass } = open();
  ask(T, 0);
  ask(T + 60_000, 0);
  expect(clock.now()).toBe(T + 60_001);
  ask(T + 30_000, 0);
  pass(20_000);
  expect(clock.now()).toBe(T + 60_001);
  pass(20_000);
  expect(clock.now()).toBe(T + 70_001);
});

test('what waits is called when it shows its time, also when that was moved on', () => {
  vi.useFakeTimers();
  try {
    const { clock, ask, pass } = open();
    ask(T, 0);
    const calls: string[] = [];
    clock.at(T + 1000, () => calls.push('a'));
    clock.at(T + 3_600_000, () => calls.push('b'));
    clock.at(T + 500, () => calls.push('never'))();
    pass(999);
    vi.advanceTimersByTime(999);
    expect(calls).toEqual(['a']);
    ask(T + 3_600_000, 0);
    vi.advanceTimersByTime(30_000);
    expect(calls).toEqual(['a', 'b']);
  } finally {
    vi.useRealTimers();
  }
});
