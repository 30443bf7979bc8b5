import { describe, expect, test } from 'vitest';
import type { Channel } from '../../src/domain/channel.ts';
import { channelKey } from '../../src/domain/channel.ts';
import type { EventSelector } from '../../src/domain/event-type.ts';
import type { Generation, UserId } from '../../src/domain/ids.ts';
import {
  type ChannelPolicy,
  type ChannelSettings,
  DEFAULT_CHANNEL_POLICY,
  decideWatch,
  expiryFor,
  type WatchRequest,
  type WatchResult,
} from '../../src/domain/watch.ts';
import { type ApiVersion, VERSION_RULES } from '../../src/domain/wire/api-version.ts';
import type { WorkingSet } from '../../src/domain/working-set.ts';
import { aChannel, COUNTERS, channelId, channelSet, DAY, HOUR, NOW, USER } from '../support/channel-set.ts';

const ID = channelId('1');
const OTHER = '3652397000000000002' as UserId;
const events: readonly EventSelector[] = [{ module: 'Leads', operation: 'insert' }];
const lapsed = (expiresAt: number): Channel => aChannel({ expiresAt, lapsedFrom: 12 });

const opening = (settings: ChannelSettings & { notifyUrl?: string } = {}): WatchRequest => ({
  kind: 'open',
  channelId: ID,
  settings: { notifyUrl: 'https://example.com/new', events, ...settings },
});
const replacing = (settings: ChannelSettings = {}): WatchRequest => ({
  kind: 'replace',
  channelId: ID,
  settings: { events, ...settings },
});
const merging = (settings: ChannelSettings): WatchRequest => ({ kind: 'merge', channelId: ID, settings });
const pruning = (...selectors: EventSelector[]): WatchRequest => ({ kind: 'prune', channelId: ID, events: selectors });
const deleting: WatchRequest = { kind: 'delete', channelId: ID };

function decide(
  set: WorkingSet,
  request: WatchRequest,
  { version = 'v8' as ApiVersion, userId = USER, policy = {} as Partial<ChannelPolicy> } = {},
): WatchResult {
  return decideWatch(set, { userId, version }, request, { ...DEFAULT_CHANNEL_POLICY, ...policy });
}

function saved(result: WatchResult): Channel {
  if (result.kind !== 'saved') throw new Error(`not saved: ${JSON.stringify(result)}`);
  return result.channel;
}

const kinds = (set: WorkingSet): string[] => set.writes.revisions.map(({ kind }) => kind);
/** That a refused request left no trace. */
function expectUntouched(set: WorkingSet): void {
  expect(set.writes.channels.size).toBe(0);
  expect(set.writes.revisions).toEqual([]);
  expect(set.writes.counters).toEqual(COUNTERS);
}

describe('expiry', () => {
  const day = ['v2', 'v2.1', 'v3'] as const;
  const week = ['v4', 'v5', 'v6', 'v7', 'v8'] as const;
  const table: readonly (readonly [string, number | undefined, number, number])[] = [
    ['omitted', undefined, HOUR, HOUR],
    ['a second from now', 1000, 1000, 1000],
    ['now', 0, HOUR, HOUR],
    ['in the past', -DAY, HOUR, HOUR],
    ['a day', DAY, DAY, DAY],
    ['a day and a second', DAY + 1000, HOUR, DAY + 1000],
    ['a week', 7 * DAY, HOUR, 7 * DAY],
    ['a week and a second', 7 * DAY + 1000, HOUR, HOUR],
    ['a year', 365 * DAY, HOUR, HOUR],
  ];
  describe.each(table)('%s', (_what, asked, upToV3, sinceV4) => {
    test.each(day)('on %s', (version) => {
      expect(expiryFor(asked === undefined ? undefined : NOW + asked, version, NOW)).toBe(NOW + upToV3);
    });
    test.each(week)('on %s', (version) => {
      expect(expiryFor(asked === undefined ? undefined : NOW + asked, version, NOW)).toBe(NOW + sinceV4);
    });
  });

  test('is a whole second, so that it can be said exactly', () => {
    expect(expiryFor(undefined, 'v8', NOW + 999)).toBe(NOW + HOUR);
  });

  test.each([
    ['POST', opening],
    ['PUT', replacing],
    ['PATCH', merging],
  ])('beyond the maximum is refused to a %s when the operator wants strictness', (_method, request) => {
    for (const expiresAt of [NOW - 1000, NOW + 7 * DAY + 1000]) {
      const set = channelSet([aChannel()]);
      expect(decide(set, request({ expiresAt }), { policy: { strictExpiry: true } })).toEqual({
        kind: 'refused',
        why: { kind: 'expiry-not-allowed' },
      });
      expectUntouched(set);
    }
    const allowed = decide(channelSet([aChannel()]), request({ expiresAt: NOW + DAY }), {
      policy: { strictExpiry: true },
    });
    expect(saved(allowed).expiresAt).toBe(NOW + DAY);
  });
});

describe('POST', () => {
  test('opens a channel with the defaults of the call’s version', () => {
    for (const version of ['v2', 'v3', 'v8'] as const) {
      const set = channelSet();
      expect(saved(decide(set, opening(), { version }))).toEqual({
        generation: '3652397000010000000',
        userId: USER,
        channelId: ID,
        version,
        events: [{ module: 'Leads', operation: 'insert' }],
        notifyOnRelated: VERSION_RULES[version].relatedByDefault,
        withValues: false,
        conditions: [],
        expiresAt: NOW + HOUR,
        lastNumber: 0,
        epoch: 0,
        restarts: [],
        notifyUrl: 'https://example.com/new',
        token: null,
        openedAt: NOW,
        modifiedAt: NOW,
      });
      expect(kinds(set)).toEqual(['opened']);
    }
  });

  test('expands and orders event types', () => {
    const selectors: EventSelector[] = [
      { module: 'Deals', operation: 'delete' },
      { module: 'Leads', operation: 'all' },
      { module: 'Deals', operation: 'update' },
      { module: 'Leads', operation: 'insert' },
    ];
    const { events: listed } = saved(decide(channelSet(), opening({ events: selectors })));
    expect(listed.map(({ module, operation }) => `${module}.${operation}`)).toEqual([
      'Deals.update',
      'Deals.delete',
      'Leads.update',
      'Leads.insert',
      'Leads.delete',
    ]);
  });

  test('on a live channel replaces all of it and goes on with its numbers', () => {
    const set = channelSet([aChannel({ withValues: true, notifyOnRelated: true })]);
    const channel = saved(decide(set, opening(), { version: 'v3' }));
    expect(channel).toMatchObject({ generation: 'g1', token: null, withValues: false, notifyOnRelated: false });
    expect(channel).toMatchObject({ version: 'v3', openedAt: NOW - HOUR, modifiedAt: NOW });
    expect(set.writes.channels.get('g1' as Generation)?.lastNumber).toBe(3);
    expect(kinds(set)).toEqual(['replaced']);
  });

  test('within retention of its expiry takes a channel up again and closes the lapse', () => {
    const { retentionMs } = DEFAULT_CHANNEL_POLICY;
    const set = channelSet([lapsed(NOW - retentionMs + 1)]);
    expect(saved(decide(set, opening())).generation).toBe('g1');
    expect(kinds(set)).toEqual(['renewed']);
    expect(set.writes.lapses).toEqual([
      { generation: 'g1', kind: 'expired', fromChange: 12, toChange: COUNTERS.lastChange, at: NOW, endedAt: NOW },
    ]);
    expect(set.writes.channels.get('g1' as Generation)).not.toHaveProperty('lapsedFrom');
  });

  test('after retention ends the old generation and starts a new one at 1', () => {
    const set = channelSet([lapsed(NOW - DEFAULT_CHANNEL_POLICY.retentionMs)]);
    const channel = saved(decide(set, opening()));
    expect(channel).toMatchObject({ lastNumber: 0, openedAt: NOW });
    expect(channel.generation).not.toBe('g1');
    expect(kinds(set)).toEqual(['retention', 'opened']);
    expect(set.writes.channels.get('g1' as Generation)?.endedAt).toBe(NOW);
  });

  test('after a DELETE starts a new generation', () => {
    const set = channelSet([aChannel()]);
    decide(set, deleting);
    expect(saved(decide(set, opening())).generation).not.toBe('g1');
    expect(kinds(set)).toEqual(['deleted', 'opened']);
  });

  test('on the id of another user’s channel opens one beside it', () => {
    const set = channelSet([aChannel()]);
    saved(decide(set, opening(), { userId: OTHER }));
    expect(set.index.byKey.get(channelKey(USER, ID))?.generation).toBe('g1');
    expect(set.index.byKey.size).toBe(2);
  });

  test.each([
    ['of the user', { maxPerUser: 1 }, 1],
    ['of the organisation', { maxPerOrg: 2 }, 2],
  ])('beyond the limit %s is refused; what is open may be replaced', (_whose, policy, limit) => {
    const own = aChannel({ channelId: channelId('2'), generation: 'g2' as Generation });
    const foreign = aChannel({ userId: OTHER, channelId: channelId('3'), generation: 'g3' as Generation });
    const set = channelSet([own, foreign]);
    expect(decide(set, opening(), { policy })).toEqual({ kind: 'refused', why: { kind: 'too-many-channels', limit } });
    expectUntouched(set);
    const again: WatchRequest = { ...opening(), channelId: own.channelId };
    expect(decide(set, again, { policy }).kind).toBe('saved');
  });
});

describe('PUT', () => {
  test('keeps the notify URL and nothing else that is not given', () => {
    const known = aChannel({
      version: 'v8',
      withValues: true,
      notifyOnRelated: false,
      expiresAt: NOW + DAY,
      conditions: [{ module: 'Leads', rule: { kind: 'field', field: 'Phone' } }],
    });
    const set = channelSet([known]);
    expect(saved(decide(set, replacing(), { version: 'v4' }))).toEqual({
      ...known,
      version: 'v4',
      events: [{ module: 'Leads', operation: 'insert' }],
      notifyOnRelated: true,
      withValues: false,
      conditions: [],
      expiresAt: NOW + HOUR,
      token: null,
      modifiedAt: NOW,
    });
    expect(kinds(set)).toEqual(['replaced']);
  });

  test('with the published events drops Accounts.edit', () => {
    const known = aChannel({
      events: [
        { module: 'Contacts', operation: 'insert' },
        { module: 'Accounts', operation: 'update' },
        { module: 'Deals', operation: 'insert' },
      ],
    });
    const given: EventSelector[] = [
      { module: 'Contacts', operation: 'insert' },
      { module: 'Contacts', operation: 'update' },
      { module: 'Deals', operation: 'insert' },
    ];
    const set = channelSet([known]);
    decide(set, replacing({ events: given }));
    expect([...set.index.byEvent.keys()].sort()).toEqual(['Contacts.insert', 'Contacts.update', 'Deals.insert']);
  });

  test('changes the notify URL when one is given', () => {
    const channel = saved(decide(channelSet([aChannel()]), replacing({ notifyUrl: 'https://example.com/other' })));
    expect(channel.notifyUrl).toBe('https://example.com/other');
  });
});

describe('PATCH', () => {
  const full = aChannel({
    version: 'v3',
    withValues: true,
    notifyOnRelated: true,
    conditions: [{ module: 'Contacts', rule: { kind: 'field', field: 'Phone' } }],
  });
  const changes: readonly (readonly [string, ChannelSettings, Partial<Channel>])[] = [
    ['nothing', {}, {}],
    ['a token', { token: 'new' }, { token: 'new' }],
    ['the token null', { token: null }, { token: null }],
    ['a URL', { notifyUrl: 'https://example.com/2' }, { notifyUrl: 'https://example.com/2' }],
    ['a flag', { notifyOnRelated: false }, { notifyOnRelated: false }],
    ['values', { withValues: false }, { withValues: false }],
    ['an expiry', { expiresAt: NOW + 7 * DAY }, { expiresAt: NOW + 7 * DAY }],
    ['an expiry too far', { expiresAt: NOW + 8 * DAY }, { expiresAt: NOW + HOUR }],
    ['no conditions', { conditions: [] }, { conditions: [] }],
    [
      'events',
      { events },
      {
        events: [
          { module: 'Contacts', operation: 'update' },
          { module: 'Leads', operation: 'insert' },
        ],
      },
    ],
  ];
  test.each(changes)('with %s keeps all the rest, the version too', (_what, settings, changed) => {
    const set = channelSet([full]);
    expect(saved(decide(set, merging(settings)))).toEqual({ ...full, modifiedAt: NOW, ...changed });
    expect(kinds(set)).toEqual(['merged']);
  });

  test('adds an event type of a known module in its order', () => {
    const added: EventSelector[] = [{ module: 'Contacts', operation: 'all' }];
    const { events: listed } = saved(decide(channelSet([full]), merging({ events: added })));
    expect(listed.map(({ operation }) => operation)).toEqual(['update', 'insert', 'delete']);
  });
});

describe('PATCH with _delete_events', () => {
  const known = aChannel({
    events: [
      { module: 'Leads', operation: 'update' },
      { module: 'Leads', operation: 'insert' },
      { module: 'Deals', operation: 'delete' },
    ],
    conditions: [
      { module: 'Leads', rule: { kind: 'field', field: 'Phone' } },
      { module: 'Deals', rule: { kind: 'field', field: 'Stage' } },
    ],
  });

  test.each([
    [[{ module: 'Leads', operation: 'insert' }], 'Leads', 'Leads.update Deals.delete'],
    [[{ module: 'Leads', operation: 'all' }], 'Leads', 'Deals.delete'],
    [
      [
        { module: 'Deals', operation: 'delete' },
        { module: 'Leads', operation: 'update' },
      ],
      'Deals Leads',
      'Leads.insert',
    ],
  ] as const)('of %j removes just these', (selectors, modules, left) => {
    const set = channelSet([known]);
    expect(decide(set, pruning(...selectors))).toEqual({ kind: 'pruned', channelId: ID, modules: modules.split(' ') });
    const stored = set.writes.channels.get('g1' as Generation);
    expect(stored?.events.map(({ module, operation }) => `${module}.${operation}`).join(' ')).toBe(left);
    expect(stored?.conditions.every(({ module }) => left.includes(module))).toBe(true);
    expect(kinds(set)).toEqual(['pruned']);
  });

  test('of the last event type ends the channel as DELETE does', () => {
    const set = channelSet([known]);
    const all = known.events.map(({ module }): EventSelector => ({ module, operation: 'all' }));
    expect(decide(set, pruning(...all))).toEqual({ kind: 'pruned', channelId: ID, modules: ['Leads', 'Deals'] });
    expect(kinds(set)).toEqual(['deleted']);
    expect(set.writes.channels.get('g1' as Generation)?.endedAt).toBe(NOW);
    expect(set.index.byKey.size).toBe(0);
  });

  test.each([
    [[{ module: 'Contacts', operation: 'all' }]],
    [[{ module: 'Leads', operation: 'delete' }]],
    [
      [
        { module: 'Leads', operation: 'insert' },
        { module: 'Deals', operation: 'update' },
      ],
    ],
  ] as const)('of %j, not all watched, is refused and removes nothing', (selectors) => {
    const set = channelSet([known]);
    expect(decide(set, pruning(...selectors))).toEqual({ kind: 'refused', why: { kind: 'no-event' } });
    expectUntouched(set);
  });
});

describe('DELETE', () => {
  test('ends the channel and names its modules', () => {
    const set = channelSet([
      aChannel({
        events: [
          { module: 'Leads', operation: 'update' },
          { module: 'Deals', operation: 'delete' },
        ],
      }),
    ]);
    expect(decide(set, deleting)).toEqual({ kind: 'deleted', channelId: ID, modules: ['Leads', 'Deals'] });
    expect(decide(set, deleting)).toEqual({ kind: 'refused', why: { kind: 'no-channel' } });
    expect(kinds(set)).toEqual(['deleted']);
  });
});

describe('a channel that the caller does not have', () => {
  const requests: readonly (readonly [string, WatchRequest])[] = [
    ['PUT', replacing()],
    ['PATCH', merging({ token: 'new' })],
    ['PATCH with _delete_events', pruning({ module: 'Contacts', operation: 'update' })],
    ['DELETE', deleting],
  ];
  const states: readonly (readonly [string, readonly Channel[]])[] = [
    ['unknown', []],
    ['of another user', [aChannel({ userId: OTHER })]],
    ['expired now', [lapsed(NOW)]],
    ['expired long ago', [lapsed(NOW - 30 * DAY)]],
  ];
  describe.each(requests)('%s', (_method, request) => {
    test.each(states)('%s: refused, and nothing changed', (_state, channels) => {
      const set = channelSet(channels);
      expect(decide(set, request)).toEqual({ kind: 'refused', why: { kind: 'no-channel' } });
      expectUntouched(set);
    });
  });

  test.each(requests)('%s works until the last millisecond', (_method, request) => {
    expect(decide(channelSet([aChannel({ expiresAt: NOW + 1 })]), request).kind).not.toBe('refused');
  });
});
