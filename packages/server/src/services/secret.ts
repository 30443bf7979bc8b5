import { hash, timingSafeEqual } from 'node:crypto';

/** `bytes` unpredictable bytes. */
export type RandomBytes = (bytes: number) => Uint8Array;

/** Longer ones are none of ours and are not hashed. */
export const MAX_TOKEN_LENGTH = 512;

/** What is kept of a secret: its SHA-256 in hex. Ours are long and random, so no slow hash is needed. */
export const hashSecret = (secret: string): string => hash('sha256', secret);

/** Compares two hashes in a time that says nothing about them. */
export const sameHash = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/** An opaque token in the API's shape: `1000.<32 hex>.<32 hex>`, 256 bits of randomness. */
export const newToken = (random: RandomBytes): string => `1000.${hex(random(16))}.${hex(random(16))}`;

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
