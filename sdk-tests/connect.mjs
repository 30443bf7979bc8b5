import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ADAPTERS } from './adapters.mjs';
import { startArrivals } from './arrivals.mjs';
import { done, rows } from './crm.mjs';

/** Signs one official SDK in, as it is published, and gives what the topics use of it. `session` comes from suite.ts. */
export async function connect(session) {
  const { sdk: name, base, folder, client, token, admin } = session;
  const loaded = await import(name);
  const adapter = ADAPTERS[name];
  const sdk = { ...(loaded.default ?? loaded) };
  for (const [wanted, own] of Object.entries(adapter.names)) sdk[wanted] = sdk[own];
  const arrivals = await startArrivals(session);
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
    adapter,
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
