import type { OAuthLimits } from '../../domain/oauth/policy.ts';
import type { Issue, IssueAnswer, OAuthClient, StoredToken } from '../../storage/store.ts';
import { hashSecret, newToken } from '../secret.ts';
import type { OAuthParts } from './parts.ts';

type Owner = Pick<StoredToken, 'orgId' | 'userId' | 'scopes'>;

export interface Issuer {
  /** An access token from a refresh token or an online grant (its hash), or for a client alone (its id). */
  access(client: OAuthClient, owner: Owner, source: string): Promise<Issued | Exclude<IssueAnswer, { kind: 'issued' }>>;
  /** A refresh token and its first access token, from a grant. */
  refresh(client: OAuthClient, grant: StoredToken): Promise<Issued | Exclude<IssueAnswer, { kind: 'issued' }>>;
}

interface Issued {
  readonly kind: 'issued';
  readonly accessToken: string;
  readonly refreshToken?: string;
}

const SWEEP_EVERY_MS = 600_000;

/** Makes tokens within the limits, and now and then removes those that have long expired. */
export function createIssuer({ tokens, policy, realNow, random, trust }: OAuthParts): Issuer {
  const { limits, accessLifeMs } = policy;
  let sweptAt = -Infinity;

  async function sweep(now: number): Promise<void> {
    if (now - sweptAt < SWEEP_EVERY_MS) return;
    sweptAt = now;
    const isMoreLeft = await tokens.removeExpired(now - (limits?.windowMs ?? 0));
    if (isMoreLeft) sweptAt = -Infinity;
  }

  async function issue(issues: readonly [Issue, ...Issue[]]): Promise<IssueAnswer> {
    const answer = await tokens.issue(issues);
    if (answer.kind === 'issued') trust.forgetTokens(answer.ended);
    return answer;
  }

  const accessIssue = (hash: string, client: OAuthClient, owner: Owner, source: string, now: number): Issue => ({
    token: { ...ownedBy(client, owner, now), hash, kind: 'access', source, expiresAt: now + accessLifeMs },
    ...(limits && accessLimits(limits, now)),
  });

  return {
    async access(client, owner, source) {
      const now = realNow();
      await sweep(now);
      const accessToken = newToken(random);
      const answer = await issue([accessIssue(hashSecret(accessToken), client, owner, source, now)]);
      return answer.kind === 'issued' ? { kind: 'issued', accessToken } : answer;
    },

    async refresh(client, grant) {
      const now = realNow();
      await sweep(now);
      const refreshToken = newToken(random);
      const accessToken = newToken(random);
      const hash = hashSecret(refreshToken);
      const answer = await issue([
        {
          token: { ...ownedBy(client, grant, now), hash, kind: 'refresh', source: grant.hash },
          ...(limits && { keep: { count: limits.refreshTokens, of: 'user' } }),
        },
        accessIssue(hashSecret(accessToken), client, grant, hash, now),
      ]);
      return answer.kind === 'issued' ? { kind: 'issued', accessToken, refreshToken } : answer;
    },
  };
}

const accessLimits = (limits: OAuthLimits, now: number): Pick<Issue, 'atMost' | 'keep'> => ({
  atMost: { count: limits.accessTokens, since: now - limits.windowMs },
  keep: { count: limits.liveAccessTokens, of: 'source' },
});

/** What a new token takes over from whom it is issued to. */
const ownedBy = (client: OAuthClient, { orgId, userId, scopes }: Owner, now: number) => ({
  clientId: client.id,
  orgId,
  ...(userId !== undefined && { userId }),
  scopes,
  createdAt: now,
});
