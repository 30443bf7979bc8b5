import { AppError } from '../domain/error.ts';
import type { OrgId, UserId } from '../domain/ids.ts';
import { DEFAULT_OAUTH_POLICY, type OAuthPolicy } from '../domain/oauth/policy.ts';
import { isActive, type Principal, requireOpen } from '../domain/org.ts';
import { grants, type ScopeNeed } from '../domain/scope.ts';
import type { AccountStore, ClientStore, StoredToken, TokenStore } from '../storage/store.ts';
import { createClients, type OAuthClients } from './oauth/clients.ts';
import { type Consent, createConsent } from './oauth/consent.ts';
import { createExchange, type TokenAnswer, type TokenRequest } from './oauth/exchange.ts';
import { createGrants, type GrantInput } from './oauth/grants.ts';
import { createIssuedTokens, type IssuedTokens } from './oauth/issued-tokens.ts';
import type { OAuthParts } from './oauth/parts.ts';
import { createSignIn, createSignInKeys, type SignInKeys } from './oauth/sign-in.ts';
import { createTrust, type TrustFilter } from './oauth/trust.ts';
import { hashSecret, MAX_TOKEN_LENGTH, type RandomBytes, sameHash } from './secret.ts';

export type { GrantInput, TokenAnswer };

/** Whom an operator's token lets administer: one organisation, or all. */
export interface Operator {
  /** Undefined: all of them. */
  readonly orgId?: OrgId;
}

export interface Auth {
  /** Who a request's `Authorization` header stands for; else `AppError` AUTHENTICATION_FAILURE or INVALID_TOKEN. */
  authenticate(authorization: string | undefined): Promise<Principal>;
  /** Throws `AppError` OAUTH_SCOPE_MISMATCH unless one of the principal's scopes covers the need. */
  requireScope(principal: Principal, need: ScopeNeed): void;
  /** The operator whom a token stands for, if it is one's. */
  operator(token: string): Promise<Operator | undefined>;
  /** Whose requests are looked up anew from now on; call it when their user, profile, client or organisation changed. */
  forget(filter: TrustFilter): void;
  exchange(request: TokenRequest): Promise<TokenAnswer>;
  /**
   * A grant code, good once and for three minutes. `AppError` INVALID_DATA names a bad field; LIMIT_REACHED: the client
   * had too many codes lately.
   */
  makeGrant(input: GrantInput): Promise<string>;
  readonly consent: Consent;
  readonly clients: OAuthClients;
  readonly issued: IssuedTokens;
  readonly signInKeys: SignInKeys;
}

export interface AuthOptions {
  readonly tokens: TokenStore;
  readonly accounts: AccountStore;
  readonly clients: ClientStore;
  readonly policy?: OAuthPolicy;
  /** Real time, epoch ms: the life of tokens does not follow the injected clock (P12). */
  readonly realNow: () => number;
  readonly random: RandomBytes;
  /** The operator's own token beside the stored ones. */
  readonly adminToken?: string;
  /** Who is at the consent page of their organisation without a sign-in key: the sample user of the dev profile. */
  readonly signedIn?: { readonly orgId: OrgId; readonly userId: UserId };
}

/** OAuth: opaque tokens of which only hashes are kept, so they outlive a restart. */
export function createAuth({ policy = DEFAULT_OAUTH_POLICY, adminToken, signedIn, ...given }: AuthOptions): Auth {
  const trust = createTrust();
  const parts: OAuthParts = { ...given, policy, trust };
  const { tokens, accounts, realNow } = given;
  const adminHash = adminToken === undefined ? undefined : hashSecret(adminToken);
  const makeGrant = createGrants(parts);
  /** Being asked of the store: who comes meanwhile with the same token waits for the same answer. */
  const asked = new Map<string, { readonly begun: number; readonly answer: Promise<Principal> }>();

  function ask(hash: string): Promise<Principal> {
    const begun = trust.begin();
    const same = asked.get(hash);
    if (same?.begun === begun) return same.answer;
    const now = realNow();
    const answer = verify(hash, now)
      .then(({ principal, until }) => {
        trust.keep(hash, principal, now, until, begun);
        return principal;
      })
      .finally(() => {
        if (asked.get(hash)?.answer === answer) asked.delete(hash);
      });
    asked.set(hash, { begun, answer });
    return answer;
  }

  async function verify(hash: string, now: number): Promise<{ principal: Principal; until: number }> {
    const token = await tokens.find(hash);
    if (token?.kind !== 'access' || !isAlive(token, now) || !token.userId) throw invalidToken();
    const member = await accounts.findMember(token.orgId, token.userId);
    if (!member || !isActive(member.user)) throw invalidToken();
    requireOpen(member.org);
    const { clientId = '', scopes, expiresAt } = token;
    const principal = { ...member, clientId, scopes, ...(expiresAt !== undefined && { tokenExpiresAt: expiresAt }) };
    return { principal, until: expiresAt ?? Infinity };
  }

  async function operator(token: string): Promise<Operator | undefined> {
    if (token === '' || token.length > MAX_TOKEN_LENGTH) return undefined;
    const hash = hashSecret(token);
    if (adminHash !== undefined && sameHash(hash, adminHash)) return {};
    const stored = await tokens.find(hash);
    return stored?.kind === 'admin' && isAlive(stored, realNow()) ? { orgId: stored.orgId } : undefined;
  }

  return {
    async authenticate(authorization) {
      const token = readToken(authorization);
      if (token === undefined) throw new AppError('AUTHENTICATION_FAILURE', 'Authentication failed');
      if (token.length > MAX_TOKEN_LENGTH) throw invalidToken();
      const hash = hashSecret(token);
      return trust.find(hash, realNow()) ?? ask(hash);
    },

    requireScope(principal, need) {
      if (!grants(principal.scopes, need)) {
        throw new AppError('OAUTH_SCOPE_MISMATCH', 'invalid oauth scope to access this URL');
      }
    },

    operator,
    forget: (filter) => trust.forget(filter),
    exchange: createExchange(parts),
    makeGrant,
    consent: createConsent(parts, { makeGrant, signIn: createSignIn(parts), signedIn }),
    clients: createClients(parts),
    issued: createIssuedTokens(parts),
    signInKeys: createSignInKeys(parts),
  };
}

const invalidToken = (): AppError => new AppError('INVALID_TOKEN', 'invalid oauth token');

/** The token of `Zoho-oauthtoken …` or `Bearer …`; undefined when none was sent in either way. */
function readToken(authorization: string | undefined): string | undefined {
  return /^(?:zoho-oauthtoken|bearer) +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

const isAlive = (token: StoredToken, now: number): boolean => token.expiresAt === undefined || now < token.expiresAt;
