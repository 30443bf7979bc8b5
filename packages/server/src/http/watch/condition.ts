import type { FieldCondition, FieldRule } from '../../domain/condition.ts';
import { AppError } from '../../domain/error.ts';
import { isObject, type Json, type JsonObject } from '../../domain/json.ts';
import type { Module } from '../../domain/module.ts';
import { fieldId, findField, findModule, mayUse, moduleId } from '../../domain/modules/catalog.ts';
import type { Principal } from '../../domain/org.ts';
import { ambiguous, dependent, invalid, missing, tooLong, tooShort, wrongType } from './faults.ts';
import { readReference } from './reference.ts';

/** Most fields of one condition, however they are nested. */
export const MAX_CONDITION_FIELDS = 10;
const MAX_GROUP_MEMBERS = 2;

/** Reads `notification_condition` (reference §2.3): none for `null`, undefined when it is not there. */
export function readConditions(
  value: Json | undefined,
  entryPath: string,
  principal: Principal,
): readonly FieldCondition[] | undefined {
  const path = `${entryPath}.notification_condition`;
  if (value === undefined) return undefined;
  if (value === null) return [];
  if (!Array.isArray(value)) throw invalid('notification_condition', path);
  const modules = new Set<string>();
  return value.map((item: Json, i) => {
    const condition = readCondition(item, `${path}[${i}]`, principal);
    if (modules.has(condition.module)) throw duplicateModule(`${path}[${i}]`);
    modules.add(condition.module);
    return condition;
  });
}

/** In the order of keys that is published for it. */
const tooManyFields = (path: string): AppError =>
  new AppError('INVALID_DATA', 'invalid data', {
    api_name: 'field_selection',
    json_path: path,
    maximum_length: MAX_CONDITION_FIELDS,
  });

const duplicateModule = (path: string): AppError =>
  new AppError('DUPLICATE_DATA', 'duplicate data', { api_name: 'module', json_path: `${path}.module` });

function readCondition(value: Json, path: string, principal: Principal): FieldCondition {
  if (!isObject(value)) throw wrongType('jsonobject', 'notification_condition', path);
  const selection = value.field_selection ?? undefined;
  checkType(value, path, selection !== undefined);
  const module = readModule(value.module ?? undefined, `${path}.module`, principal);
  const at = `${path}.field_selection`;
  if (selection === undefined) throw missing('field_selection', at);
  if (!isObject(selection)) throw wrongType('jsonobject', 'field_selection', at);
  const rule = readRule(selection, at, { module, org: principal.org });
  if (countFields(rule) > MAX_CONDITION_FIELDS) {
    throw tooManyFields(asPublished(at));
  }
  return { module: module.apiName, rule };
}

function checkType({ type }: JsonObject, path: string, hasSelection: boolean): void {
  const at = `${path}.type`;
  if (type === undefined || type === null) {
    throw hasSelection ? dependent(path, 'field_selection', 'type') : missing('type', at);
  }
  if (typeof type !== 'string') throw wrongType('text', 'type', at);
  if (type !== 'field_selection') throw invalid('type', at, { supported_values: ['field_selection'] });
}

function readModule(value: Json | undefined, path: string, { org, profile, catalog }: Principal): Module {
  if (value === undefined) throw missing('module', path);
  const allowed = (module: Module | undefined) => (module && mayUse(profile, module.apiName) ? module : undefined);
  return readReference(value, 'module', path, {
    byName: (name) => allowed(findModule(catalog, name)),
    byId: (id) => allowed(catalog.modules.find((module) => moduleId(org.id, module) === id)),
  });
}

function readRule(
  value: JsonObject,
  path: string,
  of: { readonly module: Module; readonly org: Principal['org'] },
): FieldRule {
  const field = value.field ?? undefined;
  const group = value.group ?? undefined;
  if (field !== undefined && group !== undefined) throw ambiguous(path, ['field', 'group']);
  if (field !== undefined) {
    const { module, org } = of;
    const found = readReference(field, 'field', `${path}.field`, {
      byName: (name) => findField(module, name),
      byId: (id) => module.fields.find((candidate) => fieldId(org.id, module, candidate) === id),
    });
    return { kind: 'field', field: found.apiName };
  }
  if (group === undefined) throw missing('field', asPublished(`${path}.field`));
  const operator = readOperator(value.group_operator, `${path}.group_operator`);
  const members = readMembers(group, `${path}.group`);
  return { kind: 'group', operator, members: members.map((member, i) => readRule(member, `${path}.group[${i}]`, of)) };
}

function readOperator(value: Json | undefined, path: string): 'and' | 'or' {
  if (value === undefined || value === null) throw missing('group_operator', path);
  if (typeof value !== 'string') throw wrongType('text', 'group_operator', path);
  if (value !== 'and' && value !== 'or') throw invalid('group_operator', path, { supported_values: ['or', 'and'] });
  return value;
}

function readMembers(value: Json, path: string): readonly JsonObject[] {
  if (!Array.isArray(value)) throw wrongType('jsonarray', 'group', path);
  if (value.length === 0) throw tooShort('group', path);
  if (value.length > MAX_GROUP_MEMBERS) throw tooLong(MAX_GROUP_MEMBERS, 'group', path);
  return value.map((member: Json, i) => {
    if (!isObject(member)) throw wrongType('jsonobject', 'group', `${path}[${i}]`);
    return member;
  });
}

const countFields = (rule: FieldRule): number =>
  rule.kind === 'field' ? 1 : rule.members.reduce((sum, member) => sum + countFields(member), 0);

/** Two errors are published with a path that leaves the condition's index out (reference §4.9). */
const asPublished = (path: string): string => path.replace(/notification_condition\[\d+\]/, 'notification_condition');
