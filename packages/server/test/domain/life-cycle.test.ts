import { describe, expect, test } from 'vitest';
import type { Channel, ChannelRevision } from '../../src/domain/channel.ts';
import type { Generation } from '../../src/domain/ids.ts';
import { type LifeEvent, lifeEventsOf, tellExpiring } from '../../src/domain/life-cycle.ts';
import { resumeChannel, suspendChannel } from '../../src/domain/suspension.ts';
import { type ChannelSettings, DEFAULT_CHANNEL_POLICY, decideWatch } from '../../src/domain/watch.ts';
import { endOverflows, expireDue } from '../../src/domain/working-channels.ts';
import type { WorkingSet } from '../../src/domain/working-set.ts';
import { aChannel, COUNTERS, channelSet, DAY, HOUR, NOW, USER } from '../support/channel-set.ts';

const G = 'g1' as Generation;
const NEWEST = COUNTERS.lastChange;

const told = (set: WorkingSet): LifeEvent[] => set.writes.revisions.flatMap(lifeEventsOf);
const kinds = (set: WorkingSet): ChannelRevision['kind'][] => set.writes.revisions.map(({ kind }) => kind);
const noticeAt = (set: WorkingSet): number | undefined =>
  set.writes.noticed.get(G) ?? set.writes.channels.get(G)?.noticeAt;

function watch(set: WorkingSet, kind: 'open' | 'replace' | 'merge', settings: ChannelSettings, policy = {}): void {
  const given = { notifyUrl: 'https://example.com/hook', events: [{ module: 'Leads' }], ...settings };
  const request = { kind, channelId: aChannel().channelId, settings: kind === 'merge' ? settings : given } as const;
  const all = { ...DEFAULT_CHANNEL_POLICY, ...policy };
  expect(decideWatch(set, { userId: USER, version: 'v8' }, request as never, all).kind).toBe('saved');
}

const lapsed = (more: Partial<Channel> = {}): Channel => aChannel({ expiresAt: NOW - HOUR, lapsedFrom: 12, ...more });

describe('when a channel is looked at', () => {
  test.each([
    ['opened', [], 'open'],
    ['renewed', [lapsed()], 'open'],
    ['replaced', [aChannel()], 'open'],
    ['replaced', [aChannel()], 'replace'],
    ['merged', [aChannel()], 'merge'],
  ] as const)('is set anew when it is %s with another expiry', (kind, channels, call) => {
    const set = channelSet(channels);
    watch(set, call, { expiresAt: NOW + DAY });
    expect(kinds(set)).toEqual([kind]);
    expect([...set.writes.channels.values()].map((channel) => channel.noticeAt)).toEqual([NOW + (DAY * 3) / 4]);
  });

  test('stays while its expiry does', () => {
    const set = channelSet([aChannel({ noticeAt: NOW + 7 })]);
    watch(set, 'merge', { withValues: true });
    watch(set, 'replace', { expiresAt: NOW + HOUR });
    expect(noticeAt(set)).toBe(NOW + 7);
  });

  test('is never again once it has expired or ended', () => {
    const set = channelSet([aChannel({ expiresAt: NOW })]);
    expireDue(set);
    expect(set.channels.values().next().value).not.toHaveProperty('noticeAt');
    const ended = channelSet([aChannel()]);
    const gone = { kind: 'delete', channelId: aChannel().channelId } as const;
    decideWatch(ended, { userId: USER, version: 'v8' }, gone, DEFAULT_CHANNEL_POLICY);
    expect(ended.writes.channels.get(G)).not.toHaveProperty('noticeAt');
    expect(told(ended)).toEqual([]);
  });
});

describe('an expiry that comes near', () => {
  test('is told once, with the channel as it is, and looked at again five minutes before', () => {
    const set = channelSet([aChannel({ noticeAt: NOW })]);
    expect(tellExpiring(set, [aChannel()])).toBe(1);
    expect(tellExpiring(set, [aChannel()])).toBe(0);
    expect(told(set)).toEqual([{ kind: 'expiring' }]);
    expect(set.index.byKey.values().next().value).toMatchObject({ ...set.writes.revisions[0]?.channel });
    expect(set.writes.noticed.get(G)).toBe(NOW + HOUR - 300_000);
    expect(set.writes.channels.size).toBe(0);
  });

  test('is not told of a channel that was renewed, has expired, or has another generation', () => {
    for (const channels of [[aChannel({ noticeAt: NOW + 1 })], [lapsed()], []]) {
      const set = channelSet(channels);
      expect(tellExpiring(set, [aChannel()])).toBe(0);
      expect(told(set)).toEqual([]);
    }
  });

  test('is saved with what else a batch does to the channel, in either order', () => {
    for (const order of ['before', 'after']) {
      const set = channelSet([aChannel({ noticeAt: NOW })]);
      if (order === 'after') watch(set, 'merge', { withValues: true });
      expect(tellExpiring(set, [aChannel()])).toBe(1);
      if (order === 'before') watch(set, 'merge', { withValues: true });
      expect(set.writes.channels.get(G)?.noticeAt).toBe(NOW + HOUR - 300_000);
      expect(set.writes.noticed.size).toBe(0);
    }
  });
});

describe('what is told', () => {
  test('a suspension says why; resumed is told however it ended', () => {
    const set = channelSet([aChannel()]);
    suspendChannel(set, aChannel(), 'gone');
    watch(set, 'replace', {});
    expect(told(set)).toEqual([{ kind: 'suspended', why: 'gone' }, { kind: 'resumed' }]);
  });

  test('the changes of a lapse, once it is renewed', () => {
    const set = channelSet([lapsed()]);
    watch(set, 'open', {});
    expect(told(set)).toEqual([{ kind: 'missed', range: { kind: 'lapse', fromChange: 12, toChange: NEWEST } }]);
  });

  test('nothing of a lapse without changes', () => {
    const set = channelSet([lapsed({ lapsedFrom: NEWEST })]);
    watch(set, 'open', {});
    expect(told(set)).toEqual([]);
  });

  test('what was cancelled by renewing or by skipping, from after what was cancelled before', () => {
    const dropped = channelSet([lapsed({ lapsedFrom: NEWEST, lastNumber: 9 })]);
    watch(dropped, 'open', {}, { afterExpiry: 'drop' });
    expect(told(dropped)).toEqual([
      { kind: 'missed', range: { kind: 'numbers', fromNumber: 0, toNumber: 9, why: 'expired' } },
    ]);
    const channel = aChannel({
      lastNumber: 9,
      cancelledTo: 4,
      cancelledWhy: 'expired',
      suspension: { at: NOW, why: 'operator' },
    });
    const skipped = channelSet([channel]);
    resumeChannel(skipped, channel, 'skip');
    expect(told(skipped)).toEqual([
      { kind: 'resumed' },
      { kind: 'missed', range: { kind: 'numbers', fromNumber: 4, toNumber: 9, why: 'skipped' } },
    ]);
  });

  test('the changes of an overflow, when it ends and when the channel expires in it', () => {
    const range = { kind: 'missed', range: { kind: 'overflow', fromChange: 20, toChange: NEWEST } };
    const flowing = channelSet([aChannel({ overflowFrom: 20 })]);
    flowing.index.counted.set(G, { upTo: 3, owed: 0 });
    endOverflows(flowing);
    expect(kinds(flowing)).toEqual(['flowing']);
    expect(told(flowing)).toEqual([range]);
    const expired = channelSet([aChannel({ overflowFrom: 20, expiresAt: NOW })]);
    expireDue(expired);
    expect(told(expired)).toEqual([{ kind: 'expired' }, range]);
  });

  test('what goes with a channel that stayed expired beyond the retention time', () => {
    const set = channelSet([lapsed({ expiresAt: NOW - DEFAULT_CHANNEL_POLICY.retentionMs })]);
    watch(set, 'open', {});
    expect(kinds(set)).toEqual(['retention', 'opened']);
    expect(told(set)).toEqual([
      { kind: 'missed', range: { kind: 'lapse', fromChange: 12, toChange: NEWEST } },
      { kind: 'missed', range: { kind: 'numbers', fromNumber: 0, toNumber: 3, why: 'retention' } },
    ]);
  });
});
