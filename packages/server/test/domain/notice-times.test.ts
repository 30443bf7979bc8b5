import { describe, expect, test } from 'vitest';
import { firstLook, nextLook } from '../../src/domain/notice-times.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SET = Date.UTC(2026, 0, 5, 9);

/** Minutes before its expiry at which a channel is looked at, when the clock shows each of these times and no other. */
function looks(life: number, seenAt?: readonly number[]): number[] {
  const expiresAt = SET + life;
  const left: number[] = [];
  const seen = [...(seenAt ?? [])];
  let at = firstLook({ modifiedAt: SET, expiresAt }, SET);
  for (let now = at; at < expiresAt; at = nextLook({ modifiedAt: SET, expiresAt }, at, now)) {
    now = Math.max(at, SET + (seen.shift() ?? 0));
    left.push((expiresAt - at) / MINUTE);
  }
  return left;
}

describe('an owner is told', () => {
  test.each([
    ['a day', 24 * HOUR, [360, 5]],
    ['an hour', HOUR, [15, 5]],
    ['20 minutes', 20 * MINUTE, [5]],
    ['12 minutes', 12 * MINUTE, [5, 3]],
    ['5 minutes', 5 * MINUTE, [1.25]],
    ['a second', 1000, [1 / 240]],
  ])('of a life of %s at a quarter of it and five minutes before its end', (_, life, expected) => {
    expect(looks(life)).toEqual(expected);
  });

  test('once when the time of both had gone by', () => {
    expect(looks(HOUR, [56 * MINUTE])).toEqual([15]);
  });

  test('of a quarter once, though the channel was changed since its expiry was set', () => {
    const expiresAt = SET + 24 * HOUR;
    const changed = { modifiedAt: SET + 12 * HOUR, expiresAt };
    expect(nextLook(changed, expiresAt - 6 * HOUR, expiresAt - 6 * HOUR)).toBe(expiresAt - 5 * MINUTE);
    expect(nextLook(changed, expiresAt - 5 * MINUTE, expiresAt - 5 * MINUTE)).toBe(expiresAt);
  });

  test('no more when it has expired', () => {
    expect(firstLook({ modifiedAt: SET, expiresAt: SET + HOUR }, SET + 2 * HOUR)).toBe(SET + HOUR);
  });
});
