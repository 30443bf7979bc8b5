import { describe, expect, test } from 'vitest';
import type { Generation, RecordId, UserId } from '../../src/domain/ids.ts';
import {
  type Candidate,
  fits,
  type ListedChannel,
  type NotificationFilter,
  owedPart,
  walksOf,
} from '../../src/domain/notification-query.ts';

const G = 'g1' as Generation;
const USER = 'u1' as UserId;
const RECORD = '7' as RecordId;
const ALL = { first: 0, last: Number.MAX_SAFE_INTEGER };
const NOW = 1000;

const filter = (given: Partial<NotificationFilter> = {}): NotificationFilter => ({ changes: ALL, ...given });
const channel = (given: Partial<ListedChannel> = {}): ListedChannel => ({
  generation: G,
  userId: USER,
  channelId: '1' as ListedChannel['channelId'],
  expiresAt: NOW + 1,
  lastNumber: 9,
  restarts: [],
  ...given,
});
const ended = { endedAt: 5, endedReason: 'deleted' } as const;
const suspended = { suspension: { at: 5, why: 'failing' } } as const;

describe('the way to look is the one that brings least in vain', () => {
  test.each<[Partial<NotificationFilter>, readonly string[]]>([
    [{}, ['changes']],
    [{ changes: { first: 5, last: 9 } }, ['changes']],
    [{ changes: { first: 5, last: 1004 }, state: 'parked', outcome: 'rejected' }, ['changes']],
    [{ changes: { first: 5, last: 1004 }, module: 'Leads', state: 'held' }, ['module']],
    [{ changes: { first: 5, last: 1004 }, generations: [G], outcome: 'rejected' }, ['numbers']],
    [{ changes: { first: 5, last: 1005 }, state: 'parked' }, ['given-up']],
    [{ changes: { first: 5, last: 9 }, module: 'Leads', record: RECORD, state: 'parked' }, ['record']],
    [{ user: USER }, ['changes']],
    [{ module: 'Leads' }, ['module']],
    [{ module: 'Leads', record: RECORD }, ['record']],
    [{ module: 'Leads', record: RECORD, generations: [G], state: 'parked', outcome: 'rejected' }, ['record']],
    [{ generations: [G] }, ['numbers']],
    [{ generations: [G], module: 'Leads' }, ['numbers']],
    [{ state: 'delivered' }, ['changes']],
    [{ state: 'delivered', outcome: 'delivered', generations: [G] }, ['numbers']],
    [{ state: 'pending' }, ['owed']],
    [{ state: 'held', generations: [G], outcome: 'rejected' }, ['owed']],
    [{ state: 'parked' }, ['given-up']],
    [{ state: 'parked', generations: [G] }, ['given-up-numbers']],
    [{ state: 'parked', outcome: 'rejected', module: 'Leads' }, ['given-up']],
    [{ state: 'cancelled' }, ['owed', 'given-up']],
    [{ state: 'cancelled', generations: [G] }, ['owed', 'given-up-numbers']],
    [{ outcome: 'none' }, ['owed', 'given-up']],
    [{ outcome: 'none', state: 'pending' }, ['owed']],
    [{ outcome: 'none', state: 'delivered' }, ['changes']],
    [{ outcome: 'rejected' }, ['failed']],
    [{ outcome: 'unreachable', generations: [G], module: 'Leads' }, ['failed']],
    [{ outcome: 'forbidden' }, ['failed']],
    [{ outcome: 'delivered' }, ['changes']],
  ])('%j: %j', (given, walks) => expect(walksOf(filter(given))).toEqual(walks));
});

describe('what is held against a filter', () => {
  const one: Candidate = {
    generation: G,
    number: 4,
    change: 10,
    module: 'Leads',
    state: 'pending',
    isRematched: false,
    isAbout: true,
    last: { attempt: 1, outcome: 'rejected' },
  };

  test.each<[boolean, Partial<NotificationFilter>, Partial<Candidate>, Partial<ListedChannel>]>([
    [true, {}, {}, {}],
    [true, { generations: [G] }, {}, {}],
    [false, { generations: [] }, {}, {}],
    [true, { user: USER }, {}, {}],
    [false, { user: USER }, {}, { userId: 'u2' as UserId }],
    [true, { module: 'Leads', record: RECORD }, {}, {}],
    [false, { module: 'Contacts' }, {}, {}],
    [false, { module: 'Leads', record: RECORD }, { isAbout: false }, {}],
    [true, { changes: { first: 10, last: 10 } }, {}, {}],
    [false, { changes: { first: 11, last: 99 } }, {}, {}],
    [false, { changes: { first: 1, last: 9 } }, {}, {}],
    [true, { outcome: 'rejected' }, {}, {}],
    [false, { outcome: 'none' }, {}, {}],
    [true, { state: 'pending' }, {}, {}],
    [false, { state: 'pending' }, {}, suspended],
    [true, { state: 'held' }, {}, suspended],
    [true, { state: 'held' }, {}, { expiresAt: NOW }],
    [true, { state: 'held' }, {}, { lapsedFrom: 1 }],
    [true, { state: 'cancelled' }, {}, ended],
    [true, { state: 'cancelled' }, {}, { cancelledTo: 4, cancelledWhy: 'skipped' }],
    [false, { state: 'cancelled' }, {}, { cancelledTo: 3, cancelledWhy: 'skipped' }],
    [true, { state: 'delivered' }, { state: 'delivered' }, ended],
    [true, { state: 'parked' }, { state: 'parked' }, suspended],
  ])('%s of %j when it is %j and its channel %j', (expected, given, more, standing) => {
    expect(fits(filter(given), { ...one, ...more }, channel(standing), NOW)).toBe(expected);
  });

  test('without an attempt its outcome is none', () => {
    const { last: _, ...never } = one;
    expect(fits(filter({ outcome: 'none' }), never, channel(), NOW)).toBe(true);
  });
});

test.each<[string, Partial<ListedChannel>, object]>([
  ['a live one', {}, { pending: [0, 'all'], cancelled: undefined, held: undefined }],
  ['a live one that skipped', { cancelledTo: 3, cancelledWhy: 'skipped' }, { pending: [3, 'all'], cancelled: [0, 3] }],
  ['a suspended one', suspended, { pending: undefined, held: [0, 'all'] }],
  [
    'an expired one that dropped some before',
    { expiresAt: NOW, cancelledTo: 3, cancelledWhy: 'expired' },
    { pending: undefined, held: [3, 'all'], cancelled: [0, 3] },
  ],
  [
    'an ended one',
    { ...ended, cancelledTo: 3, cancelledWhy: 'skipped' },
    { pending: undefined, held: undefined, cancelled: [0, 'all'] },
  ],
])('of what %s is owed by its rows, each state is a part', (_, standing, expected) => {
  const part = (state: 'pending' | 'held' | 'cancelled' | undefined) => {
    const found = owedPart(channel(standing), state, NOW);
    return found && [found.after, found.to === Number.MAX_SAFE_INTEGER ? 'all' : found.to];
  };
  expect({ pending: part('pending'), held: part('held'), cancelled: part('cancelled') }).toMatchObject(expected);
  expect(part(undefined)).toEqual([0, 'all']);
});
