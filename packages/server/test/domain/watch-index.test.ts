import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Operation } from '../../src/domain/change.ts';
import { channelKey, type LiveChannel } from '../../src/domain/channel.ts';
import { type ChannelIndex, createChannelIndex, watching } from '../../src/domain/channel-index.ts';
import type { EventSelector } from '../../src/domain/event-type.ts';
import type { UserId } from '../../src/domain/ids.ts';
import {
  type ChannelSettings,
  DEFAULT_CHANNEL_POLICY,
  decideWatch,
  type WatchRequest,
} from '../../src/domain/watch.ts';
import { expireDue } from '../../src/domain/working-channels.ts';
import { addChange, type WorkingSet } from '../../src/domain/working-set.ts';
import { channelId, channelSet, NOW } from '../support/channel-set.ts';

const selector = fc.record({
  module: fc.constantFrom('Leads', 'Deals'),
  operation: fc.constantFrom('insert', 'update', 'delete', 'all'),
}) satisfies fc.Arbitrary<EventSelector>;
const selectors = fc.array(selector, { minLength: 1, maxLength: 3 });
const id = fc.constantFrom('1', '2', '3').map(channelId);
const expiresAt = fc.integer({ min: 1, max: 20 }).map((seconds) => NOW + seconds * 1000);
const settings = fc.record({ events: selectors, expiresAt }, { requiredKeys: ['events'] });

const request: fc.Arbitrary<WatchRequest> = fc.oneof(
  fc.record({ channelId: id, given: settings }).map(
    ({ channelId, given }): WatchRequest => ({
      kind: 'open',
      channelId,
      settings: { ...given, notifyUrl: 'https://example.com' },
    }),
  ),
  fc
    .record({ channelId: id, given: settings, kind: fc.constantFrom('replace', 'merge') })
    .map(
      ({ channelId, given, kind }): WatchRequest => ({ kind, channelId, settings: given satisfies ChannelSettings }),
    ),
  fc.record({ channelId: id, events: selectors }).map((prune): WatchRequest => ({ kind: 'prune', ...prune })),
  id.map((channelId): WatchRequest => ({ kind: 'delete', channelId })),
);
const user = fc.constantFrom('u1', 'u2') as fc.Arbitrary<UserId>;
/** Batches of a few requests each, and how far the clock moves before each. */
const batches = fc.array(
  fc.record({ pause: fc.nat(5), steps: fc.array(fc.record({ user, request }), { maxLength: 6 }) }),
  { maxLength: 8 },
);

function watchersOf(index: ChannelIndex, event: string) {
  const [module = '', operation = 'insert'] = event.split('.') as [string?, Operation?];
  const key = ({ userId, channelId }: LiveChannel) => channelKey(userId, channelId);
  return new Map(Array.from(watching(index, module, operation), (channel) => [key(channel), channel] as const).sort());
}

const plain = (index: ChannelIndex) => ({
  byKey: new Map([...index.byKey].sort()),
  byEvent: new Map([...index.byEvent.keys()].sort().map((event) => [event, watchersOf(index, event)])),
  countByUser: index.countByUser,
});

/** What a store would load and rebuild the index from: the rows saved, with their counted numbers and lapses. */
function reload(before: WorkingSet, now: number): WorkingSet {
  return { ...channelSet([...before.channels.values()], now), index: before.index };
}

test('after any run of watch calls the index is the one rebuilt from the saved channels', () => {
  fc.assert(
    fc.property(batches, (run) => {
      let set = channelSet();
      let now = NOW;
      for (const { pause, steps } of run) {
        now += pause * 1000;
        set = reload(set, now);
        expireDue(set);
        for (const step of steps) {
          decideWatch(set, { userId: step.user, version: 'v8' }, step.request, DEFAULT_CHANNEL_POLICY);
        }
        const live = [...set.channels.values()].filter((channel) => channel.lapsedFrom === undefined);
        const rebuilt = createChannelIndex(
          live.map(
            ({ notifyUrl: _u, token: _t, openedAt: _o, modifiedAt: _m, noticeAt: _n, restarts: _r, ...channel }) =>
              channel,
          ),
        );
        expect(plain(set.index)).toEqual(plain(rebuilt));
        expect(live.every(({ expiresAt: end }) => end > now)).toBe(true);
        expect(set.index.nextExpiryAt).toBeLessThanOrEqual(rebuilt.nextExpiryAt);
        const versions = set.writes.revisions.map(({ version }) => version);
        expect(versions).toEqual(versions.map((_, i) => 8 + i));
      }
    }),
  );
});

test('numbers go on over any change of a channel within its generation', () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 20 }), (requests) => {
      const set = channelSet();
      for (const step of requests) {
        decideWatch(set, { userId: 'u1' as UserId, version: 'v8' }, step, DEFAULT_CHANNEL_POLICY);
        addChange(set, 'Leads', 'insert', 'u1' as UserId, []);
        addChange(set, 'Deals', 'update', 'u1' as UserId, [{ id: 'r' as never, fields: [], values: {}, related: [] }]);
      }
      const numbers = new Map<string, number[]>();
      for (const { generation, number } of set.writes.notifications) {
        numbers.set(generation, [...(numbers.get(generation) ?? []), number]);
      }
      for (const given of numbers.values()) expect(given).toEqual(given.map((_, i) => i + 1));
    }),
  );
});
