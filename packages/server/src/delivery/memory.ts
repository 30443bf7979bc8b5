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
  /** A change that several of those kept are about is counted once, with the first of them. */
  keep(notification: Notification): void;
  letGo(notification: Notification): void;
  /** What the organisation may still take. */
  free(): number;
  /** What of it its lanes may have beyond their own parts, for which half of all memory stays (P5). */
  spare(): number;
  /** All of it is used, or the organisation's share, so that what one owes takes no memory from the others (P5). */
  isFull(): boolean;
}

export function createMemory({ nodeBytes, orgShare }: Pick<DeliveryPolicy, 'nodeBytes' | 'orgShare'>): Memory {
  let used = 0;
  const usedBy = new Map<OrgId, number>();
  /** How many of those kept are about a change. */
  const kept = new Map<Change, number>();

  function add(org: OrgId, bytes: number): void {
    used += bytes;
    const own = (usedBy.get(org) ?? 0) + bytes;
    if (own > 0) usedBy.set(org, own);
    else usedBy.delete(org);
  }

  const free = (org: OrgId): number => Math.min(nodeBytes - used, nodeBytes * orgShare - (usedBy.get(org) ?? 0));

  return {
    of: (org) => ({
      add: (bytes) => add(org, bytes),
      keep(notification) {
        const others = kept.get(notification.change) ?? 0;
        kept.set(notification.change, others + 1);
        add(org, others === 0 ? weigh(notification) : weighAlone(notification));
      },
      letGo(notification) {
        const others = (kept.get(notification.change) ?? 1) - 1;
        if (others === 0) kept.delete(notification.change);
        else kept.set(notification.change, others);
        add(org, -(others === 0 ? weigh(notification) : weighAlone(notification)));
      },
      free: () => free(org),
      spare: () => Math.min(free(org), nodeBytes / 2 - used),
      isFull: () => free(org) <= 0,
    }),
  };
}

const weights = new WeakMap<Change, number>();

/** Roughly the bytes that a notification keeps in memory, its change included. */
export function weigh(notification: Notification): number {
  const { change } = notification;
  const known = weights.get(change);
  const weight = known ?? change.records.reduce((sum, { values }) => sum + 100 + weighJson(values), 200);
  if (known === undefined) weights.set(change, weight);
  return weight + weighAlone(notification);
}

const weighAlone = ({ ids }: Notification): number => 200 + ids.length * 50;

function weighJson(value: Json): number {
  if (typeof value === 'string') return 16 + value.length * 2;
  if (typeof value !== 'object' || value === null) return 8;
  const entries = Object.entries(value);
  return entries.reduce((sum, [key, one]) => sum + key.length + weighJson(one), 16);
}
