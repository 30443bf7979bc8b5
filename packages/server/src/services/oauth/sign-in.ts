import type { OrgId, UserId } from '../../domain/ids.ts';
import { isActive } from '../../domain/org.ts';
import type { Membership } from '../../storage/store.ts';
import { badField } from '../account-input.ts';
import { hashSecret, hex, MAX_TOKEN_LENGTH } from '../secret.ts';
import type { OAuthParts } from './parts.ts';

/** With what a user proves on the consent page who they are: a key that the operator hands out, one for each user. */
export interface SignInKeys {
  /** A new key, in the place of the one before; it is good until revoked. `AppError` INVALID_DATA: no active user. */
  issue(org: OrgId, user: UserId): Promise<string>;
  /** False when the user has none. */
  revoke(org: OrgId, user: UserId): Promise<boolean>;
}

export type SignInAnswer =
  | { readonly kind: 'known'; readonly member: Membership }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'limited'; readonly waitMs: number };

export interface SignIn {
  /** Who in the organisation has this key. Limited: too many wrong ones came from the address; none is looked at for now. */
  check(org: OrgId, key: string, address: string): Promise<SignInAnswer>;
}

/** Addresses whose failures are remembered; the one that failed longest ago is forgotten first. */
const MAX_ADDRESSES = 10_000;

export function createSignInKeys({ tokens, accounts, realNow, random }: OAuthParts): SignInKeys {
  return {
    async issue(org, user) {
      const member = await accounts.findMember(org, user);
      if (!member || !isActive(member.user)) throw badField('user', 'is no active user of the organisation');
      const key = `key.${hex(random(20))}`;
      await tokens.replace({
        hash: hashSecret(key),
        kind: 'sign-in',
        orgId: org,
        userId: user,
        scopes: [],
        createdAt: realNow(),
      });
      return key;
    },
    async revoke(org, user) {
      return (await tokens.removeOf(org, { userId: user }, 'sign-in')) > 0;
    },
  };
}

export function createSignIn({ tokens, accounts, policy, realNow }: OAuthParts): SignIn {
  const failures = new Map<string, readonly number[]>();

  async function find(org: OrgId, key: string): Promise<Membership | undefined> {
    if (key === '' || key.length > MAX_TOKEN_LENGTH) return undefined;
    const token = await tokens.find(hashSecret(key));
    if (token?.kind !== 'sign-in' || token.orgId !== org || token.userId === undefined) return undefined;
    const member = await accounts.findMember(org, token.userId);
    return member && isActive(member.user) ? member : undefined;
  }

  function noteFailure(address: string, recent: readonly number[], now: number): void {
    failures.delete(address);
    const oldest = failures.size >= MAX_ADDRESSES ? failures.keys().next().value : undefined;
    if (oldest !== undefined) failures.delete(oldest);
    failures.set(address, [...recent, now]);
  }

  return {
    async check(org, key, address) {
      const now = realNow();
      const { limits } = policy;
      const recent = (failures.get(address) ?? []).filter((at) => limits && at > now - limits.windowMs);
      const [oldest] = recent;
      if (limits && oldest !== undefined && recent.length >= limits.wrongKeys) {
        return { kind: 'limited', waitMs: oldest + limits.windowMs - now };
      }
      // Counted before the store is asked, so that many at once are held to the same number.
      noteFailure(address, recent, now);
      const member = await find(org, key);
      if (!member) return { kind: 'unknown' };
      failures.delete(address);
      return { kind: 'known', member };
    },
  };
}
