import { describe, onTestFinished } from 'vitest';
import { createPostgresStore, type PostgresOptions } from '../../src/storage/engines/postgres.ts';
import type { Store } from '../../src/storage/store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { createDatabase } from '../support/postgres/database.ts';
import { orgTransactionSuite } from './suite/org-transaction.ts';
import type { Opened } from './suite/sample.ts';
import { searchSuite } from './suite/search.ts';
import { storeSuite } from './suite/store-suite.ts';

const KEY = new Uint8Array(32).fill(7);
const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function openStore(url: string, options: Partial<PostgresOptions>): Promise<Store> {
  const store = await createPostgresStore({ url, secretKey: KEY, logger: silent, time: 'injected', ...options });
  onTestFinished(() => store.close());
  return store;
}

async function open(options: Partial<PostgresOptions> = {}): Promise<Opened> {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  let current = await openStore(database.url, options);
  return {
    store: current,
    async reopen() {
      await current.close();
      current = await openStore(database.url, options);
      return current;
    },
    second: () => openStore(database.url, options),
  };
}

storeSuite('PostgreSQL', () => open());

// Nothing is kept on the server, and settings hold for a transaction.
describe('a store on PostgreSQL behind a transaction-mode pooler', () => {
  orgTransactionSuite(() => open({ pooler: true }));
  searchSuite(() => open({ pooler: true }));
});
