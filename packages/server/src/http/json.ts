import { AppError } from '../domain/error.ts';
import { isObject, type JsonObject } from '../domain/json.ts';

/** Reads a request body as one JSON object without losing a digit: integers beyond ±(2^53 − 1) become `bigint`. */
export function parseJsonObject(bytes: Uint8Array | undefined): JsonObject {
  const value: unknown = bytes && JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  if (!isObject(value)) throw new AppError('INVALID_DATA', 'body', { expected_data_type: 'jsonobject' });
  return value;
}
