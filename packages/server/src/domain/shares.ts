import { BUCKETS } from './bucket.ts';

/** A process on the shared database. Times are the database's, epoch ms. */
export interface SharingNode {
  readonly id: string;
  readonly leaseUntil: number;
  readonly isLeaving: boolean;
}

export interface SharedBucket {
  readonly bucket: number;
  /** Undefined: nobody's. */
  readonly node?: string;
}

/** How nodes and buckets stand at one moment. */
export interface Sharing {
  readonly now: number;
  readonly nodes: readonly SharingNode[];
  /** All of them, in order. */
  readonly buckets: readonly SharedBucket[];
}

/** What a node is to do about its buckets. */
export interface Share {
  /** How many are its part. */
  readonly fair: number;
  /** Those it owns beyond its part. */
  readonly release: readonly number[];
  /** Those free for it, as far as its part goes. */
  readonly claim: readonly number[];
  /** When the next lease of another node runs out, which is when there may be more to claim; undefined: none is left. */
  readonly lookAgainAt?: number;
}

/**
 * Deals the buckets out: as many to each node, and no bucket moves without need. Every node that sees the same comes to
 * the same, so no two claim one bucket; once all have their part nothing moves.
 */
export function shareOf({ now, nodes, buckets }: Sharing, self: string): Share {
  const present = nodes.filter(({ leaseUntil }) => leaseUntil > now);
  const owners = new Set(present.map(({ id }) => id));
  const owned = new Map<string, number[]>();
  const free: number[] = [];
  for (const { bucket, node } of buckets) {
    if (node === undefined || !owners.has(node)) free.push(bucket);
    else if (!owned.get(node)?.push(bucket)) owned.set(node, [bucket]);
  }
  const ids = present.flatMap(({ id, isLeaving }) => (isLeaving ? [] : id)).sort();
  const parts = fairParts(ids, (id) => owned.get(id)?.length ?? 0);
  const fair = parts.get(self) ?? 0;
  const leases = present.flatMap(({ id, leaseUntil }) => (id === self ? [] : leaseUntil));
  return {
    fair,
    release: (owned.get(self) ?? []).slice(fair),
    claim: dealt(ids, parts, owned, free, self),
    ...(leases.length > 0 && { lookAgainAt: Math.min(...leases) }),
  };
}

/** What does not divide goes to those that have it already, then by id. */
function fairParts(ids: readonly string[], count: (id: string) => number): Map<string, number> {
  const least = Math.floor(BUCKETS / ids.length);
  let rest = BUCKETS - least * ids.length;
  const parts = new Map<string, number>();
  const have = ids.filter((id) => count(id) > least);
  for (const id of [...have, ...ids.filter((other) => !have.includes(other))]) {
    parts.set(id, least + (rest > 0 ? 1 : 0));
    rest -= 1;
  }
  return parts;
}

/** The free ones in order, node by node. */
function dealt(
  ids: readonly string[],
  parts: ReadonlyMap<string, number>,
  owned: ReadonlyMap<string, readonly number[]>,
  free: readonly number[],
  self: string,
): number[] {
  let from = 0;
  for (const id of ids) {
    const lacking = Math.max(0, (parts.get(id) ?? 0) - (owned.get(id)?.length ?? 0));
    if (id === self) return free.slice(from, from + lacking);
    from += lacking;
  }
  return [];
}
