import { changeRows, type Db, sql } from './db.ts';
import type { HousekeepingStore } from './keeping-stores.ts';
import { integer, text } from './rows.ts';

/** What retention removes of jobs and of notices, walking through them in order. */
export function createRecoveryKeeping(db: Db): Pick<HousekeepingStore, 'removeFinishedJobs' | 'removeNotices'> {
  return {
    async removeFinishedJobs(org, after, until, limit) {
      // One that is paused has ended with its channel: nobody can resume it.
      const [rows = []] = await db.read([
        sql`
          SELECT j.id, CASE WHEN j.updated_at <= ${until} AND (j.state IN ('done', 'failed', 'cancelled') OR
            j.state = 'paused' AND NOT EXISTS (
              SELECT 1 FROM channel c
              WHERE c.org_id = j.org_id AND c.generation = j.generation AND (c.ended_at IS NULL OR c.ended_at > ${until})
            )) THEN 1 ELSE 0 END AS old
          FROM job j WHERE j.org_id = ${org} AND j.id > ${after} ORDER BY j.id LIMIT ${limit}`,
      ]);
      const last = rows.at(-1);
      const old = rows.filter((row) => integer(row, 'old') === 1).map((row) => text(row, 'id'));
      if (old.length > 0) {
        await db.write([
          changeRows(
            old,
            (id) => sql`
              DELETE FROM job WHERE org_id = ${org} AND id = ${id} AND state <> 'running' AND updated_at <= ${until}`,
          ),
        ]);
      }
      return { removed: old.length, ...(last && rows.length === limit && { last: text(last, 'id') }) };
    },

    async removeNotices(org, after, until, limit) {
      const [rows = []] = await db.read([
        sql`
          SELECT version, part, at, due_at, CASE state WHEN 'pending' THEN 0 ELSE 1 END AS ended FROM notice
          WHERE org_id = ${org} AND version > ${after} ORDER BY version, part LIMIT ${limit}`,
      ]);
      const last = rows.at(-1);
      // Its last attempt was due then.
      const old = rows.filter((row) => integer(row, 'ended') === 1 && integer(row, 'due_at') <= until);
      if (old.length > 0) {
        await db.write([
          changeRows(
            old,
            (row) => sql`
              DELETE FROM notice
              WHERE org_id = ${org} AND version = ${integer(row, 'version')} AND part = ${integer(row, 'part')}
                AND state <> 'pending'`,
          ),
        ]);
      }
      // They are in order of time.
      const isMore = last !== undefined && rows.length === limit && integer(last, 'at') <= until;
      return { removed: old.length, ...(isMore && { last: integer(last, 'version') }) };
    },
  };
}
