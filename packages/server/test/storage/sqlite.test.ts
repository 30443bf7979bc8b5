import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import Sqlite from 'better-sqlite3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSqliteStore, migrationStatus } from '../../src/storage/engines/sqlite.ts';
import type { Store } from '../../src/storage/store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import {
  aboutChannel,
  addOrgs,
  createRecords,
  HOUR,
  type Opened,
  ORG,
  openBatches,
  openChannel,
  PATRICIA,
  passTime,
  START,
} from './suite/sample.ts';
import { storeSuite } from './suite/store-suite.ts';

const KEY = new Uint8Array(32).fill(7);
const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'watchbell-store-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'data');
}

async function openStore(dataDir: string, secretKey = KEY): Promise<Store> {
  const store = await createSqliteStore({ dataDir, secretKey, logger: silent });
  onTestFinished(() => store.close());
  return store;
}

async function open(): Promise<Opened> {
  const dataDir = await makeDirectory();
  let current = await openStore(dataDir);
  return {
    store: current,
    async reopen() {
      await current.close();
      current = await openStore(dataDir);
      return current;
    },
  };
}

storeSuite('SQLite', open);

/** Changes the file behind the back of a closed store. */
function tamper(dataDir: string, change: (db: Sqlite.Database) => void): void {
  const db = new Sqlite(join(dataDir, 'watchbell.sqlite'));
  change(db);
  db.close();
}

/** How a test waits until a lost thread is back. */
const LOST = { timeout: 10_000 };

describe('the data directory of an embedded store', () => {
  it('is refused to a second opener and free again after closing', async () => {
    const dataDir = await makeDirectory();
    const first = await openStore(dataDir);
    await expect(openStore(dataDir)).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringContaining(dataDir),
    });
    expect(await first.check()).toEqual({ ok: true });
    await first.close();
    await openStore(dataDir);
  });

  it('is refused with its name where it cannot be made', async () => {
    const file = await makeDirectory();
    await writeFile(file, 'not a directory');
    const dataDir = join(file, 'data');
    await expect(openStore(dataDir)).rejects.toMatchObject({
      code: 'CANNOT_OPEN',
      message: expect.stringContaining(dataDir),
    });
  });

  it('is refused with its name where the store in it is damaged', async () => {
    const dataDir = await makeDirectory();
    await (await openStore(dataDir)).close();
    await writeFile(join(dataDir, 'watchbell.sqlite'), 'x'.repeat(8192));
    await expect(openStore(dataDir)).rejects.toMatchObject({
      code: 'CANNOT_OPEN',
      message: expect.stringContaining(dataDir),
    });
  });

  it('is for its owner only', async () => {
    const dataDir = await makeDirectory();
    await openStore(dataDir);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(dataDir, 'watchbell.sqlite'))).mode & 0o777).toBe(0o600);
  });

  it('holds no notify URL and no channel token in clear, and opens with its own key only', async () => {
    const dataDir = await makeDirectory();
    const store = await openStore(dataDir);
    await addOrgs(store, ORG);
    await openBatches(store).run(ORG, {}, (set) => {
      openChannel(set, '1');
      createRecords(set, 1, { Last_Name: 'visible-value' });
    });
    const files = async () => {
      const names = await readdir(dataDir);
      return Buffer.concat(await Promise.all(names.map((name) => readFile(join(dataDir, name)))));
    };
    for (const closed of [false, true]) {
      if (closed) await store.close();
      const bytes = await files();
      expect(bytes.includes('visible-value')).toBe(true);
      expect(bytes.includes('plain-url-secret')).toBe(false);
      expect(bytes.includes('receiver.example')).toBe(false);
      expect(bytes.includes('plain-token-secret')).toBe(false);
    }
    await expect(openStore(dataDir, new Uint8Array(32).fill(8))).rejects.toMatchObject({
      code: 'WRONG_SECRET_KEY',
      message: expect.stringContaining('WATCHBELL_SECRET_KEY'),
    });
    expect(await (await openStore(dataDir)).channels.listLive(ORG, PATRICIA, 0)).toMatchObject([
      { token: 'plain-token-secret' },
    ]);
  });

  it('does not take a sealed value that was moved to another row', async () => {
    const dataDir = await makeDirectory();
    const store = await openStore(dataDir);
    await addOrgs(store, ORG);
    await openBatches(store).run(ORG, {}, (set) => {
      openChannel(set, '1');
      openChannel(set, '2');
    });
    await store.close();
    tamper(dataDir, (db) =>
      db.exec("UPDATE channel SET token = (SELECT token FROM channel WHERE channel_id = '1') WHERE channel_id = '2'"),
    );
    await expect((await openStore(dataDir)).channels.listLive(ORG, PATRICIA, 0)).rejects.toThrow();
  });

  it('refuses a key of another length', async () => {
    const dataDir = await makeDirectory();
    await expect(openStore(dataDir, new Uint8Array(16))).rejects.toThrow('32 bytes');
  });

  it.each(['storage', 'reads'])(
    'answers SERVICE_UNAVAILABLE while the %s thread is lost, and goes on by itself',
    async (lost) => {
      const dataDir = await makeDirectory();
      const threads: Worker[] = [];
      const collect = (thread: Worker) => void threads.push(thread);
      process.on('worker', collect);
      onTestFinished(() => void process.off('worker', collect));
      const logged: string[] = [];
      const log = (_: object, message: string) => void logged.push(message);
      let recoveries = 0;
      const store = await createSqliteStore({
        dataDir,
        secretKey: KEY,
        logger: { ...silent, error: log, warn: log },
        onRecovered: () => {
          recoveries += 1;
        },
      });
      onTestFinished(() => store.close());
      await addOrgs(store, ORG);
      const call = () => (lost === 'storage' ? store.tokens.remove('x') : store.accounts.findOrg(ORG));
      for (let times = 1; times <= 2; times += 1) {
        const ended = (times > 1 ? threads.at(-1) : threads[lost === 'storage' ? 0 : 1])?.terminate();
        // Sent while the thread is ending: nobody is left to answer it.
        await expect(call()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
        await ended;
        await expect(call()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
        expect(await store.check()).toMatchObject({ ok: false, reason: expect.stringContaining('started again') });
        await expect.poll(() => logged.filter((line) => line === 'A storage thread is back'), LOST).toHaveLength(times);
        expect(await store.check()).toEqual({ ok: true });
        expect(await store.accounts.findOrg(ORG)).toMatchObject({ id: ORG });
        expect(recoveries).toBe(lost === 'storage' ? times : 0);
        // The lock is the process's, not the thread's.
        await expect(openStore(dataDir)).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
      }
      expect(logged).toEqual([1, 2].flatMap(() => ['A storage thread has ended', 'A storage thread is back']));
    },
  );

  it('commits nothing in part when its thread is lost again and again in the middle of writes', async () => {
    const dataDir = await makeDirectory();
    const threads: Worker[] = [];
    const collect = (thread: Worker) => void threads.push(thread);
    process.on('worker', collect);
    onTestFinished(() => void process.off('worker', collect));
    const store = await openStore(dataDir);
    await addOrgs(store, ORG);
    const batches = openBatches(store);
    let answered = 0;
    const writeOn = async () => {
      for (let n = 0; n < 40; n += 1) {
        try {
          await batches.run(ORG, {}, (set) => createRecords(set, 20));
          answered += 1;
        } catch (error) {
          expect(error).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
          await expect.poll(async () => (await store.check()).ok, LOST).toBe(true);
        }
      }
    };
    const writing = writeOn();
    for (let times = 0; times < 3; times += 1) {
      const goal = answered + 3;
      await expect.poll(() => answered >= goal || answered >= 35, { interval: 1, timeout: 10_000 }).toBe(true);
      await (times > 0 ? threads.at(-1) : threads[0])?.terminate();
      await expect.poll(async () => (await store.check()).ok, LOST).toBe(true);
    }
    await writing;
    await store.close();
    const db = new Sqlite(join(dataDir, 'watchbell.sqlite'), { readonly: true });
    onTestFinished(() => void db.close());
    const one = <Value>(text: string) => db.prepare<[], Value>(text).pluck().get();
    const changes = one<number>('SELECT count(*) FROM record_change') ?? 0;
    // What was lost may have been committed; what was answered was.
    expect(changes).toBeGreaterThanOrEqual(answered);
    expect(one('SELECT last_change FROM org')).toBe(changes);
    expect(one('SELECT count(*) FROM record')).toBe(changes * 20);
    expect(one('PRAGMA integrity_check')).toBe('ok');
  });
});

describe('the history of channels', () => {
  it('has every revision without secrets, and each lapse with the changes it missed', async () => {
    const dataDir = await makeDirectory();
    const store = await openStore(dataDir);
    await addOrgs(store, ORG);
    const batches = openBatches(store);
    const { generation } = await batches.run(ORG, {}, (set) => openChannel(set, '1'));
    for (const missed of [2, 0]) {
      batches.now += HOUR;
      await passTime(batches, ORG);
      for (let i = 0; i < missed; i += 1) await batches.run(ORG, {}, (set) => createRecords(set));
      await batches.run(ORG, aboutChannel('1'), (set) => openChannel(set, '1'));
    }
    batches.now += HOUR;
    await passTime(batches, ORG);
    await store.close();

    const db = new Sqlite(join(dataDir, 'watchbell.sqlite'), { readonly: true });
    onTestFinished(() => void db.close());
    expect(db.prepare('SELECT generation, from_change, to_change, at FROM lapse ORDER BY from_change').all()).toEqual([
      { generation, from_change: 0, to_change: 2, at: START + HOUR },
      // Renewed without having missed anything, then expired again at the same change: open.
      { generation, from_change: 2, to_change: null, at: START + 2 * HOUR },
    ]);
    const revisions = db.prepare<[], { version: number; kind: string; snapshot: string }>(
      'SELECT version, kind, snapshot FROM channel_revision ORDER BY version',
    );
    expect(revisions.all().map(({ version, kind }) => `${version} ${kind}`)).toEqual([
      '1 opened',
      '2 expired',
      '3 replaced',
      '4 expired',
      '5 replaced',
      '6 expired',
    ]);
    expect(JSON.parse(revisions.get()?.snapshot ?? '')).toMatchObject({ generation, channelId: '1', version: 'v8' });
    expect(JSON.stringify(revisions.all())).not.toContain('secret');
  });
});

describe('migrations', () => {
  it('are applied once and listed', async () => {
    const dataDir = await makeDirectory();
    const { pending, applied } = migrationStatus(dataDir);
    expect(applied).toEqual([]);
    expect(pending).toContain('0001_init');
    await (await openStore(dataDir)).close();
    await (await openStore(dataDir)).close();
    expect(migrationStatus(dataDir)).toEqual({ applied: pending, pending: [] });
  });

  it('refuse a store that is newer than the code', async () => {
    const dataDir = await makeDirectory();
    await (await openStore(dataDir)).close();
    tamper(dataDir, (db) => db.exec("INSERT INTO migration VALUES ('9999_later', 'x', 0)"));
    await expect(openStore(dataDir)).rejects.toMatchObject({
      code: 'STORE_TOO_NEW',
      message: expect.stringContaining('9999_later'),
    });
    expect(() => migrationStatus(dataDir)).toThrow('9999_later');
  });

  it('refuse a store that was made by an edited migration', async () => {
    const dataDir = await makeDirectory();
    await (await openStore(dataDir)).close();
    tamper(dataDir, (db) => db.exec("UPDATE migration SET checksum = 'x' WHERE name = '0001_init'"));
    await expect(openStore(dataDir)).rejects.toMatchObject({
      code: 'MIGRATION_EDITED',
      message: expect.stringContaining('0001_init'),
    });
  });
});
