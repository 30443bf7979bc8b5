import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { AppError } from '../domain/error.ts';

/**
 * Holds what arrives against a route's schema. Paths and queries are text, so they are read as the types asked for, with
 * defaults; a body says its types itself and is taken as it is. U+0000 is in no name and no id, and no store takes it.
 */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  let compiled: ReturnType<typeof Compile<TSchema>> | undefined;
  return (given: unknown) => {
    // When it is first asked for: all at once are a good part of a start.
    compiled ??= Compile(schema);
    const isText = httpPart !== 'body';
    const zero = isText ? withZero(given) : undefined;
    if (zero !== undefined) return { error: refuse([zero], 'is malformed') };
    const value = isText ? Value.Default(schema, asTyped(schema, given)) : given;
    if (compiled.Check(value)) return { value };
    return { error: invalid(compiled.Errors(value)) };
  };
};

/** The first parameter that has a U+0000 in it. */
const withZero = (given: unknown): string | undefined =>
  Object.entries(given ?? {}).find(([, value]) => [value].flat().some((text) => String(text).includes('\0')))?.[0];

/** Numbers and truth values out of the texts of a path or query; what is none stays text, to be refused. */
function asTyped(schema: TSchema, given: unknown): unknown {
  if (typeof given !== 'object' || given === null || !('properties' in schema)) return given;
  const properties = schema.properties as Readonly<Record<string, { readonly type?: string }>>;
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      typed(Object.hasOwn(properties, name) && properties[name]?.type, value),
    ]),
  );
}

function typed(type: string | false | undefined, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if ((type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?$/.test(value)) return Number(value);
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

interface Fault {
  readonly keyword?: string;
  /** JSON pointer to what is wrong; empty: the whole. */
  readonly instancePath?: string;
  readonly params?: object;
  readonly message?: string;
}

/** Names the member that is missing, too many or of another type, by the first fault. */
function invalid(faults: readonly Fault[]): AppError {
  const { keyword, instancePath = '', params = {}, message = 'is not as expected' } = faults[0] ?? {};
  const path = instancePath.split('/').slice(1);
  if (keyword === 'required' && 'requiredProperties' in params && Array.isArray(params.requiredProperties)) {
    return refuse([...path, String(params.requiredProperties[0])], 'is missing');
  }
  const choices = choicesOf(faults.filter((fault) => fault.instancePath === instancePath));
  if (choices.length > 0) return refuse(path, `must be one of ${choices.join(', ')}`);
  if (keyword === 'pattern') return refuse(path, 'is malformed');
  // What a closed object does not have is held against `false`.
  return refuse(path, keyword === 'boolean' ? 'is not known here' : message);
}

/** Of an enumeration, or of several constants that a value may be. */
const choicesOf = (faults: readonly Fault[]): unknown[] =>
  faults.flatMap(({ params = {} }) => {
    if ('allowedValues' in params && Array.isArray(params.allowedValues)) return params.allowedValues;
    return 'allowedValue' in params ? [params.allowedValue] : [];
  });

const refuse = (path: readonly string[], what: string): AppError =>
  new AppError('INVALID_DATA', `${path.join('.') || 'body'} ${what}`, {
    api_name: path.findLast((part) => !/^\d+$/.test(part)) ?? 'body',
    json_path: ['$', ...path].join('.').replaceAll(/\.(\d+)/g, '[$1]'),
  });
