import type { Outcome } from '../domain/attempt.ts';
import type { ChannelRevision, RevisionDetails } from '../domain/channel.ts';
import type { ChannelId, Generation, OrgId, UserId } from '../domain/ids.ts';
import { LIFE_EVENTS, TELLING } from '../domain/life-cycle.ts';
import { NOTICE_STATES, type Notice } from '../domain/notice.ts';
import { placeInChannel, readLapse, readRevision, selectLapsesAt } from './channels.ts';
import type { Cipher, Place } from './cipher.ts';
import { changeRows, type Db, insertRows, list, type Row, type Statement, sql } from './db.ts';
import { placeInOrg } from './org-signing.ts';
import { integer, integerOrNone, jsonObject, oneOf, text, textOrNone } from './rows.ts';
import type { CancelledRange, DueNotice, NoticeEntry, NoticeLook, NoticePlace, NoticeStore } from './store.ts';

const COLUMNS = sql`n.version, n.part, n.id, n.generation, n.kind, n.body, n.state, n.at, n.attempts_made, n.due_at`;
/** Notices that one page of a list looks at. */
const LOOKED = 500;

export const placeOfOrgUrl = (org: OrgId): Place => ['org', org, 'lifecycle_url'];

const selectLooks = (where: Statement): Statement => sql`
  SELECT o.id, o.channel_version, o.notices_to,
    (SELECT c.notice_at FROM channel c WHERE c.org_id = o.id AND c.notice_at IS NOT NULL
      ORDER BY c.notice_at LIMIT 1) AS look_at,
    (SELECT n.due_at FROM notice n WHERE n.org_id = o.id AND n.state = 'pending'
      ORDER BY n.due_at LIMIT 1) AS due_at
  FROM org o WHERE o.suspended_at IS NULL AND ${where}`;

const selectFirstCancelled = (org: OrgId, { generation, from, to }: CancelledRange): Statement => {
  const numbers = sql`org_id = ${org} AND generation = ${generation} AND number > ${from} AND number <= ${to}`;
  // Housekeeping takes them one after the other from where they are owed to where they are listed, then into ranges.
  return sql`
    SELECT number FROM (
      SELECT * FROM (SELECT number FROM owed WHERE ${numbers} ORDER BY number LIMIT 1) p
      UNION ALL SELECT * FROM (
        SELECT number FROM undelivered WHERE ${numbers} AND state = 'cancelled' ORDER BY number LIMIT 1) u
      UNION ALL SELECT * FROM (
        SELECT CASE WHEN from_number > ${from} THEN from_number ELSE ${from + 1} END AS number FROM removed_range
        WHERE org_id = ${org} AND generation = ${generation} AND to_number > ${from} AND from_number <= ${to}
          AND reason <> 'parked' ORDER BY from_number LIMIT 1) r
    ) f ORDER BY number LIMIT 1`;
};

export function createNoticeStore(db: Db, cipher: Cipher): NoticeStore {
  const some = async (statement: Statement): Promise<Row[]> => (await db.read([statement]))[0] ?? [];

  return {
    async looks(after, limit) {
      return (await some(sql`${selectLooks(sql`o.id > ${after}`)} ORDER BY o.id LIMIT ${limit}`)).map(readLook);
    },

    async look(org) {
      const [row] = await some(selectLooks(sql`o.id = ${org}`));
      return row && readLook(row);
    },

    async dueChannels(org, now, limit) {
      const rows = await some(sql`
        SELECT user_id, channel_id FROM channel
        WHERE org_id = ${org} AND notice_at IS NOT NULL AND notice_at <= ${now} ORDER BY notice_at LIMIT ${limit}`);
      return rows.map((row) => ({
        userId: text<UserId>(row, 'user_id'),
        channelId: text<ChannelId>(row, 'channel_id'),
      }));
    },

    async untold(org, after, limit) {
      const rows = await some(sql`
        SELECT version, at, kind, CASE WHEN kind IN ${list(TELLING)} THEN snapshot ELSE '{}' END AS snapshot, details
        FROM channel_revision WHERE org_id = ${org} AND version > ${after} ORDER BY version LIMIT ${limit}`);
      const last = rows.at(-1);
      const telling = rows.filter((row) => TELLING.some((kind) => kind === row.kind));
      const through = last ? integer(last, 'version') : after;
      return { through, isAll: rows.length < limit, revisions: telling.map(readDetailed) };
    },

    async facts(org, generations, missed) {
      const [channels = [], orgs = [], ...lapses] = await db.read([
        sql`
          SELECT generation FROM channel
          WHERE org_id = ${org} AND generation IN ${list(generations)} AND lifecycle_url IS NOT NULL`,
        sql`SELECT 1 AS one FROM org WHERE id = ${org} AND lifecycle_url IS NOT NULL`,
        // One by one: a channel may have had very many.
        ...missed.map(({ generation, fromChange }) => selectLapsesAt(org, generation, fromChange)),
      ]);
      const listening = orgs.length > 0 ? generations : channels.map((row) => text<Generation>(row, 'generation'));
      return { listening: new Set(listening), lapses: lapses.flat().map(readLapse) };
    },

    async firstCancelled(org, ranges) {
      if (ranges.length === 0) return [];
      const found = await db.read(ranges.map((range) => selectFirstCancelled(org, range)));
      return found.map(([row]) => row && integer(row, 'number'));
    },

    async add(org, through, notices) {
      const rows = insertRows(
        'notice (org_id, version, part, id, generation, kind, body, state, at, attempts_made, due_at)',
        notices.map((notice) => [
          org,
          notice.version,
          notice.part,
          notice.id,
          notice.generation,
          notice.kind,
          notice.body,
          notice.state,
          notice.at,
          notice.attemptsMade,
          notice.dueAt,
        ]),
        'ON CONFLICT (org_id, version, part) DO NOTHING',
      );
      const mark = sql`UPDATE org SET notices_to = ${through} WHERE id = ${org} AND notices_to < ${through}`;
      await db.write(notices.length > 0 ? [rows, mark] : [mark]);
    },

    async due(org, now, after, limit) {
      const from = after
        ? sql`AND (n.due_at, n.version, n.part) > (${after.dueAt}, ${after.version}, ${after.part})`
        : sql``;
      const rows = await some(sql`
        SELECT ${COLUMNS}, c.lifecycle_url, c.signing, o.lifecycle_url AS org_url, o.signing AS org_signing
        FROM notice n JOIN org o ON o.id = n.org_id
        LEFT JOIN channel c ON c.org_id = n.org_id AND c.generation = n.generation
        WHERE n.org_id = ${org} AND o.suspended_at IS NULL AND n.state = 'pending' AND n.due_at <= ${now} ${from}
        ORDER BY n.due_at, n.version, n.part LIMIT ${limit}`);
      return rows.map((row) => readDue(row, org));
    },

    async nextDue(org, now) {
      const [row] = await some(sql`
        SELECT due_at FROM notice WHERE org_id = ${org} AND state = 'pending' AND due_at > ${now} ORDER BY due_at LIMIT 1`);
      return row && integer(row, 'due_at');
    },

    async settle(notices) {
      await db.write([
        changeRows(
          notices,
          ({ org, version, part, state, attemptsMade, dueAt, outcome }) => sql`
            UPDATE notice SET state = ${state}, attempts_made = ${attemptsMade}, due_at = ${dueAt},
              outcome = ${outcome ? JSON.stringify(outcome) : null}
            WHERE org_id = ${org} AND version = ${version} AND part = ${part} AND state = 'pending'`,
        ),
      ]);
    },

    async list(org, { userId, generation, state }, before, limit) {
      const [top, part] = [before?.version ?? Number.MAX_SAFE_INTEGER, before?.part ?? 0];
      const older = sql`(n.version, n.part) < (${top}, ${part})`;
      // By channel along its revisions, which the notices are of.
      const looked =
        generation === undefined
          ? sql`SELECT n.version, n.part FROM notice n WHERE n.org_id = ${org} AND ${older}`
          : sql`
              SELECT n.version, n.part FROM channel_revision r
              JOIN notice n ON n.org_id = r.org_id AND n.version = r.version
              WHERE r.org_id = ${org} AND r.generation = ${generation} AND r.version <= ${top} AND ${older}`;
      const rows = await some(sql`
        SELECT ${COLUMNS}, n.outcome, c.channel_id, c.user_id
        FROM (${looked} ORDER BY n.version DESC, n.part DESC LIMIT ${LOOKED}) p
        JOIN notice n ON n.org_id = ${org} AND n.version = p.version AND n.part = p.part
        LEFT JOIN channel c ON c.org_id = n.org_id AND c.generation = n.generation
        ORDER BY n.version DESC, n.part DESC`);
      const items: NoticeEntry[] = [];
      let last: NoticePlace | undefined;
      for (const row of rows) {
        if (items.length === limit) break;
        const entry = readEntry(row);
        last = entry.notice;
        const fits =
          (userId === undefined || row.user_id === userId) && (state ?? entry.notice.state) === entry.notice.state;
        if (fits) items.push(entry);
      }
      const isEnd = rows.length < LOOKED && items.length < limit;
      return { items, ...(last && !isEnd && { next: { version: last.version, part: last.part } }) };
    },

    async find(org, { version, part }) {
      const [row] = await some(sql`
        SELECT ${COLUMNS}, n.outcome, c.channel_id, c.user_id
        FROM notice n JOIN channel c ON c.org_id = n.org_id AND c.generation = n.generation
        WHERE n.org_id = ${org} AND n.version = ${version} AND n.part = ${part}`);
      return row && { ...readEntry(row), userId: text<UserId>(row, 'user_id') };
    },

    async sendAgain(org, { version, part }, now) {
      await db.write([
        sql`
          UPDATE notice SET state = 'pending', attempts_made = 0, due_at = ${now}
          WHERE org_id = ${org} AND version = ${version} AND part = ${part} AND state <> 'pending'`,
      ]);
    },

    async orgUrl(org) {
      const [row] = await some(sql`SELECT lifecycle_url FROM org WHERE id = ${org}`);
      const sealed = row && textOrNone(row, 'lifecycle_url');
      return sealed === undefined ? undefined : cipher.open(sealed, placeOfOrgUrl(org));
    },

    async setOrgUrl(org, url) {
      const sealed = url === undefined ? null : cipher.seal(url, placeOfOrgUrl(org));
      await db.write([sql`UPDATE org SET lifecycle_url = ${sealed} WHERE id = ${org}`]);
    },
  };

  function readDue(row: Row, org: OrgId): DueNotice {
    const notice = readNotice(row);
    const own = textOrNone(row, 'lifecycle_url');
    const orgs = textOrNone(row, 'org_url');
    const url =
      own !== undefined
        ? cipher.open(own, placeInChannel(org, notice.generation, 'lifecycle_url'))
        : orgs === undefined
          ? undefined
          : cipher.open(orgs, placeOfOrgUrl(org));
    const signing = textOrNone(row, 'signing');
    const orgSigning = textOrNone(row, 'org_signing');
    const secret =
      signing !== undefined
        ? cipher.open(signing, placeInChannel(org, notice.generation, 'signing'))
        : orgSigning === undefined
          ? undefined
          : cipher.open(orgSigning, placeInOrg(org));
    return { notice, ...(url !== undefined && { url }), ...(secret !== undefined && { signing: JSON.parse(secret) }) };
  }
}

function readLook(row: Row): NoticeLook {
  const lookAt = integerOrNone(row, 'look_at');
  const dueAt = integerOrNone(row, 'due_at');
  return {
    org: text<OrgId>(row, 'id'),
    version: integer(row, 'channel_version'),
    told: integer(row, 'notices_to'),
    ...(lookAt !== undefined && { lookAt }),
    ...(dueAt !== undefined && { dueAt }),
  };
}

const readNotice = (row: Row): Notice => ({
  version: integer(row, 'version'),
  part: integer(row, 'part'),
  id: text(row, 'id'),
  generation: text<Generation>(row, 'generation'),
  kind: oneOf(row, 'kind', LIFE_EVENTS),
  body: text(row, 'body'),
  state: oneOf(row, 'state', NOTICE_STATES),
  at: integer(row, 'at'),
  attemptsMade: integer(row, 'attempts_made'),
  dueAt: integer(row, 'due_at'),
});

function readEntry(row: Row): NoticeEntry {
  return {
    notice: readNotice(row),
    ...(row.channel_id === null ? {} : { channelId: text<ChannelId>(row, 'channel_id') }),
    ...(row.outcome === null ? {} : { outcome: jsonObject<Outcome>(row, 'outcome') }),
  };
}

function readDetailed(row: Row): ChannelRevision {
  const revision = readRevision(row);
  return row.details === null ? revision : { ...revision, details: jsonObject<RevisionDetails>(row, 'details') };
}
