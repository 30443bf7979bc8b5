import assert from 'node:assert/strict';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { startArrivals } from './arrivals.mjs';

/** What the two SDKs want in different types. */
const ADAPTERS = {
  '@zohocrm/typescript-sdk-8.0': { yes: () => true, channelIds: (id) => id, color: (_sdk, text) => text },
  '@zohocrm/nodejs-sdk-8.0': {
    yes: ({ Choice }) => new Choice(true),
    channelIds: BigInt,
    color: ({ Choice }, text) => new Choice(text),
  },
};

/** Signs one official SDK in, as it is published, and gives what the topics use of it. `session` comes from suite.ts. */
export async function connect(session) {
  const { sdk: name, base, folder, client, token, admin } = session;
  const loaded = await import(name);
  const sdk = loaded.default ?? loaded;
  const arrivals = await startArrivals();
  const oauth = new sdk.OAuthBuilder().clientId(client.id).clientSecret(client.secret);
  const signedIn = (token.grant ? oauth.grantToken(token.grant) : oauth.refreshToken(token.refresh)).build();
  await (await new sdk.InitializeBuilder())
    .environment(new sdk.Environment(base, `${base}/oauth/v2/token`, base))
    .token(signedIn)
    .store(new sdk.FileStore(join(folder, 'tokens.txt')))
    // With its slash: one place in the SDKs joins paths without.
    .resourcePath(`${folder}/`)
    .SDKConfig(new sdk.SDKConfigBuilder().autoRefreshFields(true).build())
    .logger(new sdk.LogBuilder().level(sdk.Levels.ERROR).filePath(join(folder, 'sdk.log')).build())
    .initialize();

  const { Record } = sdk;
  const operations = (module) => new Record.RecordOperations(module);
  const record = ({ id, ...values }) => {
    const made = new Record.Record();
    if (id) made.setId(BigInt(id));
    for (const [key, value] of Object.entries(values)) made.addKeyValue(key, value);
    return made;
  };
  const body = (...records) => {
    const made = new Record.BodyWrapper();
    made.setData(records.map(record));
    return made;
  };
  const params = (kind, values) => fill(new sdk.ParameterMap(), kind, values);
  const headers = (kind, values) => fill(new sdk.HeaderMap(), kind, values);

  return {
    sdk,
    adapter: ADAPTERS[name],
    session,
    signedIn,
    ...arrivals,
    operations,
    /** A record of the SDK; the key `id` is set as its id. */
    record,
    body,
    /** What a lookup or an owner is set to. */
    link: (id) => record({ id }),
    choice: (text) => new sdk.Choice(text),
    /** Parameters by their names in the class: `params(Record.GetRecordsParam, { PER_PAGE: 2 })`. */
    params,
    headers,

    /** Creates records and gives their ids. */
    async create(module, ...records) {
      return done(await operations(module).createRecords(body(...records)), 201, 'record added');
    },
    /** One record; undefined when there is none. */
    async get(module, id) {
      const response = await operations(module).getRecord(BigInt(id), await params(), await headers());
      return rows(response)[0];
    },

    /** A call of our own administration, which no SDK knows. */
    async administer(method, path, content) {
      const response = await fetch(`${base}/_watchbell/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
        ...(content && { body: JSON.stringify(content) }),
      });
      const text = await response.text();
      assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
      return text === '' ? undefined : JSON.parse(text);
    },
  };
}

async function fill(map, kind, values = {}) {
  for (const [key, value] of Object.entries(values)) await map.add(kind[key], value);
  return map;
}

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

/** The records of an answer; none for 204. */
export function rows(response) {
  if (response.getStatusCode() === 204) return [];
  const object = response.getObject();
  assert.equal(typeof object?.getData, 'function', JSON.stringify(plain(object)));
  return object.getData().map(plain);
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
