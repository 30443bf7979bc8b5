import { randomBytes } from 'node:crypto';
import type { TestProject } from 'vitest/node';
import { createPostgresStore } from '../../../src/storage/engines/postgres.ts';
import { startPostgres } from './cluster.mjs';
import { createNamed } from './database.ts';
import { withClient } from './with-client.ts';

const OLDEST_VERSION = 14;

/** Where tests make their databases. */
export interface TestServer {
  /** Of a database whose user may make others. */
  readonly url: string;
  /** What the names of this run's databases begin with. */
  readonly prefix: string;
  /** A database of the newest schema to make others from, sooner than by migrating each. */
  readonly template: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** What a server that a test starts keeps its data in. */
    engine: 'sqlite' | 'postgres';
    /** For tests that run on PostgreSQL. */
    postgres: TestServer;
  }
}

/** One server for all files that run on PostgreSQL: the one that is named, else one of our own. Fails without any. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const prefix = `watchbell_test_${randomBytes(4).toString('hex')}_`;
  const named = process.env.WATCHBELL_TEST_DATABASE_URL;
  const own = named === undefined || named === '' ? await startPostgres() : undefined;
  const url = own?.url ?? named ?? '';
  const version = await checked(url);
  process.stdout.write(`PostgreSQL ${version}: ${own?.from ?? 'named by WATCHBELL_TEST_DATABASE_URL'}\n`);
  const template = `${prefix}template`;
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const migrated = await createNamed(url, template, 'template0');
  // A look binds it to no key.
  const look = { secretKey: new Uint8Array(32), isLook: true, time: 'injected', logger } as const;
  await (await createPostgresStore({ ...look, url: migrated })).close();
  project.provide('postgres', { url, prefix, template });
  return async () => {
    if (own) await own.remove();
    else await dropAll(url, prefix);
  };
}

/** Its version, when it is new enough and lets us make databases. */
function checked(url: string): Promise<string> {
  return withClient(url, async (client) => {
    const { rows } = await client.query<{ version: string; number: number; may: boolean }>(
      `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
         (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may`,
    );
    const [row] = rows;
    if (!row || row.number < OLDEST_VERSION * 10_000)
      throw new Error(`Tests need PostgreSQL ${OLDEST_VERSION} or newer, not ${row?.version}`);
    if (!row.may) throw new Error('The user in WATCHBELL_TEST_DATABASE_URL may not make databases');
    return row.version;
  });
}

/** Those that tests left on a server that stays. */
async function dropAll(url: string, prefix: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1)',
      [prefix],
    );
    for (const { name } of rows) await client.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
  });
}
