import { describe, expect, test } from 'vitest';
import type { ChannelRevision } from '../../src/domain/channel.ts';
import type { FieldRule } from '../../src/domain/condition.ts';
import { thenOf } from '../../src/domain/explain.ts';
import { holdOf } from '../../src/domain/hold.ts';
import { ruleText } from '../../src/domain/wire/explanation.ts';
import { aChannel, HOUR, NOW } from '../support/channel-set.ts';

const revision = (kind: ChannelRevision['kind']): ChannelRevision => ({
  version: 3,
  at: 30,
  kind,
  channel: aChannel(),
});
const openedAt = 10;

describe('what is known of a channel at a change', () => {
  test.each([
    [
      'its newest revision',
      { revision: revision('merged'), openedAt },
      { kind: 'there', revision: revision('merged') },
    ],
    ['that it had expired is for its expiry to say', { revision: revision('expired'), openedAt }, { kind: 'there' }],
    ['its end', { revision: revision('user-removed'), openedAt }, { kind: 'ended', at: 30, why: 'user-removed' }],
    ['that it came later', { next: { kind: 'opened', at: 40 }, openedAt: 40 }, { kind: 'not_opened', openedAt: 40 }],
    [
      'its end, of which only its row is left',
      { openedAt, endedAt: 20, endedReason: 'deleted' },
      { kind: 'ended', at: 20, why: 'deleted' },
    ],
    [
      'nothing, when its revisions of that time are gone',
      { next: { kind: 'merged', at: 40 }, openedAt },
      { kind: 'unknown' },
    ],
    ['nothing, of one that is there and has no revisions', { openedAt }, { kind: 'unknown' }],
  ] as const)('%s', (_name, traces, expected) => {
    expect(thenOf(traces)).toMatchObject(expected);
  });
});

describe('what holds a notification', () => {
  const pending = { number: 5, state: 'pending' } as const;
  const suspension = { at: NOW - HOUR, why: 'failing' } as const;
  test.each([
    ['nothing', pending, aChannel(), {}, { state: 'pending' }],
    [
      'a retry',
      { ...pending, dueAt: NOW + 1 },
      aChannel(),
      {},
      { state: 'pending', hold: { kind: 'retry', until: NOW + 1 } },
    ],
    ['a retry that is due no more', { ...pending, dueAt: NOW }, aChannel(), {}, { state: 'pending' }],
    ['its channel, suspended', pending, aChannel({ suspension }), {}, { hold: { kind: 'suspended', why: 'failing' } }],
    [
      'its organisation',
      pending,
      aChannel(),
      { suspendedAt: 7 },
      { hold: { kind: 'organisation_suspended', since: 7 } },
    ],
    [
      'its channel, expired, whatever else',
      pending,
      aChannel({ expiresAt: NOW, suspension }),
      { suspendedAt: 7 },
      { state: 'held', hold: { kind: 'expired', since: NOW } },
    ],
    [
      'nothing any more, when it was skipped',
      pending,
      aChannel({ cancelledTo: 5, cancelledWhy: 'skipped' }),
      {},
      { state: 'cancelled', reason: 'skipped' },
    ],
    [
      'nothing any more, when it was delivered',
      { ...pending, state: 'delivered' },
      aChannel({ suspension }),
      {},
      { state: 'delivered' },
    ],
  ] as const)('%s', (_name, notification, channel, org, expected) => {
    const held = holdOf(notification, channel, org, NOW);
    expect(held).toMatchObject(expected);
    expect('hold' in held).toBe('hold' in expected);
  });
});

test('a condition is written as it was asked for', () => {
  const field = (name: string): FieldRule => ({ kind: 'field', field: name });
  const both: FieldRule = { kind: 'group', operator: 'and', members: [field('Amount'), field('Owner')] };
  expect(ruleText({ kind: 'group', operator: 'or', members: [field('Stage'), both] })).toBe(
    'Stage or (Amount and Owner)',
  );
});
