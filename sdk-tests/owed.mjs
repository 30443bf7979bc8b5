import assert from 'node:assert/strict';

// What a notification holds, written down from the published samples (reference §5.2 and §5.3), not from the server.

const ID = /^\d{1,19}$/;
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const ids = (value) => Array.isArray(value) && value.length > 0 && value.every((id) => ID.test(id));

/** Every key in its order, and what it may hold. */
const KEYS = {
  server_time: (value) => Number.isInteger(value) && value > 1_700_000_000_000 && value <= Date.now(),
  affected_values: (value, { ids }) => same(value, ids, 'record_id') && value.every(isValues),
  query_params: (value) => isObject(value) && Object.values(value).every((text) => typeof text === 'string'),
  module: (value) => typeof value === 'string',
  resource_uri: (value, { module }, base) => value === `${base}/crm/v2/${module}`,
  ids,
  affected_fields: (value, { operation, ids }) =>
    operation === 'insert' ? Array.isArray(value) && value.length === 0 : sameKeys(value, ids) && value.every(isFields),
  operation: (value) => ['insert', 'update', 'delete'].includes(value),
  channel_id: (value) => typeof value === 'string' && /^-?\d+$/.test(value),
  token: (value) => value === null || typeof value === 'string',
};

const isValues = (item) => Object.keys(item).join() === 'record_id,values' && isObject(item.values);
const isFields = (item) => Object.values(item).every((list) => list.every((name) => typeof name === 'string'));
const same = (list, wanted, key) => Array.isArray(list) && list.map((item) => item[key]).join() === wanted.join();
const sameKeys = (list, wanted) => list.map((item) => Object.keys(item).join()).join() === wanted.join();

/** The keys that a channel opened or replaced by a call of this version is told, but for values it asked for. */
const keysOf = (version) =>
  Object.keys(KEYS).filter((key) => !version.startsWith('v2') || !/^server_time$|^affected_/.test(key));

/**
 * Asserts that a notification has every key of its version and no other, in order, each of its type, and that what it
 * says of each record agrees. `affected_values` is there when the channel asked for it.
 */
export function assertForm(notification, { version, base }) {
  const keys = keysOf(version).filter((key) => key !== 'affected_values' || key in notification);
  assert.deepEqual(Object.keys(notification), keys);
  for (const key of keys) {
    const fits = KEYS[key](notification[key], notification, base);
    assert.ok(fits, `${key} of ${JSON.stringify(notification)}`);
  }
}

/**
 * Asserts that a notification says all of `expected` and nothing else, keys in order down to those of values. Its time
 * alone is not compared.
 */
export function assertIs(notification, expected, { version, base }) {
  const whole = { server_time: notification.server_time, ...expected };
  whole.resource_uri = `${base}/crm/v2/${expected.module}`;
  const keys = keysOf(version).filter((key) => key !== 'affected_values' || expected.affected_values);
  const owed = Object.fromEntries(keys.map((key) => [key, whole[key]]));
  assert.equal(JSON.stringify(notification, undefined, 1), JSON.stringify(owed, undefined, 1));
}
