import type { OrgId, UserId } from '../domain/ids.ts';

export interface OAuthClient {
  readonly id: string;
  readonly orgId: OrgId;
  readonly name: string;
  readonly secretHash: string;
  /** The secret before the last rotation; good before `until` (real time, epoch ms). */
  readonly formerSecret?: { readonly hash: string; readonly until: number };
  /** Where codes may be sent, compared letter by letter. */
  readonly redirectUris: readonly string[];
  /** Whom it acts as without a person (`client_credentials`). */
  readonly actingUserId?: UserId;
  /** Epoch ms. */
  readonly createdAt: number;
}

/** What may be changed of a client; what is absent stays, `null` takes the user away. */
export interface ClientChange {
  readonly name?: string;
  readonly redirectUris?: readonly string[];
  readonly actingUserId?: UserId | null;
}

export interface ClientStore {
  add(client: OAuthClient): Promise<void>;
  find(id: string): Promise<OAuthClient | undefined>;
  /** By time of making. `page` from 1, `perPage` 1 … 200. */
  list(
    org: OrgId,
    page: number,
    perPage: number,
  ): Promise<{ readonly clients: readonly OAuthClient[]; readonly moreClients: boolean }>;
  /** False when there is none. */
  change(org: OrgId, id: string, change: ClientChange): Promise<boolean>;
  /** The present secret becomes the former one, good before `formerUntil`. False when there is no such client. */
  rotateSecret(org: OrgId, id: string, secretHash: string, formerUntil: number): Promise<boolean>;
  /** With all of its tokens, in one step. False when there is none. */
  remove(org: OrgId, id: string): Promise<boolean>;
}

/** A token at rest: only its SHA-256 is kept. */
export interface StoredToken {
  readonly hash: string;
  /** `sign-in`: a key with which a user proves on the consent page who they are. */
  readonly kind: 'grant' | 'refresh' | 'access' | 'admin' | 'sign-in';
  readonly orgId: OrgId;
  /** Undefined for admin tokens, which stand for the operator. */
  readonly userId?: UserId;
  readonly clientId?: string;
  readonly scopes: readonly string[];
  readonly redirectUri?: string;
  /** What it was issued from: a client's id, or the hash of the token it was given for, with which it ends. */
  readonly source?: string;
  /** A grant that gives no refresh token. */
  readonly isOnline?: boolean;
  /** Real time, epoch ms; undefined: until revoked. */
  readonly expiresAt?: number;
  /** When a grant was exchanged; it stays to be counted. */
  readonly spentAt?: number;
  readonly createdAt: number;
}

/** A token to be issued, with what it is held against in the same step. */
export interface Issue {
  readonly token: StoredToken & { readonly source: string };
  /** Refused when its source has given `count` of its kind after `since` (epoch ms). */
  readonly atMost?: { readonly count: number; readonly since: number };
  /** How many of its kind there may be with it, of its source or its user; the oldest beyond end, with what they gave. */
  readonly keep?: { readonly count: number; readonly of: 'source' | 'user' };
}

export type IssueAnswer =
  | { readonly kind: 'issued' /** Hashes of those that ended for it. */; readonly ended: readonly string[] }
  /** Gone: what it was to be issued from has ended meanwhile. */
  | { readonly kind: 'refused'; readonly reason: 'limited' | 'gone' };

/** Whose tokens; all that is given must fit. */
export interface TokenFilter {
  readonly userId?: UserId;
  readonly clientId?: string;
}

export interface TokenStore {
  /** Without asking for limits. */
  add(token: StoredToken): Promise<void>;
  /** Adds it in the place of those of its kind that its user has. */
  replace(token: StoredToken & { readonly userId: UserId }): Promise<void>;
  /** One after the other in one step; the first may be what the next is issued from. */
  issue(issues: readonly [Issue, ...Issue[]]): Promise<IssueAnswer>;
  find(hash: string): Promise<StoredToken | undefined>;
  /** Marks a grant as exchanged and says whether this call was the one that did: it counts once. */
  spend(hash: string, at: number): Promise<boolean>;
  /** Ends it and what was issued from it; the hashes of all that ended, none when it was not there. */
  remove(hash: string): Promise<readonly string[]>;
  /** Those of an organisation that are alive at `now`, newest first. `page` from 1, `perPage` 1 … 200. */
  list(
    org: OrgId,
    filter: TokenFilter,
    now: number,
    page: number,
    perPage: number,
  ): Promise<{ readonly tokens: readonly StoredToken[]; readonly moreTokens: boolean }>;
  /** The one of an organisation whose hash begins so, if it is the only one. */
  findByPrefix(org: OrgId, prefix: string): Promise<StoredToken | undefined>;
  /** Ends those of a user or client, of one kind or of all; says how many. */
  removeOf(org: OrgId, filter: TokenFilter, kind?: StoredToken['kind']): Promise<number>;
  /** Removes a bounded number of those that expired before (epoch ms); whether there may be more. */
  removeExpired(before: number): Promise<boolean>;
}
