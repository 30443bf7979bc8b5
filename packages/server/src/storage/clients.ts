import type { OrgId, UserId } from '../domain/ids.ts';
import { type Db, insertRows, type Row, sql } from './db.ts';
import { integer, integerOrNone, text, textList, textOrNone } from './rows.ts';
import type { ClientStore, OAuthClient } from './store.ts';

const COLUMNS = sql`id, org_id, name, secret_hash, former_secret_hash, former_until, redirect_uris, acting_user_id,
  created_at`;

function readClient(row: Row): OAuthClient {
  const formerHash = textOrNone(row, 'former_secret_hash');
  const actingUserId = textOrNone<UserId>(row, 'acting_user_id');
  return {
    id: text(row, 'id'),
    orgId: text<OrgId>(row, 'org_id'),
    name: text(row, 'name'),
    secretHash: text(row, 'secret_hash'),
    ...(formerHash !== undefined && {
      formerSecret: { hash: formerHash, until: integerOrNone(row, 'former_until') ?? 0 },
    }),
    redirectUris: textList(row, 'redirect_uris'),
    ...(actingUserId !== undefined && { actingUserId }),
    createdAt: integer(row, 'created_at'),
  };
}

export function createClientStore(db: Db): ClientStore {
  return {
    async add(client) {
      await db.write([
        insertRows(
          `oauth_client (id, org_id, name, secret_hash, former_secret_hash, former_until, redirect_uris, acting_user_id,
            created_at)`,
          [
            [
              client.id,
              client.orgId,
              client.name,
              client.secretHash,
              client.formerSecret?.hash ?? null,
              client.formerSecret?.until ?? null,
              JSON.stringify(client.redirectUris),
              client.actingUserId ?? null,
              client.createdAt,
            ],
          ],
        ),
      ]);
    },

    async find(id) {
      const [rows = []] = await db.read([sql`SELECT ${COLUMNS} FROM oauth_client WHERE id = ${id}`]);
      const [row] = rows;
      return row && readClient(row);
    },

    async list(org, page, perPage) {
      const [rows = []] = await db.read([
        sql`
          SELECT ${COLUMNS} FROM oauth_client WHERE org_id = ${org}
          ORDER BY created_at, id LIMIT ${perPage + 1} OFFSET ${(page - 1) * perPage}`,
      ]);
      return { clients: rows.slice(0, perPage).map(readClient), moreClients: rows.length > perPage };
    },

    async change(org, id, { name, redirectUris, actingUserId }) {
      const isUserGiven = actingUserId === undefined ? 0 : 1;
      const [rows = []] = await db.write([
        sql`
          UPDATE oauth_client SET
            name = COALESCE(${name ?? null}, name),
            redirect_uris = COALESCE(${redirectUris ? JSON.stringify(redirectUris) : null}, redirect_uris),
            acting_user_id = CASE ${isUserGiven} WHEN 1 THEN ${actingUserId ?? null} ELSE acting_user_id END
          WHERE org_id = ${org} AND id = ${id} RETURNING id`,
      ]);
      return rows.length === 1;
    },

    async rotateSecret(org, id, secretHash, formerUntil) {
      const [rows = []] = await db.write([
        sql`
          UPDATE oauth_client SET former_secret_hash = secret_hash, former_until = ${formerUntil},
            secret_hash = ${secretHash}
          WHERE org_id = ${org} AND id = ${id} RETURNING id`,
      ]);
      return rows.length === 1;
    },

    async remove(org, id) {
      // First what tokens are issued from: those given until then are seen by what ends them.
      const those = sql`client_id = ${id} AND org_id = ${org}`;
      const [rows = []] = await db.write([
        sql`DELETE FROM oauth_client WHERE id = ${id} AND org_id = ${org} RETURNING id`,
        sql`SELECT hash FROM token WHERE ${those} ORDER BY hash ${db.dialect.lock}`,
        sql`DELETE FROM token WHERE ${those}`,
      ]);
      return rows.length === 1;
    },
  };
}
