import { createHmac } from 'node:crypto';
import type { Channel, Signing } from '../domain/channel.ts';
import type { OrgId } from '../domain/ids.ts';
import { liveSecrets } from '../domain/signing.ts';
import type { DeliveryStore } from '../storage/store.ts';

/** With what organisations sign for channels without secrets of their own; kept for those that were busy last. */
export interface OrgSignings {
  /** Whether it is known here; `load` makes it so. */
  isKnown(org: OrgId): boolean;
  /** Rejects while the store cannot be read. */
  load(org: OrgId): Promise<void>;
  /** What signs for the channel: its own before its organisation's. Throws when the organisation's is not known. */
  of(org: OrgId, channel: Channel): Signing | undefined;
  /** Takes it as it was just committed. */
  update(org: OrgId, signing: Signing | undefined): void;
  forget(org: OrgId): void;
  forgetAll(): void;
}

/** Organisations; each takes a few hundred bytes at most. */
const MAX_ORGS = 10_000;

export function createOrgSignings(store: Pick<DeliveryStore, 'signing'>): OrgSignings {
  /** Least recently learnt first. */
  const kept = new Map<OrgId, Signing | undefined>();
  /** Moves on with whatever makes a read that is under way out of date. */
  let version = 0;

  function keep(org: OrgId, signing: Signing | undefined): void {
    kept.delete(org);
    kept.set(org, signing);
    if (kept.size <= MAX_ORGS) return;
    for (const oldest of kept.keys()) {
      kept.delete(oldest);
      return;
    }
  }

  return {
    isKnown: (org) => kept.has(org),
    async load(org) {
      for (let before = -1; before !== version && !kept.has(org); ) {
        before = version;
        const signing = await store.signing(org);
        if (before === version) keep(org, signing);
      }
    },
    of(org, { signing }) {
      if (signing) return signing;
      if (!kept.has(org)) throw new Error('It is not known whether this is to be signed');
      return kept.get(org);
    },
    update(org, signing) {
      version += 1;
      keep(org, signing);
    },
    forget(org) {
      version += 1;
      kept.delete(org);
    },
    forgetAll() {
      version += 1;
      kept.clear();
    },
  };
}

/**
 * The header `webhook-signature` of a notification, as the client's `verify` reads it; undefined: it has none. `timestamp`
 * is in seconds, as the other header says it.
 */
export function signatureOf(
  signing: Signing | undefined,
  { id, timestamp, body }: { readonly id: string; readonly timestamp: number; readonly body: string },
  realNow: number,
): string | undefined {
  if (!signing) return undefined;
  const signatures = liveSecrets(signing, realNow).map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
  });
  return signatures.join(' ');
}

/** Of a secret: base64 follows. */
const PREFIX = 'whsec_';
