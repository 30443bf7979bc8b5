import type { OrgId, UserId } from '../../domain/ids.ts';
import { isActive } from '../../domain/org.ts';
import type { ClientChange, OAuthClient } from '../../storage/store.ts';
import { badField } from '../account-input.ts';
import { hashSecret, hex } from '../secret.ts';
import { checkName, checkRedirectUris } from './input.ts';
import type { OAuthParts } from './parts.ts';

/** A client without its secrets. */
export interface ClientView {
  readonly id: string;
  readonly orgId: OrgId;
  readonly name: string;
  readonly redirectUris: readonly string[];
  /** Whom `client_credentials` acts as; undefined: the client may not use them. */
  readonly actingUserId?: UserId;
  /** Until when the secret before the last rotation is good (real time, epoch ms); undefined: it no longer is. */
  readonly formerSecretUntil?: number;
  readonly createdAt: number;
}

export interface NewClient {
  readonly name: string;
  readonly redirectUris?: readonly string[];
  readonly actingUserId?: UserId;
}

/** OAuth clients of an organisation, for its operator. What is done holds for the very next request. */
export interface OAuthClients {
  /** The secret in clear is in the answer and nowhere else. `AppError` INVALID_DATA names a bad field. */
  add(org: OrgId, input: NewClient): Promise<{ readonly client: ClientView; readonly clientSecret: string }>;
  find(org: OrgId, id: string): Promise<ClientView | undefined>;
  /** By time of making. `page` from 1, `perPage` 1 … 200. */
  list(
    org: OrgId,
    page: number,
    perPage: number,
  ): Promise<{ readonly clients: readonly ClientView[]; readonly moreClients: boolean }>;
  /** Undefined when there is none. A redirect URI that is taken away ends no code that was made for it. */
  change(org: OrgId, id: string, change: ClientChange): Promise<ClientView | undefined>;
  /** A new secret; the present one stays good for `keepMs`, 0 to 30 days. Undefined when there is no such client. */
  rotateSecret(
    org: OrgId,
    id: string,
    keepMs: number,
  ): Promise<{ readonly client: ClientView; readonly clientSecret: string } | undefined>;
  /** With all of its tokens and codes. False when there is none. */
  remove(org: OrgId, id: string): Promise<boolean>;
}

const MAX_KEEP_MS = 30 * 86_400_000;

export function createClients({ clients, accounts, realNow, random, trust }: OAuthParts): OAuthClients {
  const newSecret = () => hex(random(24));

  async function checkActingUser(org: OrgId, user: UserId | null | undefined): Promise<void> {
    if (user === null || user === undefined) return;
    const member = await accounts.findMember(org, user);
    if (!member || !isActive(member.user)) throw badField('acting_user', 'is no active user of the organisation');
  }

  async function find(org: OrgId, id: string): Promise<ClientView | undefined> {
    const client = await clients.find(id);
    return client?.orgId === org ? viewOf(client, realNow()) : undefined;
  }

  return {
    find,

    async add(org, { name, redirectUris = [], actingUserId }) {
      checkName(name);
      checkRedirectUris(redirectUris);
      await checkActingUser(org, actingUserId);
      const clientSecret = newSecret();
      const client: OAuthClient = {
        id: `1000.${hex(random(15)).toUpperCase()}`,
        orgId: org,
        name,
        secretHash: hashSecret(clientSecret),
        redirectUris,
        ...(actingUserId !== undefined && { actingUserId }),
        createdAt: realNow(),
      };
      await clients.add(client);
      return { client: viewOf(client, realNow()), clientSecret };
    },

    async list(org, page, perPage) {
      const { clients: found, moreClients } = await clients.list(org, page, perPage);
      const now = realNow();
      return { clients: found.map((client) => viewOf(client, now)), moreClients };
    },

    async change(org, id, change) {
      if (change.name !== undefined) checkName(change.name);
      if (change.redirectUris !== undefined) checkRedirectUris(change.redirectUris);
      await checkActingUser(org, change.actingUserId);
      if (!(await clients.change(org, id, change))) return undefined;
      trust.forget({ orgId: org, clientId: id });
      return find(org, id);
    },

    async rotateSecret(org, id, keepMs) {
      if (!Number.isInteger(keepMs) || keepMs < 0 || keepMs > MAX_KEEP_MS) {
        throw badField('keep_seconds', `must be 0 to ${MAX_KEEP_MS / 1000}`);
      }
      const clientSecret = newSecret();
      if (!(await clients.rotateSecret(org, id, hashSecret(clientSecret), realNow() + keepMs))) return undefined;
      const client = await find(org, id);
      return client && { client, clientSecret };
    },

    async remove(org, id) {
      const isRemoved = await clients.remove(org, id);
      trust.forget({ orgId: org, clientId: id });
      return isRemoved;
    },
  };
}

function viewOf({ secretHash: _secret, formerSecret, ...shown }: OAuthClient, now: number): ClientView {
  const isFormerGood = formerSecret !== undefined && now < formerSecret.until;
  return { ...shown, ...(isFormerGood && { formerSecretUntil: formerSecret.until }) };
}
