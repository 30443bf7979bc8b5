import { onTestFinished } from 'vitest';
import { createPostgresStore } from '../../src/storage/engines/postgres.ts';
import type { Store } from '../../src/storage/store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { createDatabase } from '../support/postgres/database.ts';
import type { Opened } from './suite/sample.ts';
import { storeSuite } from './suite/store-suite.ts';

const KEY = new Uint8Array(32).fill(7);
const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function openStore(url: string, secretKey = KEY): Promise<Store> {
  const store = await createPostgresStore({ url, secretKey, logger: silent, time: 'injected' });
  onTestFinished(() => store.close());
  return store;
}

async function open(): Promise<Opened> {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  let current = await openStore(database.url);
  return {
    store: current,
    async reopen() {
      await current.close();
      current = await openStore(database.url);
      return current;
    },
    second: () => openStore(database.url),
  };
}

storeSuite('PostgreSQL', open);
