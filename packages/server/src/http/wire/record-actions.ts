import { AppError } from '../../domain/error.ts';
import { isObject, type Json, type JsonObject } from '../../domain/json.ts';
import type { Job, MassAction } from '../../services/bulk.ts';
import type { MassResult } from '../../services/chunks.ts';
import { wireError } from '../errors.ts';

const at = (key: string): JsonObject => ({ api_name: key, json_path: `$.${key}` });

const missing = (key: string): AppError => new AppError('MANDATORY_NOT_FOUND', 'required field not found', at(key));

const wrong = (key: string, expected: string): AppError =>
  new AppError('INVALID_DATA', 'invalid data', { expected_data_type: expected, ...at(key) });

/** `ids` of a body: texts or numbers, at least one. */
export function readBodyIds({ ids }: JsonObject): readonly string[] {
  if (ids === undefined || ids === null) throw missing('ids');
  if (!Array.isArray(ids)) throw wrong('ids', 'jsonarray');
  if (ids.length === 0) throw new AppError('INVALID_DATA', 'invalid data', { minimum_length: 1, ...at('ids') });
  return ids.map(String);
}

/** Custom views are not offered, so what is to be written cannot be named by one. */
export function refuseViews(body: JsonObject): void {
  for (const key of ['cvid', 'criteria', 'territory']) {
    if (body[key] === undefined || body[key] === null) continue;
    throw new AppError('INVALID_DATA', `${key} is not supported; name the records by ids`, at(key));
  }
}

/** `owner`: `{ id }`. */
export function readOwner({ owner }: JsonObject): string {
  if (!isObject(owner) || owner.id === undefined || owner.id === null) throw missing('owner');
  return String(owner.id);
}

/** `related_modules`: a list of `{ api_name }`. */
export function readRelatedModules({ related_modules: modules }: JsonObject): readonly string[] {
  if (modules === undefined || modules === null) return [];
  if (!Array.isArray(modules)) throw wrong('related_modules', 'jsonarray');
  return modules.map((item) => {
    const name = isObject(item) ? item.api_name : item;
    if (typeof name === 'string') return name;
    throw wrong('related_modules', 'jsonobject');
  });
}

/** `data` of a mass update: a list of one object, the values that every record is to have. */
export function readValues({ data }: JsonObject): JsonObject {
  if (data === undefined || data === null) throw missing('data');
  const [values, ...others]: readonly Json[] = Array.isArray(data) ? data : [];
  if (!isObject(values) || others.length > 0) throw wrong('data', 'jsonarray');
  return values;
}

/** One answer for each id of a mass action. */
export const wireMassResults = (results: readonly MassResult[], message: string): object[] =>
  results.map(({ id, result }) =>
    result.ok ? { code: 'SUCCESS', details: { id }, message, status: 'success' } : wireError(result.refusal),
  );

export const MASS_MESSAGES: Readonly<Record<MassAction, { readonly done: string; readonly scheduled: string }>> = {
  mass_update: { done: 'record updated', scheduled: 'mass update scheduled successfully' },
  mass_delete: { done: 'record is deleted', scheduled: 'mass delete scheduled successfully' },
};

export function wireJob(action: MassAction, { total, done, unchanged, failed }: Job): JsonObject {
  const counts = { Total_Count: total, Failed_Count: failed, Status: 'COMPLETED' };
  switch (action) {
    case 'mass_update':
      return { ...counts, Updated_Count: done, Not_Updated_Count: unchanged };
    case 'mass_delete':
      return { ...counts, Deleted_Count: done };
  }
}
