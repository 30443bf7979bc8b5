import type { UserId } from '../ids.ts';
import type { Json } from '../json.ts';
import type { Module } from '../module.ts';
import { type Catalog, findModule, nameOf } from '../modules/catalog.ts';
import type { RecordRef, StoredRecord, Values } from '../record.ts';
import { lookupTarget, userTarget } from './lookup.ts';
import { namedInRows } from './subform.ts';
import { isTagModule, TAG_FIELD, TAG_NAME, tagRefs } from './tags.ts';

/** All that the values of a record name: by lookups, in the rows of subforms, by tags; and the users among its values. */
export function namedBy(module: Module, values: Values): { records: RecordRef[]; users: UserId[] } {
  const records: RecordRef[] = [];
  const users: UserId[] = [];
  for (const field of module.fields) {
    const value: Json | undefined = values[field.apiName];
    if (value === undefined) continue;
    const record = lookupTarget(field, value);
    const user = userTarget(field, value);
    if (record) records.push(record);
    if (user) users.push(user);
    if (field.apiName === TAG_FIELD) records.push(...tagRefs(value));
    for (const cell of namedInRows(field, value)) {
      if (cell.record) records.push(cell.record);
      if (cell.user) users.push(cell.user);
    }
  }
  return { records, users };
}

/** The field that names the records of a module, or its tags; undefined when there is no such module. */
export const nameFieldOf = (catalog: Catalog, module: string): string | undefined =>
  isTagModule(module) ? TAG_NAME : findModule(catalog, module)?.nameField;

/** What a record is called; null when it has no name, undefined when there is no such module. */
export function nameOfRecord(catalog: Catalog, { module: name, values }: StoredRecord): string | null | undefined {
  if (isTagModule(name)) return typeof values[TAG_NAME] === 'string' ? values[TAG_NAME] : null;
  const module = findModule(catalog, name);
  return module && (nameOf(values, module) ?? null);
}
