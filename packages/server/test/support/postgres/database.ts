import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { withClient } from './with-client.ts';

export interface TestDatabase {
  readonly url: string;
  /** Cuts the connections that are left. */
  drop(): Promise<void>;
}

/** A new, empty database on the run's server. */
export async function createDatabase(): Promise<TestDatabase> {
  const server = inject('postgres');
  const name = `${server.prefix}${randomBytes(6).toString('hex')}`;
  // C: a server's own collation and case folding must not matter.
  await withClient(server.url, (client) =>
    client.query(`CREATE DATABASE "${name}" TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'`),
  );
  const url = new URL(server.url);
  url.pathname = name;
  return {
    url: url.href,
    drop: async () => {
      await withClient(server.url, (client) => client.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`));
    },
  };
}
