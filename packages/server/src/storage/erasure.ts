import type { OrgId } from '../domain/ids.ts';
import { lockOrg } from './accounts.ts';
import { type Db, type Statement, sql } from './db.ts';
import { text } from './rows.ts';
import type { ErasureStore } from './store.ts';

/** Rows removed by one transaction, so that other organisations wait for a moment only. */
const CHUNK_ROWS = 500;

/** What the engine does in its own way. */
export interface ErasureEngine {
  /** Rows of `name` and `key` (its primary key's columns, between commas) for each table with a column `org_id`. */
  readonly orgTables: Statement;
  seal(): Promise<boolean>;
}

/** Tables are found in the schema itself, so that one added later cannot be forgotten. */
export function createErasureStore(db: Db, { orgTables, seal }: ErasureEngine): ErasureStore {
  return {
    async pending() {
      const [rows = []] = await db.read([sql`SELECT id FROM org WHERE erasing_at IS NOT NULL ORDER BY id`]);
      return rows.map((row) => text<OrgId>(row, 'id'));
    },

    async tables() {
      const [rows = []] = await db.load([orgTables]);
      return rows.map((row) => ({ name: text(row, 'name'), key: text(row, 'key') }));
    },

    async removeSome(org, { name, key }) {
      // Two at it see nothing left when there is nothing left, not when they were after the same rows.
      const [, rows = []] = await db.write([lockOrg(db.dialect, org), removal(org, name, key)]);
      return rows.length;
    },

    async removeOrg(org) {
      await db.write([sql`DELETE FROM org WHERE id = ${org} AND erasing_at IS NOT NULL`]);
    },

    seal,
  };
}

/**
 * Names come from the schema, never from a caller. Another node may be done already, and an organisation of the same id
 * made anew: that is not being erased.
 */
const removal = (org: OrgId, name: string, key: string): Statement => ({
  parts: [
    `DELETE FROM "${name}" WHERE (${key}) IN (SELECT ${key} FROM "${name}" WHERE org_id = `,
    ' AND EXISTS (SELECT 1 FROM org WHERE id = ',
    ' AND erasing_at IS NOT NULL) LIMIT ',
    ') RETURNING 1 AS one',
  ],
  values: [org, org, CHUNK_ROWS],
});
