import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Generation, OrgId, RecordId, UserId } from '../../src/domain/ids.ts';
import { SHOWN_STATES, type ShownState } from '../../src/domain/shown-state.ts';
import { DEFAULT_COMPAT } from '../../src/domain/wire/compat.ts';
import { type AttemptQuery, createAttemptList } from '../../src/services/attempts.ts';
import { createNotifications, type NotificationQuery } from '../../src/services/notifications.ts';
import type { Store } from '../../src/storage/store.ts';
import { openStoreIn, removeData } from '../support/test-data.ts';
import { type Made, MODULES, makeWorld, NOW, ORG, recordId, START, USERS, type World } from './notification-world.ts';

const OUTCOMES = ['none', 'delivered', 'rejected', 'unreachable', 'forbidden'] as const;

/** Numbers that look random, and are the same each time. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Paging {
  readonly limit: number;
  readonly maxLooked: number;
  readonly fewChanges: number;
}
const SMALL: Paging = { limit: 7, maxLooked: 50, fewChanges: 0 };

type Query = Omit<NotificationQuery, 'limit' | 'place'>;

const fits = (query: Query, one: Made): boolean =>
  (query.generation === undefined || one.generation === query.generation) &&
  (query.user === undefined || one.user === query.user) &&
  (query.channelId === undefined || one.channelId === query.channelId) &&
  (query.module === undefined || one.module === query.module) &&
  (query.record === undefined || one.ids.includes(query.record)) &&
  (query.state === undefined || one.state === query.state) &&
  (query.outcome === undefined || (one.attempts.at(-1)?.kind ?? 'none') === query.outcome) &&
  (query.from === undefined || one.at >= query.from) &&
  (query.to === undefined || one.at < query.to);

describe.each([
  ['few channels', 5, 120, 1],
  ['more channels of a user than are walked side by side', 20, 40, 2],
])('of %s', (_title, count, changes, seed) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-found-'));
  let store: Store;
  let world: World;

  beforeAll(async () => {
    const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
    store = await openStoreIn(dataDir, { secretKey: new Uint8Array(32), logger });
    world = await makeWorld(dataDir, { channels: count, changes, random: randomFrom(seed) });
  });
  afterAll(async () => {
    await store.close();
    await removeData(dataDir);
  });

  const one = <Value>(...values: readonly Value[]) =>
    fc.option(fc.constantFrom(...values), { nil: undefined, freq: 2 });
  const time = fc.option(fc.integer({ min: START - 1000, max: START + changes * 700 }), { nil: undefined, freq: 2 });
  const asked = fc
    .record({
      generation: fc.option(fc.nat({ max: count - 1 }), { nil: undefined, freq: 2 }),
      channel: fc.option(fc.nat({ max: count - 1 }), { nil: undefined, freq: 4 }),
      user: one(...USERS),
      module: one(...MODULES),
      record: fc.option(fc.nat({ max: 11 }), { nil: undefined, freq: 2 }),
      state: one<ShownState>(...SHOWN_STATES),
      outcome: one(...OUTCOMES),
      from: time,
      to: time,
    })
    .map(({ generation, channel, record, user, ...rest }): Query => {
      const channelId =
        channel === undefined || generation !== undefined ? undefined : world.channels[channel]?.channelId;
      return {
        ...rest,
        // Of a channel that is named the user is its own: another has no such channel.
        user:
          generation !== undefined && user !== undefined
            ? (world.channels[generation]?.user as UserId)
            : channelId !== undefined &&
                !world.channels.some((known) => known.channelId === channelId && known.user === user)
              ? undefined
              : (user as UserId | undefined),
        generation: generation === undefined ? undefined : (world.channels[generation]?.generation as Generation),
        channelId: channelId as Query['channelId'],
        record: rest.module === undefined || record === undefined ? undefined : (recordId(record) as RecordId),
      };
    });
  const paging = fc.record({
    limit: fc.integer({ min: 1, max: 30 }),
    maxLooked: fc.integer({ min: 1, max: 200 }),
    fewChanges: fc.constantFrom(0, 0, 40),
  });
  const notifications = (maxLooked: number, fewChanges: number) =>
    createNotifications({
      store: store.look,
      channels: store.administration,
      clock: { now: () => NOW, at: () => () => undefined },
      base: () => '',
      compat: DEFAULT_COMPAT,
      userAgent: '',
      maxLooked,
      fewChanges,
    });
  const nameOf = ({ generation, number }: { readonly generation: string; readonly number: number }) =>
    `${generation} ${number}`;

  async function readAll(query: Query, { limit, maxLooked, fewChanges }: Paging, between?: () => Promise<void>) {
    const service = notifications(maxLooked, fewChanges);
    const found: { name: string; change: number; state: string }[] = [];
    let place: NotificationQuery['place'];
    for (let pages = 0; pages === 0 || place; pages += 1) {
      // It comes to an end, too.
      expect(pages, JSON.stringify(place)).toBeLessThan(3000);
      const page = await service.list(ORG as OrgId, { ...query, limit, place });
      expect(page.items.length).toBeLessThanOrEqual(limit);
      found.push(
        ...page.items.map(({ listed, shown }) => ({ name: nameOf(listed), change: listed.change, state: shown.state })),
      );
      // As a caller hands it back.
      place = page.next && JSON.parse(JSON.stringify(page.next));
      await between?.();
    }
    return found;
  }

  test('every filter finds what it asks for, page by page: all of it, each once', async () => {
    await fc.assert(
      fc.asyncProperty(asked, paging, async (query, pages) => {
        const expected = world.notifications.filter((made) => fits(query, made));
        const found = await readAll(query, pages);
        expect(found.map(({ name }) => name).sort()).toEqual(expected.map(nameOf).sort());
        const states = new Map(expected.map((made) => [nameOf(made), made.state]));
        for (const { name, state } of found) expect(state).toBe(states.get(name));
      }),
      { numRuns: 120 },
    );
  });

  test('in the order of changes, newest first, and of a channel in the order of numbers', async () => {
    const found = await readAll({}, SMALL);
    expect(found.map(({ change }) => change)).toEqual(found.map(({ change }) => change).sort((a, b) => b - a));
    const generation = world.channels[0]?.generation as Generation;
    const numbers = (await readAll({ generation }, SMALL)).map(({ name }) => Number(name.split(' ')[1]));
    expect(numbers).toEqual([...numbers].sort((a, b) => b - a));
  });

  test('attempts are found by what came of them and when, page by page', async () => {
    const query = fc.record({
      generation: fc.option(fc.nat({ max: count - 1 }), { nil: undefined, freq: 2 }),
      user: one(...USERS),
      outcome: one(...(['delivered', 'rejected', 'unreachable', 'forbidden'] as const)),
      status: one(200, 503, 404),
      from: time,
      to: time,
    });
    await fc.assert(
      fc.asyncProperty(query, paging, async ({ generation: at, user: whose, ...rest }, { limit, maxLooked }) => {
        const channel = at === undefined ? undefined : world.channels[at];
        const user = channel && whose ? channel.user : whose;
        fc.pre(channel !== undefined || rest.outcome !== 'delivered');
        const expected = world.notifications.flatMap((made) =>
          made.attempts.flatMap((attempt, i) => {
            const isFit =
              (channel ? made.generation === channel.generation : attempt.kind !== 'delivered') &&
              (user === undefined || made.user === user) &&
              (rest.outcome === undefined || attempt.kind === rest.outcome) &&
              (rest.status === undefined ||
                ((attempt.kind === 'delivered' || attempt.kind === 'rejected') && attempt.status === rest.status)) &&
              (rest.from === undefined || attempt.at >= rest.from) &&
              (rest.to === undefined || attempt.at < rest.to);
            return isFit ? [`${nameOf(made)} ${i + 1}`] : [];
          }),
        );
        const service = createAttemptList({ store: store.look, maxLooked });
        const found: string[] = [];
        let place: AttemptQuery['place'];
        do {
          const whom = { user: user as UserId | undefined, generation: channel?.generation as Generation | undefined };
          const page = await service.list(ORG as OrgId, { ...rest, ...whom, limit, place });
          found.push(...page.items.map(({ attempt }) => `${nameOf(attempt)} ${attempt.attempt}`));
          place = page.next && JSON.parse(JSON.stringify(page.next));
        } while (place);
        expect(found.sort()).toEqual(expected.sort());
      }),
      { numRuns: 60 },
    );
  });

  // Last: what there is grows.
  test('while more is committed, all that was there is found, and nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(asked, paging, async (query, pages) => {
        const before = world.notifications.filter((made) => fits(query, made)).map(nameOf);
        let turns = 0;
        const found = (
          await readAll(query, pages, async () => {
            turns += 1;
            if (turns <= 3) await world.grow(1);
          })
        ).map(({ name }) => name);
        expect(new Set(found).size).toBe(found.length);
        expect(before.filter((name) => !found.includes(name))).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });
});
