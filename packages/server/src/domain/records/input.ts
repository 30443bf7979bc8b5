import type { RecordId } from '../ids.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { ANY_MODULE, type Field, type Module } from '../module.ts';
import { findField } from '../modules/catalog.ts';
import { readRecordId } from './ids.ts';
import { invalidValue, malformedId, missingValue } from './refusals.ts';
import { done, type Result, refused } from './result.ts';
import { isSettable, readValue } from './values.ts';

const MODULE_NAME = /^\w{1,100}$/;

/** One record as a caller gave it: known and settable fields only, checked and normalised. */
export interface RecordInput {
  /** Where it stands in the call, such as `$.data[0]`. */
  readonly path: string;
  readonly id?: RecordId;
  /** By API name, in the order given; `null` empties a field. */
  readonly given: ReadonlyMap<string, Json>;
  /** Whether given rows of a subform take the place of all that it had. */
  readonly replacesRows?: boolean;
  /** Whether given choices of a multi-select are added to those that it has. */
  readonly addsChoices?: boolean;
}

/** Reads one item of a call up to its first fault. Keys that are no field, or cannot be set, are ignored. */
export function readInput(module: Module, item: Json, path: string): Result<RecordInput> {
  if (!isObject(item)) {
    return refused({
      code: 'INVALID_DATA',
      message: 'invalid data',
      details: { expected_data_type: 'jsonobject', json_path: path },
    });
  }
  const given = new Map<string, Json>();
  for (const [key, input] of Object.entries(item)) {
    const field = findField(module, key);
    if (!field || !isSettable(field)) continue;
    const read = readValue(field, input, path);
    const value = field.lookup === ANY_MODULE ? withModule(field, read, input, item, path) : read;
    if (!value.ok) return value;
    given.set(key, value.value);
  }
  if (item.id === undefined || item.id === null) return done({ path, given });
  const id = readRecordId(item.id);
  return id ? done({ path, id, given }) : refused(malformedId(path));
}

/** A lookup to any module says which: in the value itself or beside it, as `$se_module`. */
function withModule(field: Field, read: Result<Json>, input: Json, item: JsonObject, path: string): Result<Json> {
  if (!read.ok || !isObject(read.value)) return read;
  const own = isObject(input) ? input.module : undefined;
  const named = (isObject(own) ? own.api_name : own) ?? item.$se_module ?? item.se_module;
  if (named === undefined || named === null) return refused(missingValue(path, '$se_module'));
  if (typeof named !== 'string' || !MODULE_NAME.test(named)) {
    return refused(invalidValue(path, field.apiName, { expected_data_type: 'module' }));
  }
  return done({ ...read.value, module: named });
}
