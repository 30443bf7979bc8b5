import type { OrgId, UserId } from '../domain/ids.ts';
import { type Db, insertRows, type Row, sql } from './db.ts';
import { integer, integerOrNone, oneOf, text, textList, textOrNone } from './rows.ts';
import type { StoredToken, TokenStore } from './store.ts';

const KINDS: readonly StoredToken['kind'][] = ['grant', 'refresh', 'access', 'admin'];

function readToken(row: Row): StoredToken {
  const userId = textOrNone<UserId>(row, 'user_id');
  const clientId = textOrNone(row, 'client_id');
  const redirectUri = textOrNone(row, 'redirect_uri');
  const expiresAt = integerOrNone(row, 'expires_at');
  return {
    hash: text(row, 'hash'),
    kind: oneOf(row, 'kind', KINDS),
    orgId: text<OrgId>(row, 'org_id'),
    ...(userId === undefined ? {} : { userId }),
    ...(clientId === undefined ? {} : { clientId }),
    scopes: textList(row, 'scopes'),
    ...(redirectUri === undefined ? {} : { redirectUri }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    createdAt: integer(row, 'created_at'),
  };
}

export function createTokenStore(db: Db): TokenStore {
  return {
    async add(token) {
      await db.write([
        insertRows('token (hash, kind, org_id, user_id, client_id, scopes, redirect_uri, expires_at, created_at)', [
          [
            token.hash,
            token.kind,
            token.orgId,
            token.userId ?? null,
            token.clientId ?? null,
            JSON.stringify(token.scopes),
            token.redirectUri ?? null,
            token.expiresAt ?? null,
            token.createdAt,
          ],
        ]),
      ]);
    },

    async find(hash) {
      const [rows = []] = await db.read([
        sql`
          SELECT hash, kind, org_id, user_id, client_id, scopes, redirect_uri, expires_at, created_at
          FROM token WHERE hash = ${hash}`,
      ]);
      const [row] = rows;
      return row && readToken(row);
    },

    async take(hash) {
      const [rows = []] = await db.write([sql`DELETE FROM token WHERE hash = ${hash} RETURNING hash`]);
      return rows.length === 1;
    },

    async removeExpired(before) {
      await db.write([sql`DELETE FROM token WHERE expires_at < ${before}`]);
    },
  };
}
