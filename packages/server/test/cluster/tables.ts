import Database from 'better-sqlite3';
import pg from 'pg';
import type { Query, Row } from '../crash/store-copy.ts';
import { withClient } from '../support/postgres/with-client.ts';

/** Numbers as numbers; times and counts are far below 2^53. */
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);

export const ask = (url: string, text: string, values: readonly unknown[] = []): Promise<Row[]> =>
  withClient(url, async (client) => (await client.query<Row>({ text, values: [...values], types })).rows);

const TABLES = ['record_change', 'notification', 'attempt', 'owed', 'channel', 'channel_revision', 'lapse'];

/** Copies what the checks look at, so that they read it as they read an embedded store. */
export async function copyTables(url: string): Promise<{ readonly query: Query; close(): void }> {
  const copy = new Database(':memory:');
  for (const table of TABLES) {
    const rows = await ask(url, `SELECT * FROM ${table}`);
    const columns = Object.keys(rows[0] ?? {});
    if (columns.length === 0) {
      const named = await ask(url, 'SELECT column_name AS name FROM information_schema.columns WHERE table_name = $1', [
        table,
      ]);
      columns.push(...named.map(({ name }) => String(name)));
    }
    copy.exec(`CREATE TABLE ${table} (${columns.join(', ')})`);
    const insert = copy.prepare(`INSERT INTO ${table} VALUES (${columns.map(() => '?').join(', ')})`);
    copy.transaction(() => {
      for (const row of rows) insert.run(columns.map((column) => row[column]));
    })();
    if (columns.includes('generation')) copy.exec(`CREATE INDEX ${table}_generation ON ${table} (generation)`);
  }
  return {
    query: (text, ...values) => copy.prepare(text).all(...values) as Row[],
    close: () => copy.close(),
  };
}

/** Attempts made of each notification that is pending, by generation and number. */
export async function pendingNow(url: string): Promise<Map<string, number>> {
  const rows = await ask(url, 'SELECT generation, number, attempts_made FROM owed');
  return new Map(rows.map((row) => [`${row.generation} ${row.number}`, Number(row.attempts_made)]));
}

/** Whether nothing is owed that could be sent now. */
export async function isDrained(url: string): Promise<boolean> {
  const rows = await ask(
    url,
    `SELECT 1 FROM owed o JOIN channel c ON c.org_id = o.org_id AND c.generation = o.generation
     WHERE c.ended_at IS NULL AND c.lapsed_from IS NULL AND c.suspended_at IS NULL AND c.expires_at > $1 LIMIT 1`,
    [Date.now()],
  );
  return rows.length === 0;
}
