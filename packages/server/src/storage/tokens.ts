import type { OrgId, UserId } from '../domain/ids.ts';
import {
  type Db,
  type Dialect,
  insertRows,
  list,
  openPlan,
  type Row,
  type SqlValue,
  type Statement,
  sql,
  type Write,
} from './db.ts';
import { flag, integer, integerOrNone, oneOf, text, textList, textOrNone } from './rows.ts';
import type { Issue, StoredToken, TokenFilter, TokenStore } from './store.ts';

const KINDS: readonly StoredToken['kind'][] = ['grant', 'refresh', 'access', 'admin', 'sign-in'];

const COLUMNS = sql`hash, kind, org_id, user_id, client_id, scopes, redirect_uri, source, is_online, expires_at,
  spent_at, created_at`;

/** More are never counted or ended in one step. */
const MAX_ENDED = 1000;

const valuesOf = (token: StoredToken): SqlValue[] => [
  token.hash,
  token.kind,
  token.orgId,
  token.userId ?? null,
  token.clientId ?? null,
  JSON.stringify(token.scopes),
  token.redirectUri ?? null,
  token.source ?? null,
  token.isOnline ? 1 : 0,
  token.expiresAt ?? null,
  token.spentAt ?? null,
  token.createdAt,
];

const insertToken = (token: StoredToken): Write =>
  insertRows(
    `token (hash, kind, org_id, user_id, client_id, scopes, redirect_uri, source, is_online, expires_at, spent_at,
      created_at)`,
    [valuesOf(token)],
  );

function readToken(row: Row): StoredToken {
  const userId = textOrNone<UserId>(row, 'user_id');
  const clientId = textOrNone(row, 'client_id');
  const redirectUri = textOrNone(row, 'redirect_uri');
  const source = textOrNone(row, 'source');
  const expiresAt = integerOrNone(row, 'expires_at');
  const spentAt = integerOrNone(row, 'spent_at');
  return {
    hash: text(row, 'hash'),
    kind: oneOf(row, 'kind', KINDS),
    orgId: text<OrgId>(row, 'org_id'),
    ...(userId === undefined ? {} : { userId }),
    ...(clientId === undefined ? {} : { clientId }),
    scopes: textList(row, 'scopes'),
    ...(redirectUri === undefined ? {} : { redirectUri }),
    ...(source === undefined ? {} : { source }),
    ...(flag(row, 'is_online') ? { isOnline: true } : {}),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(spentAt === undefined ? {} : { spentAt }),
    createdAt: integer(row, 'created_at'),
  };
}

/**
 * Whoever issues from a source or ends it goes one after the other, and whoever counts what a user has: so none is given
 * by what has ended meanwhile, and none beyond its number.
 */
function lockSources({ lock }: Dialect, issues: readonly Issue[]): Statement[] {
  const sources = list(issues.map(({ token }) => token.source));
  const owners = issues.flatMap(({ token, keep }) => (keep?.of === 'user' ? [token] : []));
  return [
    sql`SELECT hash FROM token WHERE hash IN ${sources} ORDER BY hash ${lock}`,
    sql`SELECT id FROM oauth_client WHERE id IN ${sources} ORDER BY id ${lock}`,
    ...owners.map((owner) => lockUser(lock, owner)),
  ];
}

const lockUser = (lock: Statement, { orgId, userId }: Pick<StoredToken, 'orgId' | 'userId'>): Statement =>
  sql`SELECT id FROM user_account WHERE org_id = ${orgId} AND id = ${userId ?? null} ${lock}`;

/** Adds the token if its source still stands and has not given too many of them. */
function insertIssued({ token, atMost }: Issue): Statement {
  const { source, kind } = token;
  const room = atMost
    ? sql`(SELECT count(*) FROM token WHERE source = ${source} AND kind = ${kind} AND created_at > ${atMost.since})
        < ${atMost.count}`
    : sql`1 = 1`;
  const [hash, ...rest] = valuesOf(token);
  const values = rest.reduce<Statement>((row, value) => sql`${row}, ${value}`, sql`${hash ?? null}`);
  return sql`
    INSERT INTO token (${COLUMNS}) SELECT ${values}
    WHERE (EXISTS (SELECT 1 FROM token WHERE hash = ${source}) OR EXISTS (SELECT 1 FROM oauth_client WHERE id = ${source}))
      AND ${room}
    RETURNING hash`;
}

/** Ends the oldest beside an issued token, if it was issued: what they give until then is seen and ends with them. */
function endOldest({ lock }: Dialect, { token, keep }: Issue): Statement[] {
  const { hash, kind, source, orgId, userId, createdAt } = token;
  if (!keep) return [];
  const group = keep.of === 'source' ? sql`source = ${source}` : sql`org_id = ${orgId} AND user_id = ${userId ?? null}`;
  const oldest = sql`
    SELECT hash FROM token
    WHERE ${group} AND kind = ${kind} AND hash <> ${hash} AND (expires_at IS NULL OR expires_at > ${createdAt})
      AND EXISTS (SELECT 1 FROM token WHERE hash = ${hash})
    ORDER BY created_at DESC, hash LIMIT ${MAX_ENDED} OFFSET ${keep.count - 1}`;
  return [
    sql`${oldest} ${lock}`,
    sql`DELETE FROM token WHERE source IN (${oldest}) RETURNING hash`,
    sql`DELETE FROM token WHERE hash IN (${oldest}) RETURNING hash`,
  ];
}

const where = (org: OrgId, { userId, clientId }: TokenFilter): Statement => sql`
  org_id = ${org} AND (${userId ?? null} IS NULL OR user_id = ${userId ?? null})
    AND (${clientId ?? null} IS NULL OR client_id = ${clientId ?? null})`;

const hashes = (rows: readonly Row[]): string[] => rows.map((row) => text(row, 'hash'));

export function createTokenStore(db: Db): TokenStore {
  const { dialect } = db;
  return {
    async add(token) {
      await db.write([insertToken(token)]);
    },

    async replace(token) {
      const { orgId, userId, kind } = token;
      await db.write([
        lockUser(dialect.lock, token),
        sql`DELETE FROM token WHERE org_id = ${orgId} AND user_id = ${userId} AND kind = ${kind}`,
        insertToken(token),
      ]);
    },

    async issue(issues) {
      const plan = openPlan();
      lockSources(dialect, issues).map(plan.add);
      const issued = issues.map((issue) => ({
        added: plan.add(insertIssued(issue)),
        ended: endOldest(dialect, issue).map(plan.add).slice(1),
      }));
      await plan.run(db.write);
      if (issued.every(({ added }) => added().length === 1)) {
        return { kind: 'issued', ended: issued.flatMap(({ ended }) => ended.flatMap((rows) => hashes(rows()))) };
      }
      const { source } = issues[0].token;
      const [rows = []] = await db.read([
        sql`SELECT hash FROM token WHERE hash = ${source} UNION ALL SELECT id FROM oauth_client WHERE id = ${source}`,
      ]);
      return { kind: 'refused', reason: rows.length === 0 ? 'gone' : 'limited' };
    },

    async find(hash) {
      const [rows = []] = await db.read([sql`SELECT ${COLUMNS} FROM token WHERE hash = ${hash}`]);
      const [row] = rows;
      return row && readToken(row);
    },

    async spend(hash, at) {
      const [rows = []] = await db.write([
        sql`UPDATE token SET spent_at = ${at} WHERE hash = ${hash} AND spent_at IS NULL RETURNING hash`,
      ]);
      return rows.length === 1;
    },

    async remove(hash) {
      // First the source: what it gave until then is seen by the second.
      const rows = await db.write([
        sql`DELETE FROM token WHERE hash = ${hash} RETURNING hash`,
        sql`DELETE FROM token WHERE source = ${hash} RETURNING hash`,
      ]);
      return hashes(rows.flat());
    },

    async list(org, filter, now, page, perPage) {
      const [rows = []] = await db.read([
        sql`
          SELECT ${COLUMNS} FROM token
          WHERE ${where(org, filter)} AND spent_at IS NULL AND (expires_at IS NULL OR expires_at > ${now})
          ORDER BY created_at DESC, hash LIMIT ${perPage + 1} OFFSET ${(page - 1) * perPage}`,
      ]);
      return { tokens: rows.slice(0, perPage).map(readToken), moreTokens: rows.length > perPage };
    },

    async findByPrefix(org, prefix) {
      const [rows = []] = await db.read([
        sql`SELECT ${COLUMNS} FROM token WHERE hash >= ${prefix} AND hash < ${`${prefix}g`} LIMIT 2`,
      ]);
      const [row] = rows;
      const token = row && rows.length === 1 ? readToken(row) : undefined;
      return token?.orgId === org ? token : undefined;
    },

    async removeOf(org, filter, kind) {
      const those = sql`${where(org, filter)} AND (${kind ?? null} IS NULL OR kind = ${kind ?? null})`;
      // What they give until they are locked is seen by the second.
      const [, rows = []] = await db.write([
        sql`SELECT hash FROM token WHERE ${those} ORDER BY hash ${dialect.lock}`,
        sql`DELETE FROM token WHERE ${those} RETURNING hash`,
      ]);
      return rows.length;
    },

    async removeExpired(before) {
      const [rows = []] = await db.write([
        sql`
          DELETE FROM token WHERE hash IN (SELECT hash FROM token WHERE expires_at < ${before} LIMIT ${MAX_ENDED})
          RETURNING hash`,
      ]);
      return rows.length === MAX_ENDED;
    },
  };
}
