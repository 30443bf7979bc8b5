import type { ChannelRevision } from '../../domain/channel.ts';
import type { Generation, OrgId } from '../../domain/ids.ts';
import { FIRST_EPOCH, type StoreEpoch } from '../../domain/restart.ts';
import { type Db, type Row, type Statement, sql } from '../db.ts';
import { flag, integer, jsonObject, text } from '../rows.ts';
import type { NewsStore, OrgNews } from '../store.ts';
import { DATABASE_TIME } from './postgres-leases.ts';

/** Changes, or revisions, of one read. */
const PIECE = 1000;

/** Which server this is, and since when: what was seen of another one says nothing. */
const SERVER = sql`(SELECT coalesce(host(inet_server_addr()), '') || ' ' || pg_postmaster_start_time())`;

/**
 * Rows written by transactions that were not over at the earlier look, or began since. Their numbers go round after 2^32;
 * a row that was frozen long ago may pass by that, which does no harm.
 */
function changedSince(seen: string | undefined): Statement {
  const [, oldest, server] = /^(\d+) (.*)$/.exec(seen ?? '') ?? [];
  if (oldest === undefined || server === undefined) return sql`1 = 1`;
  const low = Number(BigInt(oldest) % 2n ** 32n);
  return sql`
    (${SERVER} <> ${server} OR (xmin::text::bigint - ${low} + 4294967296) % 4294967296 < 2147483648)`;
}

const readOrg = (row: Row): OrgNews => ({
  org: text<OrgId>(row, 'id'),
  lastChange: integer(row, 'last_change'),
  channelVersion: integer(row, 'channel_version'),
  isSuspended: flag(row, 'is_suspended'),
  signing: text(row, 'signing_mark'),
});

export function createNewsStore(db: Pick<Db, 'load'>): NewsStore {
  return {
    async look(seen) {
      // The mark comes first: what is committed between the two statements is seen now, and once more.
      const [[mark = {}] = [], orgs = []] = await db.load([
        sql`
          SELECT pg_snapshot_xmin(pg_current_snapshot()) || ' ' || ${SERVER} AS seen, ${DATABASE_TIME} AS now,
            (SELECT sum(epoch) FROM bucket) || ' ' ||
              (SELECT coalesce(string_agg(id || is_leaving, ' ' ORDER BY id), '') FROM node) AS sharing,
            (SELECT value FROM meta WHERE name = 'epoch') AS epoch`,
        sql`
          SELECT id, last_change, channel_version, suspended_at IS NOT NULL AS is_suspended,
            CASE WHEN signing IS NULL THEN '' ELSE md5(signing) END AS signing_mark
          FROM org WHERE ${changedSince(seen)}`,
      ]);
      const now = text(mark, 'seen');
      const isSameServer = seen?.replace(/^\d+/, '') === now.replace(/^\d+/, '');
      return {
        now: integer(mark, 'now'),
        sharing: text(mark, 'sharing'),
        epoch: mark.epoch === null ? FIRST_EPOCH.number : jsonObject<StoreEpoch>(mark, 'epoch').number,
        seen: now,
        isComplete: !isSameServer,
        orgs: orgs.map(readOrg),
      };
    },

    async numbered(org, after, through) {
      const [rows = []] = await db.load([
        sql`
          SELECT number, numbered FROM record_change
          WHERE org_id = ${org} AND number > ${after} AND number <= ${through} ORDER BY number LIMIT ${PIECE}`,
      ]);
      const numbers = new Map<Generation, number>();
      for (const row of rows) {
        for (const [generation, number] of Object.entries(jsonObject<Record<Generation, number>>(row, 'numbered'))) {
          numbers.set(generation as Generation, number);
        }
      }
      return { through: reached(rows, 'number', through), numbers };
    },

    async revised(org, after, through) {
      const [rows = []] = await db.load([
        sql`
          SELECT version, kind, generation FROM channel_revision
          WHERE org_id = ${org} AND version > ${after} AND version <= ${through} ORDER BY version LIMIT ${PIECE}`,
      ]);
      return {
        through: reached(rows, 'version', through),
        revisions: rows.map((row) => ({
          kind: text<ChannelRevision['kind']>(row, 'kind'),
          generation: text<Generation>(row, 'generation'),
        })),
      };
    },
  };
}

/** What retention removed leaves holes, so a piece that is not full is the last one. */
function reached(rows: readonly Row[], column: string, through: number): number {
  const last = rows.length < PIECE ? undefined : rows.at(-1);
  return last ? integer(last, column) : through;
}
