import { describe, expect, test } from 'vitest';
import {
  cancellationOf,
  isBeyondRetention,
  joined,
  type KeptNotification,
  removalOf,
  type UndeliveredRange,
} from '../../src/domain/retention.ts';

const LIMIT = 1000;

type Told = [state: KeptNotification['state'], settledAt?: number, reason?: string];
const notifications = (...told: Told[]): KeptNotification[] =>
  told.map(([state, settledAt, reason], i) => ({
    number: i + 1,
    change: 10 * (i + 1),
    state,
    attempts: i,
    ...(settledAt !== undefined && { settledAt }),
    ...(reason !== undefined && { reason }),
  }));

describe('what retention removes', () => {
  test.each<{ title: string; of: Told[]; runs: [number, number][]; undelivered: string[]; oldest?: number }>([
    { title: 'nothing of nothing', of: [], runs: [], undelivered: [] },
    {
      title: 'what was settled at the limit, and not a moment later',
      of: [
        ['delivered', LIMIT],
        ['delivered', LIMIT + 1],
      ],
      runs: [[1, 1]],
      undelivered: [],
      oldest: 20,
    },
    {
      title: 'nothing that is pending, however old',
      of: [['pending'], ['pending', 1], ['delivered', 1]],
      runs: [[3, 3]],
      undelivered: [],
      oldest: 10,
    },
    {
      title: 'what stands around something that stays, in two runs',
      of: [
        ['delivered', 1],
        ['delivered', 1],
        ['parked', LIMIT + 1],
        ['delivered', 1],
        ['delivered', 1],
      ],
      runs: [
        [1, 2],
        [4, 5],
      ],
      undelivered: [],
      oldest: 30,
    },
    {
      title: 'what was never delivered, of which it tells',
      of: [
        ['parked', 1],
        ['parked', 1],
        ['delivered', 1],
        ['parked', 1],
        ['cancelled', 1, 'deleted'],
        ['cancelled', 1, 'deleted'],
      ],
      runs: [[1, 6]],
      undelivered: ['1-2 parked', '4-4 parked', '5-6 deleted'],
    },
    { title: 'nothing whose end is not known', of: [['delivered']], runs: [], undelivered: [], oldest: 10 },
  ])('is $title', ({ of, runs, undelivered, oldest }) => {
    const removal = removalOf(notifications(...of), LIMIT);
    expect(removal.runs.map(({ from, to }) => [from, to])).toEqual(runs);
    expect(removal.undelivered.map(told)).toEqual(undelivered);
    expect(removal.oldestChange).toBe(oldest);
    const gone = runs.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
    expect(removal.notifications).toBe(gone.length);
    expect(removal.attempts).toBe(gone.reduce((sum, number) => sum + number - 1, 0));
  });
});

const told = ({ from, to, reason }: UndeliveredRange) => `${from}-${to} ${reason}`;
const range = (text: string): UndeliveredRange => {
  const [, from, to, reason = ''] = /^(\d+)-(\d+) (\w+)$/.exec(text) ?? [];
  return { from: Number(from), to: Number(to), reason };
};

test.each([
  [[], []],
  [['1-2 parked', '3-4 parked'], ['1-4 parked']],
  [['3-4 parked', '1-2 parked', '5-5 parked'], ['1-5 parked']],
  [
    ['1-2 parked', '4-4 parked'],
    ['1-2 parked', '4-4 parked'],
  ],
  [
    ['1-2 parked', '3-4 deleted'],
    ['1-2 parked', '3-4 deleted'],
  ],
])('ranges that touch and have the same reason are one: %j', (ranges, expected) => {
  expect(joined(ranges.map(range)).map(told)).toEqual(expected);
});

test.each([
  [{}, undefined],
  [
    { cancelledTo: 7, cancelledWhy: 'skipped' },
    { to: 7, reason: 'skipped', at: 900 },
  ],
  [
    { cancelledTo: 7, cancelledWhy: 'expired' },
    { to: 7, reason: 'expired', at: 900 },
  ],
  [
    { endedAt: 600, endedReason: 'user-removed' },
    { reason: 'user-removed', at: 600 },
  ],
  [
    { endedAt: 600, endedReason: 'deleted', cancelledTo: 7, cancelledWhy: 'skipped' },
    { reason: 'deleted', at: 600 },
  ],
  // What was held counts from the expiry.
  [
    { endedAt: 600, endedReason: 'retention' },
    { reason: 'retention', at: 500 },
  ],
] as const)('what a channel %j leaves pending is cancelled: %j', (channel, expected) => {
  expect(cancellationOf({ expiresAt: 500, ...channel }, 900)).toEqual(expected);
});

test.each([
  [499, false],
  [1499, false],
  [1500, true],
])('a channel that expired at 500 is beyond a retention of 1000 at %i: %s', (now, expected) => {
  expect(isBeyondRetention({ expiresAt: 500 }, now, 1000)).toBe(expected);
});
