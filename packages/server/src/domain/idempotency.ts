import type { UserId } from './ids.ts';

/** How long the answer to a key is kept and given again, ms. */
export const ANSWER_LIFE_MS = 24 * 3_600_000;

/** What names a write, so that a repeated one is answered and not done again. */
export interface Idempotency {
  /** Chosen by the caller; counts for one user. */
  readonly key: string;
  /** Of method, URL, external fields and body: the same key with another fingerprint is another request. */
  readonly fingerprint: string;
}

/** What a write with a key came to; committed with the write. */
export interface KeptAnswer extends Idempotency {
  readonly userId: UserId;
  /** JSON. */
  readonly answer: string;
  readonly at: number;
}

export const answerKey = (userId: UserId, key: string): string => `${userId}/${key}`;
