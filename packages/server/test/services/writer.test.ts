import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { AppError } from '../../src/domain/error.ts';
import type { NotificationId, RecordId } from '../../src/domain/ids.ts';
import { addChange, saveOrg, type WorkingSet, type WriteSet } from '../../src/domain/working-set.ts';
import { createWriter, type Writer } from '../../src/services/writer.ts';
import type { OrgTransactions } from '../../src/storage/store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { addOrgs, ORG, openChannel, PATRICIA, START } from '../storage/suite/sample.ts';
import { openStoreIn, removeData } from '../support/test-data.ts';

const quiet = () => undefined;
const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };

interface Scene {
  readonly writer: Writer;
  /** What was committed, with the number of its commands. */
  readonly commits: { readonly writes: WriteSet; readonly commands: number }[];
  submit<Answer>(decide: (set: WorkingSet) => Answer): Promise<Answer>;
}

interface SceneOptions {
  readonly maxQueued?: number;
  readonly maxBatchWeight?: number;
  /** Stands between the writer and the store. */
  readonly between?: (store: OrgTransactions) => OrgTransactions;
}

async function setScene({ between = (store) => store, ...limits }: SceneOptions = {}): Promise<Scene> {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-writer-'));
  const store = await openStoreIn(dataDir, { secretKey: new Uint8Array(32).fill(7), logger });
  await addOrgs(store, ORG);
  const commits: Scene['commits'] = [];
  let ids = 0;
  const writer = createWriter({
    store: between(store.writing),
    clock: { now: () => START, at: () => () => undefined },
    randomId: () => `n-${++ids}` as NotificationId,
    onCommitted: (_, writes, commands) => void commits.push({ writes, commands }),
    maxQueued: 1000,
    maxBatchWeight: 50,
    ...limits,
  });
  onTestFinished(async () => {
    await writer.drain();
    await store.close();
    await removeData(dataDir);
  });
  return { writer, commits, submit: (decide) => writer.submit(ORG, { needs: {}, weight: 1, decide }) };
}

function insertContact(set: WorkingSet, serial: number): number {
  const id = `3652397${String(serial).padStart(12, '0')}` as RecordId;
  addChange(set, 'Contacts', 'insert', PATRICIA, [{ id, fields: [], values: {}, related: [] }]);
  return set.writes.counters.lastChange;
}

test('commands that come together share a commit and are answered in their order', async () => {
  const { submit, commits } = await setScene();
  const answers = await Promise.all([1, 2, 3].map((serial) => submit((set) => insertContact(set, serial))));
  expect(answers).toEqual([1, 2, 3]);
  expect(commits.map(({ commands }) => commands)).toEqual([3]);
});

test('a batch ends where it owes too many notifications, and the commands after it keep their order', async () => {
  const { submit, commits } = await setScene({ maxBatchWeight: 50 });
  const generations = await submit((set) =>
    Array.from({ length: 20 }, (_, i) => openChannel(set, String(i + 1)).generation),
  );
  const serials = Array.from({ length: 12 }, (_, i) => i + 1);
  const answers = await Promise.all(serials.map((serial) => submit((set) => insertContact(set, serial))));
  expect(answers).toEqual(serials);
  const [, ...changes] = commits;
  expect(Math.max(...changes.map(({ writes }) => writes.notifications.length))).toBeLessThanOrEqual(50 + 20);
  expect(changes.reduce((sum, { commands }) => sum + commands, 0)).toBe(12);
  for (const generation of generations) {
    const owed = changes.flatMap(({ writes }) => writes.notifications.filter((one) => one.generation === generation));
    expect(owed.map(({ number }) => number)).toEqual(serials);
  }
});

test('a command that breaks fails alone, and one that is refused does not disturb its neighbours', async () => {
  const { submit, commits } = await setScene();
  const results = await Promise.allSettled([
    submit((set) => insertContact(set, 1)),
    submit((set) => {
      insertContact(set, 2);
      throw new TypeError('a bug');
    }),
    submit(() => {
      throw new AppError('INVALID_DATA', 'invalid data');
    }),
    submit((set) => insertContact(set, 3)),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  expect(commits.flatMap(({ writes }) => writes.changes.map(({ number }) => number))).toEqual([1, 2]);
});

test('a batch whose commit was lost on its way back is answered 503 and not tried again: it may have happened', async () => {
  let isLost = false;
  let tries = 0;
  const { submit } = await setScene({
    between: (store) => ({
      ...store,
      async inOrg(...call) {
        const answer = await store.inOrg(...call);
        tries += 1;
        if (isLost) throw new AppError('SERVICE_UNAVAILABLE', 'The store cannot be reached right now');
        return answer;
      },
    }),
  });
  isLost = true;
  const results = await Promise.allSettled([1, 2, 3].map((serial) => submit((set) => insertContact(set, serial))));
  expect(results).toEqual(
    Array(3).fill({ status: 'rejected', reason: expect.objectContaining({ code: 'SERVICE_UNAVAILABLE' }) }),
  );
  expect(tries).toBe(1);
  isLost = false;
  expect(await submit((set) => set.writes.counters.lastChange)).toBe(3);
});

test('more than may wait is answered 503, and what waits is committed all the same', async () => {
  const { submit, commits } = await setScene({ maxQueued: 2 });
  const results = await Promise.allSettled([1, 2, 3].map((serial) => submit((set) => insertContact(set, serial))));
  expect(results[2]).toMatchObject({ status: 'rejected', reason: { code: 'SERVICE_UNAVAILABLE' } });
  expect(commits.flatMap(({ writes }) => writes.changes)).toHaveLength(2);
});

test('an expiry that falls due while its organisation is being erased is not written', async () => {
  const { submit, commits } = await setScene();
  const expiries = () => commits.at(-1)?.writes.revisions.map(({ kind }) => kind);
  await submit((set) => openChannel(set, '1', { expiresAt: START }));
  await submit(() => undefined);
  expect(expiries()).toEqual(['expired']);
  await submit((set) => {
    openChannel(set, '2', { expiresAt: START });
    saveOrg(set, { ...set.org, suspendedAt: START, erasingAt: START });
  });
  await expect(submit(() => undefined)).rejects.toMatchObject({ code: 'NO_PERMISSION' });
  expect(commits).toHaveLength(4);
  expect(expiries()).toEqual([]);
});
