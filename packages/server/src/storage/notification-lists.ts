import type { Generation, OrgId } from '../domain/ids.ts';
import type { ChangeRange } from '../domain/notification-query.ts';
import {
  ATTEMPT_COLUMNS,
  candidateColumns,
  readAttempt,
  readCandidate,
  readListed,
  selectListed,
  selectSpans,
} from './candidates.ts';
import { CHANGE_COLUMNS, highestIn } from './changes.ts';
import { type Db, list, type Row, type Statement, sql } from './db.ts';
import { CHANNEL_COLUMNS, readListedChannel } from './listed-channels.ts';
import type {
  ChangeSource,
  ListedAttempt,
  LookStore,
  NumberedChange,
  TimedCandidate,
  TimedPlace,
} from './look-store.ts';
import { readOwed } from './notifications.ts';
import { integer, integerOrNone, jsonObject, text } from './rows.ts';
import { found, MAX_REMATCHED, selectChangesBefore, selectNumbersUpTo, selectRematchedTop } from './seeking.ts';
import { subjectOf } from './subjects.ts';

/** Most that the lists of channels concerned take of changes that are read at once. */
const MAX_BYTES = 512 * 1024;

/** Lists of notifications and attempts. Each statement walks along one index and brings a bounded number of rows. */
export function createLookStore(db: Pick<Db, 'read' | 'dialect'>): LookStore {
  const { dialect } = db;
  const all = async (statement: Statement): Promise<readonly Row[]> => (await db.read([statement]))[0] ?? [];

  return {
    async changesBetween(org, from, to) {
      const [lower, upper] = await db.read([selectChangesBefore(org, from ?? 0), selectChangesBefore(org, to ?? 0)]);
      return {
        first: from === undefined ? 0 : found(lower) + 1,
        last: to === undefined ? Number.MAX_SAFE_INTEGER : found(upper),
      };
    },

    async channels(org, generations) {
      if (generations.length === 0) return [];
      const rows = await all(sql`
        SELECT ${CHANNEL_COLUMNS} FROM ${list(generations)} s
        JOIN channel c ON c.org_id = ${org} AND c.generation = s.value`);
      return rows.map(readListedChannel);
    },

    async generationsOf(org, { user, channelId }, limit) {
      const whose = [
        ...(channelId === undefined ? [] : [sql`AND channel_id = ${channelId}`]),
        ...(user === undefined ? [] : [sql`AND user_id = ${user}`]),
      ].reduce((before, one) => sql`${before} ${one}`, sql``);
      const rows = await all(sql`
        SELECT generation FROM channel WHERE org_id = ${org} ${whose} ORDER BY generation DESC LIMIT ${limit}`);
      return rows.map((row) => text<Generation>(row, 'generation'));
    },

    async owing(org, from, limit) {
      const next = (where: Statement) =>
        sql`(SELECT MIN(o.generation) FROM owed o WHERE o.org_id = ${org} AND ${where})`;
      const rows = await all(sql`
        WITH RECURSIVE owing(generation, place) AS (
          SELECT ${next(sql`o.generation >= ${from}`)}, 1
          UNION ALL
          SELECT ${next(sql`o.generation > owing.generation`)}, place + 1 FROM owing
          WHERE generation IS NOT NULL AND place < ${limit}
        )
        SELECT ${CHANNEL_COLUMNS} FROM owing
        JOIN channel c ON c.org_id = ${org} AND c.generation = owing.generation ORDER BY c.generation`);
      return rows.map(readListedChannel);
    },

    async seek(org, generations, changes) {
      const rows = await db.read(
        generations.flatMap((generation) => [
          selectNumbersUpTo(org, generation, changes.last),
          selectRematchedTop(org, generation, changes),
        ]),
      );
      return new Map(
        generations.map((generation, i) => {
          const [rematched] = rows[2 * i + 1] ?? [];
          const top = rematched ? (integerOrNone(rematched, 'top') ?? 0) : 0;
          const isKnown = rematched !== undefined && integer(rematched, 'looked') < MAX_REMATCHED;
          return [generation, isKnown ? Math.max(found(rows[2 * i]), top) + 1 : undefined];
        }),
      );
    },

    async below(org, which, channels, limit, asked) {
      const columns = candidateColumns(dialect, asked);
      const rows = await db.read(
        channels.map(({ generation, below }) => {
          const own = sql`org_id = ${org} AND generation = ${generation} AND number < ${below}`;
          return which === 'all'
            ? sql`
              SELECT ${columns} FROM notification n
              WHERE n.org_id = ${org} AND n.generation = ${generation} AND n.number < ${below}
              ORDER BY n.number DESC LIMIT ${limit}`
            : sql`
              SELECT ${columns} FROM (
                SELECT number FROM undelivered WHERE ${own} ORDER BY number DESC LIMIT ${limit}) k
              JOIN notification n ON n.org_id = ${org} AND n.generation = ${generation} AND n.number = k.number
              ORDER BY k.number DESC`;
        }),
      );
      return rows.map((some) => some.map(readCandidate));
    },

    async owed(org, parts, limit, asked) {
      const columns = candidateColumns(dialect, asked);
      const rows = await db.read(
        parts.map(
          ({ generation, after, to }) => sql`
            SELECT ${columns} FROM (
              SELECT number FROM owed
              WHERE org_id = ${org} AND generation = ${generation} AND number > ${after} AND number <= ${to}
              ORDER BY number LIMIT ${limit}) k
            JOIN notification n ON n.org_id = ${org} AND n.generation = ${generation} AND n.number = k.number
            ORDER BY k.number`,
        ),
      );
      return rows.map((some) => some.map(readCandidate));
    },

    async givenUp(org, state, before, limit, asked) {
      const beyond = before
        ? sql`AND (settled_at, generation, number) < (${before.at}, ${before.generation}, ${before.number})`
        : sql``;
      const rows = await all(sql`
        SELECT k.settled_at AS key_at, k.generation AS key_generation, k.number AS key_number, NULL AS key_attempt,
          ${candidateColumns(dialect, asked)}
        FROM (
          SELECT settled_at, generation, number FROM undelivered WHERE org_id = ${org} AND state = ${state} ${beyond}
          ORDER BY settled_at DESC, generation DESC, number DESC LIMIT ${limit}) k
        LEFT JOIN notification n ON n.org_id = ${org} AND n.generation = k.generation AND n.number = k.number
        ORDER BY k.settled_at DESC, k.generation DESC, k.number DESC`);
      return rows.map(readTimed);
    },

    async failed(org, before, limit, asked) {
      const rows = await all(sql`
        SELECT k.at AS key_at, k.generation AS key_generation, k.number AS key_number, k.attempt AS key_attempt,
          ${candidateColumns(dialect, { ...asked, lastAttempt: true })}
        FROM (
          SELECT at, generation, number, attempt FROM attempt
          WHERE org_id = ${org} AND kind <> 'delivered' ${beforeAttempt(before)}
          ORDER BY at DESC, generation DESC, number DESC, attempt DESC LIMIT ${limit}) k
        LEFT JOIN notification n ON n.org_id = ${org} AND n.generation = k.generation AND n.number = k.number
        ORDER BY k.at DESC, k.generation DESC, k.number DESC, k.attempt DESC`);
      return rows.map(readTimed);
    },

    // Sizes are summed before what is long is read: a change may concern every channel of an organisation.
    async changes(org, source, range, limit, of) {
      const rows = await all(sql`
        WITH page AS MATERIALIZED (${selectSource(org, source, range, limit)}), sized AS (
          SELECT p.number, OCTET_LENGTH(c.numbered) AS bytes
          FROM page p JOIN record_change c ON c.org_id = ${org} AND c.number = p.number
        ), fitting AS (
          SELECT number, SUM(bytes) OVER (ORDER BY number DESC) - bytes AS bytes_before, COUNT(*) OVER () AS sized
          FROM sized
        )
        SELECT c.number, c.numbered, (SELECT COUNT(*) FROM page) AS looked, f.sized
        FROM fitting f JOIN record_change c ON c.org_id = ${org} AND c.number = f.number
        WHERE f.bytes_before < ${MAX_BYTES} ORDER BY c.number DESC`);
      const [first] = rows;
      const isEnd = !first || (integer(first, 'looked') < limit && rows.length === integer(first, 'sized'));
      const bytes = rows.reduce((sum, row) => sum + text(row, 'numbered').length, 0);
      return { changes: rows.map((row) => readNumberedChange(row, of)), isEnd, bytes };
    },

    async rematched(org, source, range, limit) {
      const rows = await all(
        source.module === undefined
          ? sql`
            SELECT change_number, generation, number FROM notification
            WHERE org_id = ${org} AND change_number >= ${range.first} AND change_number <= ${range.last}
              AND job IS NOT NULL
            ORDER BY change_number DESC, generation DESC, number DESC LIMIT ${limit}`
          : sql`
            WITH page AS MATERIALIZED (${selectSource(org, source, range, limit)})
            SELECT p.number AS change_number, n.generation, n.number FROM page p CROSS JOIN notification n
            WHERE n.org_id = ${org} AND n.change_number = p.number AND n.job IS NOT NULL
              AND n.change_number >= ${range.first} AND n.change_number <= ${range.last}
            ORDER BY p.number DESC, n.generation DESC, n.number DESC LIMIT ${limit}`,
      );
      return rows.map((row) => ({
        change: integer(row, 'change_number'),
        generation: text<Generation>(row, 'generation'),
        number: integer(row, 'number'),
      }));
    },

    async spans(org, spans, asked) {
      if (spans.length === 0) return [];
      const rows = await all(sql`
        WITH asked AS MATERIALIZED (${selectSpans(dialect, spans)})
        SELECT ${candidateColumns(dialect, asked)} FROM asked k
        JOIN notification n
          ON n.org_id = ${org} AND n.generation = k.generation AND n.number >= k.from_number AND n.number <= k.to_number`);
      return rows.map(readCandidate);
    },

    async listed(org, keys) {
      if (keys.length === 0) return [];
      return (await all(selectListed(dialect, org, keys))).map(readListed);
    },

    async find(org, which) {
      const own =
        'id' in which
          ? sql`n.org_id = ${org} AND n.id = ${which.id}`
          : sql`n.org_id = ${org} AND n.generation = ${which.generation} AND n.number = ${which.number}`;
      const [row] = await all(sql`
        SELECT n.org_id, n.generation, n.number, n.id, n.module, n.operation, n.ids, n.version, n.with_values, n.job,
          n.attempts_made, NULL AS due_at, ${CHANGE_COLUMNS}
        FROM notification n JOIN record_change c ON c.org_id = n.org_id AND c.number = n.change_number WHERE ${own}`);
      if (!row) return undefined;
      const { attemptsMade: _, ...notification } = readOwed(row);
      const [listed] = (await all(selectListed(dialect, org, [notification]))).map(readListed);
      return listed && { notification, listed };
    },

    async attemptsOf(org, generation, number, limit) {
      const rows = await all(sql`
        SELECT ${ATTEMPT_COLUMNS} FROM attempt a
        WHERE a.org_id = ${org} AND a.generation = ${generation} AND a.number = ${number}
        ORDER BY a.attempt LIMIT ${limit}`);
      return rows.map(readAttempt);
    },

    async attempts(org, generation, before, limit) {
      const beyond = before ? sql`AND (number, attempt) < (${before.number}, ${before.attempt})` : sql``;
      const rows = await all(sql`
        SELECT a.generation, a.number, n.id, ${ATTEMPT_COLUMNS}
        FROM (
          SELECT * FROM attempt WHERE org_id = ${org} AND generation = ${generation} ${beyond}
          ORDER BY number DESC, attempt DESC LIMIT ${limit}) a
        JOIN notification n ON n.org_id = ${org} AND n.generation = ${generation} AND n.number = a.number
        ORDER BY a.number DESC, a.attempt DESC`);
      return rows.map(readListedAttempt);
    },

    async failedAttempts(org, before, limit) {
      const rows = await all(sql`
        SELECT a.generation, a.number, n.id, ${ATTEMPT_COLUMNS}
        FROM (
          SELECT * FROM attempt WHERE org_id = ${org} AND kind <> 'delivered' ${beforeAttempt(before)}
          ORDER BY at DESC, generation DESC, number DESC, attempt DESC LIMIT ${limit}) a
        JOIN notification n ON n.org_id = ${org} AND n.generation = a.generation AND n.number = a.number
        ORDER BY a.at DESC, a.generation DESC, a.number DESC, a.attempt DESC`);
      return rows.map(readListedAttempt);
    },
  };
}

/** Numbers of changes, newest first. */
function selectSource(org: OrgId, { module, record }: ChangeSource, { first, last }: ChangeRange, limit: number) {
  if (module === undefined) {
    return sql`
      SELECT number FROM record_change WHERE org_id = ${org} AND number >= ${first} AND number <= ${last}
      ORDER BY number DESC LIMIT ${limit}`;
  }
  return sql`
    SELECT change_number AS number FROM change_subject
    WHERE org_id = ${org} AND subject = ${subjectOf(module, record)} AND change_number >= ${first} AND change_number <= ${last}
    ORDER BY change_number DESC LIMIT ${limit}`;
}

function beforeAttempt(before: TimedPlace | undefined): Statement {
  if (!before) return sql``;
  const { at, generation, number, attempt = 0 } = before;
  return sql`AND (at, generation, number, attempt) < (${at}, ${generation}, ${number}, ${attempt})`;
}

function readNumberedChange(row: Row, of: readonly Generation[] | undefined): NumberedChange {
  const numbers = of
    ? of.flatMap((generation) => {
        const highest = highestIn(text(row, 'numbered'), generation);
        return highest === undefined ? [] : [[generation, highest] as const];
      })
    : (Object.entries(jsonObject<Record<Generation, number>>(row, 'numbered')) as [Generation, number][]);
  return { number: integer(row, 'number'), numbered: new Map(numbers) };
}

function readTimed(row: Row): TimedCandidate {
  const attempt = integerOrNone(row, 'key_attempt');
  const place = {
    at: integer(row, 'key_at'),
    generation: text<Generation>(row, 'key_generation'),
    number: integer(row, 'key_number'),
    ...(attempt !== undefined && { attempt }),
  };
  return { place, ...(row.number !== null && { candidate: readCandidate(row) }) };
}

const readListedAttempt = (row: Row): ListedAttempt => ({
  ...readAttempt(row),
  generation: text<Generation>(row, 'generation'),
  number: integer(row, 'number'),
  notification: text(row, 'id'),
});
