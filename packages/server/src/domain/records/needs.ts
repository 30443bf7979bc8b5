import type { RecordId, UserId } from '../ids.ts';
import type { Module } from '../module.ts';
import { findField } from '../modules/catalog.ts';
import type { KeyRef, RecordRef } from '../record.ts';
import type { Needs } from '../working-set.ts';
import type { RecordInput } from './input.ts';
import { keyOf } from './keys.ts';
import { lookupTarget, userTarget } from './lookup.ts';
import type { Result } from './result.ts';
import { namedInRows } from './subform.ts';

/**
 * What deciding on these records looks at: themselves (or `only`), what they point at, and who holds their unique values
 * and those of `checkFields`.
 */
export function needsOf(
  module: Module,
  items: readonly Result<RecordInput>[],
  { checkFields = [], only }: { readonly checkFields?: readonly string[]; readonly only?: RecordId | undefined } = {},
): Needs {
  const records: RecordRef[] = only ? [{ module: module.apiName, id: only }] : [];
  const keys: KeyRef[] = [];
  const users: UserId[] = [];
  for (const item of items) {
    if (!item.ok) continue;
    if (item.value.id) records.push({ module: module.apiName, id: item.value.id });
    for (const [name, value] of item.value.given) {
      const field = findField(module, name);
      if (!field) continue;
      const target = lookupTarget(field, value);
      const user = userTarget(field, value);
      const key = field.unique || checkFields.includes(name) ? keyOf(module, name, value) : undefined;
      if (target) records.push(target);
      if (user) users.push(user);
      if (key) keys.push(key);
      for (const cell of namedInRows(field, value)) {
        if (cell.record) records.push(cell.record);
        if (cell.user) users.push(cell.user);
      }
    }
  }
  return { records, keys, users };
}

/** Deleting looks at the records alone. */
export const recordsNeeded = (module: Module, ids: readonly Result<RecordId>[]): Needs => ({
  records: ids.flatMap((id) => (id.ok ? [{ module: module.apiName, id: id.value }] : [])),
});
