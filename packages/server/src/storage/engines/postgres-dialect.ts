import { type Dialect, type Statement, sql } from '../db.ts';

import { FOLD } from './postgres-fold.ts';

/** `json`, not `jsonb`: of the same member twice the last one counts, and nothing is converted. */
const parsed = (column: Statement): Statement => sql`CAST(${column} AS json)`;

const FOLD_CALL: Statement = { parts: [FOLD], values: [] };

export const DIALECT: Dialect = {
  contains: (column, text) => sql`strpos(${column}, ${text}) > 0`,
  lock: sql`FOR UPDATE`,
  // Whatever the database's own order of texts is, ours is that of bytes.
  member: (column, name) => sql`(${parsed(column)} ->> ${name}) COLLATE "C"`,
  items: (column, name) => sql`json_array_elements_text(
    CASE json_typeof(${parsed(column)} -> ${name}) WHEN 'array' THEN ${parsed(column)} -> ${name} END)`,
  fold: (value) => sql`${FOLD_CALL}(${value})`,
  listOf: (value, condition) => sql`COALESCE(CAST(json_agg(${value}) FILTER (WHERE ${condition}) AS text), '[]')`,
};
