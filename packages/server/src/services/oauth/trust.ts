import type { OrgId, UserId } from '../../domain/ids.ts';
import type { Principal } from '../../domain/org.ts';

/** Whose tokens are to be looked up anew; all that is given must fit. Nothing given: everybody's. */
export interface TrustFilter {
  readonly orgId?: OrgId;
  readonly userId?: UserId;
  readonly clientId?: string;
}

/** Verified access tokens, by hash, that are believed for a moment without asking the store. */
export interface Trust {
  find(hash: string, now: number): Principal | undefined;
  /** Call before asking the store; what was forgotten since then is not kept. */
  begin(): number;
  /** Believed in [now, until), one second at most. */
  keep(hash: string, principal: Principal, now: number, until: number, begun: number): void;
  forget(filter: TrustFilter): void;
  forgetTokens(hashes: readonly string[]): void;
}

interface Entry {
  readonly principal: Principal;
  /** Real time, epoch ms. */
  readonly from: number;
  readonly until: number;
}

const TRUST_MS = 1_000;
const MAX_TRUSTED = 10_000;

export function createTrust(): Trust {
  const entries = new Map<string, Entry>();
  let forgotten = 0;
  return {
    find(hash, now) {
      const entry = entries.get(hash);
      if (entry && entry.from <= now && now < entry.until) return entry.principal;
      entries.delete(hash);
      return undefined;
    },
    begin: () => forgotten,
    keep(hash, principal, now, until, begun) {
      if (begun !== forgotten) return;
      entries.delete(hash);
      const oldest = entries.size >= MAX_TRUSTED ? entries.keys().next().value : undefined;
      if (oldest !== undefined) entries.delete(oldest);
      entries.set(hash, { principal, from: now, until: Math.min(now + TRUST_MS, until) });
    },
    forget({ orgId, userId, clientId }) {
      forgotten += 1;
      for (const [hash, { principal }] of entries) {
        const fits =
          (orgId === undefined || principal.org.id === orgId) &&
          (userId === undefined || principal.user.id === userId) &&
          (clientId === undefined || principal.clientId === clientId);
        if (fits) entries.delete(hash);
      }
    },
    forgetTokens(hashes) {
      if (hashes.length === 0) return;
      forgotten += 1;
      for (const hash of hashes) entries.delete(hash);
    },
  };
}
