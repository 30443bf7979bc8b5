import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAttemptsGiven } from '../../src/delivery/attempts-given.ts';
import { createJobs, type Jobs, type JobWork } from '../../src/delivery/jobs.ts';
import { ownsAll } from '../../src/delivery/ownership.ts';
import type { ResendingContext } from '../../src/delivery/resending-context.ts';
import { DEFAULT_POLICY } from '../../src/domain/delivery-policy.ts';
import { AppError } from '../../src/domain/error.ts';
import type { Generation, JobId, OrgId } from '../../src/domain/ids.ts';
import type { Job, JobKind } from '../../src/domain/job.ts';
import type { Store } from '../../src/storage/store.ts';
import { changeIn, openStoreIn, removeData } from '../support/test-data.ts';

const errors: string[] = [];
const logger = { debug() {}, info() {}, warn() {}, error: (_fields: object, message: string) => errors.push(message) };

let dataDir: string;
let store: Store;
let runner: Jobs | undefined;

beforeEach(async () => {
  errors.length = 0;
  dataDir = mkdtempSync(join(tmpdir(), 'watchbell-jobs-'));
  store = await openStoreIn(dataDir, { secretKey: new Uint8Array(32), logger });
});

afterEach(async () => {
  vi.useRealTimers();
  await runner?.stop();
  await store.close();
  await removeData(dataDir);
});

/** Jobs that send nothing, so that what they do is the test's: `org/channel/job`. */
async function add(...names: string[]): Promise<void> {
  await addOf('rematch', ...names);
}

async function addOf(kind: JobKind, ...names: string[]): Promise<void> {
  const request = JSON.stringify({ kind: 'rematch', lapse: 'expired', fromChange: 1, toChange: 9 });
  const progress = JSON.stringify({ position: 0, done: 0, failed: 0, passed: 0 });
  for (const name of names) {
    const [org, generation, id] = name.split('/');
    await changeIn(
      dataDir,
      `INSERT INTO job VALUES ('${org}', '${id}', '${kind}', '${generation}', 'running', '${request}', '${progress}', NULL,
        'operator', 0, 0)`,
    );
  }
}

/** Works off jobs by `work`, which says what a job is after each bit of it. */
async function start(work: (job: Job, stop: AbortSignal) => Promise<'more' | 'done' | 'rests'>, policy = {}) {
  const rematch: JobWork = async (job, stop) => {
    const next = await work(job, stop);
    if (next === 'rests') return 'rests';
    const step = {
      id: job.id,
      state: next === 'more' ? ('running' as const) : ('done' as const),
      progress: { ...job.progress, position: job.progress.position + 1 },
    };
    await store.jobs.settle({ org: job.org, generation: job.generation, resent: [], step, at: 1 });
    return step;
  };
  runner = createJobs({
    store: store.jobs,
    ownership: ownsAll(),
    policy: { ...DEFAULT_POLICY.jobs, ...policy },
    isShared: false,
    isSuspended: (org) => org === ('8000000' as OrgId),
    resending: {} as ResendingContext,
    steps: { rematch },
    onEnded: () => {},
    onQuiet: () => {},
    logger,
  });
  await runner.start();
  return runner;
}

const idle = (): Promise<void> => vi.waitFor(() => expect(runner?.isBusy()).toBe(false), { timeout: 10_000 });

test('of a channel one job is worked on at a time, the oldest first; other channels do not wait for it', async () => {
  await add('1000000/a/job_2', '1000000/a/job_1', '1000000/b/job_3', '2000000/c/job_4');
  const under = new Set<string>();
  const done: string[] = [];
  let most = 0;
  await start(async ({ id, generation }) => {
    expect([...under]).not.toContain(generation);
    under.add(generation);
    most = Math.max(most, under.size);
    await new Promise((resolve) => setImmediate(resolve));
    under.delete(generation);
    done.push(id);
    return 'done';
  });
  await vi.waitFor(() => expect(done).toHaveLength(4));
  expect(done.indexOf('job_1')).toBeLessThan(done.indexOf('job_2'));
  expect(most).toBeGreaterThan(1);
  await idle();
  expect(runner?.running()).toBe(0);
});

test('an organisation that has all the places for long makes room for another, and goes on later', async () => {
  await add('1000000/a/job_1', '1000000/b/job_2');
  const bits: string[] = [];
  const jobs = await start(
    async ({ id }, stop) => {
      bits.push(id);
      if (id === 'job_3') return 'done';
      if (bits.includes('job_3')) return 'done';
      await new Promise((resolve) => setImmediate(resolve));
      return stop.aborted || !bits.includes('job_3') ? 'more' : 'done';
    },
    { running: 2, turn: 30 },
  );
  await vi.waitFor(() => expect(new Set(bits)).toEqual(new Set(['job_1', 'job_2'])));
  await add('2000000/c/job_3');
  jobs.look();
  await vi.waitFor(() => expect(bits).toContain('job_3'), 10_000);
  await idle();
  expect(jobs.running()).toBe(0);
  for (const id of ['job_1', 'job_2']) {
    expect(await store.jobs.find('1000000' as OrgId, id as JobId)).toMatchObject({ state: 'done' });
  }
});

test.each<[JobKind, string]>([
  ['rematch', '1000000'],
  ['redeliver', '1000000'],
  ['redeliver', '2000000'],
])('no %s waits for long behind those of channels that come to nothing, also not one of %s', async (kind, org) => {
  await addOf(kind, '1000000/a/job_1', '1000000/b/job_2');
  const begun = new Set<string>();
  const jobs = await start(
    async ({ id }) => {
      begun.add(id);
      if (id === 'job_3') return 'done';
      // A receiver that is not reached, say.
      await new Promise((resolve) => setImmediate(resolve));
      return 'more';
    },
    { running: 2, redelivering: 2, turn: 30 },
  );
  await vi.waitFor(() => expect(begun).toEqual(new Set(['job_1', 'job_2'])));
  await addOf(kind, `${org}/c/job_3`);
  jobs.look();
  await vi.waitFor(() => expect(begun).toContain('job_3'), 5000);
  await vi.waitFor(async () =>
    expect(await store.jobs.find(org as OrgId, 'job_3' as JobId)).toMatchObject({ state: 'done' }),
  );
});

test('jobs that can do nothing cost nothing while nothing changes', async () => {
  await add(...Array.from({ length: 200 }, (_, i) => `1000000/channel${i}/job_${i}`));
  let asked = 0;
  const reads = vi.spyOn(store.jobs, 'running');
  await start(async () => {
    asked += 1;
    return 'rests';
  });
  await vi.waitFor(() => expect(asked).toBeGreaterThanOrEqual(200));
  await idle();
  expect(reads.mock.calls.length).toBeLessThan(5);
});

test('what cannot go on is asked again when a commit concerns its channel', async () => {
  await add('1000000/a/job_1');
  let mayGo = false;
  let asked = 0;
  const jobs = await start(async () => {
    asked += 1;
    return mayGo ? 'done' : 'rests';
  });
  await vi.waitFor(() => expect(asked).toBe(1));
  await idle();
  mayGo = true;
  jobs.changed('other' as Generation);
  jobs.changed('a' as Generation);
  await vi.waitFor(() => expect(asked).toBe(2));
  await idle();
  expect(await store.jobs.running(undefined, 10)).toEqual([]);
});

test('a job rests for longer and longer while it comes no further, and shortly again once it did', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  await add('1000000/a/job_1');
  const answers = ['rests', 'rests', 'more', 'rests'] as const;
  let asked = 0;
  await start(async () => answers[asked++] ?? 'done');
  const askedAfter = async (ms: number): Promise<number> => {
    await vi.advanceTimersByTimeAsync(ms);
    do await new Promise((resolve) => setImmediate(resolve));
    while (runner?.isBusy());
    return asked;
  };
  expect(await askedAfter(0)).toBe(1);
  expect(await askedAfter(499)).toBe(1);
  expect(await askedAfter(1)).toBe(2);
  expect(await askedAfter(999)).toBe(2);
  expect(await askedAfter(1)).toBe(4);
  expect(await askedAfter(499)).toBe(4);
  expect(await askedAfter(1)).toBe(5);
});

test('a job that fails by a fault is tried again, and keeps none of the others waiting', async () => {
  await add('1000000/a/job_1', '1000000/b/job_2', '1000000/c/job_3');
  let faults = 0;
  await start(async ({ id }) => {
    if (id === 'job_1' && ++faults === 1) throw new Error('out of order');
    if (id === 'job_3' && ++faults === 2) throw new AppError('SERVICE_UNAVAILABLE', 'The store is away');
    return 'done';
  });
  await vi.waitFor(async () => expect(await store.jobs.running(undefined, 10)).toEqual([]), { timeout: 10_000 });
  expect(errors).toEqual(['a job failed, and is tried again']);
});

test('nothing of a suspended organisation is begun', async () => {
  await add('8000000/a/job_1', '1000000/b/job_2');
  const done: string[] = [];
  await start(async ({ id }) => {
    done.push(id);
    return 'done';
  });
  await vi.waitFor(() => expect(done).toEqual(['job_2']));
  await idle();
  expect(done).toEqual(['job_2']);
});

test('a job that was paused is let go of between two bits', async () => {
  await add('1000000/a/job_1');
  let bits = 0;
  const jobs = await start(async () => {
    bits += 1;
    await new Promise((resolve) => setImmediate(resolve));
    return 'more';
  });
  await vi.waitFor(() => expect(bits).toBeGreaterThan(3));
  await store.jobs.change('1000000' as OrgId, 'job_1' as JobId, ['running'], 'paused', 1);
  jobs.look();
  await idle();
  expect(jobs.running()).toBe(0);
  expect(await store.jobs.find('1000000' as OrgId, 'job_1' as JobId)).toMatchObject({ state: 'paused' });
});

test('two jobs that send the same notification number their attempts on', () => {
  const given = createAttemptsGiven();
  const next = (number: number, made: number) => given.next('a' as Generation, number, made);
  expect([next(1, 1), next(1, 1), next(2, 1), next(1, 5), next(1, 2)]).toEqual([2, 3, 2, 6, 7]);
  expect(given.next('b' as Generation, 1, 0)).toBe(1);
});
