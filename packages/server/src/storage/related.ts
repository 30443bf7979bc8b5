import type { RecordId } from '../domain/ids.ts';
import type { Db } from './db.ts';
import { list, sql } from './db.ts';
import { RECORD_COLUMNS, readRecord } from './records.ts';
import { integer, text } from './rows.ts';
import type { RelatedReads } from './store.ts';

/** Reads by look-up entries: of a lookup or tag these hold the id that it names. */
export function createRelatedReads(db: Db): RelatedReads {
  return {
    async holders(org, module, field, values) {
      const [rows = []] = await db.read([
        sql`
          SELECT value, MIN(record_id) AS record_id FROM record_key
          WHERE org_id = ${org} AND module = ${module} AND field = ${field} AND value IN ${list(values)}
          GROUP BY value`,
      ]);
      return new Map(rows.map((row) => [text(row, 'value'), text<RecordId>(row, 'record_id')]));
    },

    async page(org, module, fields, target, { page, perPage, sortBy, ascending }) {
      const order = ascending ? sql`ASC` : sql`DESC`;
      const window = sql`LIMIT ${perPage + 1} OFFSET ${(page - 1) * perPage}`;
      // Of one field the entries are in the order of ids, so that no more of them is read than is skipped and shown.
      const [only] = fields;
      const named = fields.length === 1 && only !== undefined ? sql`field = ${only}` : sql`field IN ${list(fields)}`;
      const pointing = sql`
        SELECT DISTINCT record_id FROM record_key
        WHERE org_id = ${org} AND module = ${module} AND ${named} AND value = ${target}`;
      const [rows = []] = await db.read([
        sortBy === 'modified'
          ? sql`
            SELECT ${RECORD_COLUMNS} FROM record r
            WHERE r.org_id = ${org} AND r.module = ${module} AND r.id IN (${pointing})
            ORDER BY r.modified_at ${order}, r.id ${order} ${window}`
          : sql`
            SELECT ${RECORD_COLUMNS} FROM (${pointing} ORDER BY record_id ${order} ${window}) shown
            JOIN record r ON r.org_id = ${org} AND r.module = ${module} AND r.id = shown.record_id
            ORDER BY r.id ${order}`,
      ]);
      return { records: rows.slice(0, perPage).map(readRecord), moreRecords: rows.length > perPage };
    },

    async ids(org, module, fields, targets, after, limit) {
      const [rows = []] = await db.read([
        sql`
          SELECT DISTINCT record_id FROM record_key
          WHERE org_id = ${org} AND module = ${module} AND field IN ${list(fields)} AND value IN ${list(targets)}
            AND record_id > ${after} ORDER BY record_id LIMIT ${limit}`,
      ]);
      return rows.map((row) => text<RecordId>(row, 'record_id'));
    },

    async count(org, module, field, target) {
      const [rows = []] = await db.read([
        sql`
          SELECT COUNT(*) AS found FROM record_key
          WHERE org_id = ${org} AND module = ${module} AND field = ${field} AND value = ${target}`,
      ]);
      return rows[0] ? integer(rows[0], 'found') : 0;
    },

    async all(org, module) {
      const [rows = []] = await db.read([
        sql`
          SELECT ${RECORD_COLUMNS} FROM record r
          WHERE r.org_id = ${org} AND r.module = ${module} ORDER BY r.id LIMIT 1000`,
      ]);
      return rows.map(readRecord);
    },
  };
}
