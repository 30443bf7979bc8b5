import { AppError } from '../domain/error.ts';
import type { OrgId, UserId } from '../domain/ids.ts';
import { isActive, type Principal, requireOpen } from '../domain/org.ts';
import { grants, type ScopeNeed } from '../domain/scope.ts';
import type { AccountStore, OAuthClient, StoredToken, TokenStore } from '../storage/store.ts';
import { hashSecret, newToken, type RandomBytes, sameHash } from './secret.ts';

/** Parameters of a token call as they came; absent ones undefined. */
interface TokenRequest {
  readonly grantType?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly code?: string | undefined;
  readonly redirectUri?: string | undefined;
  readonly refreshToken?: string | undefined;
}

/** Why no token was issued, in the words of the token endpoint (reference §6.2). */
type TokenRefusal =
  | 'invalid_request'
  | 'unsupported_grant_type'
  | 'invalid_client'
  | 'invalid_client_secret'
  | 'invalid_code'
  | 'invalid_redirect_uri'
  /** The organisation is suspended (ours). */
  | 'access_denied';

export type TokenAnswer =
  | {
      readonly kind: 'issued';
      readonly accessToken: string;
      /** Only for a grant code. */
      readonly refreshToken?: string;
      readonly scopes: readonly string[];
      readonly lifeMs: number;
    }
  | { readonly kind: 'refused'; readonly error: TokenRefusal };

export interface GrantInput {
  readonly clientId: string;
  readonly orgId: OrgId;
  readonly userId: UserId;
  readonly scopes: readonly string[];
  /** When given, the exchange must name the same. */
  readonly redirectUri?: string;
}

export interface Auth {
  /** Who a request's `Authorization` header stands for; else `AppError` AUTHENTICATION_FAILURE or INVALID_TOKEN. */
  authenticate(authorization: string | undefined): Promise<Principal>;
  /** Throws `AppError` OAUTH_SCOPE_MISMATCH unless one of the principal's scopes covers the need. */
  requireScope(principal: Principal, need: ScopeNeed): void;
  exchange(request: TokenRequest): Promise<TokenAnswer>;
  /** A grant code, good once and for three minutes. */
  makeGrant(input: GrantInput): Promise<string>;
  /** Whether a token stands for the operator. */
  isAdmin(token: string): Promise<boolean>;
}

export interface AuthOptions {
  readonly tokens: TokenStore;
  readonly accounts: AccountStore;
  /** Real time, epoch ms: the life of tokens does not follow the injected clock (P12). */
  readonly realNow: () => number;
  readonly random: RandomBytes;
  /** The operator's own token beside the stored ones. */
  readonly adminToken?: string;
}

interface Trust {
  readonly principal: Principal;
  /** Real time, epoch ms: believed in [from, until). */
  readonly from: number;
  readonly until: number;
}

const ACCESS_LIFE_MS = 3_600_000;
const GRANT_LIFE_MS = 180_000;
/** How long a verified token is believed without asking the store again. */
const TRUST_MS = 1_000;
const MAX_TRUSTED = 10_000;
const SWEEP_EVERY_MS = 600_000;
/** Longer ones are none of ours and are not hashed. */
const MAX_TOKEN_LENGTH = 512;

/** OAuth, as far as the API needs it: opaque tokens of which only hashes are kept, so they outlive a restart. */
export function createAuth({ tokens, accounts, realNow, random, adminToken }: AuthOptions): Auth {
  const trusted = new Map<string, Trust>();
  const adminHash = adminToken === undefined ? undefined : hashSecret(adminToken);
  let sweptAt = -Infinity;

  async function verify(hash: string, now: number): Promise<Trust> {
    const token = await tokens.find(hash);
    if (token?.kind !== 'access' || !isAlive(token, now) || !token.userId) throw invalidToken();
    const member = await accounts.findMember(token.orgId, token.userId);
    if (!member || !isActive(member.user)) throw invalidToken();
    requireOpen(member.org);
    const principal = { ...member, clientId: token.clientId ?? '', scopes: token.scopes };
    return { principal, from: now, until: Math.min(now + TRUST_MS, token.expiresAt ?? Infinity) };
  }

  function keep(hash: string, trust: Trust): void {
    trusted.delete(hash);
    const oldest = trusted.size >= MAX_TRUSTED ? trusted.keys().next().value : undefined;
    if (oldest !== undefined) trusted.delete(oldest);
    trusted.set(hash, trust);
  }

  async function issueAccess(client: OAuthClient, basis: StoredToken, now: number): Promise<string> {
    if (now - sweptAt >= SWEEP_EVERY_MS) {
      sweptAt = now;
      await tokens.removeExpired(now);
    }
    const accessToken = newToken(random);
    await tokens.add({
      ...tokenOf(client, basis, now),
      hash: hashSecret(accessToken),
      kind: 'access',
      expiresAt: now + ACCESS_LIFE_MS,
    });
    return accessToken;
  }

  async function exchangeGrant(
    client: OAuthClient,
    code: string,
    redirectUri: string | undefined,
  ): Promise<TokenAnswer> {
    const now = realNow();
    const hash = hashSecret(code);
    const grant = await tokens.find(hash);
    if (!isUsable(grant, 'grant', client, now)) return refused('invalid_code');
    if (grant.redirectUri !== undefined && grant.redirectUri !== redirectUri) return refused('invalid_redirect_uri');
    if (!(await tokens.take(hash))) return refused('invalid_code');
    const refreshToken = newToken(random);
    await tokens.add({ ...tokenOf(client, grant, now), hash: hashSecret(refreshToken), kind: 'refresh' });
    const accessToken = await issueAccess(client, grant, now);
    return { kind: 'issued', accessToken, refreshToken, scopes: grant.scopes, lifeMs: ACCESS_LIFE_MS };
  }

  async function exchangeRefresh(client: OAuthClient, refreshToken: string): Promise<TokenAnswer> {
    const now = realNow();
    const refresh = await tokens.find(hashSecret(refreshToken));
    if (!isUsable(refresh, 'refresh', client, now)) return refused('invalid_code');
    const accessToken = await issueAccess(client, refresh, now);
    return { kind: 'issued', accessToken, scopes: refresh.scopes, lifeMs: ACCESS_LIFE_MS };
  }

  return {
    async authenticate(authorization) {
      const token = readToken(authorization);
      if (token === undefined) throw new AppError('AUTHENTICATION_FAILURE', 'Authentication failed');
      if (token.length > MAX_TOKEN_LENGTH) throw invalidToken();
      const now = realNow();
      const hash = hashSecret(token);
      const known = trusted.get(hash);
      if (known && known.from <= now && now < known.until) return known.principal;
      trusted.delete(hash);
      const trust = await verify(hash, now);
      keep(hash, trust);
      return trust.principal;
    },

    requireScope(principal, need) {
      if (!grants(principal.scopes, need)) {
        throw new AppError('OAUTH_SCOPE_MISMATCH', 'invalid oauth scope to access this URL');
      }
    },

    async exchange(request) {
      const { grantType, clientId, clientSecret } = request;
      if (grantType === undefined) return refused('invalid_request');
      if (grantType !== 'authorization_code' && grantType !== 'refresh_token') return refused('unsupported_grant_type');
      const client = clientId === undefined ? undefined : await accounts.findClient(clientId);
      if (!client) return refused('invalid_client');
      if (!sameHash(hashSecret(clientSecret ?? ''), client.secretHash)) return refused('invalid_client_secret');
      if ((await accounts.findOrg(client.orgId))?.suspendedAt !== undefined) return refused('access_denied');
      const proof = grantType === 'refresh_token' ? request.refreshToken : request.code;
      if (proof === undefined) return refused('invalid_request');
      return grantType === 'refresh_token'
        ? exchangeRefresh(client, proof)
        : exchangeGrant(client, proof, request.redirectUri);
    },

    async makeGrant(input) {
      const now = realNow();
      const code = newToken(random);
      await tokens.add({
        ...input,
        hash: hashSecret(code),
        kind: 'grant',
        expiresAt: now + GRANT_LIFE_MS,
        createdAt: now,
      });
      return code;
    },

    async isAdmin(token) {
      if (token === '' || token.length > MAX_TOKEN_LENGTH) return false;
      const hash = hashSecret(token);
      if (adminHash !== undefined && sameHash(hash, adminHash)) return true;
      const stored = await tokens.find(hash);
      return stored?.kind === 'admin' && isAlive(stored, realNow());
    },
  };
}

const refused = (error: TokenRefusal): TokenAnswer => ({ kind: 'refused', error });

const invalidToken = (): AppError => new AppError('INVALID_TOKEN', 'invalid oauth token');

/** The token of `Zoho-oauthtoken …` or `Bearer …`; undefined when none was sent in either way. */
function readToken(authorization: string | undefined): string | undefined {
  return /^(?:zoho-oauthtoken|bearer) +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

const isAlive = (token: StoredToken, now: number): boolean => token.expiresAt === undefined || now < token.expiresAt;

const isUsable = (
  token: StoredToken | undefined,
  kind: StoredToken['kind'],
  client: OAuthClient,
  now: number,
): token is StoredToken => token?.kind === kind && token.clientId === client.id && isAlive(token, now);

/** What a new token takes over from the one it is issued for. */
const tokenOf = (client: OAuthClient, basis: StoredToken, now: number) => ({
  clientId: client.id,
  orgId: basis.orgId,
  ...(basis.userId !== undefined && { userId: basis.userId }),
  scopes: basis.scopes,
  createdAt: now,
});
