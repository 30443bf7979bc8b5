import { describe, expect, test } from 'vitest';
import { afterFailure, type ChannelHealth, isFailingLong } from '../../src/domain/channel-health.ts';
import { DEFAULT_POLICY } from '../../src/domain/delivery-policy.ts';

const START = 1_000_000_000;
const DAY = 86_400_000;

const health = (differing: Partial<ChannelHealth> = {}): ChannelHealth => ({
  failingSince: START,
  failedAttempts: 50,
  lastFailedAt: START + DAY,
  failedNumbers: [1, 2, 3],
  ...differing,
});

describe('failures', () => {
  test('are counted from the first one, over different notifications', () => {
    const failed = [
      [0, 7],
      [10, 7],
      [20, 9],
    ] as const;
    const counted = failed.reduce<ChannelHealth | undefined>(
      (known, [at, number]) => afterFailure(known, START + at, number),
      undefined,
    );
    expect(counted).toEqual({
      failingSince: START,
      failedAttempts: 3,
      lastFailedAt: START + 20,
      failedNumbers: [7, 9],
    });
  });

  test('keep ten numbers at most, and count on', () => {
    let known: ChannelHealth | undefined;
    for (let number = 1; number <= 1000; number += 1) known = afterFailure(known, START, number);
    expect(known).toMatchObject({ failedAttempts: 1000, failedNumbers: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] });
  });
});

test.each([
  ['24 hours, 50 attempts, 3 notifications', health(), DAY, true],
  ['a millisecond less', health(), DAY - 1, false],
  ['49 attempts', health({ failedAttempts: 49 }), DAY, false],
  ['two notifications', health({ failedNumbers: [1, 2] }), DAY, false],
  ['a week of few attempts', health({ failedAttempts: 12 }), 7 * DAY, false],
])('after %s, that a channel fails long is %s', (_, known, later, expected) => {
  expect(isFailingLong(known, START + later, DEFAULT_POLICY.suspension)).toBe(expected);
});

test('where nothing is suspended, no failing is long', () => {
  expect(isFailingLong(health({ failedAttempts: 1e6 }), START + 100 * DAY, undefined)).toBe(false);
});
