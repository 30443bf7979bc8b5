import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/domain/attempt.ts';
import { DEFAULT_POLICY, type DeliveryPolicy } from '../../src/domain/delivery-policy.ts';
import { nextStep, stateAfter } from '../../src/domain/next-step.ts';

const NOW = 1_000_000;
const refused: Outcome = { kind: 'unreachable', reason: 'connect', message: 'refused' };
const rejected = (retryAfterMs?: number): Outcome => ({
  kind: 'rejected',
  status: 503,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});
const gone: Outcome = { kind: 'rejected', status: 410 };
const after = (outcome: Outcome, attemptsMade: number, random = 0, policy = DEFAULT_POLICY) =>
  nextStep(outcome, attemptsMade, policy, NOW, () => random);

describe('the next step after an attempt', () => {
  test.each([
    [1, 5_000],
    [2, 30_000],
    [3, 120_000],
    [4, 300_000],
    [5, 900_000],
    [6, 1_800_000],
    [7, 3_600_000],
    [8, 7_200_000],
    [9, 14_400_000],
    [10, 28_800_000],
    [11, 28_800_000],
  ])('after failure %i is a retry %i ms later', (attemptsMade, wait) => {
    expect(after(refused, attemptsMade)).toEqual({ kind: 'retry', at: NOW + wait });
  });

  test('is parking after the twelfth failure, whatever the receiver asks for', () => {
    expect(after(refused, 12)).toEqual({ kind: 'park', why: 'exhausted' });
    expect(after(rejected(1000), 12)).toEqual({ kind: 'park', why: 'exhausted' });
    expect(after(refused, 13)).toEqual({ kind: 'park', why: 'exhausted' });
  });

  test.each([1, 6, 12, 40])('is nothing once delivered, at attempt %i too', (attemptsMade) => {
    expect(after({ kind: 'delivered', status: 204 }, attemptsMade)).toEqual({ kind: 'done' });
  });

  test.each([
    [0, 30_000],
    [0.5, 33_000],
    [0.999, 35_994],
    [1, 36_000],
  ])('is later by jitter %d of a fifth and never early', (random, wait) => {
    expect(after(refused, 2, random)).toEqual({ kind: 'retry', at: NOW + wait });
  });

  test.each<[string, Outcome, number]>([
    ['longer than the schedule', rejected(60_000), 60_000],
    ['shorter than the schedule', rejected(1_000), 30_000],
    ['beyond an hour', rejected(86_400_000), 3_600_000],
    ['absent', rejected(), 30_000],
  ])('honours a Retry-After that is %s', (_, outcome, wait) => {
    expect(after(outcome, 2)).toEqual({ kind: 'retry', at: NOW + wait });
  });

  test.each<[Outcome]>([
    [{ kind: 'rejected', status: 301 }],
    [{ kind: 'rejected', status: 404 }],
    [{ kind: 'forbidden', address: '10.0.0.1', reason: 'private' }],
    [{ kind: 'unreachable', reason: 'timeout', message: '' }],
  ])('is a retry after %j', (outcome) => {
    expect(after(outcome, 1)).toEqual({ kind: 'retry', at: NOW + 5000 });
  });

  test.each([1, 12, 40])('suspends the channel after a 410, at attempt %i too', (attemptsMade) => {
    expect(after(gone, attemptsMade)).toEqual({ kind: 'suspend' });
  });

  test('is a retry after a 410 where nothing is suspended', () => {
    const policy: DeliveryPolicy = { ...DEFAULT_POLICY, suspension: undefined };
    expect(after(gone, 1, 0, policy)).toEqual({ kind: 'retry', at: NOW + 5000 });
    expect(after(gone, 12, 0, policy)).toEqual({ kind: 'park', why: 'exhausted' });
  });
});

test('a notification is delivered, pending until its retry, or parked', () => {
  expect(stateAfter({ kind: 'done' })).toEqual({ state: 'delivered' });
  expect(stateAfter({ kind: 'retry', at: 5 })).toEqual({ state: 'pending', dueAt: 5 });
  expect(stateAfter({ kind: 'suspend' })).toEqual({ state: 'pending' });
  expect(stateAfter({ kind: 'park', why: 'exhausted' })).toEqual({ state: 'parked' });
});
