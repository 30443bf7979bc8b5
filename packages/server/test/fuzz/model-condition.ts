import { isTreeObject, type Tree, type TreeObject } from './json-tree.ts';

/** The first fault of an entry; its message is the code. */
export class Fault extends Error {}

/** Which fields must have changed: a field's name, or some of them joined. */
export type ModelRule = string | { readonly operator: string; readonly members: readonly ModelRule[] };

/** API names with their ids, as the metadata calls say them. */
export interface Names {
  readonly modules: ReadonlyMap<string, string>;
  /** By module. */
  readonly fields: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

interface Watcher {
  readonly names: Names;
  readonly modules: ReadonlySet<string>;
}

const isAbsent = (value: Tree | undefined): value is null | undefined => value === undefined || value === null;

/** `fields` and `notification_condition` of an entry; throws the code of the first fault. */
export function readCondition(
  user: Watcher,
  { fields, notification_condition: conditions }: TreeObject,
  watched: readonly string[] | undefined,
): ReadonlyMap<string, ModelRule> | undefined {
  if (!isAbsent(fields)) {
    if (!isAbsent(conditions)) throw new Fault('AMBIGUITY_DURING_PROCESSING');
    if (!watched) throw new Fault('DEPENDENT_FIELD_MISSING');
    return readFields(user, fields, watched);
  }
  if (isAbsent(conditions)) return conditions === null ? new Map() : undefined;
  if (!Array.isArray(conditions)) throw new Fault('INVALID_DATA');
  const read = new Map<string, ModelRule>();
  for (const condition of conditions as readonly Tree[]) {
    const [module, rule] = readOne(user, condition);
    if (read.has(module)) throw new Fault('DUPLICATE_DATA');
    read.set(module, rule);
  }
  return read;
}

function readFields({ names }: Watcher, fields: Tree, watched: readonly string[]): ReadonlyMap<string, ModelRule> {
  if (!Array.isArray(fields) || fields.length > 10) throw new Fault('INVALID_DATA');
  const has = (module: string, field: Tree) => typeof field === 'string' && names.fields.get(module)?.has(field);
  if (!fields.every((field: Tree) => watched.some((module) => has(module, field)))) throw new Fault('INVALID_DATA');
  return new Map(
    watched.flatMap((module): [string, ModelRule][] => {
      const own = fields.filter((field: Tree) => has(module, field)) as string[];
      return own.length === 0 ? [] : [[module, anyOf(own)]];
    }),
  );
}

/** As it is listed: in pairs. */
function anyOf([first = '', ...others]: readonly string[]): ModelRule {
  return others.length === 0 ? first : { operator: 'or', members: [first, anyOf(others)] };
}

function readOne(user: Watcher, condition: Tree): [string, ModelRule] {
  if (!isTreeObject(condition)) throw new Fault('INVALID_DATA');
  const { type, module, field_selection: selection } = condition;
  if (isAbsent(type)) throw new Fault(isAbsent(selection) ? 'MANDATORY_NOT_FOUND' : 'DEPENDENT_FIELD_MISSING');
  if (type !== 'field_selection') throw new Fault('INVALID_DATA');
  if (isAbsent(module)) throw new Fault('MANDATORY_NOT_FOUND');
  const name = readReference(module, new Map([...user.names.modules].filter(([one]) => user.modules.has(one))));
  if (isAbsent(selection)) throw new Fault('MANDATORY_NOT_FOUND');
  if (!isTreeObject(selection)) throw new Fault('INVALID_DATA');
  const rule = readRule(selection, user.names.fields.get(name) ?? new Map());
  if (fieldsOf(rule).length > 10) throw new Fault('INVALID_DATA');
  return [name, rule];
}

const fieldsOf = (rule: ModelRule): string[] =>
  typeof rule === 'string' ? [rule] : rule.members.flatMap((member) => fieldsOf(member));

function readRule(
  { field, group, group_operator: operator }: TreeObject,
  names: ReadonlyMap<string, string>,
): ModelRule {
  if (!isAbsent(field)) {
    if (!isAbsent(group)) throw new Fault('AMBIGUITY_DURING_PROCESSING');
    return readReference(field, names);
  }
  if (isAbsent(group) || isAbsent(operator)) throw new Fault('MANDATORY_NOT_FOUND');
  if (operator !== 'and' && operator !== 'or') throw new Fault('INVALID_DATA');
  if (!Array.isArray(group) || group.length === 0 || group.length > 2) throw new Fault('INVALID_DATA');
  if (!group.every((member: Tree) => isTreeObject(member))) throw new Fault('INVALID_DATA');
  return { operator, members: group.map((member: Tree) => readRule(member as TreeObject, names)) };
}

/** The name that `{api_name, id}` means. */
function readReference(value: Tree, names: ReadonlyMap<string, string>): string {
  if (!isTreeObject(value)) throw new Fault('INVALID_DATA');
  const { api_name: name, id } = value;
  if (!isAbsent(name) && typeof name !== 'string') throw new Fault('INVALID_DATA');
  if (!isAbsent(id) && typeof id !== 'string') throw new Fault('INVALID_DATA');
  if (isAbsent(name) && isAbsent(id)) throw new Fault('EXPECTED_FIELD_MISSING');
  const byId = [...names].find(([, own]) => own === id)?.[0];
  if (isAbsent(name)) {
    if (byId === undefined) throw new Fault('INVALID_DATA');
    return byId;
  }
  if (!names.has(String(name))) throw new Fault('INVALID_DATA');
  if (!isAbsent(id) && byId !== name) throw new Fault('AMBIGUITY_DURING_PROCESSING');
  return String(name);
}
