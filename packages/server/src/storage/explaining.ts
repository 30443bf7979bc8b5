import type { Outcome } from '../domain/attempt.ts';
import { CANCELLED_WHYS, type ChannelRevision, ENDED_REASONS, SUSPENDED_WHYS } from '../domain/channel.ts';
import type { ChannelId, Generation, JobId, NotificationId, OrgId, RecordId, UserId } from '../domain/ids.ts';
import { CHANGE_COLUMNS, highestIn, readChange, STORED_OPERATIONS } from './changes.ts';
import { readLapse, readRevision } from './channels.ts';
import { type Db, list, type Row, type Statement, sql } from './db.ts';
import { integer, integerOrNone, jsonObject, oneOf, text, textList, textOrNone } from './rows.ts';
import type { ChannelNow, ExplainReads, NotificationTrace, PassedChannel, TracedChannel } from './store.ts';
import { subjectOf } from './subjects.ts';

const STATES = ['pending', 'delivered', 'parked', 'cancelled'] as const;

const CHANNEL_COLUMNS = sql`c.generation, c.user_id, c.channel_id, c.expires_at, c.lapsed_from, c.cancelled_to,
  c.cancelled_why, c.suspended_at, c.suspended_why, c.opened_at, c.ended_at, c.ended_reason`;

/**
 * The newest revision of a channel that is not newer than that version. In the order of the only index that leads to it:
 * by the version alone a server that does not know how many channels there are would walk those of all.
 */
const versionAt = (org: OrgId, generation: Statement, version: number): Statement => sql`(
  SELECT v.version FROM channel_revision v
  WHERE v.org_id = ${org} AND v.generation >= ${generation} AND (v.generation, v.version) <= (${generation}, ${version})
  ORDER BY v.generation DESC, v.version DESC LIMIT 1)`;

/** The oldest that is newer. */
const versionAfter = (org: OrgId, generation: Statement, version: number): Statement => sql`(
  SELECT v.version FROM channel_revision v
  WHERE v.org_id = ${org} AND v.generation <= ${generation} AND (v.generation, v.version) > (${generation}, ${version})
  ORDER BY v.generation, v.version LIMIT 1)`;

/**
 * Of channel `c`. Neither joined nor without its generation: while the server takes the table for empty, it would hold
 * each channel against all revisions of the organisation.
 */
const revisionOf = (org: OrgId, version: Statement, column: Statement): Statement => sql`(
  SELECT x.${column} FROM channel_revision x WHERE x.org_id = ${org} AND x.generation = c.generation AND x.version = ${version})`;

export function createExplainReads(db: Db): ExplainReads {
  async function some(statement: Statement): Promise<Row[]> {
    const [rows = []] = await db.read([statement]);
    return rows;
  }

  return {
    async changesAbout(org, { module, id }, from, below, limit) {
      const rows = await some(selectChangesAbout(org, { module, id }, from, below, limit));
      return rows.map((row) => integer(row, 'change_number'));
    },

    async change(org, number) {
      const [row] = await some(sql`
        SELECT ${CHANGE_COLUMNS}, c.numbered FROM record_change c WHERE c.org_id = ${org} AND c.number = ${number}`);
      if (!row) return undefined;
      const numbered = text(row, 'numbered');
      const change = readChange(row);
      const records = change.records.map((record) => ({ ...record, values: {} }));
      return {
        change: { ...change, records },
        highestOf: (generation) => highestIn(numbered, generation),
        size: numbered.length + text(row, 'change_records').length,
      };
    },

    async channelsAt(org, at, after, limit) {
      const { looked, found } = selectChannelsAt(org, at, after, limit, (column, module) =>
        db.dialect.contains(column, `"module":${JSON.stringify(module)}`),
      );
      const [[end] = [], rows = []] = await db.read([looked, found]);
      const channels = rows.map(readTraced).sort(by(({ channel }) => channel.generation));
      const last = end && integer(end, 'looked') === limit ? text<Generation>(end, 'last') : undefined;
      return { channels, ...(last !== undefined && { last }) };
    },

    async channelsNamed(org, id, at, whose, limit) {
      const rows = await some(selectNamed(org, id, at, whose, limit));
      return rows.map(readTraced).sort(by(({ channel }) => channel.userId));
    },

    async holders(org, id, limit) {
      const rows = await some(sql`
        SELECT DISTINCT user_id FROM channel WHERE org_id = ${org} AND channel_id = ${id}
        ORDER BY user_id LIMIT ${limit}`);
      return rows.map((row) => text<UserId>(row, 'user_id'));
    },

    async passed(org, asked) {
      const rows = await db.read(asked.flatMap((one) => selectPassed(org, one)));
      return asked.map(({ generation }, i) => {
        const [before = [], after = [], lapses = [], numbered = [], rematched = []] = rows.slice(5 * i, 5 * i + 5);
        const isSuspended = suspendedBetween(before[0], after[0]);
        const lapse = lapses[0] && readLapse({ ...lapses[0], generation });
        return {
          ...(isSuspended !== undefined && { isSuspended }),
          ...(lapse && { lapse }),
          notifications: [...numbered, ...rematched].map(readTrace),
        };
      });
    },
  };
}

/** A slice is sorted here: no index has it in this order once its revisions are looked up. */
const by =
  (keyOf: (one: TracedChannel) => string) =>
  (a: TracedChannel, b: TracedChannel): number =>
    keyOf(a) < keyOf(b) ? -1 : 1;

export const selectChangesAbout = (
  org: OrgId,
  { module, id }: { module: string; id: RecordId },
  from: number,
  below: number,
  limit: number,
): Statement => sql`
  SELECT change_number FROM change_subject
  WHERE org_id = ${org} AND subject = ${subjectOf(module, id)} AND change_number >= ${from} AND change_number < ${below}
  ORDER BY change_number DESC LIMIT ${limit}`;

/** A slice of the channels, however few of them there were or watched any of the modules. */
export function selectChannelsAt(
  org: OrgId,
  { change: { at, channelVersion }, modules, user }: Parameters<ExplainReads['channelsAt']>[1],
  after: string,
  limit: number,
  watches: (column: Statement, module: string) => Statement,
): { readonly looked: Statement; readonly found: Statement } {
  const whose = user === undefined ? sql`` : sql`AND c.user_id = ${user}`;
  const slice = (columns: Statement) => sql`
    SELECT ${columns} FROM channel c
    WHERE c.org_id = ${org} ${whose} AND c.generation > ${after} ORDER BY c.generation LIMIT ${limit}`;
  const [first = sql`1 = 0`, ...others] = modules.map((module) => watches(sql`c.snapshot`, module));
  const any = others.reduce((before, one) => sql`${before} OR ${one}`, first);
  return {
    looked: sql`SELECT COUNT(*) AS looked, COALESCE(MAX(s.generation), '') AS last FROM (${slice(sql`c.generation`)}) s`,
    found: sql`
      WITH slice AS MATERIALIZED (
        ${slice(sql`${CHANNEL_COLUMNS}, ${versionAt(org, sql`c.generation`, channelVersion)} AS version`)}
      ), placed AS MATERIALIZED (
        SELECT c.*, ${revisionOf(org, sql`c.version`, sql`at`)} AS at, ${revisionOf(org, sql`c.version`, sql`kind`)} AS kind,
          ${revisionOf(org, sql`c.version`, sql`snapshot`)} AS snapshot
        FROM slice c WHERE c.version IS NOT NULL
      )
      SELECT c.* FROM placed c
      WHERE (${any}) AND (NOT (c.kind IN ${list(ENDED_REASONS)}) OR NOT EXISTS (
        SELECT 1 FROM channel n
        WHERE n.org_id = ${org} AND n.channel_id = c.channel_id AND n.user_id = c.user_id
          AND n.generation > c.generation AND (n.ended_at < ${at}
            OR ${versionAt(org, sql`n.generation`, channelVersion)} IS NOT NULL)))`,
  };
}

export function selectNamed(
  org: OrgId,
  id: ChannelId,
  { at, channelVersion }: Parameters<ExplainReads['channelsNamed']>[2],
  { user, after }: Parameters<ExplainReads['channelsNamed']>[3],
  limit: number,
): Statement {
  const whose = user === undefined ? sql`c.user_id > ${after}` : sql`c.user_id = ${user} AND c.user_id > ${after}`;
  return sql`
    WITH named AS (
      SELECT c.user_id, COALESCE(MAX(CASE WHEN c.ended_at < ${at}
          OR ${versionAt(org, sql`c.generation`, channelVersion)} IS NOT NULL THEN c.generation END), MIN(c.generation)) AS generation
      FROM channel c WHERE c.org_id = ${org} AND c.channel_id = ${id} AND ${whose}
      GROUP BY c.user_id ORDER BY c.user_id LIMIT ${limit}
    ), placed AS MATERIALIZED (
      SELECT ${CHANNEL_COLUMNS}, ${versionAt(org, sql`c.generation`, channelVersion)} AS version, ${versionAfter(org, sql`c.generation`, channelVersion)} AS next_version
      FROM named n JOIN channel c ON c.org_id = ${org} AND c.generation = n.generation
    )
    SELECT c.*, ${revisionOf(org, sql`c.version`, sql`at`)} AS at, ${revisionOf(org, sql`c.version`, sql`kind`)} AS kind,
      ${revisionOf(org, sql`c.version`, sql`snapshot`)} AS snapshot,
      ${revisionOf(org, sql`c.next_version`, sql`kind`)} AS next_kind,
      ${revisionOf(org, sql`c.next_version`, sql`at`)} AS next_at
    FROM placed c`;
}

/** Five statements: what was last said of a suspension, and next; its lapse; its notifications, and those of a re-match. */
export function selectPassed(org: OrgId, { generation, change, numbers, lapse }: PassedChannel): Statement[] {
  const suspension = sql`
    SELECT kind FROM channel_revision
    WHERE org_id = ${org} AND generation = ${generation} AND kind IN ('suspended', 'resumed')`;
  // Joined, it could be walked as a whole while the server takes it for empty.
  const owed = (column: Statement) => sql`(
    SELECT o.${column} FROM owed o WHERE o.org_id = ${org} AND o.generation = n.generation AND o.number = n.number)`;
  const columns = sql`n.number, n.id, n.module, n.operation, n.ids, n.state, n.reason, n.job,
    COALESCE(${owed(sql`attempts_made`)}, n.attempts_made) AS attempts, ${owed(sql`due_at`)} AS due_at, t.at, t.outcome`;
  const beside = sql`
    LEFT JOIN attempt t ON t.org_id = ${org} AND t.generation = n.generation AND t.number = n.number AND t.attempt = (
      SELECT MAX(a.attempt) FROM attempt a
      WHERE a.org_id = ${org} AND a.generation = n.generation AND a.number = n.number)`;
  const { from = 1, to = 0 } = numbers ?? {};
  return [
    sql`${suspension} AND version <= ${change.channelVersion} ORDER BY version DESC LIMIT 1`,
    sql`${suspension} AND version > ${change.channelVersion} ORDER BY version LIMIT 1`,
    sql`
      SELECT from_change, kind, to_change, at, ended_at, rematched_to FROM lapse
      WHERE org_id = ${org} AND generation = ${generation} AND from_change < ${change.number}
        AND kind = ${lapse ?? ''} AND (to_change IS NULL OR to_change >= ${change.number})
      ORDER BY from_change DESC LIMIT 1`,
    sql`
      SELECT ${columns} FROM notification n ${beside}
      WHERE n.org_id = ${org} AND n.generation = ${generation} AND n.number >= ${from} AND n.number <= ${to}
      ORDER BY n.number`,
    sql`
      SELECT ${columns} FROM notification n ${beside}
      WHERE n.org_id = ${org} AND n.change_number = ${change.number} AND n.generation = ${generation}
        AND n.job IS NOT NULL ORDER BY n.number`,
  ];
}

/** A suspension begins and ends by turns: what came next tells how it was, too. */
function suspendedBetween(before: Row | undefined, after: Row | undefined): boolean | undefined {
  if (before) return text(before, 'kind') === 'suspended';
  return after && text(after, 'kind') === 'resumed';
}

function readTraced(row: Row): TracedChannel {
  const channel = readNow(row);
  const { openedAt, endedAt, endedReason } = channel;
  const isKnown = integerOrNone(row, 'version') !== undefined;
  const nextKind = row.next_kind === undefined ? undefined : textOrNone<ChannelRevision['kind']>(row, 'next_kind');
  return {
    channel,
    traces: {
      openedAt,
      ...(isKnown && { revision: readRevision(row) }),
      ...(nextKind !== undefined && { next: { kind: nextKind, at: integer(row, 'next_at') } }),
      ...(endedAt !== undefined && { endedAt }),
      ...(endedReason !== undefined && { endedReason }),
    },
  };
}

function readNow(row: Row): ChannelNow {
  const lapsedFrom = integerOrNone(row, 'lapsed_from');
  const cancelledTo = integerOrNone(row, 'cancelled_to');
  const suspendedAt = integerOrNone(row, 'suspended_at');
  const endedAt = integerOrNone(row, 'ended_at');
  return {
    generation: text<Generation>(row, 'generation'),
    userId: text<UserId>(row, 'user_id'),
    channelId: text<ChannelId>(row, 'channel_id'),
    expiresAt: integer(row, 'expires_at'),
    openedAt: integer(row, 'opened_at'),
    ...(lapsedFrom === undefined ? {} : { lapsedFrom }),
    ...(cancelledTo === undefined ? {} : { cancelledTo, cancelledWhy: oneOf(row, 'cancelled_why', CANCELLED_WHYS) }),
    ...(suspendedAt === undefined
      ? {}
      : { suspension: { at: suspendedAt, why: oneOf(row, 'suspended_why', SUSPENDED_WHYS) } }),
    ...(endedAt === undefined ? {} : { endedAt, endedReason: oneOf(row, 'ended_reason', ENDED_REASONS) }),
  };
}

function readTrace(row: Row): NotificationTrace {
  const reason = textOrNone(row, 'reason');
  const dueAt = integerOrNone(row, 'due_at');
  const at = integerOrNone(row, 'at');
  const job = textOrNone<JobId>(row, 'job');
  return {
    number: integer(row, 'number'),
    id: text<NotificationId>(row, 'id'),
    module: text(row, 'module'),
    operation: oneOf(row, 'operation', STORED_OPERATIONS),
    ids: textList<RecordId>(row, 'ids'),
    state: oneOf(row, 'state', STATES),
    attempts: integer(row, 'attempts'),
    ...(reason !== undefined && { reason }),
    ...(dueAt !== undefined && { dueAt }),
    ...(at !== undefined && { last: { at, outcome: jsonObject<Outcome>(row, 'outcome') } }),
    ...(job !== undefined && { job }),
  };
}
