import { randomBytes } from 'node:crypto';
import type { Credentials } from '@watchbell/client';
import type { Config } from './config.ts';
import { createLogger, credentials, openStore } from './opening.ts';
import { createAccounts, type SetupInput } from './services/accounts.ts';
import { migrationStatus } from './storage/engines/sqlite.ts';
import type { Store } from './storage/store.ts';
import { systemClock } from './system-clock.ts';

// What is done to a store while no server holds it.

/** Makes an organisation with its first user, client and admin token. The secrets are in the answer and nowhere else. */
export async function setup(config: Config, input: SetupInput): Promise<Credentials> {
  const store = await openStore(config, createLogger(config));
  try {
    const { accounts, administration, clients, tokens } = store;
    const parts = {
      accounts,
      administration,
      clients,
      tokens,
      clock: systemClock,
      realNow: Date.now,
      random: randomBytes,
    };
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
  return migrationStatus(config.dataDir);
}

/** Brings the store's schema up to date; answers as it was before. */
export async function migrate(config: Config): Promise<Migrations> {
  const before = await pendingMigrations(config);
  await (await openStore(config, createLogger(config))).close();
  return before;
}

/** Opens the store as a start would, and says whether it can be read and written. Rejects with what to mend. */
export async function checkStore(config: Config): ReturnType<Store['check']> {
  const store = await openStore(config, createLogger({ ...config, logLevel: 'silent' }));
  try {
    return await store.check();
  } finally {
    await store.close();
  }
}
