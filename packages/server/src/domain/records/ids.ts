import type { RecordId, UserId } from '../ids.ts';
import type { Json } from '../json.ts';

const DIGITS = /^\d{1,19}$/;

/** An id as callers write it: digits, as text or as a number. Whether it names anything is not known yet. */
export function readRecordId(input: Json): RecordId | undefined {
  const text = typeof input === 'bigint' || Number.isSafeInteger(input) ? String(input) : input;
  return typeof text === 'string' && DIGITS.test(text) ? (text as RecordId) : undefined;
}

/** The id of a user that a stored user field holds. */
export const asUserId = (id: RecordId): UserId => id as string as UserId;
