import { expect, test } from 'vitest';
import { createDevClock } from '../src/dev-clock.ts';
import { createManualClock } from './support/manual-clock.ts';

const START = Date.UTC(2026, 0, 5, 9);
const HOUR = 3_600_000;

function open(left?: Parameters<typeof createDevClock>[1], notBefore = 0) {
  const real = createManualClock(START);
  const clock = createDevClock(real, left, notBefore);
  const calls: string[] = [];
  const at = (name: string, time: number) =>
    clock.at(time, () => calls.push(`${name} ${(clock.now() - START) / HOUR}`));
  return { real, clock, calls, at };
}

test('it shows real time until it is moved, and calls when real time comes there', () => {
  const { real, clock, calls, at } = open();
  at('a', START + 2 * HOUR);
  real.advance(HOUR);
  expect(clock.now()).toBe(START + HOUR);
  expect(calls).toEqual([]);
  real.advance(HOUR);
  expect(calls).toEqual(['a 2']);
});

test('frozen it stands still, calls nothing, and ticks on from where it stood', () => {
  const { real, clock, calls, at } = open();
  at('a', START + HOUR);
  clock.freeze();
  at('b', START + 2 * HOUR);
  real.advance(10 * HOUR);
  expect(clock.now()).toBe(START);
  expect(clock.isFrozen()).toBe(true);
  expect(calls).toEqual([]);
  clock.resume();
  expect(clock.isFrozen()).toBe(false);
  expect(clock.now()).toBe(START);
  real.advance(HOUR);
  expect(calls).toEqual(['a 1']);
  real.advance(HOUR);
  expect(calls).toEqual(['a 1', 'b 2']);
});

test.each([false, true])(
  'moved on, what is due by then is called in the order of the times (frozen: %s)',
  (isFrozen) => {
    const { real, clock, calls, at } = open();
    if (isFrozen) clock.freeze();
    at('later', START + 3 * HOUR);
    at('second', START + 2 * HOUR);
    at('first', START + HOUR);
    at('cancelled', START + HOUR)();
    expect(clock.nextDue()).toBe(START + HOUR);
    clock.moveTo(START + 2 * HOUR);
    expect(calls).toEqual(['first 2', 'second 2']);
    expect(clock.nextDue()).toBe(START + 3 * HOUR);
    real.advance(HOUR);
    expect(calls.slice(2)).toEqual(isFrozen ? [] : ['later 3']);
  },
);

test('it is never moved back', () => {
  const { clock } = open();
  clock.moveTo(START + HOUR);
  clock.moveTo(START);
  expect(clock.now()).toBe(START + HOUR);
  clock.freeze();
  clock.moveTo(START);
  expect(clock.now()).toBe(START + HOUR);
});

test('when real time is set back it ticks on from where it stood, and what waits is not put off', () => {
  const { real, clock, calls, at } = open();
  clock.moveTo(START + HOUR);
  at('a', START + 2 * HOUR);
  real.set(START - 5 * HOUR);
  expect(clock.now()).toBe(START + HOUR);
  real.advance(HOUR);
  expect(calls).toEqual(['a 2']);
});

test('what is due already is called a turn later, also while it is frozen', async () => {
  const { clock, calls, at } = open();
  clock.freeze();
  at('a', START - HOUR);
  expect(calls).toEqual([]);
  await new Promise(setImmediate);
  expect(calls).toEqual(['a 0']);
});

test.each([
  ['ahead', { offset: 3 * HOUR }, 0, START + 3 * HOUR],
  ['frozen', { offset: 0, frozenAt: START + 7 * HOUR }, 0, START + 7 * HOUR],
  ['never moved', undefined, 0, START],
  ['with something committed beyond', { offset: HOUR }, START + 9 * HOUR, START + 9 * HOUR],
  ['frozen, with something committed beyond', { offset: 0, frozenAt: START }, START + 9 * HOUR, START + 9 * HOUR],
  ['with real time set back meanwhile', { offset: -2 * HOUR }, START, START],
])('left %s, it goes on so', (_, left, notBefore, shown) => {
  expect(open(left, notBefore).clock.now()).toBe(shown);
});

test('what it says to be left as is where it goes on, although the server was away for a while', () => {
  const { real, clock } = open();
  clock.moveTo(START + 4 * HOUR);
  const ticking = clock.stateAt(clock.now(), false);
  const frozen = clock.stateAt(clock.now(), true);
  real.advance(HOUR);
  expect(createDevClock(real, ticking, 0).now()).toBe(START + 5 * HOUR);
  expect(createDevClock(real, frozen, 0).now()).toBe(START + 4 * HOUR);
});

test('held, it stands still until it is released, or ticks on from where it stood when its time is over', () => {
  const { real, clock, calls, at } = open();
  at('a', START + HOUR);
  const held = clock.stateAt(START + HOUR / 2, false, 30_000);
  clock.follow(held);
  expect(clock.isFrozen()).toBe(false);
  real.advance(29_999);
  expect(clock.now()).toBe(START + HOUR / 2);
  real.advance(1);
  real.advance(HOUR / 2);
  expect(clock.now()).toBe(START + HOUR);
  expect(calls).toEqual(['a 1']);
  // Left so by a node that is gone, and found later.
  expect(createDevClock(real, held, 0).now()).toBe(START + HOUR);
});

test('it follows what another node has done to it, calls what is due by then, and does not go back', () => {
  const { real, clock, calls, at } = open();
  at('b', START + 2 * HOUR);
  at('a', START + HOUR);
  clock.follow({ offset: 2 * HOUR });
  expect(calls).toEqual(['a 2', 'b 2']);
  clock.follow({ offset: HOUR });
  expect(clock.now()).toBe(START + 2 * HOUR);
  real.advance(HOUR);
  expect(clock.now()).toBe(START + 3 * HOUR);
  clock.follow({ offset: 0, frozenAt: START + 5 * HOUR });
  real.advance(HOUR);
  expect(clock.now()).toBe(START + 5 * HOUR);
  expect(clock.isFrozen()).toBe(true);
  clock.follow(undefined);
  expect(clock.now()).toBe(START + 5 * HOUR);
});
