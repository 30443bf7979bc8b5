import type { Generation, OrgId } from './ids.ts';

/** Channels are dealt to nodes by these parts of them. */
export const BUCKETS = 64;

/**
 * Which of them a generation belongs to, for ever and on every node: FNV-1a of its id, 0 … 63. What is done for an
 * organisation as a whole goes by the organisation's id.
 */
export function bucketOf(id: Generation | OrgId): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  }
  // The high bits are mixed better than the low ones.
  return (hash ^ (hash >>> 16)) & (BUCKETS - 1);
}
