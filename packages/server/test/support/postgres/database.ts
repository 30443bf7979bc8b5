import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { withClient } from './with-client.ts';

export interface TestDatabase {
  readonly url: string;
  /** Cuts the connections that are left. */
  drop(): Promise<void>;
}

/** A new database on the run's server: empty, or as a store that was opened and not used yet. */
export async function createDatabase({ isMigrated = false } = {}): Promise<TestDatabase> {
  const server = inject('postgres');
  const name = `${server.prefix}${randomBytes(6).toString('hex')}`;
  return {
    url: await createNamed(server.url, name, isMigrated ? server.template : 'template0'),
    drop: async () => {
      await withClient(server.url, (client) => client.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`));
    },
  };
}

/** Answers its URL. */
export async function createNamed(server: string, name: string, template: string): Promise<string> {
  // C: a server's own collation and case folding must not matter.
  await withClient(server, (client) =>
    client.query(`CREATE DATABASE "${name}" TEMPLATE "${template}" ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'`),
  );
  const url = new URL(server);
  url.pathname = name;
  return url.href;
}
