import { randomBytes } from 'node:crypto';
import type { Credentials } from '@watchbell/client';
import { openClocks } from './clocks.ts';
import type { Config, DatabaseConfig } from './config.ts';
import { createLogger, credentials, hasSecretKey, openStore, secretKeysOf } from './opening.ts';
import { createAccounts, type SetupInput } from './services/accounts.ts';
import { type MoveFacts, type MoveProgress, moveStore } from './storage/engines/move-store.ts';
import { postgresMigrationStatus } from './storage/engines/postgres.ts';
import { lookAtServers, type ServerFacts, type ServerLook } from './storage/engines/postgres-look.ts';
import { migrationStatus } from './storage/engines/sqlite.ts';
import { backUpStore, type CopyFacts, restoreStore } from './storage/engines/sqlite-backup.ts';
import { StoreRefusal } from './storage/refusal.ts';
import type { Store } from './storage/store.ts';

// What is done to a store while no server holds it; a backup also beside one.

export type { CopyFacts, MoveFacts, MoveProgress, ServerFacts, ServerLook };

/** Makes an organisation with its first user, client and admin token. The secrets are in the answer and nowhere else. */
export async function setup(config: Config, input: SetupInput): Promise<Credentials> {
  const store = await openStore(config, createLogger(config));
  try {
    const { accounts, administration, clients, tokens } = store;
    const { clock, realNow } = await openClocks('production', store, {});
    const parts = { accounts, administration, clients, tokens, clock, realNow, random: randomBytes };
    return credentials(config.publicUrl ?? '', await createAccounts(parts).setup(input));
  } finally {
    await store.close();
  }
}

export interface Migrations {
  readonly applied: readonly string[];
  readonly pending: readonly string[];
}

/** What starting would do to the store's schema. Changes nothing. */
export async function pendingMigrations(config: Config): Promise<Migrations> {
  if (!config.database) return migrationStatus(config.dataDir);
  const { url, pooler } = config.database;
  return postgresMigrationStatus({ url, pooler, logger: createLogger({ ...config, logLevel: 'silent' }) });
}

/** Looks at each server of the configured database by itself, and changes nothing. */
export const lookAtDatabase = ({ url, pooler }: DatabaseConfig): Promise<readonly ServerLook[]> =>
  lookAtServers(url, pooler);

/** Brings the store's schema up to date; answers as it was before. */
export async function migrate(config: Config): Promise<Migrations> {
  const before = await pendingMigrations(config);
  await (await openStore(config, createLogger(config))).close();
  return before;
}

/**
 * Opens the store as a start would, and says whether it can be read and written; it is not bound to a new key, and none is
 * made. Rejects with what to mend.
 */
export async function checkStore(config: Config): ReturnType<Store['check']> {
  if (!(await hasSecretKey(config))) {
    throw new StoreRefusal('WRONG_SECRET_KEY', `The key of this store, ${config.dataDir}/secret.key, is not there`);
  }
  const store = await openStore(config, createLogger({ ...config, logLevel: 'silent' }), { isLook: true });
  try {
    return await store.check();
  } finally {
    await store.close();
  }
}

/** Copies the store as it is at one moment into a new file, also while a server holds it. */
export const backUp = (dataDir: string, to: string): Promise<CopyFacts> => backUpStore(dataDir, to);

/** Puts a backup as the store into the configured data directory, which must have none. */
export async function restore(config: Config, from: string): Promise<CopyFacts> {
  if (config.database) {
    throw new StoreRefusal(
      'NOT_EMBEDDED',
      `A backup file is of the embedded store; what is served here is ${config.database.shown}. Restore that with ` +
        "PostgreSQL's own means, then start one node with --restored",
    );
  }
  if (!(await hasSecretKey(config))) {
    throw new StoreRefusal(
      'WRONG_SECRET_KEY',
      `Put secret.key of the data directory that the backup was made from into ${config.dataDir} first`,
    );
  }
  return restoreStore(from, config.dataDir, await secretKeysOf(config));
}

/** Copies the embedded store, at rest, into the configured database, which must hold nothing; afterwards only that opens. */
export async function moveIntoDatabase(
  config: Config,
  onProgress: (progress: MoveProgress) => void,
): Promise<MoveFacts> {
  const { database, dataDir } = config;
  if (!database) throw new StoreRefusal('NOT_MOVED', 'No database is named that the store is to be moved into');
  if (!(await hasSecretKey(config))) {
    throw new StoreRefusal('WRONG_SECRET_KEY', `The key of this store, ${dataDir}/secret.key, is not there`);
  }
  await prepareDatabase(config);
  const facts = await moveStore({ dataDir, keys: await secretKeysOf(config), url: database.url, onProgress });
  // As a start would: under the same key, read and written.
  const found = await checkStore(config);
  if (!found.ok) throw new StoreRefusal('CANNOT_OPEN', `The store was moved, but does not open: ${found.reason}`);
  return facts;
}

/** Brings its schema up to date. */
async function prepareDatabase(config: Config): Promise<void> {
  try {
    await (await openStore(config, createLogger(config), { isLook: true })).close();
  } catch (error) {
    // A move that was cut short is taken up again.
    if (!(error instanceof StoreRefusal && error.code === 'BEING_MOVED')) throw error;
  }
}
