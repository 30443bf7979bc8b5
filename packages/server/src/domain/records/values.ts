import { isObject, isStorable, type Json } from '../json.ts';
import type { Field } from '../module.ts';
import { parseDate, parseTime } from '../time.ts';
import { readRecordId } from './ids.ts';
import { readFraction, readWhole } from './numbers.ts';
import { invalidValue, malformedId, missingValue } from './refusals.ts';
import { done, type Result, refused } from './result.ts';
import { readRows } from './subform.ts';

const MAX_CHOICES = 200;
const NO_CHOICE = '-None-';

const DEFAULT_LENGTH = { text: 255, textarea: 32_000, email: 100, phone: 30, website: 450 } as const;
const EMAIL = /^[^\s@"(),:;<>[\\\]]+@[^\s@.]+(?:\.[^\s@.]+)+$/;
const PHONE = /^[\p{L}\d +()./;,#*-]+$/u;
const WEBSITE = /^(?:(?:https?|ftp):\/\/)?[\p{L}\d_-]+(?:\.[\p{L}\d_-]+)+(?::\d{1,5})?(?:[/?#]\S*)?$/iu;

/** Fields that callers cannot set: what they send for them is ignored, as the API does. */
export const isSettable = (field: Field): boolean =>
  !field.readOnly && field.type !== 'autonumber' && field.type !== 'formula' && field.type !== 'profileimage';

/**
 * Checks one given value against its field and normalises it to what is stored; `null` empties the field.
 * Lookups become `{ id }` (whether it exists is decided later), date-times UTC, integers beyond 2^53 digits.
 */
export function readValue(field: Field, input: Json, path: string): Result<Json> {
  if (input === null) return done(null);
  const name = field.apiName;
  const wrong = (expected: string) => refused(invalidValue(path, name, { expected_data_type: expected }));

  switch (field.type) {
    case 'text':
    case 'textarea':
      return readText(field, input, path, DEFAULT_LENGTH[field.type], 'text', /^/);
    case 'email':
      return readText(field, input, path, DEFAULT_LENGTH.email, 'email', EMAIL);
    case 'phone':
      return readText(field, input, path, DEFAULT_LENGTH.phone, 'phone', PHONE);
    case 'website':
      return readText(field, input, path, DEFAULT_LENGTH.website, 'website', WEBSITE);
    case 'integer':
    case 'bigint':
      return readWhole(field, input, path);
    case 'double':
    case 'currency':
    case 'percent':
      return readFraction(field, input, path);
    case 'boolean':
      return typeof input === 'boolean' ? done(input) : wrong('boolean');
    case 'date':
      return typeof input === 'string' && parseDate(input) !== undefined ? done(input) : wrong('date');
    case 'datetime':
      return readTime(field, input, path);
    case 'picklist':
      return readChoice(field, input, path);
    case 'multiselectpicklist':
      return readChoices(field, input, path);
    case 'lookup':
    case 'ownerlookup':
    case 'userlookup':
      return readLookup(field, input, path);
    case 'subform':
      return readRows(field, input, path, readValue);
    case 'autonumber':
    case 'formula':
    case 'profileimage':
      return done(null);
  }
}

function readText(
  field: Field,
  input: Json,
  path: string,
  defaultLength: number,
  expected: string,
  pattern: RegExp,
): Result<Json> {
  if (typeof input !== 'string' || !isStorable(input)) {
    return refused(invalidValue(path, field.apiName, { expected_data_type: expected }));
  }
  if (input.trim() === '') return done(null);
  const longest = field.length ?? defaultLength;
  if (input.length > longest) return refused(invalidValue(path, field.apiName, { maximum_length: longest }));
  if (!pattern.test(input)) return refused(invalidValue(path, field.apiName, { expected_data_type: expected }));
  return done(input);
}

function readTime(field: Field, input: Json, path: string): Result<Json> {
  const time = typeof input === 'string' ? parseTime(input) : undefined;
  const inUtc = time === undefined ? '' : `${new Date(time).toISOString().slice(0, 19)}Z`;
  // The first and last hours of the calendar can be outside it in UTC.
  if (parseTime(inUtc) !== time || time === undefined) {
    return refused(invalidValue(path, field.apiName, { expected_data_type: 'datetime' }));
  }
  return done(inUtc);
}

function readChoice(field: Field, input: Json, path: string): Result<Json> {
  if (input === '' || input === NO_CHOICE) return done(null);
  if (typeof input !== 'string') {
    return refused(invalidValue(path, field.apiName, { expected_data_type: 'picklist' }));
  }
  if (!field.pickList) return readText(field, input, path, DEFAULT_LENGTH.text, 'picklist', /^/);
  if (!field.pickList.includes(input)) {
    return refused(invalidValue(path, field.apiName, { supported_values: field.pickList }));
  }
  return done(input);
}

function readChoices(field: Field, input: Json, path: string): Result<Json> {
  if (!Array.isArray(input)) {
    return refused(invalidValue(path, field.apiName, { expected_data_type: 'jsonarray' }));
  }
  if (input.length > MAX_CHOICES) return refused(invalidValue(path, field.apiName, { maximum_length: MAX_CHOICES }));
  const chosen = new Set<string>();
  for (const item of input) {
    const choice = readChoice(field, item, path);
    if (!choice.ok) return choice;
    if (typeof choice.value === 'string') chosen.add(choice.value);
  }
  return done(chosen.size > 0 ? [...chosen] : null);
}

function readLookup(field: Field, input: Json, path: string): Result<Json> {
  if (isObject(input)) {
    if (input.id === null) return done(null);
    if (input.id === undefined) return refused(missingValue(`${path}.${field.apiName}`, 'id'));
    const id = readRecordId(input.id);
    return id ? done({ id }) : refused(malformedId(`${path}.${field.apiName}`));
  }
  if (input === '') return done(null);
  const id = readRecordId(input);
  return id ? done({ id }) : refused(invalidValue(path, field.apiName, { expected_data_type: 'jsonobject' }));
}
