import { AppError } from './error.ts';
import type { RecordId } from './ids.ts';
import { isObject, isStorable, type Json, type JsonObject } from './json.ts';
import type { Field } from './module.ts';
import { TAG_FIELD } from './records/tags.ts';

// Values of records that live elsewhere. They are not held against lengths, choices or formats of their fields; only what
// they are in JSON must be as in the record API's answers, since receivers read both alike.

/** Most characters of one value, written as JSON. */
export const MAX_VALUE_LENGTH = 65_535;
/** Lists and objects inside one another in one value. */
const MAX_VALUE_DEPTH = 8;
const MAX_NAME_LENGTH = 255;

const ID = /^\w[\w.:-]{0,63}$/;

/** What of an input cannot be; `path` is where, such as `$.changes[0].records[2].id`. */
export const refuse = (path: string, what: string, why: JsonObject = {}): AppError =>
  new AppError('INVALID_DATA', `${path.slice(2)} ${what}`, {
    ...why,
    api_name: /\w+(?=(?:\[\d+\])?$)/.exec(path)?.[0] ?? '',
    json_path: path,
  });

/** Bounded, and safe in URLs, in lists between commas and in keys of our own. */
export function readExternalId(text: Json | undefined, path: string): RecordId {
  if (typeof text === 'string' && ID.test(text)) return text as RecordId;
  throw refuse(path, 'must be a text of 1 to 64 letters, digits and _ . : - that begins with none of the last three');
}

/** A value as it is reported: lookups and users as objects with a name, what JSON numbers cannot hold as text. */
export function readExternalValue(field: Field, input: Json, path: string): Json {
  if (input === null) return null;
  switch (shapeOf(field)) {
    case 'text':
      return typeof input === 'string' ? readText(input, path) : wrongType(path, 'text');
    case 'number':
      if (typeof input === 'string') return readText(input, path);
      return typeof input === 'number' || typeof input === 'bigint'
        ? readPlain(input, path)
        : wrongType(path, 'number');
    case 'boolean':
      return typeof input === 'boolean' ? input : wrongType(path, 'boolean');
    case 'list':
      return Array.isArray(input) ? readWhole(input, path) : wrongType(path, 'jsonarray');
    case 'lookup':
      return readReference(input, path);
    case 'user':
      return { ...readReference(input, path), ...emailOf(input, path) };
    case 'any':
      return readWhole(input, path);
  }
}

type Shape = 'text' | 'number' | 'boolean' | 'list' | 'lookup' | 'user' | 'any';

function shapeOf({ type, apiName }: Field): Shape {
  if (apiName === TAG_FIELD) return 'list';
  switch (type) {
    case 'text':
    case 'textarea':
    case 'email':
    case 'phone':
    case 'website':
    case 'date':
    case 'datetime':
    case 'picklist':
    case 'autonumber':
    case 'profileimage':
      return 'text';
    case 'integer':
    case 'bigint':
    case 'double':
    case 'currency':
    case 'percent':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'multiselectpicklist':
    case 'subform':
      return 'list';
    case 'lookup':
      return 'lookup';
    case 'ownerlookup':
    case 'userlookup':
      return 'user';
    case 'formula':
      return 'any';
  }
}

const wrongType = (path: string, expected: string): never => {
  throw refuse(path, `is no ${expected}`, { expected_data_type: expected });
};

/** The id alone, or an object with it and what the record is called. */
function readReference(input: Json, path: string): { readonly name: string | null; readonly id: RecordId } {
  if (typeof input === 'string') return { name: null, id: readExternalId(input, path) };
  if (!isObject(input)) return wrongType(path, 'jsonobject');
  const id = readExternalId(input.id, `${path}.id`);
  const { name = null } = input;
  return { name: name === null ? null : readShort(name, `${path}.name`), id };
}

function emailOf(input: Json, path: string): JsonObject {
  const email = isObject(input) ? input.email : undefined;
  return email === undefined || email === null ? {} : { email: readShort(email, `${path}.email`) };
}

function readShort(input: Json, path: string): string {
  if (typeof input !== 'string') return wrongType(path, 'text');
  if (input.length > MAX_NAME_LENGTH) throw tooLong(path, MAX_NAME_LENGTH);
  return readText(input, path);
}

const tooLong = (path: string, maximum: number): AppError =>
  refuse(path, `is longer than ${maximum} characters`, { maximum_length: maximum });

function readText(text: string, path: string): string {
  if (text.length > MAX_VALUE_LENGTH) throw tooLong(path, MAX_VALUE_LENGTH);
  if (isStorable(text)) return text;
  throw refuse(path, 'has a character that cannot be stored: a zero, or half of a surrogate pair');
}

function readPlain(number: number | bigint, path: string): Json {
  if (typeof number === 'bigint') return number.toString();
  if (Number.isFinite(number)) return number;
  throw refuse(path, 'is a number too large to be kept');
}

/** With all that is in it. */
function readWhole(input: Json, path: string): Json {
  const value = readInner(input, path, 0);
  if (JSON.stringify(value).length > MAX_VALUE_LENGTH) throw tooLong(path, MAX_VALUE_LENGTH);
  return value;
}

function readInner(input: Json, path: string, depth: number): Json {
  if (typeof input === 'string') return readText(input, path);
  if (typeof input === 'number' || typeof input === 'bigint') return readPlain(input, path);
  if (input === null || typeof input === 'boolean') return input;
  if (depth === MAX_VALUE_DEPTH) throw refuse(path, `is nested more than ${MAX_VALUE_DEPTH} deep`);
  if (isObject(input)) {
    return Object.fromEntries(
      Object.entries(input).map(([key, value]) => [readText(key, path), readInner(value, path, depth + 1)]),
    );
  }
  return input.map((item) => readInner(item, path, depth + 1));
}

/** Whether two values, both read, are the same; lookups by their ids, objects whatever the order of their keys. */
export function isSameValue(field: Field, a: Json, b: Json): boolean {
  const isReference = field.type === 'lookup' || field.type === 'ownerlookup' || field.type === 'userlookup';
  return isReference && isObject(a) && isObject(b) ? a.id === b.id : isEqual(a, b);
}

function isEqual(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, i) => isEqual(item, b[i] ?? null));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key] ?? null, b[key] ?? null))
  );
}
