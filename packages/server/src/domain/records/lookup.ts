import type { RecordId, UserId } from '../ids.ts';
import { isObject, type Json } from '../json.ts';
import { ANY_MODULE, type Field } from '../module.ts';
import type { RecordRef } from '../record.ts';
import { asUserId, readRecordId } from './ids.ts';

/** The record that a lookup's stored value points at; undefined for other fields and for empty ones. */
export function lookupTarget(field: Field, value: Json | undefined): RecordRef | undefined {
  if (field.type !== 'lookup' || field.lookup === undefined) return undefined;
  const id = storedId(value);
  if (field.lookup !== ANY_MODULE) return id && { module: field.lookup, id };
  const module = isObject(value) ? value.module : undefined;
  return id && typeof module === 'string' ? { module, id } : undefined;
}

/** The user that an owner or user field's stored value names. */
export function userTarget(field: Field, value: Json | undefined): UserId | undefined {
  if (field.type !== 'ownerlookup' && field.type !== 'userlookup') return undefined;
  const id = storedId(value);
  return id && asUserId(id);
}

const storedId = (value: Json | undefined): RecordId | undefined =>
  isObject(value) && value.id !== undefined ? readRecordId(value.id) : undefined;
