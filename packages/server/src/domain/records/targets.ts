import type { Field, Module } from '../module.ts';
import { type Catalog, findModule } from '../modules/catalog.ts';
import { type RecordRef, recordKey, type StoredRecord, type Values } from '../record.ts';
import { lookupTarget } from './lookup.ts';

/** Few of a module's fields are, and every write asks for them. */
const lookups = new WeakMap<Module, readonly Field[]>();

export function lookupsOf(module: Module): readonly Field[] {
  const known = lookups.get(module);
  if (known) return known;
  const found = module.fields.filter(({ type }) => type === 'lookup');
  lookups.set(module, found);
  return found;
}

/** What a record's lookups point at, whether it is still there or not. Lookups in rows of subforms do not count. */
export function pointsAt(module: Module, values: Values): RecordRef[] {
  const found: RecordRef[] = [];
  // What a record has not is dear to ask for, and of most lookups it has none.
  const names = Object.keys(values);
  for (const field of lookupsOf(module)) {
    const target = names.includes(field.apiName) ? lookupTarget(field, values[field.apiName]) : undefined;
    if (target) found.push(target);
  }
  return found;
}

/** What loaded records point at and was not loaded with them: whether it is there still has to be asked. */
export function unknownTargets(catalog: Catalog, loaded: ReadonlyMap<string, StoredRecord>): RecordRef[] {
  const unknown = new Map<string, RecordRef>();
  for (const record of loaded.values()) {
    const module = findModule(catalog, record.module);
    if (!module) continue;
    for (const ref of pointsAt(module, record.values)) {
      const key = recordKey(ref.module, ref.id);
      if (!loaded.has(key)) unknown.set(key, ref);
    }
  }
  return [...unknown.values()];
}
