import type { Generation, OrgId } from '../domain/ids.ts';
import type { ChangeRange } from '../domain/notification-query.ts';
import { type Row, type Statement, sql } from './db.ts';
import { integer } from './rows.ts';

/** Numbers of re-matched notifications that are looked at to find where a channel's others begin. */
export const MAX_REMATCHED = 2000;
/** Re-matched ones that a search steps over. */
const STRIDE = 200;
/** Above every number: what a search by halves starts with. */
const HALF = 2 ** 32;

/**
 * How far a condition that holds up to some number and not beyond it does hold: found by halves, in one statement.
 * `passes` says of `p + step` that it holds.
 */
const searchByHalves = (passes: Statement): Statement => sql`
  WITH RECURSIVE halves(p, step) AS (
    SELECT CAST(0 AS BIGINT), CAST(${HALF} AS BIGINT)
    UNION ALL
    SELECT CASE WHEN ${passes} THEN p + step ELSE p END, step / 2 FROM halves WHERE step > 0
  )
  SELECT p FROM halves WHERE step = 0`;

export const found = (rows: readonly Row[] | undefined): number => (rows?.[0] ? integer(rows[0], 'p') : 0);

/** Committed time never runs backwards, so changes are in order of time, too. */
export const selectChangesBefore = (org: OrgId, time: number): Statement =>
  searchByHalves(sql`(
    SELECT c.at FROM record_change c WHERE c.org_id = ${org} AND c.number >= p + step ORDER BY c.number LIMIT 1) < ${time}`);

/**
 * Up to which number a channel's notifications are about changes up to this one. Those that were matched again stand
 * elsewhere and are stepped over; where there are too many at once, what is there passes, so that nothing is left out.
 */
export const selectNumbersUpTo = (org: OrgId, generation: Generation, change: number): Statement =>
  searchByHalves(sql`
    p + step <= (SELECT last_number FROM channel WHERE org_id = ${org} AND generation = ${generation})
    AND COALESCE((
      SELECT n.change_number FROM notification n
      WHERE n.org_id = ${org} AND n.generation = ${generation} AND n.number >= p + step
        AND n.number < p + step + ${STRIDE} AND n.job IS NULL
      ORDER BY n.number LIMIT 1), 0) <= ${change}`);

export const selectRematchedTop = (org: OrgId, generation: Generation, { first, last }: ChangeRange): Statement => sql`
  SELECT COUNT(*) AS looked, MAX(CASE WHEN generation = ${generation} THEN number END) AS top FROM (
    SELECT generation, number FROM notification
    WHERE org_id = ${org} AND change_number >= ${first} AND change_number <= ${last} AND job IS NOT NULL
    LIMIT ${MAX_REMATCHED}) r`;
