import type { OrgId, UserId } from '../../domain/ids.ts';
import type { StoredToken, TokenFilter } from '../../storage/store.ts';
import { hashSecret, MAX_TOKEN_LENGTH } from '../secret.ts';
import type { OAuthParts } from './parts.ts';

/** What may be known of a token: never the token itself. */
export interface TokenView {
  /** Names it among those of its organisation; nothing can be called with it. */
  readonly id: string;
  readonly kind: StoredToken['kind'];
  readonly userId?: UserId;
  readonly clientId?: string;
  readonly scopes: readonly string[];
  /** Real time, epoch ms. */
  readonly createdAt: number;
  /** Undefined: until it is revoked. */
  readonly expiresAt?: number;
}

/** Tokens of an organisation, for its operator, and revoking by whoever holds one. What is ended is dead at once. */
export interface IssuedTokens {
  /** Ends the refresh or access token that is shown, a refresh token with its access tokens. False: it is neither. */
  revoke(token: string): Promise<boolean>;
  /** Live ones, newest first. `page` from 1, `perPage` 1 … 200. */
  list(
    org: OrgId,
    filter: TokenFilter,
    page: number,
    perPage: number,
  ): Promise<{ readonly tokens: readonly TokenView[]; readonly moreTokens: boolean }>;
  /** By the id of its view, with what was issued from it. False when there is none. */
  remove(org: OrgId, id: string): Promise<boolean>;
  /** All of a user, of a client, or of a user by a client; says how many. */
  removeOf(org: OrgId, filter: TokenFilter): Promise<number>;
}

/** Of the hash, 24 hex digits: no two are ever the same. */
const ID_LENGTH = 24;
const ID = /^[0-9a-f]{24}$/;

export function createIssuedTokens({ tokens, realNow, trust }: OAuthParts): IssuedTokens {
  return {
    async revoke(token) {
      if (token.length > MAX_TOKEN_LENGTH) return false;
      const found = await tokens.find(hashSecret(token));
      if (found?.kind !== 'refresh' && found?.kind !== 'access') return false;
      if (found.expiresAt !== undefined && found.expiresAt <= realNow()) return false;
      const ended = await tokens.remove(found.hash);
      trust.forgetTokens(ended);
      return ended.length > 0;
    },

    async list(org, filter, page, perPage) {
      const { tokens: found, moreTokens } = await tokens.list(org, filter, realNow(), page, perPage);
      return { tokens: found.map(viewOf), moreTokens };
    },

    async remove(org, id) {
      const found = ID.test(id) ? await tokens.findByPrefix(org, id) : undefined;
      if (!found) return false;
      const ended = await tokens.remove(found.hash);
      trust.forgetTokens(ended);
      return ended.length > 0;
    },

    async removeOf(org, filter) {
      const count = await tokens.removeOf(org, filter);
      trust.forget({ orgId: org, ...filter });
      return count;
    },
  };
}

const viewOf = ({ hash, kind, userId, clientId, scopes, createdAt, expiresAt }: StoredToken): TokenView => ({
  id: hash.slice(0, ID_LENGTH),
  kind,
  ...(userId !== undefined && { userId }),
  ...(clientId !== undefined && { clientId }),
  scopes,
  createdAt,
  ...(expiresAt !== undefined && { expiresAt }),
});
