import type { Module } from '../module.ts';
import { type Catalog, findModule } from '../modules/catalog.ts';
import { type RecordRef, recordKey, type StoredRecord, type Values } from '../record.ts';
import { lookupTarget } from './lookup.ts';

/** What a record's lookups point at, whether it is still there or not. Lookups in rows of subforms do not count. */
export const pointsAt = (module: Module, values: Values): RecordRef[] =>
  module.fields.flatMap((field) => lookupTarget(field, values[field.apiName]) ?? []);

/** What loaded records point at and was not loaded with them: whether it is there still has to be asked. */
export function unknownTargets(catalog: Catalog, loaded: ReadonlyMap<string, StoredRecord>): RecordRef[] {
  const unknown = new Map<string, RecordRef>();
  for (const record of loaded.values()) {
    const module = findModule(catalog, record.module);
    for (const ref of module ? pointsAt(module, record.values) : []) {
      const key = recordKey(ref.module, ref.id);
      if (!loaded.has(key)) unknown.set(key, ref);
    }
  }
  return [...unknown.values()];
}
