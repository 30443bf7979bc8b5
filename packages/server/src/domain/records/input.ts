import type { RecordId, UserId } from '../ids.ts';
import { isObject, type Json } from '../json.ts';
import type { Field, Module } from '../module.ts';
import { findField } from '../modules/catalog.ts';
import type { RecordRef } from '../record.ts';
import { asUserId, readRecordId } from './ids.ts';
import { malformedId } from './refusals.ts';
import { done, type Result, refused } from './result.ts';
import { isSettable, readValue } from './values.ts';

/** One record as a caller gave it: known and settable fields only, checked and normalised. */
export interface RecordInput {
  /** Where it stands in the call, such as `$.data[0]`. */
  readonly path: string;
  readonly id?: RecordId;
  /** By API name, in the order given; `null` empties a field. */
  readonly given: ReadonlyMap<string, Json>;
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
    const value = readValue(field, input, path);
    if (!value.ok) return value;
    given.set(key, value.value);
  }
  if (item.id === undefined || item.id === null) return done({ path, given });
  const id = readRecordId(item.id);
  return id ? done({ path, id, given }) : refused(malformedId(path));
}

/** The record that a lookup's stored value points at; undefined for other fields and for empty ones. */
export function lookupTarget(field: Field, value: Json | undefined): RecordRef | undefined {
  if (field.type !== 'lookup' || field.lookup === undefined) return undefined;
  const id = storedId(value);
  return id && { module: field.lookup, id };
}

/** The user that an owner or user field's stored value names. */
export function userTarget(field: Field, value: Json | undefined): UserId | undefined {
  if (field.type !== 'ownerlookup' && field.type !== 'userlookup') return undefined;
  const id = storedId(value);
  return id && asUserId(id);
}

const storedId = (value: Json | undefined): RecordId | undefined =>
  isObject(value) && value.id !== undefined ? readRecordId(value.id) : undefined;
