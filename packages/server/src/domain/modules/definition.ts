import { AppError } from '../error.ts';
import { isStorable } from '../json.ts';
import type { Field, Module } from '../module.ts';
import { type Catalog, findModule } from './catalog.ts';

/** Types that an organisation may give to its fields; rows of a subform have any of them but the last. */
export const ADDABLE_TYPES = [
  'text',
  'textarea',
  'email',
  'phone',
  'website',
  'integer',
  'bigint',
  'double',
  'currency',
  'percent',
  'boolean',
  'date',
  'datetime',
  'picklist',
  'multiselectpicklist',
  'lookup',
  'userlookup',
  'subform',
] as const;
type AddableType = (typeof ADDABLE_TYPES)[number];

/** A field as somebody asks for it. What is left out follows from the type. */
export interface FieldInput {
  readonly apiName: string;
  readonly label?: string;
  readonly type: AddableType;
  readonly length?: number;
  readonly decimals?: number;
  readonly mandatory?: boolean;
  readonly unique?: boolean;
  readonly external?: 'org' | 'user';
  readonly pickList?: readonly string[];
  /** API name of the module a lookup points at. */
  readonly lookup?: string;
  readonly rows?: readonly FieldInput[];
}

export interface ModuleInput {
  readonly apiName: string;
  readonly singular: string;
  readonly plural: string;
  /** Whether its records live elsewhere; never changes. */
  readonly external?: boolean;
  readonly fields: readonly FieldInput[];
}

export const LIMITS = {
  modules: 500,
  fields: 500,
  rows: 50,
  pickList: 1000,
  name: 50,
  label: 100,
  choice: 120,
} as const;

/** Length when none is asked for, and the most that may be: characters of a text, digits of a number. */
const LENGTHS: Record<AddableType, { readonly length?: number; readonly most?: number; readonly decimals?: number }> = {
  text: { length: 255, most: 255 },
  textarea: { length: 32_000, most: 32_000 },
  email: { length: 100, most: 100 },
  phone: { length: 30, most: 30 },
  website: { length: 450, most: 450 },
  integer: { length: 9, most: 9 },
  bigint: { length: 18, most: 18 },
  double: { length: 16, most: 16, decimals: 2 },
  currency: { length: 16, most: 16, decimals: 2 },
  percent: { length: 5, most: 5, decimals: 2 },
  boolean: { length: 5 },
  date: { length: 20 },
  datetime: { length: 120 },
  picklist: { length: 120 },
  multiselectpicklist: { length: 2000 },
  lookup: { length: 120 },
  userlookup: { length: 120 },
  subform: {},
};
const MAX_DECIMALS = 9;

const NAME = /^[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*$/;
const UNIQUE_TYPES: readonly string[] = ['text', 'email', 'phone', 'integer', 'bigint', 'double', 'currency'];
const RESERVED_MODULES = ['actions', 'bulk', 'composite_requests', 'coql', 'files', 'org', 'settings', 'tags', 'users'];
const RESERVED_FIELDS = ['id', 'module', 'se_module', 'parent_id'];

/** What a definition cannot be; `path` is where it says so, such as `$.fields[0].length`. */
export const badDefinition = (path: string, what: string): AppError =>
  new AppError('INVALID_DATA', `${path.slice(2)} ${what}`, {
    api_name: /\w+(?=(?:\[\d+\])?$)/.exec(path)?.[0] ?? '',
    json_path: path,
  });

export function checkLabel(text: string, path: string): string {
  if (text.trim() !== '' && text.length <= LIMITS.label && isStorable(text)) return text;
  throw badDefinition(path, `must have 1 to ${LIMITS.label} characters`);
}

function checkName(name: string, path: string, reserved: readonly string[]): string {
  if (!NAME.test(name) || name.length > LIMITS.name) {
    throw badDefinition(
      path,
      `must have 1 to ${LIMITS.name} letters, digits and single underscores, and begin with a letter`,
    );
  }
  if (reserved.includes(name.toLowerCase())) throw badDefinition(path, `cannot be ${name}, which is reserved`);
  return name;
}

/** A new module's own words; neither a standard nor an added one, current or removed, is called so. */
export function checkModule({ apiName, singular, plural }: ModuleInput, { modules, additions }: Catalog): void {
  checkName(apiName, '$.api_name', RESERVED_MODULES);
  const taken = [...modules, ...additions.modules].map((known) => known.apiName.toLowerCase());
  if (taken.includes(apiName.toLowerCase())) throw nameTaken('$.api_name', apiName, 'module');
  checkLabel(singular, '$.singular');
  checkLabel(plural, '$.plural');
}

/** The field to store. Throws `AppError` INVALID_DATA or DUPLICATE_DATA that names what is wrong. */
export function readField(input: FieldInput, module: Module, catalog: Catalog, path: string): Field {
  checkName(input.apiName, `${path}.api_name`, RESERVED_FIELDS);
  const removed = catalog.additions.fields.filter((added) => added.module === module.apiName);
  const taken = [...module.fields, ...removed.map((added) => added.field)];
  if (taken.some((known) => known.apiName.toLowerCase() === input.apiName.toLowerCase())) {
    throw nameTaken(`${path}.api_name`, input.apiName, 'field');
  }
  return describe(input, { catalog, isExternal: module.isExternal ?? false }, path);
}

/** What a field is described for. */
interface Place {
  readonly catalog: Catalog;
  /** Whether its module is external: what it points at is never looked up, so it may be elsewhere, too. */
  readonly isExternal: boolean;
}

function describe(input: FieldInput, place: Place, path: string): Field {
  const { apiName, label = apiName.replaceAll('_', ' '), type, external, rows } = input;
  const isUnique = input.unique || external !== undefined;
  if (isUnique && !UNIQUE_TYPES.includes(type)) {
    throw badDefinition(`${path}.${external ? 'external' : 'unique'}`, `cannot be asked of type ${type}`);
  }
  return {
    apiName,
    label: checkLabel(label, `${path}.label`),
    type,
    ...sizes(input, path),
    ...(input.mandatory && { mandatory: true }),
    ...(isUnique && { unique: true }),
    ...(external && { external }),
    ...(type === 'picklist' || type === 'multiselectpicklist'
      ? { pickList: checkPickList(input.pickList, `${path}.pick_list`) }
      : refuse(input.pickList, `${path}.pick_list`, type)),
    ...(type === 'lookup'
      ? { lookup: lookupModule(input.lookup, place, `${path}.lookup`) }
      : refuse(input.lookup, `${path}.lookup`, type)),
    ...(type === 'subform'
      ? { rows: readRows(rows, place, `${path}.rows`), unreported: true }
      : refuse(rows, `${path}.rows`, type)),
  };
}

function sizes(input: FieldInput, path: string): Pick<Field, 'length' | 'decimals'> {
  const { length, most, decimals } = LENGTHS[input.type];
  if (input.length !== undefined && (most === undefined || !isWithin(input.length, 1, most))) {
    throw badDefinition(
      `${path}.length`,
      most === undefined ? `does not go with type ${input.type}` : `must be 1 to ${most} for type ${input.type}`,
    );
  }
  if (input.decimals !== undefined && (decimals === undefined || !isWithin(input.decimals, 0, MAX_DECIMALS))) {
    throw badDefinition(
      `${path}.decimals`,
      decimals === undefined ? `does not go with type ${input.type}` : `must be 0 to ${MAX_DECIMALS}`,
    );
  }
  const digits = input.length ?? length;
  const places = input.decimals ?? decimals;
  return { ...(digits !== undefined && { length: digits }), ...(places !== undefined && { decimals: places }) };
}

const isWithin = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;

function refuse(given: unknown, path: string, type: string): object {
  if (given === undefined) return {};
  throw badDefinition(path, `does not go with type ${type}`);
}

export function checkPickList(values: readonly string[] | undefined, path: string): readonly string[] {
  if (!values || values.length === 0 || values.length > LIMITS.pickList) {
    throw badDefinition(path, `must have 1 to ${LIMITS.pickList} values`);
  }
  const known = new Set<string>();
  values.forEach((value, i) => {
    const at = `${path}[${i}]`;
    if (value.trim() !== value || value === '' || value.length > LIMITS.choice || !isStorable(value)) {
      throw badDefinition(at, `must have 1 to ${LIMITS.choice} characters, without blanks around them`);
    }
    if (value === '-None-') throw badDefinition(at, 'cannot be -None-, which stands for no value');
    if (known.has(value)) throw badDefinition(at, 'repeats a value');
    known.add(value);
  });
  return values;
}

function lookupModule(name: string | undefined, { catalog, isExternal }: Place, path: string): string {
  const module = name === undefined ? undefined : findModule(catalog, name);
  if (module?.hasRecords || (isExternal && module?.isExternal)) return module.apiName;
  throw badDefinition(
    path,
    module?.isExternal
      ? `cannot be ${module.apiName}, which is external: whether a record of it is there cannot be told`
      : 'must name a module that has records',
  );
}

function readRows(rows: readonly FieldInput[] | undefined, place: Place, path: string): readonly Field[] {
  if (!rows || rows.length === 0 || rows.length > LIMITS.rows) {
    throw badDefinition(path, `must have 1 to ${LIMITS.rows} fields`);
  }
  const names = new Set<string>();
  return rows.map((row, i) => {
    const at = `${path}[${i}]`;
    checkName(row.apiName, `${at}.api_name`, RESERVED_FIELDS);
    if (names.has(row.apiName.toLowerCase())) throw nameTaken(`${at}.api_name`, row.apiName, 'field');
    names.add(row.apiName.toLowerCase());
    if (row.type === 'subform') throw badDefinition(`${at}.type`, 'cannot be subform within a subform');
    if (row.unique || row.external) throw badDefinition(`${at}.unique`, 'cannot be asked of a row');
    return describe(row, place, at);
  });
}

export const nameTaken = (path: string, name: string, what: 'module' | 'field'): AppError =>
  new AppError('DUPLICATE_DATA', `A ${what} is or was called ${name}`, {
    api_name: 'api_name',
    json_path: path,
  });
