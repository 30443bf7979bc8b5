import type { Generation, OrgId } from '../domain/ids.ts';
import { type Db, sql } from './db.ts';
import { integer } from './rows.ts';
import type { BacklogReads, Owed } from './store.ts';

/** Notifications counted by one statement, and channels asked for at once; other reads come in between. */
const SLICE = 20_000;
const CHANNELS = 50;

interface Asked {
  readonly org: OrgId;
  readonly generation: Generation;
}

/** Counts by what is owed alone, however long the log is. */
export function createBacklogReads(db: Pick<Db, 'read'>): BacklogReads {
  async function countOn(asked: readonly Asked[], after: number, most: number): Promise<Counted[]> {
    const rows = await db.read(asked.flatMap((one) => [selectCount(one, after, most), selectOldest(one, after)]));
    return asked.map((_, i) => {
      const [count] = rows[2 * i] ?? [];
      const [oldest] = rows[2 * i + 1] ?? [];
      return {
        count: count ? integer(count, 'owed') : 0,
        last: count ? integer(count, 'last') : after,
        ...(oldest && { oldestAt: integer(oldest, 'at') }),
      };
    });
  }

  async function countRest(one: Asked, { last, count, ...first }: Counted, most: number): Promise<Owed> {
    let owed = count;
    for (let after = last, found = count; found === SLICE && owed < most; ) {
      const slice = Math.min(SLICE, most - owed);
      const [[row] = []] = await db.read([selectCount(one, after, slice)]);
      found = row ? integer(row, 'owed') : 0;
      after = row ? integer(row, 'last') : after;
      owed += found;
    }
    return { ...first, count: owed };
  }

  return {
    async owed(asked, most) {
      const owed: Owed[] = [];
      for (let i = 0; i < asked.length; i += CHANNELS) {
        const some = asked.slice(i, i + CHANNELS);
        const counted = await countOn(some, 0, Math.min(SLICE, most));
        for (const [k, first] of counted.entries()) {
          const one = some[k];
          if (one) owed.push(await countRest(one, first, most));
        }
      }
      return owed;
    },
  };
}

interface Counted extends Owed {
  /** Highest number that was counted. */
  readonly last: number;
}

/** Pending numbers that are owed indeed: of a channel that has ended none, of others those after what was cancelled. */
const pendingOf = ({ org, generation }: Asked, after: number) => sql`
  org_id = ${org} AND generation = ${generation} AND number > (
    SELECT CASE WHEN cancelled_to > ${after} THEN cancelled_to ELSE ${after} END FROM channel
    WHERE org_id = ${org} AND generation = ${generation} AND ended_at IS NULL)`;

const selectCount = (asked: Asked, after: number, most: number) => sql`
  SELECT COUNT(*) AS owed, COALESCE(MAX(number), 0) AS last FROM (
    SELECT number FROM owed WHERE ${pendingOf(asked, after)} ORDER BY number LIMIT ${most}) o`;

const selectOldest = (asked: Asked, after: number) => sql`
  SELECT c.at FROM (
    SELECT change_number FROM owed WHERE ${pendingOf(asked, after)} ORDER BY number LIMIT 1) o
  JOIN record_change c ON c.org_id = ${asked.org} AND c.number = o.change_number`;
