import { copyFile, mkdir, mkdtemp, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { identityOf } from '../../src/domain/restart.ts';
import { emptyWrites } from '../../src/domain/working-set.ts';
import { createSqliteStore } from '../../src/storage/engines/sqlite.ts';
import { backUpStore, restoreStore } from '../../src/storage/engines/sqlite-backup.ts';
import type { Store } from '../../src/storage/store.ts';
import { addOrgs, createRecords, ORG, openBatches, openChannel, PATRICIA } from './suite/sample.ts';

const KEYS = { key: new Uint8Array(32).fill(7), former: [] };
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'watchbell-backup-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function openStore(dataDir: string, isRestored = false): Promise<Store> {
  const store = await createSqliteStore({ dataDir, secretKey: KEYS.key, logger: silent, isRestored });
  onTestFinished(() => store.close());
  return store;
}

/** A store with one channel on contacts that is owed `changes` notifications. */
async function storeWith(dataDir: string, changes: number): Promise<Store> {
  const store = await openStore(dataDir);
  await addOrgs(store, ORG);
  await addChanges(store, changes);
  return store;
}

async function addChanges(store: Store, changes: number): Promise<void> {
  const batches = openBatches(store);
  const [known] = await store.channels.listLive(ORG, PATRICIA, 0);
  if (!known) await batches.run(ORG, {}, (set) => openChannel(set, '1'));
  for (let n = 0; n < changes; n += 1) await batches.run(ORG, {}, (set) => createRecords(set, 3));
}

/** What each owed notification is known by to its receiver, with its id. */
async function owed(store: Store): Promise<{ known: string; id: string; change: number }[]> {
  const [channel] = await store.channels.listLive(ORG, PATRICIA, 0);
  if (!channel) throw new Error('no channel');
  const rows = await store.delivery.window(ORG, channel.generation, 1, 1000, 1e9);
  return rows.map(({ id, number, change }) => {
    const identity = identityOf(channel, number);
    return { known: `${identity.generation} ${identity.number}`, id, change: change.number };
  });
}

test('a backup is one moment of a store that is written to all the while, and holds what was committed before', async () => {
  const root = await directory();
  const dataDir = join(root, 'data');
  const store = await storeWith(dataDir, 30);
  let isOver = false;
  const writing = (async () => {
    while (!isOver) await addChanges(store, 1);
  })();
  const copies = [];
  for (const name of ['a', 'b', 'c']) {
    const before = await store.writing.inOrg(ORG, {}, ({ counters }) => ({
      writes: emptyWrites(counters),
      result: counters,
    }));
    copies.push({ before, file: join(root, name), facts: await backUpStore(dataDir, join(root, name)) });
  }
  isOver = true;
  await writing;
  for (const { before, file, facts } of copies) {
    const db = new Sqlite(file, { readonly: true });
    onTestFinished(() => void db.close());
    const one = (text: string) => db.prepare<[], number>(text).pluck().get() ?? 0;
    const changes = one('SELECT count(*) FROM record_change');
    expect(changes).toBeGreaterThanOrEqual(before.lastChange);
    expect(one('SELECT last_change FROM org')).toBe(changes);
    expect(one('SELECT count(*) FROM record')).toBe(changes * 3);
    expect(one('SELECT max(number) FROM notification')).toBe(changes);
    expect(facts).toMatchObject({ organisations: 1, changes, bytes: (await stat(file)).size });
  }
  expect((await stat(join(root, 'a'))).mode & 0o777).toBe(0o600);
  // Nothing is left beside them.
  expect((await readdir(root)).sort()).toEqual(['a', 'b', 'c', 'data']);
});

test('a backup never takes the place of a file, and leaves nothing behind where it cannot be made', async () => {
  const root = await directory();
  const dataDir = join(root, 'data');
  await storeWith(dataDir, 1);
  const to = join(root, 'b');
  await writeFile(to, 'precious');
  await expect(backUpStore(dataDir, to)).rejects.toMatchObject({ code: 'FILE_EXISTS' });
  await expect(backUpStore(join(root, 'nowhere'), join(root, 'c'))).rejects.toMatchObject({ code: 'CANNOT_OPEN' });
  await expect(backUpStore(dataDir, join(root, 'none', 'c'))).rejects.toMatchObject({ code: 'ENOENT' });
  expect((await readdir(root)).sort()).toEqual(['b', 'data']);
  expect((await stat(to)).size).toBe(8);
});

test('what is owed at a backup is owed under the same ids after its restore, and no number is given twice', async () => {
  const root = await directory();
  const dataDir = join(root, 'data');
  const store = await storeWith(dataDir, 3);
  const backup = join(root, 'backup');
  await backUpStore(dataDir, backup);
  const atBackup = await owed(store);
  await addChanges(store, 4);
  const given = new Map((await owed(store)).map(({ known, id }) => [known, id]));
  await store.close();

  for (const [history, isRestored] of [
    ['first', false],
    // Told again at the start, as by a supervisor that keeps the flag.
    ['second', true],
  ] as const) {
    const restored = join(root, history);
    await restoreStore(backup, restored, KEYS);
    let current = await openStore(restored, isRestored);
    expect(await owed(current)).toEqual(atBackup);
    await addChanges(current, 2);
    await current.close();
    // Begun anew once, also over a restart.
    current = await openStore(restored);
    await addChanges(current, 2);
    const all = await owed(current);
    expect(all.slice(0, 3)).toEqual(atBackup);
    const [name] = all[3]?.known.split(' ') ?? [];
    expect(all.slice(3).map(({ known }) => known)).toEqual([1, 2, 3, 4].map((number) => `${name} ${number}`));
    for (const { known, id } of all) {
      expect(given.get(known) ?? id).toBe(id);
      given.set(known, id);
    }
    await current.close();
  }
});

test('ids of records that the original gave after the backup are not given again', async () => {
  const root = await directory();
  const store = await storeWith(join(root, 'data'), 1);
  await backUpStore(join(root, 'data'), join(root, 'backup'));
  await addChanges(store, 5);
  const idsOf = (dataDir: string) => {
    const db = new Sqlite(join(dataDir, 'watchbell.sqlite'), { readonly: true });
    onTestFinished(() => void db.close());
    return db.prepare<[], string>('SELECT id FROM record').pluck().all();
  };
  const original = new Set(idsOf(join(root, 'data')));
  expect(original.size).toBe(18);
  await restoreStore(join(root, 'backup'), join(root, 'restored'), KEYS);
  const restored = await openStore(join(root, 'restored'));
  await addChanges(restored, 5);
  const ids = idsOf(join(root, 'restored'));
  expect(ids).toHaveLength(18);
  // Those of the one change that is in the backup.
  expect(ids.filter((id) => original.has(id))).toHaveLength(3);
});

test('ids of organisations that the original gave after the backup are not given again', async () => {
  const root = await directory();
  const store = await storeWith(join(root, 'data'), 1);
  const numbers = async (of: Store) => [await of.administration.nextOrg(7), await of.administration.nextOrg(7)];
  await numbers(store);
  await backUpStore(join(root, 'data'), join(root, 'backup'));
  const given = await numbers(store);
  await restoreStore(join(root, 'backup'), join(root, 'restored'), KEYS);
  const restored = await openStore(join(root, 'restored'));
  for (const number of await numbers(restored)) expect(given).not.toContain(number);
});

test('a restore is refused by name, and leaves no store, where something is wrong', async () => {
  const root = await directory();
  const dataDir = join(root, 'data');
  await storeWith(dataDir, 40);
  const backup = join(root, 'backup');
  await backUpStore(dataDir, backup);
  const damaged = join(root, 'damaged');
  await copyFile(backup, damaged);
  const handle = await open(damaged, 'r+');
  await handle.write(Buffer.alloc(30_000, 0xaa), 0, 30_000, 40_000);
  await handle.close();
  const other = join(root, 'other');
  new Sqlite(other).exec('CREATE TABLE x (y)').close();
  const text = join(root, 'text');
  await writeFile(text, 'no database, and longer than the header of one'.repeat(20));
  const into = join(root, 'restored');

  for (const from of [damaged, other, text, join(root, 'nothing')]) {
    await expect(restoreStore(from, into, KEYS)).rejects.toMatchObject({
      code: 'NOT_A_BACKUP',
      message: expect.stringContaining(from),
    });
  }
  // The store itself, of which a part is in the log beside it.
  await expect(restoreStore(join(dataDir, 'watchbell.sqlite'), into, KEYS)).rejects.toMatchObject({
    code: 'NOT_A_BACKUP',
    message: expect.stringContaining('watchbell.sqlite-wal'),
  });
  const wrong = { key: new Uint8Array(32).fill(8), former: [] };
  await expect(restoreStore(backup, into, wrong)).rejects.toMatchObject({ code: 'WRONG_SECRET_KEY' });
  expect((await readdir(into)).filter((name) => name.endsWith('.sqlite'))).toEqual([]);
  await restoreStore(backup, into, KEYS);
  await expect(restoreStore(backup, into, KEYS)).rejects.toMatchObject({
    code: 'NOT_EMPTY',
    message: expect.stringContaining('watchbell.sqlite'),
  });
  await mkdir(join(root, 'full'));
  await writeFile(join(root, 'full', 'notes.txt'), '');
  await expect(restoreStore(backup, join(root, 'full'), KEYS)).rejects.toMatchObject({ code: 'NOT_EMPTY' });
});
