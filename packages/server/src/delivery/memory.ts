import type { Change } from '../domain/change.ts';
import type { DeliveryPolicy } from '../domain/delivery-policy.ts';
import type { OrgId } from '../domain/ids.ts';
import type { Json } from '../domain/json.ts';
import type { Notification } from '../domain/notification.ts';

/** Counts the bytes of notifications that wait in memory, over all lanes (P10). */
export interface Memory {
  /** For the lanes of one organisation. */
  of(org: OrgId): OrgMemory;
}

export interface OrgMemory {
  add(bytes: number): void;
  /** All of it is used, or the organisation's share, so that what one owes takes no memory from the others (P5). */
  isFull(): boolean;
}

export function createMemory({ nodeBytes, orgShare }: Pick<DeliveryPolicy, 'nodeBytes' | 'orgShare'>): Memory {
  let used = 0;
  const usedBy = new Map<OrgId, number>();
  return {
    of: (org) => ({
      add(bytes) {
        used += bytes;
        const own = (usedBy.get(org) ?? 0) + bytes;
        if (own > 0) usedBy.set(org, own);
        else usedBy.delete(org);
      },
      isFull: () => used >= nodeBytes || (usedBy.get(org) ?? 0) >= nodeBytes * orgShare,
    }),
  };
}

const weights = new WeakMap<Change, number>();

/** Roughly the bytes that a notification keeps in memory, its change included. */
export function weigh({ change, ids }: Notification): number {
  const known = weights.get(change);
  const weight = known ?? change.records.reduce((sum, { values }) => sum + 100 + weighJson(values), 200);
  if (known === undefined) weights.set(change, weight);
  return weight + 200 + ids.length * 50;
}

function weighJson(value: Json): number {
  if (typeof value === 'string') return 16 + value.length * 2;
  if (typeof value !== 'object' || value === null) return 8;
  const entries = Object.entries(value);
  return entries.reduce((sum, [key, one]) => sum + key.length + weighJson(one), 16);
}
