import { isObject, type JsonObject } from '../../../src/domain/json.ts';
import { type Part, resolve } from './files.ts';

/** Something in an answer that its schema does not allow. */
export interface SchemaFault {
  /** As `$.watch[0].details`. */
  readonly path: string;
  readonly what: 'missing' | 'type' | 'null' | 'enum' | 'pattern' | 'format' | 'length';
  readonly says: string;
}

/** Faults that are intended do not weigh when a variant is chosen. */
export type IsIntended = (fault: SchemaFault) => boolean;

/**
 * What the OpenAPI 3.0 files use of JSON Schema, read as it stands. Written out because validators compile all that a
 * schema refers to, which each test file's process would do anew, and because of a union only the nearest variant's
 * faults are of use.
 */
const UNDERSTOOD = new Set([
  ...['$ref', 'type', 'nullable', 'properties', 'required', 'items', 'enum', 'oneOf', 'format', 'pattern', 'maxLength'],
  ...['additionalProperties', 'default', 'description', 'readOnly', 'example'],
]);

const FORMATS: Readonly<Record<string, RegExp>> = {
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/,
  date: /^\d{4}-\d\d-\d\d$/,
};

export function faultsOf(value: unknown, unresolved: Part, isIntended: IsIntended, path = '$'): readonly SchemaFault[] {
  const part = resolve(unresolved);
  if (!part) return [];
  const schema = part.value;
  const unknown = Object.keys(schema).find((keyword) => !UNDERSTOOD.has(keyword));
  if (unknown !== undefined) throw new Error(`${part.file}.json says "${unknown}", which this check does not know`);
  if (value === null && (schema.nullable === true || unresolved.value.nullable === true)) return [];
  if (Array.isArray(schema.oneOf)) return faultsOfVariants(value, variantsOf(part, schema.oneOf), isIntended, path);
  const own = ownFault(value, schema);
  if (own) return [{ path, ...own }];
  if (isObject(value)) return objectFaults(value, part, isIntended, path);
  if (Array.isArray(value) && isObject(schema.items)) {
    const items = { file: part.file, value: schema.items };
    return value.flatMap((item, i) => faultsOf(item, items, isIntended, `${path}[${i}]`));
  }
  return [];
}

const variantsOf = ({ file }: Part, variants: readonly unknown[]): Part[] =>
  variants.filter(isObject).map((value) => ({ file, value }));

/**
 * Any variant will do, not just one: the variants of the files overlap. One of which the answer has no key does not
 * count, as many have no mandatory keys and would allow every object.
 */
function faultsOfVariants(
  value: unknown,
  variants: readonly Part[],
  isIntended: IsIntended,
  path: string,
): readonly SchemaFault[] {
  const related = variants.filter((variant) => sharesKey(value, variant));
  const judged = (related.length > 0 ? related : variants.filter(hasMandatoryKeys)).map((variant) => {
    const faults = faultsOf(value, variant, isIntended, path);
    return { faults, weight: faults.filter((fault) => !isIntended(fault)).length + faults.length / 1e6 };
  });
  const [nearest] = judged.sort((a, b) => a.weight - b.weight);
  return nearest?.faults ?? [{ path, what: 'type', says: `${describe(value)} is none of the variants` }];
}

const hasMandatoryKeys = (variant: Part): boolean => Array.isArray(resolve(variant)?.value.required);

function sharesKey(value: unknown, variant: Part): boolean {
  const schema = resolve(variant)?.value;
  if (!schema || !isObject(schema.properties) || !isObject(value)) return true;
  const { properties } = schema;
  return Object.keys(value).length === 0 || Object.keys(value).some((key) => Object.hasOwn(properties, key));
}

function objectFaults(value: JsonObject, { file, value: schema }: Part, isIntended: IsIntended, path: string) {
  const required = Array.isArray(schema.required) ? schema.required.map(String) : [];
  const properties = isObject(schema.properties) ? schema.properties : {};
  const missing = required
    .filter((key) => !Object.hasOwn(value, key))
    .map((key): SchemaFault => ({ path: `${path}.${key}`, what: 'missing', says: 'is missing' }));
  const present = Object.entries(properties).flatMap(([key, inner]) =>
    Object.hasOwn(value, key) && isObject(inner)
      ? faultsOf(value[key], { file, value: inner }, isIntended, `${path}.${key}`)
      : [],
  );
  return [...missing, ...present];
}

function ownFault(value: unknown, schema: JsonObject): Omit<SchemaFault, 'path'> | undefined {
  const { type, format, pattern, maxLength } = schema;
  if (typeof type === 'string' && !isOfType(value, type)) {
    return { what: value === null ? 'null' : 'type', says: `is ${describe(value)}, not ${type}` };
  }
  if (Array.isArray(schema.enum) && !schema.enum.some((choice) => choice === value)) {
    return { what: 'enum', says: `${describe(value)} is none of the values listed` };
  }
  if (typeof value !== 'string') return undefined;
  if (typeof pattern === 'string' && !new RegExp(pattern).test(value)) {
    return { what: 'pattern', says: `${describe(value)} does not match ${pattern}` };
  }
  const form = typeof format === 'string' ? FORMATS[format] : undefined;
  if (form && !form.test(value)) return { what: 'format', says: `${describe(value)} is no ${String(format)}` };
  if (typeof maxLength === 'number' && value.length > maxLength) {
    return { what: 'length', says: `is longer than ${maxLength}` };
  }
  return undefined;
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'object') return isObject(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

const describe = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 100);
