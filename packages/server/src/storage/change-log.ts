import type { OrgId } from '../domain/ids.ts';
import { lockOrg } from './accounts.ts';
import { CHANGE_COLUMNS, readChange } from './changes.ts';
import { changeRows, type Db, type Row, type Statement, sql } from './db.ts';
import type { HousekeepingStore } from './keeping-stores.ts';
import { integer, integerOrNone } from './rows.ts';
import { recordsOf, subjectOf } from './subjects.ts';

/** Most that one piece removes of the change log, but for its last change. */
const MAX_BYTES = 1024 * 1024;
/** How long a re-match that was stopped may yet be numbering what it had read. */
const IN_FLIGHT_MS = 3_600_000;

type ChangeLogKeeping = Pick<
  HousekeepingStore,
  'newestChange' | 'oldestChange' | 'openLapse' | 'neededByRematch' | 'removeChanges'
>;

/** What retention looks at, and removes, of the change log and of what leads into it. */
export function createChangeLogKeeping(db: Db): ChangeLogKeeping {
  async function first(statement: Statement): Promise<Row | undefined> {
    const [rows] = await db.read([statement]);
    return rows?.[0];
  }

  const changeFrom = (org: OrgId, number: number) =>
    first(
      sql`SELECT number, at FROM record_change WHERE org_id = ${org} AND number >= ${number} ORDER BY number LIMIT 1`,
    );

  /** Up to which change a re-match has come. */
  const position = sql`CAST(${db.dialect.member(sql`j.progress`, 'position')} AS BIGINT)`;

  /** Nothing that was matched again is about a change up to this one, and no re-match may yet number one. */
  const isFree = (org: OrgId, last: number): Statement => sql`
    NOT EXISTS (
      SELECT 1 FROM notification n WHERE n.org_id = ${org} AND n.change_number <= ${last} AND n.job IS NOT NULL)
    AND NOT EXISTS (
      SELECT 1 FROM job j WHERE j.org_id = ${org} AND j.state = 'running' AND j.kind = 'rematch' AND ${position} < ${last})
    AND NOT EXISTS (
      SELECT 1 FROM job j WHERE j.org_id = ${org} AND j.state IN ('paused', 'cancelled') AND j.kind = 'rematch'
        AND ${position} < ${last} AND j.updated_at > (SELECT last_time FROM org WHERE id = ${org}) - ${IN_FLIGHT_MS})`;

  return {
    async newestChange(org, until) {
      let low = await changeFrom(org, 0);
      if (!low || integer(low, 'at') > until) return low ? integer(low, 'number') - 1 : 0;
      // Committed time never runs backwards, so the log is in order of time, too.
      const top = await first(sql`SELECT MAX(number) AS number FROM record_change WHERE org_id = ${org}`);
      let high = top ? integer(top, 'number') + 1 : integer(low, 'number') + 1;
      while (high - integer(low, 'number') > 1) {
        const middle = await changeFrom(org, Math.floor((integer(low, 'number') + high) / 2));
        if (!middle || integer(middle, 'number') >= high) break;
        if (integer(middle, 'at') <= until) low = middle;
        else high = integer(middle, 'number');
      }
      return integer(low, 'number');
    },

    async oldestChange(org) {
      const row = await changeFrom(org, 0);
      return row && { number: integer(row, 'number'), at: integer(row, 'at') };
    },

    async openLapse(org) {
      const row = await first(
        sql`SELECT MIN(from_change) AS change FROM lapse WHERE org_id = ${org} AND to_change IS NULL`,
      );
      return row && integerOrNone(row, 'change');
    },

    async neededByRematch(org) {
      const [made = [], coming = []] = await db.read([
        sql`
          SELECT change_number AS change FROM notification
          WHERE org_id = ${org} AND job IS NOT NULL ORDER BY change_number LIMIT 1`,
        sql`
          SELECT MIN(${position}) + 1 AS change FROM job j
          WHERE j.org_id = ${org} AND j.state = 'running' AND j.kind = 'rematch'`,
      ]);
      const needed = [...made, ...coming].flatMap((row) => integerOrNone(row, 'change') ?? []);
      return needed.length > 0 ? Math.min(...needed) : undefined;
    },

    async removeChanges(org, below, limit) {
      const [rows = []] = await db.read([
        sql`
          SELECT ${CHANGE_COLUMNS} FROM (
            SELECT number, SUM(bytes) OVER (ORDER BY number) - bytes AS bytes_before FROM (
              SELECT number, OCTET_LENGTH(records) AS bytes FROM record_change
              WHERE org_id = ${org} AND number < ${below} ORDER BY number LIMIT ${limit}) s) r
          JOIN record_change c ON c.org_id = ${org} AND c.number = r.number
          WHERE r.bytes_before < ${MAX_BYTES}`,
      ]);
      const changes = rows.map(readChange);
      if (changes.length === 0) return 0;
      const last = Math.max(...changes.map(({ number }) => number));
      // Its notifications may be about the module of any record that it is about.
      const subjects = changes.flatMap((change) => {
        const records = recordsOf(change);
        const all = [
          ...records.map(({ module, id }) => subjectOf(module, id)),
          ...records.map(({ module }) => subjectOf(module)),
        ];
        return Array.from(new Set(all), (subject) => ({ subject, number: change.number }));
      });
      // What a re-match commits comes before, and is seen, or after, and finds the changes gone.
      const [, removed = []] = await db.write([
        lockOrg(db.dialect, org),
        sql`
          DELETE FROM record_change WHERE org_id = ${org} AND number <= ${last} AND ${isFree(org, last)}
          RETURNING 1 AS one`,
        changeRows(
          subjects,
          ({ subject, number }) => sql`
            DELETE FROM change_subject
            WHERE org_id = ${org} AND subject = ${subject} AND change_number = ${number} AND NOT EXISTS (
              SELECT 1 FROM record_change c
              WHERE c.org_id = change_subject.org_id AND c.number = change_subject.change_number)`,
        ),
      ]);
      return removed.length;
    },
  };
}
