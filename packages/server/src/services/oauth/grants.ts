import { AppError } from '../../domain/error.ts';
import type { OrgId, UserId } from '../../domain/ids.ts';
import { redirectUriFault } from '../../domain/oauth/redirect-uri.ts';
import { isActive } from '../../domain/org.ts';
import { badField } from '../account-input.ts';
import { hashSecret, newToken } from '../secret.ts';
import { checkScopes } from './input.ts';
import type { OAuthParts } from './parts.ts';

export interface GrantInput {
  readonly clientId: string;
  readonly orgId: OrgId;
  readonly userId: UserId;
  readonly scopes: readonly string[];
  /** When given, the exchange must name the same. */
  readonly redirectUri?: string;
  /** Gives no refresh token. */
  readonly isOnline?: boolean;
}

/**
 * Makes a grant code, good once and for three minutes. `AppError` INVALID_DATA names a bad field; LIMIT_REACHED: the
 * client had too many codes lately.
 */
export function createGrants({ tokens, accounts, clients, policy, realNow, random }: OAuthParts) {
  return async ({ clientId, orgId, userId, scopes, redirectUri, isOnline }: GrantInput): Promise<string> => {
    checkScopes(scopes);
    const fault = redirectUri === undefined ? undefined : redirectUriFault(redirectUri);
    if (fault !== undefined) throw badField('redirect_uri', fault);
    const [client, member] = await Promise.all([clients.find(clientId), accounts.findMember(orgId, userId)]);
    if (client?.orgId !== orgId) throw badField('client', 'is no client of the organisation');
    if (!member || !isActive(member.user)) throw badField('user', 'is no active user of the organisation');
    const now = realNow();
    const code = newToken(random);
    const answer = await tokens.issue([
      {
        token: {
          hash: hashSecret(code),
          kind: 'grant',
          orgId,
          userId,
          clientId,
          scopes,
          source: clientId,
          ...(redirectUri !== undefined && { redirectUri }),
          ...(isOnline && { isOnline }),
          expiresAt: now + policy.grantLifeMs,
          createdAt: now,
        },
        ...(policy.limits && { atMost: { count: policy.limits.grants, since: now - policy.limits.windowMs } }),
      },
    ]);
    if (answer.kind === 'issued') return code;
    if (answer.reason === 'gone') throw badField('client', 'is no client of the organisation');
    throw new AppError('LIMIT_REACHED', 'Too many grant codes for this client; try again in some minutes', {
      limit: policy.limits?.grants ?? 0,
    });
  };
}
