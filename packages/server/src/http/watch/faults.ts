import { AppError, type Refusal } from '../../domain/error.ts';
import type { JsonObject } from '../../domain/json.ts';

/** Faults of one entry, in the words of reference §4.9. `path` is that of the key itself. */
export const missing = (apiName: string, path: string): AppError =>
  new AppError('MANDATORY_NOT_FOUND', 'required field not found', { api_name: apiName, json_path: path });

export const invalid = (apiName: string, path: string, more: JsonObject = {}): AppError =>
  new AppError('INVALID_DATA', 'invalid data', { ...more, api_name: apiName, json_path: path });

export const wrongType = (expected: string, apiName: string, path: string): AppError =>
  invalid(apiName, path, { expected_data_type: expected });

export const tooLong = (maximum: number, apiName: string, path: string): AppError =>
  invalid(apiName, path, { maximum_length: maximum });

export const tooShort = (apiName: string, path: string): AppError => invalid(apiName, path, { minimum_length: 1 });

/** Two keys of the object at `path` contradict each other. */
export function ambiguous(path: string, keys: readonly string[]): AppError {
  const dueTo = keys.map((key) => ({ api_name: key, json_path: `${path}.${key}` }));
  return new AppError('AMBIGUITY_DURING_PROCESSING', 'AMBIGUITY_DURING_PROCESSING', { ambiguity_due_to: dueTo });
}

/** `key` of the object at `path` means nothing without `needed`. */
export const dependent = (path: string, key: string, needed: string): AppError =>
  new AppError('DEPENDENT_FIELD_MISSING', 'DEPENDENT_FIELD_MISSING', {
    api_name: key,
    json_path: `${path}.${key}`,
    dependee: { api_name: needed, json_path: `${path}.${needed}` },
  });

export type Read<Value> =
  | { readonly kind: 'read'; readonly value: Value }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export const toRefusal = ({ code, message, details }: AppError): Refusal => ({ code, message, details });

/** The first fault of an entry as a value: its neighbours go on. */
export function reading<Value>(read: () => Value): Read<Value> {
  try {
    return { kind: 'read', value: read() };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { kind: 'refused', refusal: toRefusal(error) };
  }
}
