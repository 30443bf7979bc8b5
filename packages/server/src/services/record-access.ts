import { MAX_RECORDS_PER_CHANGE } from '../domain/change.ts';
import { AppError } from '../domain/error.ts';
import type { RecordId } from '../domain/ids.ts';
import type { Module } from '../domain/module.ts';
import { findModule, mayUse } from '../domain/modules/catalog.ts';
import type { Principal } from '../domain/org.ts';
import { readRecordId } from '../domain/records/ids.ts';
import { malformedId } from '../domain/records/refusals.ts';
import { done, type Result, refused } from '../domain/records/result.ts';

export type Act = 'View' | 'Create' | 'Edit' | 'Delete';

/** The module, if it has records and the caller may use it; else INVALID_MODULE or NO_PERMISSION. */
export function usable({ profile, catalog }: Principal, moduleName: string, act: Act): Module {
  const module = findModule(catalog, moduleName);
  if (!module?.hasRecords) throw noRecords(module);
  if (!mayUse(profile, module.apiName)) {
    throw new AppError('NO_PERMISSION', 'permission denied', {
      permissions: [`Crm_Implied_${act}_${module.apiName}`],
    });
  }
  return module;
}

const noRecords = (module: Module | undefined): AppError =>
  module?.isExternal
    ? new AppError('INVALID_MODULE', 'the records of this module are kept elsewhere', { module: module.apiName })
    : new AppError('INVALID_MODULE', 'the module name given seems to be invalid');

/** API names of the modules that have records and that the caller may use. */
export const usableModules = ({ catalog, profile }: Principal): readonly string[] =>
  catalog.modules
    .filter(({ hasRecords, apiName }) => hasRecords && mayUse(profile, apiName))
    .map(({ apiName }) => apiName);

export function readId(text: string): Result<RecordId> {
  const id = readRecordId(text.trim());
  return id ? done(id) : refused(malformedId());
}

/** The id that a URL names; there is nothing to go on with when it is none. */
export const pathId = (text: string): RecordId => orThrow(readId(text));

/** Refuses the whole call with what a part of it is refused with. */
export function orThrow<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new AppError(result.refusal.code, result.refusal.message, result.refusal.details);
}

export const tooMany = (maximum: number): AppError =>
  new AppError('INVALID_DATA', 'invalid data', { maximum_length: maximum, api_name: 'data', json_path: '$.data' });

export const tooManyIds = (maximum: number = MAX_RECORDS_PER_CHANGE): AppError =>
  new AppError('INVALID_DATA', 'invalid data', { maximum_length: maximum, api_name: 'ids' });

/** Ids of a list to read, each once, at most 100. */
export function listIds(texts: readonly string[]): RecordId[] {
  if (texts.length > MAX_RECORDS_PER_CHANGE) throw tooManyIds();
  return [...new Set(texts.map(pathId))];
}
