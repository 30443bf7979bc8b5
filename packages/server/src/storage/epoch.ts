import { FIRST_EPOCH, type StoreEpoch } from '../domain/restart.ts';
import { type Db, insertRows, type Statement, sql, type Write } from './db.ts';
import { MOVED_TO } from './moving.ts';
import { jsonObject } from './rows.ts';

const NAME = 'epoch';
export const EPOCH_LABEL_BYTES = 6;

/** Serials left out at a restore, and from when (epoch ms) on how many at least there are for each second. */
const SERIALS_LEFT_OUT = 1_000_000;
const SERIALS_SINCE = Date.UTC(2026, 0, 1);
const SERIALS_PER_SECOND = 1000;
/** More than were made since any backup, and few of all ids that organisations can have. */
const ORGS_LEFT_OUT = 1000;

const selectEpoch: Statement = sql`SELECT value FROM meta WHERE name = ${NAME}`;

/** Of all organisations that were made but the dev profile's: the next one has the id of this number and one. */
export const ORGS_MADE = 'orgs_made';

/** Of a store as it is. */
export async function loadEpoch(db: Pick<Db, 'load'>): Promise<StoreEpoch> {
  const [[row] = []] = await db.load([selectEpoch]);
  return row ? jsonObject<StoreEpoch>(row, 'value') : FIRST_EPOCH;
}

/**
 * Begins a new history of a store that was restored from a backup. Numbers and ids that the original may have given since
 * are left out: those of records go on where an original that gave a thousand a second could not have come to, and those of
 * organisations behind a thousand.
 */
export function saveNextEpoch(current: StoreEpoch, label: string, realNow: number): Write[] {
  const next: StoreEpoch = { number: current.number + 1, label };
  const reachable = Math.max(0, Math.floor((realNow - SERIALS_SINCE) / 1000)) * SERIALS_PER_SECOND;
  return [
    // From here on it gives none of the numbers that the store gives which it was moved to.
    sql`DELETE FROM meta WHERE name = ${MOVED_TO}`,
    sql`UPDATE meta SET value = CAST(CAST(value AS INTEGER) + ${ORGS_LEFT_OUT} AS TEXT) WHERE name = ${ORGS_MADE}`,
    insertRows(
      'meta (name, value)',
      [[NAME, JSON.stringify(next)]],
      'ON CONFLICT (name) DO UPDATE SET value = excluded.value',
    ),
    sql`
      UPDATE org SET next_serial =
        CASE WHEN next_serial + ${SERIALS_LEFT_OUT} > ${reachable} THEN next_serial + ${SERIALS_LEFT_OUT} ELSE ${reachable} END`,
  ];
}
