import type { Generation } from './ids.ts';

/** Channels are dealt to nodes by these parts of them. */
export const BUCKETS = 64;

/** Which of them a generation belongs to, for ever and on every node: FNV-1a of its id, 0 … 63. */
export function bucketOf(generation: Generation): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < generation.length; i += 1) {
    hash = Math.imul(hash ^ generation.charCodeAt(i), 0x01000193);
  }
  // The high bits are mixed better than the low ones.
  return (hash ^ (hash >>> 16)) & (BUCKETS - 1);
}
