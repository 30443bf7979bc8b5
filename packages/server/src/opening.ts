import { createHmac, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credentials } from '@watchbell/client';
import pino from 'pino';
import type { Config } from './config.ts';
import type { NewCredentials } from './services/accounts.ts';
import { type Cipher, createCipher, type SecretKeys } from './storage/cipher.ts';
import { createPostgresStore } from './storage/engines/postgres.ts';
import { createSqliteStore } from './storage/engines/sqlite.ts';
import { StoreRefusal } from './storage/refusal.ts';
import type { Store } from './storage/store.ts';
import { inPieces } from './telemetry/lines.ts';
import type { Logger, WrittenLines } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { writtenLines } from './telemetry/written-lines.ts';

// What the server and the commands that look into its store have in common.

export interface OpenOptions {
  /** It was put there from a copy: begins a new history. */
  readonly isRestored?: boolean;
  /** Nothing will be sealed or served: the store is only looked at. */
  readonly isLook?: boolean;
  /** Whose time is committed: the database's own, where there is one, or that of the clock that the app is given. */
  readonly time?: 'database' | 'injected';
  readonly metrics?: Metrics;
  /** Told when the store was lost and is there again: what was being written may have been, or not. */
  readonly onRecovered?: () => void;
  /** Told when a commit is written that what waits to be written can share. */
  readonly onCommitting?: () => void;
}

/**
 * Opens the store that the configuration names: the embedded one, where a second process on the same data is refused by
 * name, or a database that nodes share.
 */
export async function openStore(config: Config, logger: Logger, options: OpenOptions = {}): Promise<Store> {
  const { key, former } = await secretKeysOf(config);
  const { isRestored = false, isLook = false, onRecovered = () => {}, onCommitting } = options;
  const common = { secretKey: key, formerKeys: former, logger, isRestored, isLook, onRecovered };
  if (config.database) {
    const { url, pooler, hints, poolSizes, timeouts } = config.database;
    const opening = createPostgresStore({
      ...common,
      url,
      pooler,
      hints,
      poolSizes,
      timeouts,
      time: options.time ?? 'database',
      hasDevClock: config.profile === 'dev',
      metrics: options.metrics,
    });
    return opening.catch((error) => {
      throw config.secretKey ? error : tellOfKey(error, config.dataDir);
    });
  }
  return createSqliteStore({ ...common, dataDir: config.dataDir, onCommitting });
}

/** Nodes of the dev profile have the key of a data directory each, unless they are given one. */
function tellOfKey(error: unknown, dataDir: string): unknown {
  if (!(error instanceof StoreRefusal) || error.code !== 'WRONG_SECRET_KEY') return error;
  const how =
    `This node took the key in ${dataDir}; give all nodes on one database the same --data-dir, or the same key by ` +
    'WATCHBELL_SECRET_KEY';
  return new StoreRefusal(error.code, `${error.message}. ${how}`, { cause: error });
}

export const secretKeysOf = async (config: Config): Promise<SecretKeys> => ({
  key: config.secretKey ?? (await devSecretKey(config.dataDir)),
  former: config.formerSecretKeys,
});

/** Seals the cursors of lists: under keys of its own, as there is no end to how many are sealed. */
export function cursorCipher({ key, former }: SecretKeys): Cipher {
  const derived = (from: Uint8Array) => createHmac('sha256', from).update('watchbell cursors').digest();
  return createCipher(derived(key), former.map(derived));
}

/** Whether the key is there, without making one. */
export const hasSecretKey = async (config: Config): Promise<boolean> =>
  config.secretKey !== undefined || existsSync(join(config.dataDir, 'secret.key'));

/** The dev profile's own key, made once and kept beside its data: whole, or not there at all. */
async function devSecretKey(dataDir: string): Promise<Uint8Array> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'secret.key');
  // A start on a disk that is full needs no room for a key that is there.
  if (!existsSync(path)) await makeKey(path);
  return Buffer.from((await readFile(path, 'utf8')).trim(), 'hex');
}

async function makeKey(path: string): Promise<void> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flush: true });
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
}

export const credentials = (base: string, made: NewCredentials): Credentials => ({
  base,
  client_id: made.clientId,
  client_secret: made.clientSecret,
  refresh_token: made.refreshToken,
  admin_token: made.adminToken,
});

export async function writeCredentials(dataDir: string, content: Credentials): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await writeFile(join(dataDir, 'credentials.json'), `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
}

/** The process's log: JSON lines to standard error. */
export interface Log extends Logger {
  /** For what is said of each notification or request; nothing comes of it below the log's level. */
  lines(level: 'debug' | 'info', message: string): WrittenLines;
}

export function createLogger(config: Config): Log {
  const output = inPieces(pino.destination({ dest: 2, sync: false }));
  const logger = pino({ level: config.logLevel, base: null }, output);
  return Object.assign(logger, {
    lines(level: 'debug' | 'info', message: string): WrittenLines {
      const number = logger.levels.values[level];
      if (number === undefined || !logger.isLevelEnabled(level)) return () => undefined;
      return writtenLines(output, number, message);
    },
  });
}
