import type { ChannelId, Generation, OrgId, UserId } from '../domain/ids.ts';
import { lockOrg, readOrg, readProfile, selectOrgs } from './accounts.ts';
import { readHealth, selectHealth } from './channel-health.ts';
import { readChannel, readLapse, readRevision, selectAnyGeneration, selectPage } from './channels.ts';
import type { Cipher } from './cipher.ts';
import { type Db, type Row, type Statement, sql } from './db.ts';
import { ORGS_MADE } from './epoch.ts';
import { integer, text } from './rows.ts';
import type { AdministrationStore, ChannelEntry } from './store.ts';

export function createAdministrationStore(db: Db, cipher: Cipher): AdministrationStore {
  const all = async (statement: Statement): Promise<readonly Row[]> => (await db.read([statement]))[0] ?? [];
  const changed = async (org: OrgId, statement: Statement): Promise<boolean> => {
    const [, rows = []] = await db.write([lockOrg(db.dialect, org), statement]);
    return rows.length > 0;
  };

  async function entries(org: OrgId, rows: readonly Row[]): Promise<ChannelEntry[]> {
    if (rows.length === 0) return [];
    const channels = rows.map((row) => readChannel(row, org, cipher));
    const generations = channels.map(({ generation }) => generation);
    const failing = await all(selectHealth(org, generations));
    const healths = new Map(failing.map((row) => [text<Generation>(row, 'generation'), readHealth(row)]));
    return channels.map((channel) => {
      const health = healths.get(channel.generation);
      return { channel, ...(health && { health }) };
    });
  }

  return {
    async nextOrg(start) {
      const [rows = []] = await db.write([
        sql`
          INSERT INTO meta (name, value) VALUES (${ORGS_MADE}, ${String(start)})
          ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS INTEGER) + 1 AS TEXT)
          RETURNING CAST(value AS INTEGER) AS number`,
      ]);
      const [row] = rows;
      if (!row) throw new Error('The count of organisations cannot be read');
      return integer(row, 'number');
    },

    async listOrgs(page, perPage) {
      const rows = await all(selectOrgs(perPage + 1, (page - 1) * perPage));
      return { items: rows.slice(0, perPage).map(readOrg), hasMore: rows.length > perPage };
    },

    addUser: (org, { id, email, firstName, lastName, profileId, status = 'active' }, at) =>
      changed(
        org,
        sql`
          INSERT INTO user_account (org_id, id, email, first_name, last_name, profile_id, status, created_at)
          SELECT ${org}, ${id}, ${email}, ${firstName}, ${lastName}, p.id, ${status}, ${at}
          FROM profile p WHERE p.org_id = ${org} AND p.id = ${profileId}
          ON CONFLICT DO NOTHING RETURNING id`,
      ),

    changeUser: (org, id, { email, firstName, lastName, profileId, status }) =>
      changed(
        org,
        sql`
        UPDATE user_account SET email = COALESCE(${email ?? null}, email),
          first_name = COALESCE(${firstName ?? null}, first_name), last_name = COALESCE(${lastName ?? null}, last_name),
          profile_id = COALESCE(${profileId ?? null}, profile_id), status = COALESCE(${status ?? null}, status)
        WHERE org_id = ${org} AND id = ${id} AND status <> 'removed'
          AND (${profileId ?? null} IS NULL OR EXISTS (
            SELECT 1 FROM profile p WHERE p.org_id = ${org} AND p.id = ${profileId ?? null}))
          AND NOT EXISTS (
            SELECT 1 FROM user_account o
            WHERE o.org_id = ${org} AND lower(o.email) = lower(${email ?? null}) AND o.status <> 'removed'
              AND o.id <> ${id})
        RETURNING id`,
      ),

    async listProfiles(org, page, perPage) {
      const rows = await all(sql`
        SELECT p.id AS profile_id, p.name AS profile_name, p.denied_modules FROM profile p
        WHERE p.org_id = ${org} ORDER BY p.id LIMIT ${perPage + 1} OFFSET ${(page - 1) * perPage}`);
      return { items: rows.slice(0, perPage).map(readProfile), hasMore: rows.length > perPage };
    },

    async findProfile(org, id) {
      const [row] = await all(sql`
        SELECT p.id AS profile_id, p.name AS profile_name, p.denied_modules FROM profile p
        WHERE p.org_id = ${org} AND p.id = ${id}`);
      return row && readProfile(row);
    },

    async changeProfile(org, id, { name, deniedModules }) {
      const denied = deniedModules ? JSON.stringify(deniedModules) : null;
      const [rows = []] = await db.write([
        sql`
          UPDATE profile SET name = COALESCE(${name ?? null}, name),
            denied_modules = COALESCE(${denied}, denied_modules)
          WHERE org_id = ${org} AND id = ${id}
          RETURNING id AS profile_id, name AS profile_name, denied_modules`,
      ]);
      const [row] = rows;
      return row && readProfile(row);
    },

    removeProfile: (org, id) =>
      changed(
        org,
        sql`
        DELETE FROM profile WHERE org_id = ${org} AND id = ${id}
          AND NOT EXISTS (SELECT 1 FROM user_account u WHERE u.org_id = ${org} AND u.profile_id = ${id})
        RETURNING id`,
      ),

    async listChannels(org, { userId, clientId, ended }, page, perPage) {
      const rows = await all(selectPage(org, { userId, clientId, ended }, perPage + 1, (page - 1) * perPage));
      return { items: await entries(org, rows.slice(0, perPage)), hasMore: rows.length > perPage };
    },

    async findChannel(org, generation) {
      const [entry] = await entries(org, await all(selectAnyGeneration(org, generation)));
      return entry;
    },

    async revisions(org, generation, before = Number.MAX_SAFE_INTEGER, limit) {
      const rows = await all(sql`
        SELECT version, at, kind, snapshot, details FROM channel_revision
        WHERE org_id = ${org} AND generation = ${generation} AND version < ${before} ORDER BY version DESC LIMIT ${limit}`);
      return rows.map(readRevision);
    },

    async newestLapses(org, generation, limit) {
      const rows = await all(sql`
        SELECT generation, from_change, kind, to_change, at, ended_at, rematched_to FROM lapse
        WHERE org_id = ${org} AND generation = ${generation} ORDER BY from_change DESC, kind DESC LIMIT ${limit}`);
      return rows.map(readLapse);
    },

    async currentChannels(org, { userId, clientId }, limit) {
      const whose = userId === undefined ? sql`client_id = ${clientId}` : sql`user_id = ${userId}`;
      const rows = await all(sql`
        SELECT user_id, channel_id FROM channel WHERE org_id = ${org} AND ${whose} AND ended_at IS NULL
        ORDER BY user_id, channel_id LIMIT ${limit}`);
      return rows.map((row) => ({
        userId: text<UserId>(row, 'user_id'),
        channelId: text<ChannelId>(row, 'channel_id'),
      }));
    },
  };
}
