import { describe, expect, it } from 'vitest';
import type { Generation, JobId, OrgId } from '../../../src/domain/ids.ts';
import type { Job, JobRequest, JobState } from '../../../src/domain/job.ts';
import { takeNumber } from '../../../src/domain/working-set.ts';
import { createPace } from '../../../src/services/pace.ts';
import { createRetention } from '../../../src/services/retention.ts';
import type { Store } from '../../../src/storage/store.ts';
import {
  aboutChannel,
  addOrgs,
  type Batches,
  closeChannel,
  createRecords,
  HOUR,
  type Open,
  ORG,
  openBatches,
  openChannel,
} from './sample.ts';

const DAY = 24 * HOUR;
const REMATCH: JobRequest = { kind: 'rematch', lapse: 'expired', fromChange: 1, toChange: 9 };

interface World {
  readonly store: Store;
  readonly batches: Batches;
  readonly generation: Generation;
}

/** With so many changes, an hour between them, each of one record that the channel is owed. */
async function begin(open: Open, changes: number): Promise<World> {
  const { store } = await open();
  await addOrgs(store, ORG);
  const batches = openBatches(store);
  const { generation } = await batches.run(ORG, {}, (set) => openChannel(set, '1', { expiresAt: set.now + 90 * DAY }));
  for (let i = 0; i < changes; i += 1) await write(batches);
  return { store, batches, generation };
}

async function write(batches: Batches): Promise<void> {
  batches.now += HOUR;
  await batches.run(ORG, {}, (set) => createRecords(set));
}

/** Numbers a change that was committed before once more. */
async function matchAgain({ batches }: World, changeNumber: number): Promise<void> {
  const change = batches.commits.flatMap(({ changes }) => changes).find(({ number }) => number === changeNumber);
  if (!change) throw new Error(`There is no change ${changeNumber}`);
  const ids = change.records.map(({ id }) => id);
  const what = { module: change.module, operation: change.operation, ids, version: 'v8', withValues: false } as const;
  await batches.run(ORG, aboutChannel('1'), (set) => {
    const [live] = set.index.byKey.values();
    if (!live) throw new Error('There is no channel');
    takeNumber(set, live, { ...what, change, job: 'job' as JobId });
  });
}

const settle = ({ store, batches, generation }: World, ...numbers: readonly number[]) =>
  store.delivery.settle(
    numbers.map((number) => ({
      org: ORG,
      generation,
      number,
      attempt: { attempt: 1, at: batches.now, durationMs: 0, outcome: { kind: 'delivered', status: 200 } },
      state: 'delivered',
    })),
  );

/** What retention of a day leaves: numbers, and changes. */
async function afterRetention({ store, batches, generation }: World, now: number) {
  const writer = {
    submit: <Result>(org: OrgId, { needs, decide }: { needs: object; decide: (set: never) => Result }) =>
      batches.run(org, needs, decide as never) as Promise<Result>,
    drain: async () => undefined,
  };
  const pace = createPace({ leastRows: 2, mostRows: 2, aimMs: 1_000_000 });
  const retain = createRetention({ store: store.housekeeping, writer: writer as never, retentionMs: DAY, pace });
  const tallied = new Map<string, number>();
  await retain(ORG, now, { add: (table, rows) => void tallied.set(table, (tallied.get(table) ?? 0) + rows) });
  const kept = await store.housekeeping.notifications(ORG, generation, 0, Number.MAX_SAFE_INTEGER, 100);
  const oldest = await store.housekeeping.oldestChange(ORG);
  return { numbers: kept.map(({ number }) => number), oldest: oldest?.number, removed: Object.fromEntries(tallied) };
}

const job = (state: JobState, position: number, at: number, id = 'j1', request: JobRequest = REMATCH): Job => ({
  org: ORG,
  id: id as JobId,
  generation: 'g' as Generation,
  request,
  state,
  progress: { position, done: 0, failed: 0, passed: 0 },
  createdBy: 'operator',
  createdAt: at,
  updatedAt: at,
});

const addJobs = ({ batches }: World, ...jobs: readonly Job[]) =>
  batches.run(ORG, {}, (set) => void set.writes.newJobs.push(...jobs));

export function rematchedRetentionSuite(open: Open): void {
  describe('retention, where changes were matched again', () => {
    it('keeps a change as long as a notification of it, though newer changes have lower numbers', async () => {
      const world = await begin(open, 6);
      await settle(world, 1, 2, 3, 4, 5, 6);
      await matchAgain(world, 3);
      const later = world.batches.now + 10 * DAY;
      expect(await afterRetention(world, later)).toMatchObject({ numbers: [7], oldest: 3 });
      expect(
        (await world.store.delivery.window(ORG, world.generation, 1, 9, 1e6)).map((owed) => owed.change.number),
      ).toEqual([3]);
      await settle(world, 7);
      expect(await afterRetention(world, later)).toMatchObject({ numbers: [], oldest: undefined });
    });

    it('removes what was finished of it, behind numbers of newer changes, and keeps what was not', async () => {
      const world = await begin(open, 3);
      await settle(world, 1, 2, 3);
      await matchAgain(world, 1);
      await matchAgain(world, 2);
      await settle(world, 4);
      await write(world.batches);
      await settle(world, 6);
      const later = world.batches.now + DAY;
      expect(await afterRetention(world, later)).toMatchObject({ numbers: [5], oldest: 2 });
    });

    it('keeps the change of one that stands behind numbers that are too new to be looked at', async () => {
      const world = await begin(open, 3);
      await settle(world, 1, 2, 3);
      world.batches.now += 2 * DAY;
      await write(world.batches);
      await settle(world, 4);
      await matchAgain(world, 2);
      expect(await afterRetention(world, world.batches.now + HOUR)).toMatchObject({ numbers: [4, 5], oldest: 2 });
    });

    it('keeps what a re-match that goes on has before it, and lets it go when that has ended', async () => {
      const world = await begin(open, 5);
      await settle(world, 1, 2, 3, 4, 5);
      await matchAgain(world, 5);
      await addJobs(world, job('running', 2, world.batches.now));
      const later = world.batches.now + 10 * DAY;
      expect(await afterRetention(world, later)).toMatchObject({ numbers: [6], oldest: 3 });
      await settle(world, 6);
      await world.batches.run(ORG, {}, (set) => {
        const { id, progress } = job('done', 9, 0);
        set.writes.jobs.push({ id, state: 'done', progress });
      });
      expect(await afterRetention(world, later)).toMatchObject({ oldest: undefined });
    });

    it.each<[string, (world: World) => Promise<void>, number]>([
      ['began', (world) => addJobs(world, job('running', 1, world.batches.now)), 0],
      ['has come further', (world) => addJobs(world, job('running', 4, world.batches.now)), 4],
      ['was stopped a moment ago', (world) => addJobs(world, job('paused', 1, world.batches.now)), 0],
      ['was stopped long ago', (world) => addJobs(world, job('paused', 1, world.batches.now - 2 * HOUR)), 4],
      ['has numbered some', (world) => matchAgain(world, 4), 0],
      ['has numbered later ones', (world) => matchAgain(world, 5), 4],
    ])('removes no change that a re-match may need which %s since it was looked', async (_, happen, removed) => {
      const world = await begin(open, 5);
      await settle(world, 1, 2, 3, 4, 5);
      await happen(world);
      expect(await world.store.housekeeping.removeChanges(ORG, 5, 100)).toBe(removed);
      expect(await world.store.housekeeping.oldestChange(ORG)).toMatchObject({ number: removed + 1 });
    });

    it('removes jobs that ended, or rest for a channel that is gone, when they are old, in pieces, and no others', async () => {
      const world = await begin(open, 0);
      const { now } = world.batches;
      const states: readonly JobState[] = ['done', 'running', 'failed', 'paused', 'cancelled', 'done', 'done'];
      const replay: JobRequest = { kind: 'redeliver', number: 1 };
      const { generation } = world;
      await addJobs(
        world,
        ...states.map((state, i) => ({ ...job(state, 0, i === 6 ? now + DAY : now, `j${i}`, replay), generation })),
        job('paused', 0, now, 'j7', replay),
      );
      const { removed } = await afterRetention(world, now + DAY);
      expect(removed.job).toBe(5);
      expect((await afterRetention(world, now + 2 * DAY)).removed.job).toBe(1);
    });

    it('removes how far readers have come with the channel, when that goes', async () => {
      const world = await begin(open, 1);
      const { store, batches, generation } = world;
      await store.feed.saveCursor(ORG, generation, { name: 'reader', number: 1, at: batches.now }, 10);
      await settle(world, 1);
      await batches.run(ORG, aboutChannel('1'), (set) => closeChannel(set, '1'));
      await batches.run(ORG, {}, (set) => openChannel(set, '2', { expiresAt: set.now + 90 * DAY }));
      expect(await store.feed.cursors(ORG, generation)).toHaveLength(1);
      const later = batches.now + 2 * DAY;
      await afterRetention(world, later);
      await afterRetention(world, later);
      expect(await store.feed.cursors(ORG, generation)).toEqual([]);
    });
  });
}
