import type { Change } from '../domain/change.ts';
import type { Json } from '../domain/json.ts';
import type { Notification } from '../domain/notification.ts';

/** Counts the bytes of notifications that wait in memory, over all lanes (P10). */
export interface Memory {
  add(bytes: number): void;
  isFull(): boolean;
}

export function createMemory(maxBytes: number): Memory {
  let used = 0;
  return {
    add(bytes) {
      used += bytes;
    },
    isFull: () => used >= maxBytes,
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
