// What a table holds, read in another way than the command does it: values are told apart by their lengths.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import pg from 'pg';

const ROWS_AT_ONCE = 2000;
/** What each of the two stores has for itself. */
const OWN = "'moved_to', 'moved_from', 'timeline', 'probe'";

const only = (table) => (table === 'meta' ? `WHERE name NOT IN (${OWN})` : '');

function counting() {
  const hash = createHash('sha256');
  let rows = 0;
  return {
    take(row) {
      rows += 1;
      for (const value of row) {
        const bytes = value === null ? undefined : Buffer.from(String(value));
        hash.update(`${bytes?.length ?? 'none'}:`);
        if (bytes) hash.update(bytes);
      }
    },
    end: () => ({ rows, digest: hash.digest('hex') }),
  };
}

function columnsOf(db, table) {
  const columns = db.prepare('SELECT name, pk FROM pragma_table_info(?) ORDER BY cid').all(table);
  const key = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
  return { columns: columns.map(({ name }) => name).join(', '), key: key.map(({ name }) => name).join(', ') };
}

const remembered = new Map();

export function contentsOf(dataDir, table) {
  const db = new Sqlite(join(dataDir, 'watchbell.sqlite'), { readonly: true });
  const { columns, key } = columnsOf(db, table);
  remembered.set(table, { columns, key });
  const found = counting();
  const statement = db
    .prepare(`SELECT ${columns} FROM ${table} ${only(table)} ORDER BY ${key}`)
    .raw()
    .safeIntegers();
  for (const row of statement.iterate()) found.take(row);
  db.close();
  return found.end();
}

/** After `contentsOf` the same table. */
export async function contentsOfDatabase(url, table) {
  const { columns, key } = remembered.get(table);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const found = counting();
  await client.query('BEGIN');
  await client.query(`DECLARE rows CURSOR FOR SELECT ${columns} FROM ${table} ${only(table)} ORDER BY ${key}`);
  for (;;) {
    const { rows } = await client.query({ text: `FETCH ${ROWS_AT_ONCE} FROM rows`, rowMode: 'array' });
    for (const row of rows) found.take(row);
    if (rows.length < ROWS_AT_ONCE) break;
  }
  await client.end();
  return found.end();
}

export async function databaseSize(url) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query('SELECT pg_database_size(current_database()) AS bytes');
  await client.end();
  return Number(rows[0].bytes);
}
