import { rmSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { inject } from 'vitest';
import type { Flags } from '../../src/settings.ts';
import { createPostgresStore } from '../../src/storage/engines/postgres.ts';
import { createSqliteStore } from '../../src/storage/engines/sqlite.ts';
import type { Store } from '../../src/storage/store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { createDatabase, type TestDatabase } from './postgres/database.ts';
import { withClient } from './postgres/with-client.ts';

// What a server keeps its data in: a directory, with a database that goes with it where tests run on PostgreSQL.

const databases = new Map<string, Promise<TestDatabase>>();

/** Of the directory: always the same, made when it is first asked for. */
function databaseOf(dataDir: string): Promise<TestDatabase> {
  const known = databases.get(dataDir) ?? createDatabase({ isMigrated: true });
  databases.set(dataDir, known);
  return known;
}

/** What tells a server where its data are. */
export async function dataFlags(dataDir: string): Promise<Flags & { readonly dataDir: string }> {
  if (inject('engine') === 'sqlite') return { dataDir };
  return { dataDir, databaseUrl: (await databaseOf(dataDir)).url };
}

export async function removeData(dataDir: string): Promise<void> {
  rmSync(dataDir, { recursive: true, force: true });
  const database = databases.get(dataDir);
  databases.delete(dataDir);
  await (await database)?.drop();
}

/** Without a server. Committed is the time of the clock that what uses the store is given. */
export async function openStoreIn(
  dataDir: string,
  options: { readonly secretKey: Uint8Array; readonly logger: Logger; readonly onCommitting?: () => void },
): Promise<Store> {
  const { databaseUrl } = await dataFlags(dataDir);
  return databaseUrl === undefined
    ? createSqliteStore({ ...options, dataDir })
    : createPostgresStore({ ...options, url: databaseUrl, time: 'injected' });
}

/** What a query that both engines understand finds in the data of a server, running or not. Big integers are numbers. */
export async function rowsIn<Row extends object>(dataDir: string, text: string): Promise<Row[]> {
  if (inject('engine') === 'postgres')
    return withClient((await databaseOf(dataDir)).url, async (client) => (await client.query<Row>(text)).rows);
  const db = new Sqlite(join(dataDir, 'watchbell.sqlite'), { readonly: true });
  try {
    return db.prepare<[], Row>(text).all();
  } finally {
    db.close();
  }
}

/** Changes the data of a server, running or not, by a statement that both engines understand. */
export async function changeIn(dataDir: string, text: string): Promise<void> {
  if (inject('engine') === 'postgres') {
    await withClient((await databaseOf(dataDir)).url, (client) => client.query(text));
    return;
  }
  const db = new Sqlite(join(dataDir, 'watchbell.sqlite'));
  db.exec(text);
  db.close();
}

/** Names of the tables there, with those of their columns. */
export async function tablesIn(dataDir: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const columns =
    inject('engine') === 'postgres'
      ? `SELECT table_name AS name, column_name AS "column" FROM information_schema.columns WHERE table_schema = 'public'`
      : `SELECT m.name, c.name AS "column" FROM sqlite_schema m JOIN pragma_table_info(m.name) c ON m.type = 'table'`;
  const tables = new Map<string, string[]>();
  for (const { name, column } of await rowsIn<{ name: string; column: string }>(dataDir, `${columns} ORDER BY 1, 2`))
    tables.set(name, [...(tables.get(name) ?? []), column]);
  return tables;
}
