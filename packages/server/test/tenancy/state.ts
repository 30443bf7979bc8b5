import { join } from 'node:path';
import Sqlite from 'better-sqlite3';

/** What the store holds of an organisation, table by table; of the tables given only. */
export function stateOf(dataDir: string, org: string, only?: readonly string[]): Readonly<Record<string, string>> {
  const db = new Sqlite(join(dataDir, 'watchbell.sqlite'), { readonly: true });
  try {
    const tables = db
      .prepare(
        `SELECT m.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c ON c.name = 'org_id'
         WHERE m.type = 'table' ORDER BY m.name`,
      )
      .pluck()
      .all() as string[];
    const state: Record<string, string> = {};
    if (!only) state.org = JSON.stringify(db.prepare('SELECT * FROM org WHERE id = ?').all(org));
    for (const table of tables.filter((name) => only === undefined || only.includes(name))) {
      state[table] = JSON.stringify(db.prepare(`SELECT * FROM ${table} WHERE org_id = ? ORDER BY 1, 2, 3`).all(org));
    }
    return state;
  } finally {
    db.close();
  }
}
