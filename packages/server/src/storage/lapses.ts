import type { Change } from '../domain/change.ts';
import type { LiveChannel } from '../domain/channel.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import { CHANGE_COLUMNS, readChange } from './changes.ts';
import { readLapse, readRevision } from './channels.ts';
import { type Db, sql } from './db.ts';
import { integer } from './rows.ts';
import type { LapseReads } from './store.ts';

/** Revisions that are read by one statement. */
const REVISIONS = 200;

/** What is kept of changes that a channel did not see, beside the writer. */
export function createLapseReads(db: Pick<Db, 'read'>): LapseReads {
  return {
    async lapses(org, generation, after, limit, which) {
      const { fromChange = -1, kind = '' } = after ?? {};
      const open =
        which === 'all' ? sql`` : sql`AND (to_change IS NULL OR to_change > COALESCE(rematched_to, from_change))`;
      const [rows = []] = await db.read([
        sql`
          SELECT generation, from_change, kind, to_change, at, ended_at, rematched_to FROM lapse
          WHERE org_id = ${org} AND generation = ${generation} AND (from_change, kind) > (${fromChange}, ${kind}) ${open}
          ORDER BY from_change, kind LIMIT ${limit}`,
      ]);
      return rows.map(readLapse);
    },

    async changes(org) {
      const [[counters] = [], [first] = []] = await db.read([
        sql`SELECT last_change FROM org WHERE id = ${org}`,
        sql`SELECT number FROM record_change WHERE org_id = ${org} ORDER BY number LIMIT 1`,
      ]);
      return {
        last: counters ? integer(counters, 'last_change') : 0,
        ...(first && { oldest: integer(first, 'number') }),
      };
    },

    async matchable(org, generation, { after, to }, limit, maxBytes) {
      const [rows = []] = await db.read([
        sql`
          WITH page AS MATERIALIZED (
            SELECT number, OCTET_LENGTH(records) AS bytes FROM record_change
            WHERE org_id = ${org} AND number > ${after} AND number <= ${to} ORDER BY number LIMIT ${limit}
          ), fitting AS (
            SELECT number, SUM(bytes) OVER (ORDER BY number) - bytes AS bytes_before FROM page
          )
          SELECT ${CHANGE_COLUMNS} FROM fitting f JOIN record_change c ON c.org_id = ${org} AND c.number = f.number
          WHERE f.bytes_before < ${maxBytes} ORDER BY c.number`,
      ]);
      const changes = rows.map(readChange);
      const revisions = await revisionsFor(org, generation, changes);
      return changes.map((change) => ({
        change,
        channel: revisions.findLast(({ version }) => version <= change.channelVersion)?.channel,
      }));
    },
  };

  /** Of the channel, from the one that was in force at the first change to the one at the last. */
  async function revisionsFor(org: OrgId, generation: Generation, changes: readonly Change[]) {
    const first = changes[0]?.channelVersion;
    const last = changes.at(-1)?.channelVersion;
    if (first === undefined || last === undefined) return [];
    const revisions: { readonly version: number; readonly channel: LiveChannel }[] = [];
    const own = sql`org_id = ${org} AND generation = ${generation}`;
    const columns = sql`version, at, kind, snapshot`;
    const [before = []] = await db.read([
      sql`
        SELECT ${columns} FROM channel_revision WHERE ${own} AND version <= ${first} ORDER BY version DESC LIMIT 1`,
    ]);
    revisions.push(...before.map(readRevision));
    for (let after: number | undefined = first; after !== undefined; ) {
      const [some = []] = await db.read([
        sql`
          SELECT ${columns} FROM channel_revision WHERE ${own} AND version > ${after} AND version <= ${last}
          ORDER BY version LIMIT ${REVISIONS}`,
      ]);
      revisions.push(...some.map(readRevision));
      const newest = some.at(-1);
      after = newest && some.length === REVISIONS ? integer(newest, 'version') : undefined;
    }
    return revisions;
  }
}
