import { isActive } from '../../domain/org.ts';
import { readScopes } from '../../domain/scope.ts';
import type { OAuthClient, StoredToken } from '../../storage/store.ts';
import { hashSecret, sameHash } from '../secret.ts';
import { createIssuer } from './issue.ts';
import type { OAuthParts } from './parts.ts';

/** Parameters of a token call as they came; absent ones undefined. */
export interface TokenRequest {
  readonly grantType?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  readonly code?: string | undefined;
  readonly redirectUri?: string | undefined;
  readonly refreshToken?: string | undefined;
  /** Between commas or blanks. */
  readonly scope?: string | undefined;
  /** The organisation that a client acts in on its own, `ZohoCRM.{id}`. */
  readonly soid?: string | undefined;
}

/** Why no token was issued, in the words of the token endpoint (reference §6.2). */
type TokenRefusal =
  | 'invalid_request'
  | 'unsupported_grant_type'
  | 'invalid_client'
  | 'invalid_client_secret'
  | 'unauthorized_client'
  | 'invalid_code'
  | 'invalid_redirect_uri'
  | 'invalid_scope'
  | 'access_denied';

export type TokenAnswer =
  | {
      readonly kind: 'issued';
      readonly accessToken: string;
      /** Only for a grant code that is not an online one. */
      readonly refreshToken?: string;
      readonly scopes: readonly string[];
      readonly lifeMs: number;
    }
  | {
      readonly kind: 'refused';
      readonly error: TokenRefusal;
      /** What exactly is wrong, where the word does not say it. */
      readonly description?: string;
    };

const GRANT_TYPES = ['authorization_code', 'refresh_token', 'client_credentials'] as const;
type GrantType = (typeof GRANT_TYPES)[number];

/** The token endpoint: a code, a refresh token, or a client's own word for an access token. */
export function createExchange(parts: OAuthParts): (request: TokenRequest) => Promise<TokenAnswer> {
  const { tokens, accounts, clients, policy, realNow } = parts;
  const issuer = createIssuer(parts);

  /** The answer to an attempt to issue; refused by a limit, or because its source was ended meanwhile. */
  function answered(made: Awaited<ReturnType<typeof issuer.access>>, scopes: readonly string[]): TokenAnswer {
    if (made.kind === 'issued') return { ...made, scopes, lifeMs: policy.accessLifeMs };
    if (made.reason === 'gone') return refused('invalid_code');
    return refused('access_denied', 'Too many access tokens were asked for; try again in some minutes');
  }

  async function mayAct(orgId: OAuthClient['orgId'], userId: StoredToken['userId']): Promise<boolean> {
    const member = userId === undefined ? undefined : await accounts.findMember(orgId, userId);
    return member !== undefined && isActive(member.user);
  }

  async function byCode(client: OAuthClient, request: TokenRequest): Promise<TokenAnswer> {
    if (request.code === undefined) return refused('invalid_request', 'code is missing');
    const now = realNow();
    const hash = hashSecret(request.code);
    const grant = await tokens.find(hash);
    if (!isUsable(grant, 'grant', client, now)) return refused('invalid_code');
    if (grant.redirectUri !== undefined && grant.redirectUri !== request.redirectUri) {
      return refused('invalid_redirect_uri');
    }
    if (!(await mayAct(grant.orgId, grant.userId))) return refused('invalid_code');
    if (!(await tokens.spend(hash, now))) return refused('invalid_code');
    const made = grant.isOnline ? await issuer.access(client, grant, hash) : await issuer.refresh(client, grant);
    return answered(made, grant.scopes);
  }

  async function byRefreshToken(client: OAuthClient, { refreshToken }: TokenRequest): Promise<TokenAnswer> {
    if (refreshToken === undefined) return refused('invalid_request', 'refresh_token is missing');
    const refresh = await tokens.find(hashSecret(refreshToken));
    if (!isUsable(refresh, 'refresh', client, realNow())) return refused('invalid_code');
    if (!(await mayAct(refresh.orgId, refresh.userId))) return refused('invalid_code');
    return answered(await issuer.access(client, refresh, refresh.hash), refresh.scopes);
  }

  async function byClient(client: OAuthClient, { scope, soid }: TokenRequest): Promise<TokenAnswer> {
    const asked = readScopes(scope ?? '');
    if ('fault' in asked) {
      return refused('invalid_scope', asked.fault === '' ? 'scope is missing' : `${asked.fault} is no scope`);
    }
    if (soid?.toLowerCase() !== `zohocrm.${client.orgId}`) {
      return refused('invalid_request', 'soid must be ZohoCRM. and the number of the organization of the client');
    }
    const { orgId, actingUserId: userId } = client;
    if (userId === undefined || !(await mayAct(orgId, userId))) {
      return refused('unauthorized_client', 'The client has no user to act as');
    }
    return answered(await issuer.access(client, { orgId, userId, scopes: asked.scopes }, client.id), asked.scopes);
  }

  const ways: Record<GrantType, (client: OAuthClient, request: TokenRequest) => Promise<TokenAnswer>> = {
    authorization_code: byCode,
    refresh_token: byRefreshToken,
    client_credentials: byClient,
  };

  return async (request) => {
    const { grantType, clientId, clientSecret } = request;
    if (grantType === undefined) return refused('invalid_request', 'grant_type is missing');
    const known = GRANT_TYPES.find((type) => type === grantType);
    if (!known) return refused('unsupported_grant_type');
    const client = clientId === undefined ? undefined : await clients.find(clientId);
    if (!client) return refused('invalid_client');
    if (!knowsSecret(client, clientSecret ?? '', realNow())) return refused('invalid_client_secret');
    const org = await accounts.findOrg(client.orgId);
    if (org?.suspendedAt !== undefined) return refused('access_denied', 'The organization is suspended');
    return ways[known](client, request);
  };
}

const refused = (error: TokenRefusal, description?: string): TokenAnswer => ({
  kind: 'refused',
  error,
  ...(description !== undefined && { description }),
});

/** Whether it is the client's secret, or the one before while that is still good. */
function knowsSecret({ secretHash, formerSecret }: OAuthClient, secret: string, now: number): boolean {
  const hash = hashSecret(secret);
  if (sameHash(hash, secretHash)) return true;
  return formerSecret !== undefined && sameHash(hash, formerSecret.hash) && now < formerSecret.until;
}

const isUsable = (
  token: StoredToken | undefined,
  kind: StoredToken['kind'],
  client: OAuthClient,
  now: number,
): token is StoredToken =>
  token?.kind === kind &&
  token.clientId === client.id &&
  token.spentAt === undefined &&
  (token.expiresAt === undefined || now < token.expiresAt);
