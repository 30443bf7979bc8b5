import type { Generation, OrgId } from '../domain/ids.ts';
import { withoutRanges } from '../domain/ranges.ts';
import type { UndeliveredRange } from '../domain/retention.ts';
import { CHANGE_COLUMNS } from './changes.ts';
import { readChannel, selectAnyGeneration } from './channels.ts';
import type { Cipher } from './cipher.ts';
import { type Db, list, type Row, type Statement, sql } from './db.ts';
import { readOwed } from './notifications.ts';
import { integer, integerOrNone, oneOf, text, textOrNone } from './rows.ts';
import type { FeedStore, OpenRange, StoredNotification } from './store.ts';

const STATES = ['pending', 'delivered', 'parked', 'cancelled'] as const;
/** Removed ranges that are read at once: they may be as many as numbers. */
const RANGES = 1000;
/** Numbers that are looked at for one slice of what is not acknowledged, of each table. */
const SLICE = 20_000;

/** What readers of a channel's numbers are told, beside the writer. */
export function createFeedStore(db: Db, cipher: Cipher): FeedStore {
  return {
    // The channel is read first: every number up to its last has a row then, or what is read afterwards tells of it.
    async slice(org, generation, after, limit, maxBytes) {
      const [[channelRow] = [], rows = []] = await db.read([
        selectAnyGeneration(org, generation),
        selectFeed(org, generation, after, limit, maxBytes),
      ]);
      if (!channelRow) return undefined;
      const channel = readChannel(channelRow, org, cipher);
      const notifications = rows.map(readStored);
      const last = notifications.at(-1);
      const isWhole = rows.length < limit && rows.length === (rows[0] ? integer(rows[0], 'found') : 0);
      const reached = isWhole ? Math.max(channel.lastNumber, last?.number ?? 0) : (last?.number ?? after);
      if (reached - after === notifications.length || reached <= after) {
        return { channel, notifications, removed: [], through: Math.max(after, reached) };
      }
      const removed = await removedIn(org, generation, after, reached);
      const through = removed.length < RANGES ? reached : (removed.at(-1)?.to ?? reached);
      return { channel, notifications: notifications.filter(({ number }) => number <= through), removed, through };
    },

    async open(org, generation, after) {
      const [[channelRow] = [], owed = [], undelivered = []] = await db.read([
        selectAnyGeneration(org, generation),
        selectIslands(sql`'pending' AS state, '' AS why`, sql`owed`, org, generation, after),
        selectIslands(sql`state, COALESCE(reason, '') AS why`, sql`undelivered`, org, generation, after),
      ]);
      if (!channelRow) return undefined;
      const removed = await removedIn(org, generation, after, Number.MAX_SAFE_INTEGER);
      const ends = [endOf(owed), endOf(undelivered), removed.length < RANGES ? Infinity : (removed.at(-1)?.to ?? 0)];
      const through = Math.min(...ends);
      // Meanwhile some may have come from one to the next: the last word holds.
      const gone = removed.map(asRemoved);
      const ended = withoutRanges(undelivered.map(readIsland), gone);
      const pending = withoutRanges(withoutRanges(owed.map(readIsland), ended), gone);
      const ranges = [...pending, ...ended, ...gone]
        .filter(({ from }) => from <= through)
        .map((range) => ({ ...range, to: Math.min(range.to, through) }))
        .sort((a, b) => a.from - b.from);
      return {
        channel: readChannel(channelRow, org, cipher),
        ranges,
        ...(through < Infinity && { through }),
      };
    },

    async lastNumbers(channels) {
      if (channels.length === 0) return new Map();
      const asked = list(new Set(channels.map(({ org, generation }) => JSON.stringify({ org, generation }))));
      const member = (name: string) => db.dialect.member(sql`s.value`, name);
      // Joined, or by two lists, a server may walk all channels of an organisation for a few.
      const [rows = []] = await db.read([
        sql`
          SELECT ${member('generation')} AS generation, (
              SELECT c.last_number FROM channel c
              WHERE c.org_id = ${member('org')} AND c.generation = ${member('generation')}) AS last_number
          FROM ${asked} s`,
      ]);
      const known = rows.filter((row) => integerOrNone(row, 'last_number') !== undefined);
      return new Map(known.map((row) => [text<Generation>(row, 'generation'), integer(row, 'last_number')]));
    },

    async cursors(org, generation) {
      const [rows = []] = await db.read([
        sql`SELECT name, number, at FROM feed_cursor WHERE org_id = ${org} AND generation = ${generation} ORDER BY name`,
      ]);
      return rows.map((row) => ({
        name: text(row, 'name'),
        number: integer(row, 'number'),
        at: integer(row, 'at'),
      }));
    },

    async saveCursor(org, generation, { name, number, at }, most) {
      const own = sql`org_id = ${org} AND generation = ${generation}`;
      const [moved = []] = await db.write([
        sql`UPDATE feed_cursor SET number = ${number}, at = ${at} WHERE ${own} AND name = ${name} RETURNING 1 AS one`,
      ]);
      if (moved.length > 0) return true;
      // New ones of a channel come one after the other, so that there are never too many.
      const [, made = []] = await db.write([
        sql`SELECT generation FROM channel WHERE ${own} ${db.dialect.lock}`,
        sql`
          INSERT INTO feed_cursor (org_id, generation, name, number, at)
          SELECT org_id, generation, ${name}, ${number}, ${at} FROM channel
          WHERE ${own} AND (
            (SELECT COUNT(*) FROM feed_cursor WHERE ${own}) < ${most}
            OR EXISTS (SELECT 1 FROM feed_cursor WHERE ${own} AND name = ${name}))
          ON CONFLICT (org_id, generation, name) DO UPDATE SET number = excluded.number, at = excluded.at
          RETURNING 1 AS one`,
      ]);
      return made.length > 0;
    },

    async removeCursor(org, generation, name) {
      const [rows = []] = await db.write([
        sql`
          DELETE FROM feed_cursor WHERE org_id = ${org} AND generation = ${generation} AND name = ${name}
          RETURNING 1 AS one`,
      ]);
      return rows.length > 0;
    },
  };

  /** Those that hold a number in (after, to], cut to it; however many lie before, they are not read. */
  async function removedIn(
    org: OrgId,
    generation: Generation,
    after: number,
    to: number,
  ): Promise<readonly UndeliveredRange[]> {
    const columns = sql`from_number, to_number, reason FROM removed_range WHERE org_id = ${org} AND generation = ${generation}`;
    const [before = [], within = []] = await db.read([
      sql`SELECT ${columns} AND from_number <= ${after} ORDER BY from_number DESC LIMIT 1`,
      sql`
        SELECT ${columns} AND from_number > ${after} AND from_number <= ${to} ORDER BY from_number LIMIT ${RANGES}`,
    ]);
    return [...before, ...within]
      .map((row) => ({
        from: Math.max(after + 1, integer(row, 'from_number')),
        to: Math.min(to, integer(row, 'to_number')),
        reason: text(row, 'reason'),
      }))
      .filter(({ from, to: end }) => end >= from)
      .slice(0, RANGES);
  }
}

/** Sizes are summed before any change is read: a slice brings no more into memory than was asked for. */
export const selectFeed = (
  org: OrgId,
  generation: Generation,
  after: number,
  limit: number,
  maxBytes: number,
): Statement => sql`
  WITH page AS MATERIALIZED (
    SELECT number, change_number FROM notification
    WHERE org_id = ${org} AND generation = ${generation} AND number > ${after}
    ORDER BY number LIMIT ${limit}
  ), sized AS (
    SELECT p.number, OCTET_LENGTH(c.records) AS bytes
    FROM page p JOIN record_change c ON c.org_id = ${org} AND c.number = p.change_number
  ), fitting AS (
    SELECT number, SUM(bytes) OVER (ORDER BY number) - bytes AS bytes_before FROM sized
  )
  SELECT n.org_id, n.generation, n.number, n.id, n.module, n.operation, n.ids, n.version, n.with_values, n.job, n.state,
    n.reason, n.settled_at, n.attempts_made, NULL AS due_at, (SELECT COUNT(*) FROM page) AS found, ${CHANGE_COLUMNS}
  FROM fitting f
  JOIN notification n ON n.org_id = ${org} AND n.generation = ${generation} AND n.number = f.number
  JOIN record_change c ON c.org_id = n.org_id AND c.number = n.change_number
  WHERE f.bytes_before < ${maxBytes}
  ORDER BY f.number`;

function readStored(row: Row): StoredNotification {
  const { attemptsMade: _attempts, dueAt: _due, ...notification } = readOwed(row);
  const reason = textOrNone(row, 'reason');
  const settledAt = integerOrNone(row, 'settled_at');
  return {
    ...notification,
    state: oneOf(row, 'state', STATES),
    ...(reason !== undefined && { reason }),
    ...(settledAt !== undefined && { settledAt }),
  };
}

/** Numbers that follow each other and are alike, as one row; each with how many were looked at, and the last of them. */
export const selectIslands = (
  what: Statement,
  table: Statement,
  org: OrgId,
  generation: Generation,
  after: number,
) => sql`
  WITH part AS MATERIALIZED (
    SELECT number, ${what} FROM ${table}
    WHERE org_id = ${org} AND generation = ${generation} AND number > ${after} ORDER BY number LIMIT ${SLICE}
  ), islands AS (
    SELECT number, state, why, number - ROW_NUMBER() OVER (PARTITION BY state, why ORDER BY number) AS island FROM part
  )
  SELECT MIN(number) AS from_number, MAX(number) AS to_number, state, why, (SELECT COUNT(*) FROM part) AS looked,
    (SELECT MAX(number) FROM part) AS last
  FROM islands GROUP BY state, why, island ORDER BY from_number`;

const endOf = ([first]: readonly Row[]): number =>
  first && integer(first, 'looked') === SLICE ? integer(first, 'last') : Infinity;

function readIsland(row: Row): OpenRange {
  const why = text(row, 'why');
  return {
    from: integer(row, 'from_number'),
    to: integer(row, 'to_number'),
    state: oneOf(row, 'state', ['pending', 'parked', 'cancelled']),
    ...(why !== '' && { reason: why }),
  };
}

const asRemoved = ({ from, to, reason }: UndeliveredRange): OpenRange => ({ from, to, state: 'removed', reason });
