/**
 * A JSON value as the edge reads it. Integers beyond ±(2^53 − 1) arrive as `bigint`, so that no digit of an id is lost;
 * such values are turned into text before they are stored or sent.
 */
export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Text that both engines store alike: no NUL, no lone surrogate. */
export const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();
