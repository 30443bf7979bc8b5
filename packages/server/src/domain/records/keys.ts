import { isObject, type Json } from '../json.ts';
import type { Field, Module } from '../module.ts';
import { type KeyRef, keyValue, type Values } from '../record.ts';
import { TAG_FIELD, tagRefs } from './tags.ts';

/** Fields that an upsert may compare: those of the module's duplicate check, then the unique ones. */
export function checkFields(module: Module): readonly string[] {
  const unique = module.fields.filter((field) => field.unique).map((field) => field.apiName);
  return [...new Set([...module.duplicateCheck, ...unique])];
}

const keyFieldsByModule = new WeakMap<Module, readonly string[]>();

/**
 * Fields by whose values records are found: those that an upsert may compare, then emails, phones and lookups. A lookup's
 * value is the id that it points at, so these entries also say which records point at one.
 */
export function keyFields(module: Module): readonly string[] {
  const known = keyFieldsByModule.get(module);
  if (known) return known;
  const found = module.fields.filter(isFoundBy).map((field) => field.apiName);
  const fields = [...new Set([...checkFields(module), ...found])];
  keyFieldsByModule.set(module, fields);
  return fields;
}

const keyFieldSets = new WeakMap<Module, ReadonlySet<string>>();

/** Whether another value of the field makes other look-up entries. */
export function isKeyField(module: Module, field: string): boolean {
  const known = keyFieldSets.get(module);
  if (known) return known.has(field);
  const fields = new Set([...keyFields(module), TAG_FIELD]);
  keyFieldSets.set(module, fields);
  return fields.has(field);
}

const isFoundBy = ({ type }: Field): boolean => type === 'email' || type === 'phone' || type === 'lookup';

/** The look-up entry of one value; none for an empty one and for lists. */
export function keyOf(module: Module, field: string, value: Json | undefined): KeyRef | undefined {
  const plain = isObject(value) ? value.id : value;
  if (plain === undefined || plain === null || typeof plain === 'object') return undefined;
  return { module: module.apiName, field, value: keyValue(plain) };
}

/** All look-up entries of a record; one for each of its tags as well. */
export const keysOf = (module: Module, values: Values): KeyRef[] => [
  ...keyFields(module).flatMap((field) => keyOf(module, field, values[field]) ?? []),
  ...tagRefs(values[TAG_FIELD]).map(({ id }) => ({ module: module.apiName, field: TAG_FIELD, value: id })),
];
