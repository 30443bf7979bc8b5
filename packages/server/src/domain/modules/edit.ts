import { AppError } from '../error.ts';
import type { Field, Module } from '../module.ts';
import type { StoredRecord } from '../record.ts';
import { takeSerials, type WorkingSet } from '../working-set.ts';
import { type AddedField, type AddedModule, FIRST_ADDED_MODULE, isCurrent, LAST_ADDED_MODULE } from './additions.ts';
import { type Catalog, createCatalog, findField, findModule } from './catalog.ts';
import {
  badDefinition,
  checkLabel,
  checkModule,
  checkPickList,
  type FieldInput,
  LIMITS,
  type ModuleInput,
  nameTaken,
  readField,
} from './definition.ts';

/** What may be changed of a module that was added. */
export interface ModuleChange {
  readonly singular?: string;
  readonly plural?: string;
}

/** What may be changed of a field that was added. Values already stored are not looked at. */
export interface FieldChange {
  readonly label?: string;
  readonly mandatory?: boolean;
  /** Replaces the list. */
  readonly pickList?: readonly string[];
}

// Each checks everything before its first write, so that one that throws leaves the set as it was.

export function addModule(set: WorkingSet, input: ModuleInput): Module {
  checkModule(input, set.catalog);
  const { modules } = set.catalog.additions;
  const serial = FIRST_ADDED_MODULE + modules.length;
  if (modules.filter(isCurrent).length >= LIMITS.modules || serial > LAST_ADDED_MODULE) {
    throw limitReached('modules', LIMITS.modules);
  }
  const { apiName, singular, plural, external } = input;
  const added: AddedModule = {
    apiName,
    serial,
    singular,
    plural,
    ...(external && { isExternal: true }),
    modifiedAt: set.now,
  };
  // Its fields may point at it.
  const catalog = extend(set.catalog, { modules: [added] });
  const fields = readFields(catalog, apiName, input.fields);
  save(set, { modules: [added], fields: fields.map((field) => numbered(set, apiName, field)) });
  return currentModule(set.catalog, apiName);
}

/** `path` is where a refusal says that the input stands. */
export function addField(set: WorkingSet, module: string, input: FieldInput, path = '$'): Field {
  checkRoom(set.catalog, module, 1);
  const field = readField(input, currentModule(set.catalog, module), set.catalog, path);
  const added = numbered(set, module, field);
  save(set, { fields: [added] });
  return added.field;
}

function readFields(catalog: Catalog, moduleName: string, inputs: readonly FieldInput[]): Field[] {
  checkRoom(catalog, moduleName, inputs.length);
  const module = currentModule(catalog, moduleName);
  const names = inputs.map((input) => input.apiName.toLowerCase());
  return inputs.map((input, i) => {
    const at = `$.fields[${i}]`;
    if (names.indexOf(input.apiName.toLowerCase()) < i) throw nameTaken(`${at}.api_name`, input.apiName, 'field');
    return readField(input, module, catalog, at);
  });
}

function checkRoom(catalog: Catalog, moduleName: string, count: number): void {
  const module = currentModule(catalog, moduleName);
  if (!module.hasRecords && !module.isExternal) {
    throw badDefinition('$.module', `${moduleName} has no records, so it takes no fields`);
  }
  if (module.fields.length + count > LIMITS.fields) throw limitReached('fields', LIMITS.fields);
}

const numbered = (set: WorkingSet, module: string, field: Field): AddedField => ({
  module,
  field: { ...field, serial: takeSerials(set, field.pickList ? SERIALS_OF_PICK_LIST : 1) },
  modifiedAt: set.now,
});

/** Itself, then one for no value and each value that its list may ever have. */
const SERIALS_OF_PICK_LIST = 2 + LIMITS.pickList;

export function changeModule(set: WorkingSet, moduleName: string, change: ModuleChange): Module {
  const known = addedModule(set, moduleName);
  const singular = change.singular === undefined ? known.singular : checkLabel(change.singular, '$.singular');
  const plural = change.plural === undefined ? known.plural : checkLabel(change.plural, '$.plural');
  if (singular !== known.singular || plural !== known.plural) {
    save(set, { modules: [{ ...known, singular, plural, modifiedAt: set.now }] });
  }
  return currentModule(set.catalog, moduleName);
}

export function changeField(set: WorkingSet, moduleName: string, fieldName: string, change: FieldChange): Field {
  const known = addedField(set, moduleName, fieldName);
  const { field } = known;
  if (change.pickList && !field.pickList) throw badDefinition('$.pick_list', `does not go with type ${field.type}`);
  const { mandatory: was, ...rest } = field;
  const isMandatory = change.mandatory ?? was ?? false;
  const changed: AddedField['field'] = {
    ...rest,
    ...(change.label !== undefined && { label: checkLabel(change.label, '$.label') }),
    ...(change.pickList && { pickList: checkPickList(change.pickList, '$.pick_list') }),
    ...(isMandatory && { mandatory: true }),
  };
  if (!isSame(changed, field)) save(set, { fields: [{ ...known, field: changed, modifiedAt: set.now }] });
  return changed;
}

/** Values stored in it stay where they are and are shown no more. */
export function removeField(set: WorkingSet, moduleName: string, fieldName: string): void {
  const known = addedField(set, moduleName, fieldName);
  save(set, { fields: [{ ...known, modifiedAt: set.now, removedAt: set.now }] });
}

/** The set must know whether the module has records. */
export function removeModule(set: WorkingSet, moduleName: string): void {
  const known = addedModule(set, moduleName);
  if (hasRecords(set, moduleName)) {
    throw new AppError('INVALID_DATA', `${moduleName} has records; delete them first`, { api_name: 'module' });
  }
  const pointing = set.catalog.additions.fields.find(
    (added) =>
      isCurrent(added) &&
      added.module !== moduleName &&
      findModule(set.catalog, added.module) &&
      namesModule(added.field, moduleName),
  );
  if (pointing) {
    const { module, field } = pointing;
    throw new AppError('INVALID_DATA', `${module}.${field.apiName} points at ${moduleName}; remove it first`, {
      api_name: 'module',
    });
  }
  save(set, { modules: [{ ...known, modifiedAt: set.now, removedAt: set.now }] });
}

const namesModule = ({ lookup, rows = [] }: Field, module: string): boolean =>
  lookup === module || rows.some((row) => row.lookup === module);

function hasRecords(set: WorkingSet, module: string): boolean {
  const isLeft = (written: object): written is StoredRecord => !('removed' in written);
  return (
    set.modulesInUse.has(module) ||
    [...set.writes.records.values()].some((written) => written.module === module && isLeft(written))
  );
}

interface Changed {
  readonly modules?: readonly AddedModule[];
  readonly fields?: readonly AddedField[];
}

/** Puts them into the write set and into the catalogue that the commands after see. */
function save(set: WorkingSet, changed: Changed): void {
  const { writes } = set;
  for (const module of changed.modules ?? []) writes.additions.modules.set(module.apiName, module);
  for (const added of changed.fields ?? []) writes.additions.fields.set(fieldKey(added), added);
  set.catalog = extend(set.catalog, changed);
  writes.counters = { ...writes.counters, catalogVersion: writes.counters.catalogVersion + 1 };
}

const extend = ({ additions }: Catalog, { modules = [], fields = [] }: Changed): Catalog =>
  createCatalog({
    modules: merge(additions.modules, modules, (module) => module.apiName),
    fields: merge(additions.fields, fields, fieldKey),
  });

/** Each replaces the one of its key in its place, or comes last. */
function merge<Item>(all: readonly Item[], changed: readonly Item[], key: (item: Item) => string): readonly Item[] {
  const byKey = new Map(all.map((item) => [key(item), item]));
  for (const item of changed) byKey.set(key(item), item);
  return [...byKey.values()];
}

const fieldKey = ({ module, field }: AddedField): string => `${module}.${field.apiName}`;

/** Both are written by `changeField` or read from the store, where key order says nothing. */
function isSame(a: Field, b: Field): boolean {
  const sorted = (field: Field) => JSON.stringify(Object.entries(field).toSorted(([x], [y]) => (x < y ? -1 : 1)));
  return sorted(a) === sorted(b);
}

function currentModule(catalog: Catalog, name: string): Module {
  const module = findModule(catalog, name);
  if (module) return module;
  throw new AppError('NOT_FOUND', 'There is no such module', { api_name: 'module' });
}

function addedModule(set: WorkingSet, name: string): AddedModule {
  currentModule(set.catalog, name);
  const added = set.catalog.additions.modules.find((known) => known.apiName === name && isCurrent(known));
  if (added) return added;
  throw badDefinition('$.module', `${name} is a standard module, which cannot be changed`);
}

function addedField(set: WorkingSet, moduleName: string, fieldName: string): AddedField {
  const field = findField(currentModule(set.catalog, moduleName), fieldName);
  if (!field) throw new AppError('NOT_FOUND', 'There is no such field', { api_name: 'field' });
  const added = set.catalog.additions.fields.find(
    (known) => known.module === moduleName && known.field.apiName === fieldName && isCurrent(known),
  );
  if (added) return added;
  throw badDefinition('$.field', `${fieldName} is a standard field, which cannot be changed`);
}

const limitReached = (what: string, limit: number): AppError =>
  new AppError('LIMIT_REACHED', `There are ${limit} ${what} at most`, { limit });
