import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { channelKey } from '../../src/domain/channel.ts';
import { type ChannelIndex, watching } from '../../src/domain/channel-index.ts';
import type { ChannelId, NotificationId, OrgId, RecordId, UserId } from '../../src/domain/ids.ts';
import type { StoreEpoch } from '../../src/domain/restart.ts';
import { resumeChannel, suspendChannel } from '../../src/domain/suspension.ts';
import { DEFAULT_CHANNEL_POLICY, decideWatch, type WatchRequest } from '../../src/domain/watch.ts';
import { endChannel, loadedChannel } from '../../src/domain/working-channels.ts';
import { addChange, type WorkingSet } from '../../src/domain/working-set.ts';
import { createWriter } from '../../src/services/writer.ts';
import { createCatalogs } from '../../src/storage/catalogs.ts';
import { createCipher } from '../../src/storage/cipher.ts';
import type { Write } from '../../src/storage/db.ts';
import { readMigrations } from '../../src/storage/engines/migrations.ts';
import { eachTime, toCommand } from '../../src/storage/engines/sqlite-message.ts';
import { migrate } from '../../src/storage/engines/sqlite-migrations.ts';
import { type KnownIndex, knownAfter, loadBatch, saveBatch } from '../../src/storage/org-transaction.ts';
import type { OrgTransactions } from '../../src/storage/store.ts';

const ORG = '3652397' as OrgId;
const USERS = ['3652397000000000001' as UserId, '3652397000000000002' as UserId] as const;
const START = Date.UTC(2026, 0, 5, 9);
const HOUR = 3_600_000;
/** Of the two, which one acts. */
type Side = 0 | 1;

interface Place {
  readonly user: 0 | 1;
  readonly id: number;
}

type Step =
  | { readonly kind: 'open' | 'replace' | 'merge'; readonly at: Place; readonly hours: number; readonly module: string }
  | { readonly kind: 'prune' | 'delete' | 'suspend' | 'resume' | 'skip' | 'end'; readonly at: Place }
  | { readonly kind: 'change'; readonly times: number }
  | { readonly kind: 'batch'; readonly at: Place }
  | { readonly kind: 'count'; readonly owed: number }
  | { readonly kind: 'wait'; readonly hours: number }
  | { readonly kind: 'look' | 'forget' | 'fail' | 'restore' | 'prune-log' };

/** Two nodes on one store, in memory: as both engines load and save, taking turns. */
function world() {
  const sqlite = new Sqlite(':memory:');
  migrate(sqlite, readMigrations('sqlite'), 0);
  sqlite
    .prepare(`INSERT INTO org (id, name, time_zone, created_at, next_serial, last_change, channel_version, catalog_version, last_time)
       VALUES (?, 'Org', 'UTC', ?, 10000000, 0, 0, 0, ?)`)
    .run(ORG, START, START);
  const cipher = createCipher(new Uint8Array(32).fill(7), []);
  const catalogs = createCatalogs();
  let epoch: StoreEpoch = { number: 0, label: '' };
  let now = START;
  let ids = 0;
  const clock = { now: () => now, at: () => () => undefined };

  const run = (writes: readonly Write[]) =>
    writes.map(toCommand).map(({ text, ...given }) => {
      const statement = sqlite.prepare(text);
      return eachTime(given).flatMap((values) =>
        statement.reader ? statement.all(values) : statement.run(values) && [],
      ) as never[];
    });
  const load = (known: KnownIndex | undefined) =>
    loadBatch(
      async (statements) => run(statements),
      ORG,
      {},
      cipher,
      known,
      catalogs,
      () => epoch,
    );

  function node() {
    let known: KnownIndex | undefined;
    let statements = 0;
    const store: OrgTransactions = {
      async inOrg(org, needs, decide) {
        try {
          const query = async (asked: readonly Write[]) => {
            statements += 1;
            return run(asked);
          };
          const loaded = await loadBatch(query, org, needs, cipher, known, catalogs, () => epoch);
          expectWhole(loaded.index);
          expect(told(loaded.index)).toEqual(told((await load(undefined)).index));
          const { writes, result } = decide(loaded);
          run(saveBatch(org, writes, cipher));
          known = knownAfter(loaded, writes);
          return result;
        } catch (error) {
          known = undefined;
          throw error;
        }
      },
      forget() {
        known = undefined;
      },
    };
    const writer = createWriter({
      store,
      clock,
      randomId: () => `n${++ids}` as NotificationId,
      onCommitted: () => undefined,
      maxQueued: 100,
      maxBatchWeight: 100,
      maxBacklog: 20,
    });
    const act = (at: Place | undefined, decide: (set: WorkingSet) => unknown) =>
      writer.submit(ORG, {
        needs: at ? { channels: [{ userId: USERS[at.user]!, channelId: String(at.id) as ChannelId }] } : {},
        weight: 1,
        decide: (set) => void decide(set),
      });
    return {
      act,
      forget: () => store.forget(ORG),
      index: () => known?.index,
      messages: () => statements,
    };
  }

  return {
    nodes: [node(), node()] as const,
    rebuilt: async () => (await load(undefined)).index,
    wait: (hours: number) => {
      now += hours * HOUR;
    },
    restore: () => {
      epoch = { number: epoch.number + 1, label: `e${epoch.number + 1}` };
    },
    pruneLog: () => {
      sqlite.exec('DELETE FROM record_change');
      sqlite.exec('DELETE FROM channel_revision WHERE version < (SELECT channel_version FROM org)');
    },
    close: () => sqlite.close(),
  };
}

const write = (set: WorkingSet) =>
  addChange(set, 'Contacts', 'update', USERS[0]!, [
    { id: '1' as RecordId, fields: ['City'], values: {}, related: [] },
    { id: '2' as RecordId, fields: ['City'], values: {}, related: [{ module: 'Accounts', id: '3' as RecordId }] },
  ]);

/** Of a channel that is named beside it. */
type Unnamed<Request> = Request extends unknown ? Omit<Request, 'channelId'> : never;

function watch(set: WorkingSet, at: Place, request: Unnamed<WatchRequest>): void {
  const caller = { userId: USERS[at.user]!, version: 'v8' } as const;
  decideWatch(set, caller, { channelId: String(at.id), ...request } as WatchRequest, {
    ...DEFAULT_CHANNEL_POLICY,
    retentionMs: 4 * HOUR,
  });
}

/** One step of one node, as services have it decided. */
async function take(here: ReturnType<typeof world>, side: Side, step: Step): Promise<void> {
  const node = here.nodes[side];
  switch (step.kind) {
    case 'open':
    case 'replace':
    case 'merge':
      return node.act(step.at, (set) => {
        const settings = {
          notifyUrl: `https://r.example/${step.hours}`,
          events: [{ module: step.module, operation: 'all' } as const],
          notifyOnRelated: step.hours % 2 === 0,
          expiresAt: set.now + step.hours * HOUR,
        };
        watch(set, step.at, { kind: step.kind, settings });
      });
    case 'prune':
      return node.act(step.at, (set) =>
        watch(set, step.at, { kind: 'prune', events: [{ module: 'Contacts', operation: 'insert' }] }),
      );
    case 'delete':
      return node.act(step.at, (set) => watch(set, step.at, { kind: 'delete' }));
    case 'suspend':
    case 'resume':
    case 'skip':
    case 'end':
      return node.act(step.at, (set) => {
        const channel = loadedChannel(set, USERS[step.at.user]!, String(step.at.id) as ChannelId);
        if (!channel) return;
        if (step.kind === 'suspend') suspendChannel(set, channel, 'operator');
        else if (step.kind === 'end') endChannel(set, channel, 'user-removed');
        else resumeChannel(set, channel, step.kind === 'skip' ? 'skip' : 'backlog');
      });
    case 'change':
      return node.act(undefined, (set) => {
        for (let i = 0; i < step.times; i += 1) write(set);
      });
    case 'batch':
      // Numbers, a change of the channel, and numbers again: all in one.
      await Promise.all([
        node.act(undefined, write),
        node.act(step.at, (set) => watch(set, step.at, { kind: 'merge', settings: { token: 'other' } })),
        node.act(undefined, write),
      ]);
      return;
    case 'count': {
      // As the counts do, of what may owe much.
      const index = node.index();
      for (const { generation, lastNumber } of index?.byKey.values() ?? []) {
        index?.counted.set(generation, { upTo: lastNumber, owed: step.owed });
      }
      return;
    }
    case 'wait':
      return here.wait(step.hours);
    case 'look':
      return node.act(undefined, () => undefined);
    case 'forget':
      return node.forget();
    case 'fail':
      await node
        .act(undefined, (set) => {
          write(set);
          throw new TypeError('a bug');
        })
        .catch(() => undefined);
      return;
    case 'restore':
      return here.restore();
    case 'prune-log':
      return here.pruneLog();
  }
}

/** All that an index says, in an order of its own. */
function told(index: ChannelIndex) {
  const byKey = [...index.byKey].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    byKey,
    byEvent: [...index.byEvent]
      .map(([event, groups]) => {
        const channels = [...groups].flatMap((group) => [...group.channels]);
        return [event, channels.map(({ userId, channelId }) => channelKey(userId, channelId)).sort()] as const;
      })
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    countByUser: [...index.countByUser].sort(([a], [b]) => (a < b ? -1 : 1)),
    overflowing: [...index.overflowing].sort(),
  };
}

function expectWhole(index: ChannelIndex): void {
  const channels = [...index.byKey.values()];
  for (const channel of channels) {
    expect(index.nextExpiryAt).toBeLessThanOrEqual(channel.expiresAt);
    // Numbers are counted up in place: it must be one and the same wherever it is found.
    for (const { module, operation } of channel.events) {
      expect([...watching(index, module, operation)]).toContain(channel);
    }
    if (index.byGeneration) expect(index.byGeneration.get(channel.generation)).toBe(channel);
  }
  if (index.byGeneration) expect(index.byGeneration.size).toBe(channels.length);
  const generations = new Set(channels.map(({ generation }) => generation));
  for (const generation of [...index.counted.keys(), ...index.uncounted.keys()]) {
    expect(generations.has(generation)).toBe(true);
  }
}

const place = fc.record({ user: fc.constantFrom(0 as const, 1 as const), id: fc.integer({ min: 1, max: 3 }) });
const hours = fc.integer({ min: 1, max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('change' as const), times: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('open' as const, 'open' as const, 'replace' as const, 'merge' as const),
      at: place,
      hours,
      module: fc.constantFrom('Contacts', 'Contacts', 'Accounts'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('prune' as const, 'delete' as const, 'suspend' as const, 'resume' as const, 'skip', 'end'),
      at: place,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('batch' as const), at: place }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('count' as const), owed: fc.constantFrom(0, 30) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), hours }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('look' as const, 'look' as const, 'forget' as const, 'fail', 'restore', 'prune-log'),
    }),
  },
) as fc.Arbitrary<Step>;
const turn = fc.tuple(fc.constantFrom(0 as const, 1 as const), step);

test('an index that was caught up with what another node did is the one that would be built anew', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 4, maxLength: 40 }), async (turns) => {
      const here = world();
      try {
        for (const [side, taken] of turns) {
          await take(here, side, taken);
          const index = here.nodes[side].index();
          // Of a batch of its own; what the other one did it does not know yet.
          if (index && ['open', 'change', 'batch'].includes(taken.kind)) {
            expect(told(index)).toEqual(told(await here.rebuilt()));
          }
        }
        for (const node of here.nodes) {
          await node.act(undefined, () => undefined);
          const index = node.index();
          if (!index) throw new Error('A batch leaves an index');
          expect(told(index)).toEqual(told(await here.rebuilt()));
          expectWhole(index);
        }
      } finally {
        here.close();
      }
    }),
    { numRuns: 150 },
  );
});

test('what another node did is learnt with the message that a batch loads by', async () => {
  const here = world();
  const [one, other] = here.nodes;
  const at = { user: 0, id: 1 } as const;
  await take(here, 0, { kind: 'open', at, hours: 2, module: 'Contacts' });
  await take(here, 1, { kind: 'look' });
  await take(here, 0, { kind: 'change', times: 3 });
  await take(here, 0, { kind: 'suspend', at });
  const before = other.messages();
  await take(here, 1, { kind: 'change', times: 1 });
  expect(other.messages() - before).toBe(1);
  expect([...other.index()!.byKey.values()].map(({ lastNumber }) => lastNumber)).toEqual([4]);
  expect(one.index()).not.toBe(other.index());
  here.close();
});

test('what was counted of a channel is forgotten when another node may have cancelled it', async () => {
  const here = world();
  const [one] = here.nodes;
  const at = { user: 0, id: 1 } as const;
  await take(here, 0, { kind: 'open', at, hours: 2, module: 'Contacts' });
  await take(here, 0, { kind: 'change', times: 3 });
  await take(here, 0, { kind: 'count', owed: 3 });
  await take(here, 1, { kind: 'change', times: 1 });
  await take(here, 0, { kind: 'look' });
  expect([...one.index()!.counted.values()]).toEqual([{ upTo: 3, owed: 3 }]);
  await take(here, 1, { kind: 'suspend', at });
  await take(here, 1, { kind: 'skip', at });
  await take(here, 0, { kind: 'look' });
  expect([...one.index()!.counted.values()]).toEqual([]);
  here.close();
});

test('an index that is too far behind, or has missed what is removed by now, is built anew', async () => {
  const here = world();
  const [, other] = here.nodes;
  const at = { user: 0, id: 1 } as const;
  await take(here, 0, { kind: 'open', at, hours: 2, module: 'Contacts' });
  for (const lag of [
    async () => {
      for (let i = 0; i < 11; i += 1) await take(here, 0, { kind: 'change', times: 100 });
    },
    async () => {
      await take(here, 0, { kind: 'change', times: 1 });
      await take(here, 0, { kind: 'merge', at, hours: 2, module: 'Accounts' });
      here.pruneLog();
    },
    async () => {
      for (let i = 0; i < 1001; i += 1) await take(here, 0, { kind: 'merge', at, hours: 2, module: 'Accounts' });
    },
    async () => here.restore(),
  ]) {
    await take(here, 1, { kind: 'look' });
    const known = other.index();
    await lag();
    await take(here, 1, { kind: 'look' });
    expect(other.index()).not.toBe(known);
    expect(told(other.index()!)).toEqual(told(await here.rebuilt()));
  }
  here.close();
});
