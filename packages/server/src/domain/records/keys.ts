import { isObject, type Json } from '../json.ts';
import type { Module } from '../module.ts';
import { type KeyRef, keyValue, type Values } from '../record.ts';

/** Fields by whose values records are found: those that duplicate checks compare, then the unique ones. */
export function keyFields(module: Module): readonly string[] {
  const unique = module.fields.filter((field) => field.unique).map((field) => field.apiName);
  return [...new Set([...module.duplicateCheck, ...unique])];
}

/** The look-up entry of one value; none for an empty one and for lists. */
export function keyOf(module: Module, field: string, value: Json | undefined): KeyRef | undefined {
  const plain = isObject(value) ? value.id : value;
  if (plain === undefined || plain === null || typeof plain === 'object') return undefined;
  return { module: module.apiName, field, value: keyValue(plain) };
}

/** All look-up entries of a record. */
export const keysOf = (module: Module, values: Values): KeyRef[] =>
  keyFields(module).flatMap((field) => keyOf(module, field, values[field]) ?? []);
