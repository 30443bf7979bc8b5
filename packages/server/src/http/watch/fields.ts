import type { FieldCondition, FieldRule } from '../../domain/condition.ts';
import { type EventSelector, modulesOf } from '../../domain/event-type.ts';
import type { Json } from '../../domain/json.ts';
import { type Catalog, findField, findModule } from '../../domain/modules/catalog.ts';
import { MAX_CONDITION_FIELDS } from './condition.ts';
import { invalid, tooLong, wrongType } from './faults.ts';

/** A list of field API names: an update counts when any of them changed. Each must be a field of a watched module. */
export function readFields(
  value: Json,
  path: string,
  events: readonly EventSelector[],
  catalog: Catalog,
): readonly FieldCondition[] {
  const at = `${path}.fields`;
  if (!Array.isArray(value)) throw wrongType('jsonarray', 'fields', at);
  if (value.length > MAX_CONDITION_FIELDS) throw tooLong(MAX_CONDITION_FIELDS, 'fields', at);
  const modules = modulesOf(events);
  const names = value.map((name: Json, i) => {
    if (typeof name === 'string' && modules.some((module) => hasField(catalog, module, name))) return name;
    throw invalid('fields', `${at}[${i}]`);
  });
  return modules.flatMap((module) => {
    const rule = anyOf(names.filter((name) => hasField(catalog, module, name)));
    return rule ? [{ module, rule }] : [];
  });
}

function hasField(catalog: Catalog, moduleName: string, field: string): boolean {
  const module = findModule(catalog, moduleName);
  return module !== undefined && findField(module, field) !== undefined;
}

/** In pairs, as conditions are written: at most two members a group. */
function anyOf(names: readonly string[]): FieldRule | undefined {
  const [field, ...others] = names;
  if (field === undefined) return undefined;
  const rest = anyOf(others);
  return rest ? { kind: 'group', operator: 'or', members: [{ kind: 'field', field }, rest] } : { kind: 'field', field };
}
