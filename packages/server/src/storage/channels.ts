import {
  CANCELLED_WHYS,
  type Channel,
  type ChannelRevision,
  ENDED_REASONS,
  type Lapse,
  type LiveChannel,
  type Restart,
  type Signing,
  SUSPENDED_WHYS,
} from '../domain/channel.ts';
import type { FieldCondition } from '../domain/condition.ts';
import type { EventType } from '../domain/event-type.ts';
import type { ChannelId, Generation, OrgId, UserId } from '../domain/ids.ts';
import { API_VERSIONS } from '../domain/wire/api-version.ts';
import type { Needs, WriteSet } from '../domain/working-set.ts';
import { dropHealth } from './channel-health.ts';
import type { Cipher, Place } from './cipher.ts';
import { changeRows, type Db, insertRows, list, type Row, type Statement, sql, type Write } from './db.ts';
import { groupBy, lastOf } from './group.ts';
import { flag, integer, integerOrNone, jsonObject, objectList, oneOf, text, textOrNone } from './rows.ts';
import type { ChannelFilter, ChannelReads } from './store.ts';

const LIVE_COLUMNS = sql`generation, user_id, channel_id, version, events, notify_on_related, with_values, conditions,
  expires_at, overflow_from, epoch, last_number`;
const COLUMNS = sql`${LIVE_COLUMNS}, notify_url, token, client_id, opened_at, modified_at, lapsed_from, cancelled_to,
  cancelled_why, suspended_at, suspended_why, signing, concurrency, lifecycle_url, notice_at, restarts, ended_at,
  ended_reason`;

/** Live channels that are read at once: an organisation may have a hundred thousand. */
const LIVE_SLICE = 500;

/** What the index of an organisation is built from, in the order in which they were opened: those after the last one. */
export const selectLive = (org: OrgId, after?: PlaceAmongLive): Statement => sql`
  SELECT ${LIVE_COLUMNS}, opened_at FROM channel
  WHERE org_id = ${org} AND ended_at IS NULL AND lapsed_from IS NULL
    ${after ? sql`AND (opened_at, generation) > (${after.openedAt}, ${after.generation})` : sql``}
  ORDER BY opened_at, generation LIMIT ${LIVE_SLICE}`;

interface PlaceAmongLive {
  readonly openedAt: number;
  readonly generation: Generation;
}

/** Where to read on; undefined: that was all. */
export function afterLive(rows: readonly Row[]): PlaceAmongLive | undefined {
  const last = rows.length < LIVE_SLICE ? undefined : rows.at(-1);
  return last && { openedAt: integer(last, 'opened_at'), generation: text<Generation>(last, 'generation') };
}

export function selectCurrent(org: OrgId, channels: NonNullable<Needs['channels']>): Statement[] {
  return groupBy(channels, ({ userId }) => userId).map(
    ([userId, group]) => sql`
      SELECT ${COLUMNS} FROM channel
      WHERE org_id = ${org} AND user_id = ${userId} AND ended_at IS NULL
        AND channel_id IN ${list(group.map(({ channelId }) => channelId))}`,
  );
}

/** Channels of an organisation in the order in which they were opened, ended ones or the others. */
export const selectPage = (
  org: OrgId,
  { userId, clientId, ended }: ChannelFilter,
  limit: number,
  offset: number,
): Statement => sql`
  SELECT ${COLUMNS} FROM channel
  WHERE org_id = ${org} AND ${ended ? sql`ended_at IS NOT NULL` : sql`ended_at IS NULL`}
    AND ${userId === undefined ? sql`1 = 1` : sql`user_id = ${userId}`}
    AND ${clientId === undefined ? sql`1 = 1` : sql`client_id = ${clientId}`}
  ORDER BY generation LIMIT ${limit} OFFSET ${offset}`;

export const selectGeneration = (org: OrgId, generation: Generation): Statement => sql`
  SELECT ${COLUMNS} FROM channel WHERE org_id = ${org} AND generation = ${generation} AND ended_at IS NULL`;

export const selectAnyGeneration = (org: OrgId, generation: Generation): Statement => sql`
  SELECT ${COLUMNS} FROM channel WHERE org_id = ${org} AND generation = ${generation}`;

export function readLiveChannel(row: Row): LiveChannel {
  const overflowFrom = integerOrNone(row, 'overflow_from');
  return {
    generation: text<Generation>(row, 'generation'),
    userId: text<UserId>(row, 'user_id'),
    channelId: text<ChannelId>(row, 'channel_id'),
    version: oneOf(row, 'version', API_VERSIONS),
    events: objectList<EventType>(row, 'events', ['module', 'operation']),
    notifyOnRelated: flag(row, 'notify_on_related'),
    withValues: flag(row, 'with_values'),
    conditions: objectList<FieldCondition>(row, 'conditions', ['module', 'rule']),
    expiresAt: integer(row, 'expires_at'),
    ...(overflowFrom === undefined ? {} : { overflowFrom }),
    epoch: integer(row, 'epoch'),
    lastNumber: integer(row, 'last_number'),
  };
}

export function readChannel(row: Row, org: OrgId, cipher: Cipher): Channel {
  const live = readLiveChannel(row);
  const token = textOrNone(row, 'token');
  const lapsedFrom = integerOrNone(row, 'lapsed_from');
  const cancelledTo = integerOrNone(row, 'cancelled_to');
  const suspendedAt = integerOrNone(row, 'suspended_at');
  const signing = textOrNone(row, 'signing');
  const endedAt = integerOrNone(row, 'ended_at');
  const clientId = textOrNone(row, 'client_id');
  const concurrency = integerOrNone(row, 'concurrency');
  const lifecycleUrl = textOrNone(row, 'lifecycle_url');
  const noticeAt = integerOrNone(row, 'notice_at');
  return {
    ...live,
    notifyUrl: cipher.open(text(row, 'notify_url'), placeInChannel(org, live.generation, 'notify_url')),
    token: token === undefined ? null : cipher.open(token, placeInChannel(org, live.generation, 'token')),
    ...(clientId === undefined ? {} : { clientId }),
    openedAt: integer(row, 'opened_at'),
    modifiedAt: integer(row, 'modified_at'),
    ...(lapsedFrom === undefined ? {} : { lapsedFrom }),
    ...(cancelledTo === undefined ? {} : { cancelledTo, cancelledWhy: oneOf(row, 'cancelled_why', CANCELLED_WHYS) }),
    ...(suspendedAt === undefined
      ? {}
      : { suspension: { at: suspendedAt, why: oneOf(row, 'suspended_why', SUSPENDED_WHYS) } }),
    ...(signing === undefined
      ? {}
      : { signing: JSON.parse(cipher.open(signing, placeInChannel(org, live.generation, 'signing'))) as Signing }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(lifecycleUrl === undefined
      ? {}
      : { lifecycleUrl: cipher.open(lifecycleUrl, placeInChannel(org, live.generation, 'lifecycle_url')) }),
    ...(noticeAt === undefined ? {} : { noticeAt }),
    restarts: objectList<Restart>(row, 'restarts', ['from', 'generation']),
    ...(endedAt === undefined ? {} : { endedAt, endedReason: oneOf(row, 'ended_reason', ENDED_REASONS) }),
  };
}

/**
 * Lapses come before channels: one that expired and was renewed in the same batch is live afterwards. Numbers come last
 * and alone count up a row that exists.
 */
export function saveChannels(
  org: OrgId,
  {
    channels,
    lapsed,
    overflowed,
    numbers,
    restarts,
    noticed,
    forgiven,
  }: Pick<WriteSet, 'channels' | 'lapsed' | 'overflowed' | 'numbers' | 'restarts' | 'noticed' | 'forgiven'>,
  cipher: Cipher,
): Write[] {
  const ended = [...channels.values()].flatMap(({ generation, endedAt }) => (endedAt === undefined ? [] : generation));
  return [
    changeRows(
      lapsed,
      ([generation, fromChange]) => sql`
        UPDATE channel SET lapsed_from = ${fromChange}, notice_at = NULL WHERE org_id = ${org} AND generation = ${generation}`,
    ),
    insertRows(
      `channel (org_id, generation, user_id, channel_id, version, events, notify_on_related, with_values, conditions,
        expires_at, last_number, notify_url, token, client_id, opened_at, modified_at, lapsed_from, cancelled_to,
        cancelled_why, overflow_from, suspended_at, suspended_why, signing, concurrency, lifecycle_url,
        notice_at, epoch, restarts, ended_at, ended_reason)`,
      Array.from(channels.values(), (channel) => [
        org,
        channel.generation,
        channel.userId,
        channel.channelId,
        channel.version,
        JSON.stringify(channel.events),
        Number(channel.notifyOnRelated),
        Number(channel.withValues),
        JSON.stringify(channel.conditions),
        channel.expiresAt,
        channel.lastNumber,
        cipher.seal(channel.notifyUrl, placeInChannel(org, channel.generation, 'notify_url')),
        channel.token === null ? null : cipher.seal(channel.token, placeInChannel(org, channel.generation, 'token')),
        channel.clientId ?? null,
        channel.openedAt,
        channel.modifiedAt,
        channel.lapsedFrom ?? null,
        channel.cancelledTo ?? null,
        channel.cancelledWhy ?? null,
        channel.overflowFrom ?? null,
        channel.suspension?.at ?? null,
        channel.suspension?.why ?? null,
        channel.signing
          ? cipher.seal(JSON.stringify(channel.signing), placeInChannel(org, channel.generation, 'signing'))
          : null,
        channel.concurrency ?? null,
        channel.lifecycleUrl === undefined
          ? null
          : cipher.seal(channel.lifecycleUrl, placeInChannel(org, channel.generation, 'lifecycle_url')),
        channel.noticeAt ?? null,
        channel.epoch,
        JSON.stringify(channel.restarts),
        channel.endedAt ?? null,
        channel.endedReason ?? null,
      ]),
      `ON CONFLICT (org_id, generation) DO UPDATE SET version = excluded.version, events = excluded.events,
        notify_on_related = excluded.notify_on_related, with_values = excluded.with_values,
        conditions = excluded.conditions, expires_at = excluded.expires_at, notify_url = excluded.notify_url,
        token = excluded.token, client_id = excluded.client_id, opened_at = excluded.opened_at, modified_at = excluded.modified_at,
        lapsed_from = excluded.lapsed_from, cancelled_to = excluded.cancelled_to,
        cancelled_why = excluded.cancelled_why, overflow_from = excluded.overflow_from,
        suspended_at = excluded.suspended_at, suspended_why = excluded.suspended_why, signing = excluded.signing,
        concurrency = excluded.concurrency, lifecycle_url = excluded.lifecycle_url, notice_at = excluded.notice_at,
        epoch = excluded.epoch, restarts = excluded.restarts, ended_at = excluded.ended_at,
        ended_reason = excluded.ended_reason`,
    ),
    changeRows(
      numbers,
      ([generation, number]) => sql`
        UPDATE channel SET last_number = ${number} WHERE org_id = ${org} AND generation = ${generation}`,
    ),
    changeRows(
      noticed,
      ([generation, noticeAt]) => sql`
        UPDATE channel SET notice_at = ${noticeAt} WHERE org_id = ${org} AND generation = ${generation}`,
    ),
    changeRows(
      overflowed,
      ([generation, fromChange]) => sql`
        UPDATE channel SET overflow_from = ${fromChange} WHERE org_id = ${org} AND generation = ${generation}`,
    ),
    dropHealth([...forgiven, ...ended].map((generation) => ({ org, generation }))),
    changeRows(restarts, ([generation, { epoch, restart }]) => {
      const item = JSON.stringify(restart);
      return sql`
        UPDATE channel SET epoch = ${epoch}, restarts =
          CASE restarts WHEN '[]' THEN ${`[${item}]`}
          ELSE SUBSTR(restarts, 1, LENGTH(restarts) - 1) || ${`,${item}]`} END
        WHERE org_id = ${org} AND generation = ${generation}`;
    }),
  ];
}

export const saveRevisions = (org: OrgId, revisions: readonly ChannelRevision[]): Write =>
  insertRows(
    'channel_revision (org_id, version, at, kind, generation, snapshot, details)',
    revisions.map(({ version, at, kind, channel, details }) => [
      org,
      version,
      at,
      kind,
      channel.generation,
      JSON.stringify(channel),
      details ? JSON.stringify(details) : null,
    ]),
  );

/** Of what was done to channels after that version, in order. */
export const selectRevisions = (org: OrgId, after: number, limit: number): Statement => sql`
  SELECT version, at, kind, snapshot FROM channel_revision
  WHERE org_id = ${org} AND version > ${after} ORDER BY version LIMIT ${limit}`;

export const readRevision = (row: Row): ChannelRevision => ({
  version: integer(row, 'version'),
  at: integer(row, 'at'),
  kind: text<ChannelRevision['kind']>(row, 'kind'),
  channel: jsonObject<LiveChannel>(row, 'snapshot'),
});

/** One that ends keeps the time at which it began. One that a batch begins and ends is saved once. */
export const saveLapses = (org: OrgId, lapses: readonly Lapse[]): Write =>
  insertRows(
    'lapse (org_id, generation, from_change, kind, to_change, at, ended_at, rematched_to)',
    lastOf(lapses, ({ generation, fromChange, kind }) => `${generation} ${fromChange} ${kind}`).map(
      ({ generation, fromChange, kind, toChange, at, endedAt, rematchedTo }) => [
        org,
        generation,
        fromChange,
        kind,
        toChange ?? null,
        at,
        endedAt ?? null,
        rematchedTo ?? null,
      ],
    ),
    `ON CONFLICT (org_id, generation, from_change, kind) DO UPDATE SET to_change = excluded.to_change,
      ended_at = excluded.ended_at, rematched_to = excluded.rematched_to`,
  );

const LAPSE_COLUMNS = sql`generation, from_change, kind, to_change, at, ended_at, rematched_to`;

export const selectLapsesAt = (org: OrgId, generation: Generation, fromChange: number): Statement => sql`
  SELECT ${LAPSE_COLUMNS} FROM lapse
  WHERE org_id = ${org} AND generation = ${generation} AND from_change = ${fromChange}`;

export const selectLapses = (org: OrgId, generations: readonly Generation[]): Statement => sql`
  SELECT ${LAPSE_COLUMNS} FROM lapse
  WHERE org_id = ${org} AND generation IN ${list(generations)} ORDER BY generation, from_change, kind`;

export function readLapse(row: Row): Lapse {
  const toChange = integerOrNone(row, 'to_change');
  const endedAt = integerOrNone(row, 'ended_at');
  const rematchedTo = integerOrNone(row, 'rematched_to');
  return {
    generation: text<Generation>(row, 'generation'),
    kind: oneOf(row, 'kind', ['expired', 'overflow']),
    fromChange: integer(row, 'from_change'),
    at: integer(row, 'at'),
    ...(toChange === undefined ? {} : { toChange }),
    ...(endedAt === undefined ? {} : { endedAt }),
    ...(rematchedTo === undefined ? {} : { rematchedTo }),
  };
}

/** Channels read by one statement: a user may have many, and other readers wait. */
const SLICE = 1000;

export function createChannelReads(db: Db, cipher: Cipher): ChannelReads {
  return {
    async listLive(org, user, now) {
      const channels: Channel[] = [];
      let after = '';
      for (;;) {
        const [rows = []] = await db.read([
          sql`
            SELECT ${COLUMNS} FROM channel
            WHERE org_id = ${org} AND user_id = ${user} AND channel_id > ${after}
              AND ended_at IS NULL AND lapsed_from IS NULL AND expires_at > ${now}
            ORDER BY channel_id LIMIT ${SLICE}`,
        ]);
        channels.push(...rows.map((row) => readChannel(row, org, cipher)));
        const last = channels.at(-1);
        // Already in order of ids, and the sort is stable.
        if (!last || rows.length < SLICE) return channels.sort((a, b) => a.openedAt - b.openedAt);
        after = last.channelId;
      }
    },

    async findOwn(org, user, { channelId, generation }) {
      const which = generation === undefined ? sql`ended_at IS NULL` : sql`generation = ${generation}`;
      const [rows = []] = await db.read([
        sql`
          SELECT generation FROM channel
          WHERE org_id = ${org} AND user_id = ${user} AND channel_id = ${channelId} AND ${which}`,
      ]);
      return rows[0] && text<Generation>(rows[0], 'generation');
    },
  };
}

export const placeInChannel = (org: OrgId, generation: Generation, column: string): Place => [
  'channel',
  org,
  generation,
  column,
];
