import { describe, expect, test } from 'vitest';
import { type Channel, channelState } from '../../src/domain/channel.ts';
import { findChannel } from '../../src/domain/channel-index.ts';
import type { Generation } from '../../src/domain/ids.ts';
import { decideSuspension, type ResumeMode, resumeChannel, suspendChannel } from '../../src/domain/suspension.ts';
import { DEFAULT_CHANNEL_POLICY, decideWatch, type WatchRequest } from '../../src/domain/watch.ts';
import { saveChannel } from '../../src/domain/working-channels.ts';
import type { WorkingSet } from '../../src/domain/working-set.ts';
import { aChannel, channelId, channelSet, DAY, HOUR, NOW, USER } from '../support/channel-set.ts';

const ID = channelId('1');
const suspended = (differing: Partial<Channel> = {}): Channel =>
  aChannel({ suspension: { at: NOW - HOUR, why: 'failing' }, ...differing });
const LAPSED = { expiresAt: NOW - HOUR, lapsedFrom: 12 };

const kinds = (set: WorkingSet): string[] => set.writes.revisions.map(({ kind }) => kind);
const written = (set: WorkingSet): Channel | undefined => set.writes.channels.get('g1' as Generation);

describe('what delivery asks for', () => {
  const seen = aChannel();
  test.each<[string, Channel[], boolean]>([
    ['the channel as it failed', [seen], true],
    ['one sent elsewhere since', [aChannel({ notifyUrl: 'https://example.com/other' })], false],
    ['one changed since', [aChannel({ modifiedAt: NOW })], false],
    ['one that expired since', [aChannel(LAPSED)], false],
    ['another generation', [aChannel({ generation: 'g2' as Generation })], false],
    ['one that has ended', [], false],
  ])('is done to %s: %#', (_, channels, expected) => {
    const set = channelSet(channels);
    expect(decideSuspension(set, { channel: seen, why: 'gone' })).toBe(expected);
    expect(kinds(set)).toEqual(expected ? ['suspended'] : []);
    expect(written(set)?.suspension).toEqual(expected ? { at: NOW, why: 'gone' } : undefined);
  });

  test('comes to the same when it was done before', () => {
    const set = channelSet([suspended()]);
    expect(decideSuspension(set, { channel: seen, why: 'gone' })).toBe(true);
    expect(kinds(set)).toEqual([]);
  });
});

describe('suspending', () => {
  test('leaves a live channel in the index, so that it goes on to be owed', () => {
    const set = channelSet([aChannel()]);
    suspendChannel(set, aChannel(), 'operator');
    expect(written(set)).toMatchObject({ suspension: { at: NOW, why: 'operator' }, lastNumber: 3 });
    expect(findChannel(set.index, USER, ID)).toBeDefined();
    expect(set.writes.forgiven.size).toBe(0);
  });

  test('leaves a lapsed channel lapsed', () => {
    const set = channelSet([aChannel(LAPSED)]);
    suspendChannel(set, aChannel(LAPSED), 'operator');
    expect(written(set)).toMatchObject({ lapsedFrom: 12, suspension: { why: 'operator' } });
    expect(findChannel(set.index, USER, ID)).toBeUndefined();
    expect(set.writes.lapses).toEqual([]);
  });

  test('keeps the reason that there is', () => {
    const set = channelSet([suspended()]);
    expect(suspendChannel(set, suspended(), 'operator').suspension?.why).toBe('failing');
    expect(kinds(set)).toEqual([]);
  });
});

describe('resuming', () => {
  test.each<[ResumeMode, Partial<Channel>, Partial<Channel>]>([
    ['backlog', {}, {}],
    ['skip', {}, { cancelledTo: 3, cancelledWhy: 'skipped' }],
    ['skip', { lastNumber: 0 }, {}],
    ['backlog', LAPSED, { lapsedFrom: 12 }],
    ['skip', LAPSED, { lapsedFrom: 12, cancelledTo: 3, cancelledWhy: 'skipped' }],
    ['backlog', { cancelledTo: 2, cancelledWhy: 'expired' }, { cancelledTo: 2, cancelledWhy: 'expired' }],
    ['skip', { cancelledTo: 2, cancelledWhy: 'expired' }, { cancelledTo: 3, cancelledWhy: 'skipped' }],
  ])('with %s, of %j, leaves %j', (mode, differing, left) => {
    const channel = suspended(differing);
    const set = channelSet([channel]);
    const { suspension: _, ...rest } = channel;
    expect(resumeChannel(set, channel, mode)).toEqual({ ...rest, ...left });
    expect(kinds(set)).toEqual(['resumed']);
    expect([...set.writes.forgiven]).toEqual(['g1']);
  });

  test('skips what was numbered by commands before it in the batch', () => {
    const set = channelSet([suspended()]);
    const live = findChannel(set.index, USER, ID);
    if (live) live.lastNumber = 8;
    expect(resumeChannel(set, suspended(), 'skip').cancelledTo).toBe(8);
  });

  test('does nothing to a channel that is not suspended', () => {
    const set = channelSet([aChannel()]);
    resumeChannel(set, aChannel(), 'skip');
    expect(set.writes.channels.size).toBe(0);
  });
});

describe("a call of the channel's owner", () => {
  const events = [{ module: 'Leads', operation: 'insert' }] as const;
  test.each<[string, WatchRequest, Partial<Channel>, boolean, string[]]>([
    [
      'POST',
      { kind: 'open', channelId: ID, settings: { notifyUrl: 'https://example.com/hook', events } },
      {},
      true,
      ['replaced', 'resumed'],
    ],
    [
      'POST of an expired one',
      { kind: 'open', channelId: ID, settings: { notifyUrl: 'https://example.com/hook', events } },
      LAPSED,
      true,
      ['renewed', 'resumed'],
    ],
    ['PUT', { kind: 'replace', channelId: ID, settings: { events } }, {}, true, ['replaced', 'resumed']],
    ['PATCH', { kind: 'merge', channelId: ID, settings: { token: 'new' } }, {}, false, ['merged']],
    [
      'PATCH of its events',
      { kind: 'prune', channelId: ID, events: [{ module: 'Contacts', operation: 'update' }] },
      {
        events: [
          { module: 'Contacts', operation: 'update' },
          { module: 'Leads', operation: 'insert' },
        ],
      },
      false,
      ['pruned'],
    ],
  ])('by %s ends its suspension or not: %#', (_, request, differing, ends, revisions) => {
    for (const why of ['failing', 'gone', 'operator'] as const) {
      const set = channelSet([suspended({ suspension: { at: NOW - HOUR, why }, ...differing })]);
      decideWatch(set, { userId: USER, version: 'v8' }, request, DEFAULT_CHANNEL_POLICY);
      expect(written(set)?.suspension === undefined).toBe(ends);
      expect(kinds(set)).toEqual(revisions);
      expect(set.writes.forgiven.has('g1' as Generation)).toBe(ends);
    }
  });
});

test.each<[Partial<Channel>, boolean]>([
  [{ notifyUrl: 'https://example.com/other' }, true],
  [{ token: 'other', expiresAt: NOW + DAY }, false],
])('failures are forgiven by %j: %s', (differing, expected) => {
  const set = channelSet([aChannel()]);
  saveChannel(set, aChannel(differing), 'merged');
  expect(set.writes.forgiven.size > 0).toBe(expected);
});

test.each<[Partial<Channel>, ReturnType<typeof channelState>]>([
  [{}, 'live'],
  [{ suspension: { at: NOW, why: 'gone' } }, 'suspended'],
  [{ expiresAt: NOW }, 'expired'],
  [{ lapsedFrom: 1 }, 'expired'],
  [{ ...LAPSED, suspension: { at: NOW, why: 'gone' } }, 'expired'],
  [{ suspension: { at: NOW, why: 'gone' }, endedAt: NOW, endedReason: 'deleted' }, 'ended'],
])('a channel with %j is %s', (differing, state) => {
  expect(channelState(aChannel(differing), NOW)).toBe(state);
});
