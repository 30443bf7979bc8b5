import Sqlite from 'better-sqlite3';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Change, Operation } from '../../src/domain/change.ts';
import type { LiveChannel } from '../../src/domain/channel.ts';
import type { FieldCondition } from '../../src/domain/condition.ts';
import type { ChannelId, Generation, JobId, NotificationId, OrgId, RecordId, UserId } from '../../src/domain/ids.ts';
import { matchOne } from '../../src/domain/matching.ts';
import { FIRST_EPOCH } from '../../src/domain/restart.ts';
import { type ChannelSettings, DEFAULT_CHANNEL_POLICY, decideWatch } from '../../src/domain/watch.ts';
import { addChange, type WorkingSet } from '../../src/domain/working-set.ts';
import { createJobs } from '../../src/services/jobs.ts';
import { createRematches } from '../../src/services/rematch.ts';
import { createWriter } from '../../src/services/writer.ts';
import { createAdministrationStore } from '../../src/storage/administration.ts';
import { createCatalogs } from '../../src/storage/catalogs.ts';
import { createCipher } from '../../src/storage/cipher.ts';
import type { Db, Row, Write } from '../../src/storage/db.ts';
import { readMigrations } from '../../src/storage/engines/migrations.ts';
import { eachTime, toCommand } from '../../src/storage/engines/sqlite-message.ts';
import { migrate } from '../../src/storage/engines/sqlite-migrations.ts';
import { createJobStore } from '../../src/storage/jobs.ts';
import { createLapseReads } from '../../src/storage/lapses.ts';
import { type KnownIndex, knownAfter, loadBatch, saveBatch } from '../../src/storage/org-transaction.ts';

const ORG = '3652397' as OrgId;
const USER = '3652397000000000001' as UserId;
const ID = '1' as ChannelId;
const START = Date.UTC(2026, 0, 5, 9);
const HOUR = 3_600_000;
const LIMIT = 12;
const ASKER = { org: ORG, user: USER, by: USER };

/** Which of the two nodes acts. */
type Side = 0 | 1;
type Watched = 'Contacts.update' | 'Contacts.insert' | 'Accounts.update' | 'both';

type Step =
  | {
      readonly kind: 'open' | 'merge';
      readonly watched: Watched;
      readonly related: boolean;
      readonly condition: boolean;
      readonly hours: number;
    }
  | {
      readonly kind: 'change';
      readonly operation: Operation;
      readonly field: 'City' | 'Phone';
      readonly account: boolean;
      readonly times: number;
    }
  | { readonly kind: 'wait'; readonly hours: number }
  | { readonly kind: 'settle' | 'ask' | 'rematch' | 'hand-over' | 'fail' };

const EVENTS = {
  'Contacts.update': [{ module: 'Contacts', operation: 'update' }],
  'Contacts.insert': [{ module: 'Contacts', operation: 'insert' }],
  'Accounts.update': [{ module: 'Accounts', operation: 'update' }],
  both: [
    { module: 'Contacts', operation: 'all' },
    { module: 'Accounts', operation: 'update' },
  ],
} as const satisfies Record<Watched, ChannelSettings['events']>;
const CONDITION: FieldCondition = { module: 'Contacts', rule: { kind: 'field', field: 'City' } };

const none = (_done: unknown): Row[] => [];

/** Two nodes that take turns on one store in memory, as both engines load and save. */
function world() {
  const sqlite = new Sqlite(':memory:');
  migrate(sqlite, readMigrations('sqlite'), 0);
  sqlite
    .prepare(`INSERT INTO org (id, name, time_zone, created_at, next_serial, last_change, channel_version, catalog_version, last_time)
       VALUES (?, 'Org', 'UTC', ?, 10000000, 0, 0, 0, ?)`)
    .run(ORG, START, START);
  const cipher = createCipher(new Uint8Array(32).fill(7), []);
  const catalogs = createCatalogs();
  let now = START;
  let ids = 0;
  let isFailing = false;
  const clock = { now: () => now, at: () => () => undefined };
  const run = (writes: readonly Write[]): Row[][] =>
    writes.map(toCommand).map(({ text, ...given }) => {
      const statement = sqlite.prepare(text);
      return eachTime(given).flatMap((values) =>
        statement.reader ? (statement.all(values) as Row[]) : none(statement.run(values)),
      );
    });
  const ask = async (writes: readonly Write[]) => run(writes);
  const db = { read: ask, load: ask, write: ask } as Pick<Db, 'read' | 'load' | 'write'> as Db;
  const administration = createAdministrationStore(db, cipher);
  const jobStore = createJobStore(db);
  const rows = <Found>(text: string) => sqlite.prepare<[], Found>(text).all();

  function node() {
    let known: KnownIndex | undefined;
    const writer = createWriter({
      store: {
        async inOrg(org, needs, decide) {
          try {
            // As the counts do between two batches.
            for (const [generation, key] of known?.index.uncounted ?? []) {
              const channel = known?.index.byKey.get(key);
              const [owed] = rows<{ owed: number }>(`SELECT COUNT(*) AS owed FROM owed`);
              if (channel && owed) known?.index.counted.set(generation, { upTo: channel.lastNumber, owed: owed.owed });
            }
            known?.index.uncounted.clear();
            const loaded = await loadBatch(ask, org, needs, cipher, known, catalogs, () => FIRST_EPOCH);
            const { writes, result } = decide(loaded);
            if (isFailing) throw new TypeError('the disk is full');
            sqlite.transaction(() => run(saveBatch(org, writes, cipher)))();
            known = knownAfter(loaded, writes);
            return result;
          } catch (error) {
            known = undefined;
            throw error;
          }
        },
        forget: () => undefined,
      },
      clock,
      randomId: () => `n${++ids}` as NotificationId,
      onCommitted: () => undefined,
      maxQueued: 100,
      maxBatchWeight: 100,
      maxBacklog: LIMIT,
    });
    const jobs = createJobs({
      writer,
      store: jobStore,
      channels: administration,
      clock,
      randomId: () => `job_${String(++ids).padStart(32, '0')}` as JobId,
      onChanged: () => undefined,
    });
    const rematches = createRematches({
      writer,
      reads: createLapseReads(db),
      channels: administration,
      jobs,
      jobStore,
      clock,
      pieceSize: 3,
    });
    const act = (decide: (set: WorkingSet) => void) =>
      writer.submit(ORG, { needs: { channels: [{ userId: USER, channelId: ID }] }, weight: 1, decide });
    return { act, rematches };
  }

  return {
    nodes: [node(), node()] as const,
    rows,
    jobStore,
    wait: (hours: number) => {
      now += hours * HOUR;
    },
    settle: () => {
      sqlite.exec(`UPDATE notification SET state = 'delivered', settled_at = ${now} WHERE state = 'pending'`);
      sqlite.exec('DELETE FROM owed');
    },
    failing: (is: boolean) => {
      isFailing = is;
    },
    close: () => sqlite.close(),
  };
}

type World = ReturnType<typeof world>;

function watch(
  set: WorkingSet,
  { kind, watched, related, condition, hours }: Extract<Step, { hours: number; watched: Watched }>,
) {
  const settings = {
    events: EVENTS[watched],
    notifyOnRelated: related,
    conditions: condition ? [CONDITION] : [],
    notifyUrl: 'https://r.example/',
    expiresAt: set.now + hours * HOUR,
  };
  decideWatch(
    set,
    { userId: USER, version: 'v8' },
    { kind, channelId: ID, settings },
    {
      ...DEFAULT_CHANNEL_POLICY,
      retentionMs: 1000 * HOUR,
    },
  );
}

/** What one change owes a channel, or what a row says of it. */
const owedAs = (change: number, module: string, operation: string, ids: readonly string[]): string =>
  `${change} ${module} ${operation} ${[...ids].sort().join()}`;

/** Keeps what the channel is owed of all changes since it was opened, had it always been there. */
function keepBook() {
  const owed: string[] = [];
  return {
    owed,
    note(set: WorkingSet, channel: LiveChannel | undefined): void {
      const change = set.writes.changes.at(-1);
      if (!channel || !change) return;
      for (const { module, operation, ids } of matchOne(change as Change, channel))
        owed.push(owedAs(change.number, module, operation, ids));
    },
  };
}

async function take(here: World, side: Side, step: Step, book: ReturnType<typeof keepBook>): Promise<void> {
  const { act, rematches } = here.nodes[side];
  switch (step.kind) {
    case 'open':
    case 'merge':
      return act((set) => watch(set, step));
    case 'change':
      return act((set) => {
        for (let i = 0; i < step.times; i += 1) {
          // As it is, or was when it lapsed: nobody can change one that is expired.
          const [channel] = set.channels.values();
          const related = step.account ? [{ module: 'Accounts', id: '9' as RecordId }] : [];
          addChange(set, 'Contacts', step.operation, USER, [
            { id: '1' as RecordId, fields: [step.field], values: {}, related },
            { id: '2' as RecordId, fields: ['Phone'], values: {}, related: [] },
          ]);
          book.note(set, channel);
        }
      });
    case 'wait':
      return here.wait(step.hours);
    case 'settle':
      return here.settle();
    case 'ask':
      if (generationIn(here) !== undefined) await rematches.ask(ASKER, generationIn(here)!, { all: true });
      return;
    case 'rematch':
      await rematchSome(here, side);
      return;
    case 'hand-over':
      // The other took it up before it knew how far this one had come.
      await rematchSome(here, side, [side, side === 0 ? 1 : 0]);
      return;
    case 'fail':
      here.failing(true);
      await rematchSome(here, side).catch(() => undefined);
      here.failing(false);
  }
}

const generationIn = (here: World): Generation | undefined =>
  here.rows<{ generation: Generation }>('SELECT generation FROM channel')[0]?.generation;

/** One piece of each job, newest first: they get into each other's way if they can. */
async function rematchSome(here: World, side: Side, turns: readonly Side[] = [side]): Promise<number> {
  const generation = generationIn(here);
  if (generation === undefined) return 0;
  const { jobs } = await here.jobStore.list(ORG, { generation, state: 'running' }, undefined, 100);
  for (const job of jobs) for (const turn of turns) await here.nodes[turn].rematches.step(job);
  return jobs.length;
}

/** Renews the channel, and lets every job come to its end. */
async function finish(here: World): Promise<void> {
  const last = { kind: 'merge', watched: 'both', related: true, condition: false, hours: 2 } as const;
  await here.nodes[0].act((set) => watch(set, { ...last, kind: 'open' }));
  for (let i = 0; i < 200; i += 1) {
    here.settle();
    // An overflow ends with a batch that sees what was counted.
    for (const { act } of here.nodes) await act(() => undefined);
    await here.nodes[1].rematches.ask(ASKER, generationIn(here)!, { all: true });
    const isOpen = here.rows('SELECT 1 FROM lapse WHERE to_change IS NULL').length > 0;
    if ((await rematchSome(here, i % 2 === 0 ? 0 : 1)) === 0 && !isOpen) return;
  }
  throw new Error('jobs do not end');
}

const changes = fc.record({
  kind: fc.constant('change' as const),
  operation: fc.constantFrom('update' as const, 'update', 'insert', 'delete'),
  field: fc.constantFrom('City' as const, 'Phone'),
  account: fc.boolean(),
  times: fc.integer({ min: 1, max: 8 }),
});
const subscription = fc.record({
  kind: fc.constantFrom('open' as const, 'open', 'merge'),
  watched: fc.constantFrom<Watched[]>('Contacts.update', 'Contacts.insert', 'Accounts.update', 'both'),
  related: fc.boolean(),
  condition: fc.boolean(),
  hours: fc.integer({ min: 1, max: 3 }),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: changes },
  { weight: 3, arbitrary: subscription },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 3 }) }) },
  {
    weight: 7,
    arbitrary: fc.record({ kind: fc.constantFrom('settle' as const, 'settle', 'ask', 'rematch', 'hand-over', 'fail') }),
  },
) as fc.Arbitrary<Step>;
const first: Step = { kind: 'open', watched: 'both', related: true, condition: false, hours: 2 };

test('after all is matched again a channel has had, once each, what it would have had without lapses and overflows', async () => {
  let lapses = 0;
  let overflows = 0;
  let rematched = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom<Side[]>(0, 1), step), { minLength: 10, maxLength: 50 }),
      async (turns) => {
        const here = world();
        const book = keepBook();
        try {
          await take(here, 0, first, book);
          for (const [side, taken] of turns) await take(here, side, taken, book);
          await finish(here);
          const had = here.rows<{
            number: number;
            change_number: number;
            module: string;
            operation: string;
            ids: string;
            job: string | null;
          }>('SELECT number, change_number, module, operation, ids, job FROM notification ORDER BY number');
          expect(had.map(({ number }) => number)).toEqual(had.map((_, i) => i + 1));
          expect(
            had.map((row) => owedAs(row.change_number, row.module, row.operation, JSON.parse(row.ids))).sort(),
          ).toEqual([...book.owed].sort());
          const kinds = here.rows<{ kind: string }>('SELECT kind FROM lapse').map(({ kind }) => kind);
          lapses += kinds.filter((kind) => kind === 'expired').length;
          overflows += kinds.filter((kind) => kind === 'overflow').length;
          rematched += had.filter(({ job }) => job !== null).length;
        } finally {
          here.close();
        }
      },
    ),
    { numRuns: 100 },
  );
  // It was about what it says.
  expect(Math.min(lapses, overflows, rematched)).toBeGreaterThan(5);
}, 60_000);
