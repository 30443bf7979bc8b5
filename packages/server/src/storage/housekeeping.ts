import { ENDED_REASONS } from '../domain/channel.ts';
import type { ChannelId, Generation, OrgId, UserId } from '../domain/ids.ts';
import { joined, type KeptNotification, type NumberRange, type UndeliveredRange } from '../domain/retention.ts';
import { createChangeLogKeeping } from './change-log.ts';
import { dropHealth } from './channel-health.ts';
import { changeRows, type Db, insertRows, list, type Row, type Statement, sql, type Write } from './db.ts';
import { createRecoveryKeeping } from './recovery-keeping.ts';
import { integer, integerOrNone, oneOf, text, textOrNone } from './rows.ts';
import type { HousekeepingStore, KeptChannel } from './store.ts';

const STATES = ['pending', 'delivered', 'parked', 'cancelled'] as const;
const WHYS = ['expired', 'skipped'] as const;
/** Names that no module of a caller has (services/bulk.ts). */
const JOBS = { from: 'jobs.', before: 'jobs/' };

/**
 * Rows are looked for on the reading side, in slices, and removed by their keys: what is searched through delays no commit.
 */
export function createHousekeepingStore(db: Db): HousekeepingStore {
  async function first(statement: Statement): Promise<Row | undefined> {
    const [rows] = await db.read([statement]);
    return rows?.[0];
  }

  async function some(statement: Statement): Promise<Row[]> {
    const [rows = []] = await db.read([statement]);
    return rows;
  }

  async function remove(write: Write): Promise<number> {
    const [rows = []] = await db.write([write]);
    return rows.length;
  }

  return {
    ...createChangeLogKeeping(db),
    ...createRecoveryKeeping(db),

    async channels(org, after, limit) {
      const firstIn = (table: Statement) => sql`(
        SELECT n.number FROM ${table} n
        WHERE n.org_id = c.org_id AND n.generation = c.generation ORDER BY n.number LIMIT 1)`;
      const rows = await some(sql`
        SELECT c.generation, c.user_id, c.channel_id, c.expires_at, c.cancelled_to, c.cancelled_why, c.ended_at,
          c.ended_reason, ${firstIn(sql`notification`)} AS first_number, ${firstIn(sql`owed`)} AS first_pending,
          EXISTS (SELECT 1 FROM lapse l WHERE l.org_id = c.org_id AND l.generation = c.generation)
            OR EXISTS (SELECT 1 FROM removed_range r WHERE r.org_id = c.org_id AND r.generation = c.generation)
            AS has_ranges
        FROM channel c WHERE c.org_id = ${org} AND c.generation > ${after} ORDER BY c.generation LIMIT ${limit}`);
      return rows.map(readKept);
    },

    async cancel(org, generation, { to = Number.MAX_SAFE_INTEGER, reason, at }, limit) {
      const row = await first(sql`
        SELECT MAX(number) AS last FROM (
          SELECT number FROM owed WHERE org_id = ${org} AND generation = ${generation} AND number <= ${to}
          ORDER BY number LIMIT ${limit}) r`);
      const last = row && integerOrNone(row, 'last');
      if (last === undefined) return 0;
      const owed = sql`org_id = ${org} AND generation = ${generation} AND number <= ${last}`;
      // Meanwhile some may have been settled; no more of them are owed than were found.
      const [, , , gone = []] = await db.write([
        sql`SELECT number FROM owed WHERE ${owed} ORDER BY number ${db.dialect.lock}`,
        sql`
          UPDATE notification SET state = 'cancelled', reason = ${reason}, settled_at = ${at}, attempts_made = (
            SELECT o.attempts_made FROM owed o
            WHERE o.org_id = notification.org_id AND o.generation = notification.generation
              AND o.number = notification.number)
          WHERE org_id = ${org} AND generation = ${generation} AND number IN (SELECT number FROM owed WHERE ${owed})`,
        sql`
          INSERT INTO undelivered (org_id, generation, number, state, reason, settled_at)
          SELECT org_id, generation, number, 'cancelled', ${reason}, ${at} FROM owed WHERE ${owed}
          ON CONFLICT (org_id, generation, number) DO NOTHING`,
        sql`DELETE FROM owed WHERE ${owed} RETURNING 1 AS one`,
      ]);
      return gone.length;
    },

    async notifications(org, generation, from, throughChange, limit) {
      const rows = await some(sql`
        SELECT number, change_number, state, attempts_made, reason, settled_at FROM notification
        WHERE org_id = ${org} AND generation = ${generation} AND number >= ${from}
        ORDER BY number LIMIT ${limit}`);
      const all = rows.map(readKeptNotification);
      // Numbers are given in order of time, and none before its change: all that follow are newer, whatever they are about.
      const newer = all.findIndex(({ change }) => change > throughChange);
      return all.slice(0, newer === -1 ? all.length : newer);
    },

    async removeNotifications(org, generation, { runs, undelivered }, at) {
      const numbers = ({ from, to }: NumberRange) => sql`
        org_id = ${org} AND generation = ${generation} AND number >= ${from} AND number <= ${to}`;
      const ranges = undelivered.length > 0 ? await rangeWrites(org, generation, undelivered, at) : [];
      await db.write([
        changeRows(runs, (run) => sql`DELETE FROM notification WHERE ${numbers(run)} AND state <> 'pending'`),
        changeRows(runs, (run) => sql`DELETE FROM attempt WHERE ${numbers(run)}`),
        changeRows(runs, (run) => sql`DELETE FROM undelivered WHERE ${numbers(run)}`),
        ...ranges,
      ]);
    },

    async removedRanges(org, generation) {
      return joined((await some(selectRanges(org, generation, sql``))).map(readRange));
    },

    async removeRevisions(org, after, before, limit) {
      const rows = await some(sql`
        SELECT r.version, (r.kind IN ${list(ENDED_REASONS)} OR EXISTS (
          SELECT 1 FROM channel_revision n
          WHERE n.org_id = r.org_id AND n.generation = r.generation AND n.version > r.version AND n.at < ${before}
        )) AND NOT EXISTS (
          -- A channel's notices are found by its revisions.
          SELECT 1 FROM notice t WHERE t.org_id = r.org_id AND t.version = r.version
        ) AS superseded
        FROM (
          SELECT org_id, version, kind, generation, at FROM channel_revision
          WHERE org_id = ${org} AND version > ${after} ORDER BY version LIMIT ${limit}
        ) r WHERE r.at < ${before} ORDER BY r.version`);
      const last = rows.at(-1);
      const gone = rows.filter((row) => integer(row, 'superseded') === 1).map((row) => integer(row, 'version'));
      if (gone.length > 0) {
        await db.write([
          changeRows(
            gone,
            (version) => sql`DELETE FROM channel_revision WHERE org_id = ${org} AND version = ${version}`,
          ),
        ]);
      }
      return { removed: gone.length, ...(last && rows.length === limit && { last: integer(last, 'version') }) };
    },

    async removeLapses(org, below, limit) {
      const rows = await some(sql`
        SELECT generation, from_change FROM lapse
        WHERE org_id = ${org} AND kind = 'expired' AND to_change < ${below} LIMIT ${limit}`);
      if (rows.length > 0) {
        await db.write([
          changeRows(
            rows,
            (row) => sql`
              DELETE FROM lapse WHERE org_id = ${org} AND generation = ${text(row, 'generation')}
                AND from_change = ${integer(row, 'from_change')} AND kind = 'expired' AND to_change < ${below}`,
          ),
        ]);
      }
      return rows.length;
    },

    async removeChannels(org, generations) {
      await db.write([
        changeRows(
          generations,
          (generation) => sql`
            DELETE FROM channel WHERE org_id = ${org} AND generation = ${generation} AND ended_at IS NOT NULL`,
        ),
        changeRows(
          generations,
          (generation) => sql`
            DELETE FROM feed_cursor WHERE org_id = ${org} AND generation = ${generation} AND NOT EXISTS (
              SELECT 1 FROM channel c
              WHERE c.org_id = feed_cursor.org_id AND c.generation = feed_cursor.generation)`,
        ),
        // Of an attempt that was in the air when the channel ended.
        dropHealth(generations.map((generation) => ({ org, generation }))),
      ]);
    },

    removeAnswers: (org, until, limit) =>
      remove(sql`
        DELETE FROM idempotency WHERE org_id = ${org} AND at <= ${until} AND (user_id, key) IN (
          SELECT user_id, key FROM idempotency WHERE org_id = ${org} AND at <= ${until} ORDER BY at LIMIT ${limit})
        RETURNING 1 AS one`),

    async removeLookUps(org, limit) {
      const fields = await some(sql`
        SELECT f.module, f.api_name FROM added_field f
        WHERE f.org_id = ${org} AND f.removed_at IS NOT NULL AND EXISTS (
          SELECT 1 FROM record_key k WHERE k.org_id = f.org_id AND k.module = f.module AND k.field = f.api_name)
        LIMIT 1`);
      const [field] = fields;
      if (!field) return 0;
      const entries = sql`org_id = ${org} AND module = ${text(field, 'module')} AND field = ${text(field, 'api_name')}`;
      return remove(sql`
        DELETE FROM record_key WHERE ${entries} AND (value, record_id) IN (
          SELECT value, record_id FROM record_key WHERE ${entries} LIMIT ${limit})
        RETURNING 1 AS one`);
    },

    async removeJobs(org, until, limit) {
      const rows = await some(sql`
        SELECT module, id FROM record
        WHERE org_id = ${org} AND module > ${JOBS.from} AND module < ${JOBS.before} AND modified_at <= ${until}
        LIMIT ${limit}`);
      if (rows.length > 0) {
        await db.write([
          changeRows(
            rows,
            (row) => sql`
              DELETE FROM record
              WHERE org_id = ${org} AND module = ${text(row, 'module')} AND id = ${text(row, 'id')}`,
          ),
        ]);
      }
      return rows.length;
    },
  };

  /** What is kept of the numbers just before and behind: however much lies between, no more is read. */
  async function touching(
    org: OrgId,
    generation: Generation,
    added: readonly UndeliveredRange[],
  ): Promise<UndeliveredRange[]> {
    const kept = await db.read(
      added.flatMap(({ from, to }) => [
        sql`
          SELECT * FROM (${selectRanges(org, generation, sql`AND from_number < ${from}`, sql`DESC LIMIT 1`)}) r
          WHERE to_number = ${from - 1}`,
        selectRanges(org, generation, sql`AND from_number = ${to + 1}`),
      ]),
    );
    // One between two that are added touches both.
    return [...new Map(kept.flat().map((row) => [integer(row, 'from_number'), readRange(row)])).values()];
  }

  /** The new ranges, joined with those beside them. One that grew meanwhile stays as large as it is. */
  async function rangeWrites(
    org: OrgId,
    generation: Generation,
    added: readonly UndeliveredRange[],
    at: number,
  ): Promise<Write[]> {
    const beside = await touching(org, generation, added);
    return [
      changeRows(
        beside,
        (range) => sql`
          DELETE FROM removed_range
          WHERE org_id = ${org} AND generation = ${generation} AND from_number = ${range.from}
            AND to_number = ${range.to}`,
      ),
      insertRows(
        'removed_range (org_id, generation, from_number, to_number, reason, at)',
        joined([...beside, ...added]).map((range) => [org, generation, range.from, range.to, range.reason, at]),
        `ON CONFLICT (org_id, generation, from_number) DO UPDATE SET
          to_number = CASE WHEN excluded.to_number > removed_range.to_number THEN excluded.to_number
            ELSE removed_range.to_number END, at = excluded.at`,
      ),
    ].filter(({ rows }) => rows.length > 0);
  }
}

const selectRanges = (org: OrgId, generation: Generation, where: Statement, end: Statement = sql``): Statement => sql`
  SELECT from_number, to_number, reason FROM removed_range
  WHERE org_id = ${org} AND generation = ${generation} ${where} ORDER BY from_number ${end}`;

const readRange = (row: Row): UndeliveredRange => ({
  from: integer(row, 'from_number'),
  to: integer(row, 'to_number'),
  reason: text(row, 'reason'),
});

function readKeptNotification(row: Row): KeptNotification {
  const reason = textOrNone(row, 'reason');
  const settledAt = integerOrNone(row, 'settled_at');
  return {
    number: integer(row, 'number'),
    change: integer(row, 'change_number'),
    state: oneOf(row, 'state', STATES),
    attempts: integer(row, 'attempts_made'),
    ...(reason !== undefined && { reason }),
    ...(settledAt !== undefined && { settledAt }),
  };
}

function readKept(row: Row): KeptChannel {
  const endedAt = integerOrNone(row, 'ended_at');
  const cancelledTo = integerOrNone(row, 'cancelled_to');
  const firstNumber = integerOrNone(row, 'first_number');
  const firstPending = integerOrNone(row, 'first_pending');
  return {
    generation: text<Generation>(row, 'generation'),
    userId: text<UserId>(row, 'user_id'),
    channelId: text<ChannelId>(row, 'channel_id'),
    expiresAt: integer(row, 'expires_at'),
    ...(cancelledTo !== undefined && { cancelledTo, cancelledWhy: oneOf(row, 'cancelled_why', WHYS) }),
    ...(endedAt !== undefined && { endedAt, endedReason: oneOf(row, 'ended_reason', ENDED_REASONS) }),
    ...(firstNumber !== undefined && { firstNumber }),
    ...(firstPending !== undefined && { firstPending }),
    hasRanges: integer(row, 'has_ranges') === 1,
  };
}
