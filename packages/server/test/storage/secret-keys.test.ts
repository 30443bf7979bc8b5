import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Sqlite from 'better-sqlite3';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Signing } from '../../src/domain/channel.ts';
import { signOrg } from '../../src/domain/signing.ts';
import { endChannel, loadedChannel, saveChannel } from '../../src/domain/working-channels.ts';
import { startResealing } from '../../src/services/resealing.ts';
import { createCipher } from '../../src/storage/cipher.ts';
import type { Row } from '../../src/storage/db.ts';
import { createSqliteStore } from '../../src/storage/engines/sqlite.ts';
import { createCommands } from '../../src/storage/engines/sqlite-commands.ts';
import { type Command, toCommand, toRows } from '../../src/storage/engines/sqlite-message.ts';
import { createSealedStore } from '../../src/storage/sealed.ts';
import type { SealedPosition, Store } from '../../src/storage/store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import {
  aboutChannel,
  addOrgs,
  channelId,
  ORG,
  OTHER_ORG,
  openBatches,
  openChannel,
  PATRICIA,
} from './suite/sample.ts';

const KEYS = { A: new Uint8Array(32).fill(1), B: new Uint8Array(32).fill(2), C: new Uint8Array(32).fill(3) };
type Name = keyof typeof KEYS;
const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const CHANNELS = 250;
const SIGNING: Signing = { secret: 'whsec_of-the-org', since: 5, former: { secret: 'whsec_before', until: 9 } };

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'watchbell-keys-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function open(dataDir: string, key: Name, ...former: readonly Name[]): Promise<Store> {
  const formerKeys = former.map((name) => KEYS[name]);
  const store = await createSqliteStore({ dataDir, secretKey: KEYS[key], formerKeys, logger: silent });
  onTestFinished(() => store.close());
  return store;
}

/** Channels 1 … 250 (some without a token, some that sign, one that has ended), and an organisation that signs. */
async function fill(store: Store): Promise<void> {
  await addOrgs(store, ORG, OTHER_ORG);
  await openBatches(store).run(ORG, {}, (set) => {
    for (let i = 1; i <= CHANNELS; i += 1) {
      openChannel(set, String(i), {
        token: i % 3 === 0 ? null : `token-${i}`,
        ...(i % 5 === 0 && { lifecycleUrl: `https://owner.example/${i}?secret` }),
        ...(i % 2 === 0 && { signing: { secret: `whsec_${i}`, since: i } }),
      });
    }
    const last = loadedChannel(set, PATRICIA, channelId(String(CHANNELS)));
    if (last) endChannel(set, last);
    signOrg(set, SIGNING);
  });
  await store.notices.setOrgUrl(OTHER_ORG, 'https://org.example/?secret');
}

/** Everything that is sealed can be read, and is what it was. */
async function expectWhole(store: Store, more: Readonly<Record<string, string>> = {}): Promise<void> {
  const live = await store.channels.listLive(ORG, PATRICIA, 0);
  expect(live).toHaveLength(CHANNELS - 1);
  for (const channel of live) {
    const i = Number(channel.channelId);
    expect(channel.notifyUrl).toBe(`https://receiver.example/${i}?secret=plain-url-secret`);
    expect(channel.token).toBe(more[channel.channelId] ?? (i % 3 === 0 ? null : `token-${i}`));
    expect(channel.signing?.secret).toBe(i % 2 === 0 ? `whsec_${i}` : undefined);
    expect(channel.lifecycleUrl).toBe(i % 5 === 0 ? `https://owner.example/${i}?secret` : undefined);
  }
  const { items } = await store.administration.listChannels(ORG, { ended: true }, 1, 10);
  expect(items).toHaveLength(1);
  expect(await store.delivery.signing(ORG)).toEqual(SIGNING);
  expect(await store.delivery.signing(OTHER_ORG)).toBeUndefined();
  expect(await store.notices.orgUrl(ORG)).toBeUndefined();
  expect(await store.notices.orgUrl(OTHER_ORG)).toBe('https://org.example/?secret');
}

/** Ids of the keys under which something is sealed, as the texts say. */
function keysInUse(dataDir: string): Set<string> {
  const db = new Sqlite(join(dataDir, 'watchbell.sqlite'), { readonly: true });
  const rows = db
    .prepare<[], { sealed: string }>(
      `SELECT notify_url AS sealed FROM channel UNION ALL SELECT token FROM channel WHERE token IS NOT NULL
       UNION ALL SELECT signing FROM channel WHERE signing IS NOT NULL
       UNION ALL SELECT lifecycle_url FROM channel WHERE lifecycle_url IS NOT NULL
       UNION ALL SELECT lifecycle_url FROM org WHERE lifecycle_url IS NOT NULL
       UNION ALL SELECT signing FROM org WHERE signing IS NOT NULL`,
    )
    .all();
  db.close();
  return new Set(rows.map(({ sealed }) => sealed.split('.')[1] ?? ''));
}

async function resealAll(store: Store): Promise<void> {
  await startResealing({ store: store.sealed, logger: silent, given: 1 }).idle();
}

const refusedFor = (keyId: string) => ({ code: 'WRONG_SECRET_KEY', message: expect.stringContaining(keyId) });

test('a store is brought under a new key while it is used, and opens without the former one only then', async () => {
  const dataDir = await makeDirectory();
  const first = await open(dataDir, 'A');
  const idOfA = first.sealed.keyId;
  await fill(first);
  await first.close();
  await expect(open(dataDir, 'B')).rejects.toMatchObject(refusedFor(idOfA));
  await expect(open(dataDir, 'B', 'C')).rejects.toMatchObject(refusedFor(idOfA));

  const second = await open(dataDir, 'B', 'A');
  const idOfB = second.sealed.keyId;
  expect(second.sealed.formerKeys()).toEqual([idOfA]);
  await expectWhole(second);
  await resealAll(second);
  expect(second.sealed.formerKeys()).toEqual([]);
  await expectWhole(second);
  await second.close();
  expect(keysInUse(dataDir)).toEqual(new Set([idOfB]));

  const third = await open(dataDir, 'B');
  await expectWhole(third);
  await third.close();
  await expect(open(dataDir, 'A')).rejects.toMatchObject(refusedFor(idOfB));
});

test('whoever stops half way needs both keys, whichever of them is the present one, and can go back', async () => {
  const dataDir = await makeDirectory();
  const first = await open(dataDir, 'A');
  await fill(first);
  await first.close();

  const second = await open(dataDir, 'B', 'A');
  expect((await second.sealed.resealOrgs()).resealed).toBe(2);
  expect(await second.sealed.resealChannels()).toMatchObject({ resealed: 100 });
  await second.close();
  expect(keysInUse(dataDir).size).toBe(2);
  await expect(open(dataDir, 'B')).rejects.toMatchObject({ code: 'WRONG_SECRET_KEY' });
  await expect(open(dataDir, 'A')).rejects.toMatchObject({ code: 'WRONG_SECRET_KEY' });

  const third = await open(dataDir, 'C', 'A', 'B');
  expect(third.sealed.formerKeys()).toHaveLength(2);
  await expectWhole(third);
  await third.close();

  const back = await open(dataDir, 'A', 'B', 'C');
  await resealAll(back);
  await back.close();
  await expectWhole(await open(dataDir, 'A'));
});

test('what is saved while its row is sealed anew is kept', async () => {
  const dataDir = await makeDirectory();
  const first = await open(dataDir, 'A');
  await fill(first);
  await first.close();
  const store = await open(dataDir, 'B', 'A');
  const batches = openBatches(store);
  const saved: Record<string, string> = {};

  async function saveAll(): Promise<void> {
    for (let i = 1; i < CHANNELS; i += 1) {
      await batches.run(ORG, aboutChannel(String(i)), (set) => {
        const channel = loadedChannel(set, PATRICIA, channelId(String(i)));
        if (channel) saveChannel(set, { ...channel, token: `newer-${i}` }, 'merged');
      });
      saved[String(i)] = `newer-${i}`;
    }
  }
  /** Over and over the same rows, until there is nothing left to save. */
  async function resealMeanwhile(saving: { done: boolean }): Promise<void> {
    while (!saving.done) {
      for (let after: SealedPosition | undefined; ; ) {
        const { last } = await store.sealed.resealChannels(after);
        if (!last) break;
        after = last;
      }
    }
  }
  const saving = { done: false };
  await Promise.all([
    saveAll().finally(() => {
      saving.done = true;
    }),
    resealMeanwhile(saving),
  ]);
  await resealAll(store);
  await expectWhole(store, saved);
});

test('a row that is saved between being read and being sealed anew stays as it was saved', async () => {
  const dataDir = await makeDirectory();
  const first = await open(dataDir, 'A');
  await fill(first);
  await first.close();
  const sqlite = new Sqlite(join(dataDir, 'watchbell.sqlite'));
  onTestFinished(() => void sqlite.close());
  const cipher = createCipher(KEYS.B, [KEYS.A]);
  const commands = createCommands(sqlite);
  const run = (kind: 'query' | 'write', list: Command[]): Row[][] => {
    const [reply] = commands.answer([{ id: 0, kind, commands: list }]);
    if (reply?.kind !== 'done') throw new Error(`not done: ${JSON.stringify(reply)}`);
    return reply.results.map(toRows);
  };
  /** As any change of a channel leaves its row: with all of its secrets sealed under the present key. */
  function save(row: Row): void {
    const place = (column: string) => ['channel', ORG, String(row.generation), column];
    const url = cipher.seal(cipher.open(String(row.notify_url), place('notify_url')), place('notify_url'));
    sqlite
      .prepare('UPDATE channel SET notify_url = ?, token = ?, signing = NULL WHERE generation = ?')
      .run(url, cipher.seal('newer', place('token')), row.generation);
  }
  function saveOrg({ id, signing }: Row): void {
    if (signing === null) return;
    const newer = cipher.seal('{"secret":"newer","since":1}', ['org', String(id), 'signing']);
    sqlite.prepare('UPDATE org SET signing = ? WHERE id = ?').run(newer, id);
  }
  const sealed = createSealedStore(
    {
      async read(statements) {
        const results = run('query', statements.map(toCommand));
        for (const row of results[0] ?? []) (row.generation === undefined ? saveOrg : save)(row);
        return results;
      },
      write: async (writes) => run('write', writes.map(toCommand)),
    },
    cipher,
    [],
  );
  expect((await sealed.resealOrgs()).resealed).toBe(2);
  for (let after: SealedPosition | undefined; ; ) {
    const { last } = await sealed.resealChannels(after);
    if (!last) break;
    after = last;
  }
  sqlite.close();
  const store = await open(dataDir, 'B', 'A');
  for (const { token } of await store.channels.listLive(ORG, PATRICIA, 0)) expect(token).toBe('newer');
  expect(await store.delivery.signing(ORG)).toEqual({ secret: 'newer', since: 1 });
});

test('when the store fails, sealing anew goes on later', async () => {
  const logged: string[] = [];
  const logger: Logger = {
    ...silent,
    info: (_, text) => void logged.push(text),
    error: (_, text) => void logged.push(text),
  };
  let failures = 1;
  const resealing = startResealing({
    store: {
      keyId: 'b',
      formerKeys: () => ['a'],
      formerKeysInUse: async () => [],
      resealOrgs: async () => ({ resealed: 0 }),
      async resealChannels() {
        failures -= 1;
        if (failures >= 0) throw new Error('The disk is full');
        return { resealed: 0 };
      },
      forgetFormerKeys: async () => void logged.push('forgotten'),
    },
    logger,
    given: 1,
  });
  await resealing.idle();
  expect(logged).toEqual([
    'secrets are sealed anew under the present key',
    'secrets cannot be sealed anew, trying again',
    'secrets are sealed anew under the present key',
    'forgotten',
    'all secrets are under the present key: take the former ones away',
  ]);
});

test('a former key is not forgotten as long as another node still seals under it', async () => {
  const logged: string[] = [];
  const logger: Logger = { ...silent, info: (_, text) => void logged.push(text) };
  const resealing = startResealing({
    store: {
      keyId: 'b',
      formerKeys: () => ['a'],
      formerKeysInUse: async () => ['a'],
      resealOrgs: async () => ({ resealed: 0 }),
      resealChannels: async () => ({ resealed: 0 }),
      forgetFormerKeys: async () => void logged.push('forgotten'),
    },
    logger,
    given: 1,
  });
  await vi.waitUntil(() => logged.length > 0);
  await resealing.stop();
  expect(logged).toEqual(['other nodes still seal under a former secret key: they are waited for']);
});

test('a former key that is not needed is named as such', async () => {
  const store = await open(await makeDirectory(), 'A', 'B');
  const logged: string[] = [];
  const logger: Logger = { ...silent, info: (_, text) => void logged.push(text) };
  await startResealing({ store: store.sealed, logger, given: 1 }).idle();
  expect(logged).toEqual(['no former secret key is needed any more: take them away']);
});

const BUILT = new URL('../../dist/storage/engines/sqlite.js', import.meta.url).href;

/** Seals anew step by step, from the beginning each time, and prints each step before it begins. */
const CHILD = `
  const { createSqliteStore } = await import(${JSON.stringify(BUILT)});
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const store = await createSqliteStore({
    dataDir: process.argv[1], secretKey: new Uint8Array(32).fill(2), formerKeys: [new Uint8Array(32).fill(1)], logger,
  });
  console.log('orgs');
  await store.sealed.resealOrgs();
  for (let after; ; ) {
    console.log('channels');
    const { last } = await store.sealed.resealChannels(after);
    if (!last) break;
    after = last;
  }
  console.log('forget');
  await store.sealed.forgetFormerKeys();
  console.log('done');
  setInterval(() => {}, 1000);
`;

function startChild(dataDir: string): ChildProcess {
  const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

test('killed at any step, a store opens with both keys and is whole; with the new one alone only when all is done', {
  timeout: 90_000,
}, async () => {
  const dataDir = await makeDirectory();
  const first = await open(dataDir, 'A');
  await fill(first);
  await first.close();
  // Orgs, three steps of channels and the one that finds no more, forgetting, done: killed at each of them in turn.
  for (let killAt = 1; killAt <= 7; killAt += 1) {
    const child = startChild(dataDir);
    const said: string[] = [];
    if (child.stdout) {
      for await (const line of createInterface({ input: child.stdout })) {
        said.push(line);
        if (said.length === killAt) child.kill('SIGKILL');
      }
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
    const both = await open(dataDir, 'B', 'A');
    await expectWhole(both);
    const needed = both.sealed.formerKeys();
    await both.close();
    if (needed.length > 0) {
      expect(said).not.toContain('done');
      await expect(open(dataDir, 'B')).rejects.toMatchObject({ code: 'WRONG_SECRET_KEY' });
    } else {
      const alone = await open(dataDir, 'B');
      await expectWhole(alone);
      await alone.close();
    }
    if (killAt === 7) expect(needed).toEqual([]);
  }
});
