import assert from 'node:assert/strict';
import { done, rows } from './crm.mjs';

/** What the topics use of an SDK that is signed in, whatever its version. `operations(module)` are those of records. */
export function tools(sdk, { base, admin }, operations) {
  const { Record } = sdk;
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
