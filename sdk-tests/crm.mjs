import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';

/** An object of the SDK, filled by its setters: `make(Notes.Note, { noteTitle: 'x' })`. */
export function make(Class, values) {
  const made = new Class();
  for (const [key, value] of Object.entries(values)) made[`set${key[0].toUpperCase()}${key.slice(1)}`](value);
  return made;
}

/** The entries of an action, each as the class that the SDK saw in it, with its code, message and details. */
export function entries(response, list = 'getData') {
  const object = response.getObject();
  assert.equal(typeof object?.[list], 'function', `${object?.constructor.name}: ${JSON.stringify(plain(object))}`);
  return object[list]().map((entry) => ({ class: entry.constructor.name, ...plain(entry) }));
}

/** Asserts that every entry succeeded with this status and message, and gives the ids. */
export function done(response, status, message, list = 'getData') {
  const found = entries(response, list);
  for (const entry of found) {
    assert.equal(entry.class.endsWith('SuccessResponse'), true, JSON.stringify(entry));
    assert.deepEqual({ ...entry, class: '', details: {} }, { ...entry, ...SUCCESS, message, class: '', details: {} });
  }
  assert.equal(response.getStatusCode(), status);
  return found.map(({ details }) => details?.id);
}

const SUCCESS = { code: 'SUCCESS', status: 'success' };

/** The entries that were refused, as code and details. */
export function refusals(response, list = 'getData') {
  return entries(response, list).map((entry) => {
    assert.deepEqual([entry.class, entry.status], ['APIException', 'error'], JSON.stringify(entry));
    return { code: entry.code, details: entry.details };
  });
}

/** The refusal of a whole call, with its status. */
export function refusal(response) {
  const { code, details, status, message } = plain(response.getObject());
  assert.deepEqual([response.getObject().constructor.name, status], ['APIException', 'error']);
  assert.equal(typeof message, 'string');
  return { status: response.getStatusCode(), code, details };
}

/** The records of an answer, or what else it lists; none for 204. */
export function rows(response, list = 'getData') {
  if (response.getStatusCode() === 204) return [];
  const object = response.getObject();
  assert.equal(typeof object?.[list], 'function', JSON.stringify(plain(object)));
  return object[list]().map(plain);
}

export const info = (response) => plain(response.getObject().getInfo());

/**
 * A value of the SDK as plain data: ids as text, times as ISO text, choices as their values, records as their keys and
 * values, other objects by their getters.
 */
export function plain(value) {
  if (value === null || typeof value !== 'object') return typeof value === 'bigint' ? value.toString() : value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return pick([...value]);
  if (typeof value.getKeyValues === 'function') return pick([...value.getKeyValues()]);
  if (value.constructor.name === 'Choice') return value.getValue();
  if (Object.getPrototypeOf(value) === Object.prototype) return pick(Object.entries(value));
  return pick(getters(value).map((name) => [name[3].toLowerCase() + name.slice(4), value[name]()]));
}

const pick = (pairs) =>
  Object.fromEntries(pairs.flatMap(([key, inner]) => (inner === undefined ? [] : [[key, plain(inner)]])));

const getters = (value) =>
  Object.getOwnPropertyNames(Object.getPrototypeOf(value)).filter(
    (name) => /^get[A-Z]/.test(name) && value[name].length === 0,
  );

/** Asserts that `actual` has what `expected` has; keys beyond those are free. */
export function has(actual, expected) {
  const same = matches(actual, expected);
  if (!same) assert.deepEqual(actual, expected);
}

function matches(actual, expected) {
  if (expected === null || typeof expected !== 'object') return isDeepStrictEqual(actual, expected);
  if (actual === null || typeof actual !== 'object') return false;
  if (Array.isArray(expected) && actual.length !== expected.length) return false;
  return Object.entries(expected).every(([key, value]) => matches(actual[key], value));
}
