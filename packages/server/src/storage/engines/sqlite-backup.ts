import { randomBytes } from 'node:crypto';
import { copyFile, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { createCipher, type SecretKeys } from '../cipher.ts';
import type { Db } from '../db.ts';
import { EPOCH_LABEL_BYTES, loadEpoch, saveNextEpoch } from '../epoch.ts';
import { checkSecretKeys } from '../key-check.ts';
import { StoreRefusal } from '../refusal.ts';
import { readMigrations } from './migrations.ts';
import { createCommands } from './sqlite-commands.ts';
import { type Command, toCommand, toRows } from './sqlite-message.ts';
import { appliedMigrations, migrate } from './sqlite-migrations.ts';
import { LOCK_FILES, lockDirectory, openForReading, storeExists, storeFile } from './sqlite-open.ts';

/** What a copy of a store holds. */
export interface CopyFacts {
  readonly bytes: number;
  readonly organisations: number;
  /** Record changes that were ever committed, of all organisations. */
  readonly changes: number;
  /** Committed time of the newest batch, epoch ms; undefined when there was none. */
  readonly committedAt?: number;
}

/** So many are copied before other work of the process gets its turn. */
const PAGES_PER_STEP = 2000;

/**
 * Copies the store of a data directory as it is at one moment into a new file, beside a server that goes on writing. What
 * was committed before the call is in it. Rejects with a `StoreRefusal`; then there is no such file.
 */
export async function backUpStore(dataDir: string, to: string): Promise<CopyFacts> {
  if (!storeExists(dataDir)) throw new StoreRefusal('CANNOT_OPEN', `There is no store in ${dataDir}`);
  if (await exists(to)) throw new StoreRefusal('FILE_EXISTS', `${to} is there already; nothing was written`);
  const draft = `${to}.part-${process.pid}`;
  // For its owner only from the first byte on.
  await (await open(draft, 'wx', 0o600)).close();
  try {
    await copyAtOneMoment(dataDir, draft);
    const facts = await inspect(draft, to);
    await sync(draft);
    // Fails when the name was taken meanwhile.
    await link(draft, to);
    await sync(dirname(to));
    return facts;
  } finally {
    await rm(draft, { force: true });
  }
}

async function copyAtOneMoment(dataDir: string, draft: string): Promise<void> {
  const db = openForReading(dataDir);
  try {
    // Holds that moment: without it the copy would begin again with each commit of the server.
    db.exec('BEGIN');
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    await db.backup(draft, { progress: () => PAGES_PER_STEP });
    db.exec('COMMIT');
  } finally {
    db.close();
  }
}

/** Everything in it is read. Leaves one file without a log beside it. `called`: by the name that people know it by. */
async function inspect(file: string, called: string): Promise<CopyFacts> {
  const db = new Sqlite(file, { fileMustExist: true });
  try {
    requireWell(db, called);
    return { ...factsOf(db), bytes: (await stat(file)).size };
  } finally {
    db.close();
  }
}

function requireWell(db: Database, called: string): void {
  const refuse = (why: string, cause?: unknown) =>
    new StoreRefusal('NOT_A_BACKUP', `${called} is not a whole copy of a store: ${why}`, { cause });
  try {
    db.pragma('journal_mode = DELETE');
    const [verdict] = db.pragma('integrity_check(1)') as { integrity_check: string }[];
    if (verdict?.integrity_check !== 'ok') throw refuse(verdict?.integrity_check ?? 'it cannot be checked');
    if (appliedMigrations(db).length === 0) throw refuse('it is another database');
  } catch (error) {
    throw error instanceof StoreRefusal ? error : refuse(error instanceof Error ? error.message : String(error), error);
  }
}

function factsOf(db: Database): Omit<CopyFacts, 'bytes'> {
  const row = db
    .prepare<[], { organisations: number; changes: number | null; at: number | null }>(
      'SELECT count(*) AS organisations, sum(last_change) AS changes, max(last_time) AS at FROM org',
    )
    .get();
  return {
    organisations: row?.organisations ?? 0,
    changes: row?.changes ?? 0,
    ...(row?.at ? { committedAt: row.at } : {}),
  };
}

const DRAFT = 'restoring.sqlite';
/** The dev profile's key may wait there for its store; the others are what a restore that failed leaves behind. */
const MAY_BE_THERE: readonly string[] = ['secret.key', ...LOCK_FILES, DRAFT, `${DRAFT}-journal`];

/**
 * Puts a copy as the store into a data directory that has none, brings its schema up to date and begins a new history in
 * it. The store appears there as a whole or not at all. Rejects with a `StoreRefusal`.
 */
export async function restoreStore(from: string, dataDir: string, keys: SecretKeys): Promise<CopyFacts> {
  if (!(await exists(from))) throw new StoreRefusal('NOT_A_BACKUP', `${from} is not there`);
  if (await hasLog(from)) {
    const way = 'copy the store with `watchbell backup --data-dir`, and restore that';
    throw new StoreRefusal('NOT_A_BACKUP', `A part of ${from} is in ${from}-wal beside it: ${way}`);
  }
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const others = (await readdir(dataDir)).filter((name) => !MAY_BE_THERE.includes(name));
  if (others.length > 0) {
    throw new StoreRefusal(
      'NOT_EMPTY',
      `${dataDir} holds ${others.sort().join(', ')}; restore into an empty directory`,
    );
  }
  const lock = lockDirectory(dataDir);
  const draft = join(dataDir, DRAFT);
  try {
    for (const left of [draft, `${draft}-journal`]) await rm(left, { force: true });
    await (await open(draft, 'wx', 0o600)).close();
    await copyFile(from, draft);
    const facts = await inspect(draft, from);
    await beginHistory(draft, keys);
    await sync(draft);
    await rename(draft, storeFile(dataDir));
    await sync(dataDir);
    return facts;
  } finally {
    await rm(draft, { force: true });
    lock.close();
  }
}

async function beginHistory(file: string, { key, former }: SecretKeys): Promise<void> {
  const sqlite = new Sqlite(file, { fileMustExist: true });
  try {
    migrate(sqlite, readMigrations('sqlite'), Date.now());
    const db = directly(sqlite);
    await checkSecretKeys(db, createCipher(key, former));
    await db.write(saveNextEpoch(await loadEpoch(db), newEpochLabel(), Date.now()));
  } finally {
    sqlite.close();
  }
}

/** Random, so that no two stores restored from one backup have the same. */
export const newEpochLabel = (): string => randomBytes(EPOCH_LABEL_BYTES).toString('hex');

/** A store that nobody else has open, without threads. */
export function directly(sqlite: Database): Pick<Db, 'load' | 'write'> {
  const commands = createCommands(sqlite);
  const run = async (kind: 'query' | 'write', list: readonly Command[]) => {
    for (const reply of commands.answer([{ id: 0, kind, commands: list }])) {
      if (reply.kind === 'done') return reply.results.map(toRows);
      if (reply.kind === 'failed') throw new StoreRefusal('CANNOT_OPEN', reply.message);
    }
    return [];
  };
  return {
    load: (statements) => run('query', statements.map(toCommand)),
    write: (writes) => run('write', writes.map(toCommand)),
  };
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Whether something that was committed is not in the file yet: in the store of a server that runs, or was killed. */
const hasLog = (path: string): Promise<boolean> =>
  stat(`${path}-wal`).then(
    ({ size }) => size > 0,
    () => false,
  );

/** Also of a directory: then what was named in it is durable. */
async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
