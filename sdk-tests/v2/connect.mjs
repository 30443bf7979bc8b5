import assert from 'node:assert/strict';
import { join } from 'node:path';
import { startArrivals } from '../arrivals.mjs';
import { done, rows } from '../crm.mjs';
import { CLASSES } from './classes.mjs';

/** Signs an official SDK of version 2.0 or 2.1 in. Gives what `../connect.mjs` gives of the later ones. */
export async function connect(session) {
  const { sdk: name, base, folder, client, token, colleague, admin } = session;
  const sdk = CLASSES[name](name);
  const arrivals = await startArrivals(session);
  const oauth = new sdk.OAuthBuilder().clientId(client.id).clientSecret(client.secret);
  const signedIn = (token.grant ? oauth.grantToken(token.grant) : oauth.refreshToken(token.refresh)).build();
  const builder = await new sdk.InitializeBuilder();
  // The builder looks for an earlier one, and initialize() gives no promise of its end.
  await turn();
  builder
    .user(new sdk.UserSignature(token.grant ? colleague.email : 'patricia@example.com'))
    .environment(new sdk.Environment(base, `${base}/oauth/v2/token`, base, 'local'))
    .token(signedIn)
    .store(new sdk.FileStore(join(folder, 'tokens.txt')))
    .resourcePath(folder)
    .SDKConfig(new sdk.SDKConfigBuilder().autoRefreshFields(true).build())
    .logger(new sdk.LogBuilder().level(sdk.Levels.ERROR).filePath(join(folder, 'sdk.log')).build())
    .initialize();
  await turn();

  const { Record } = sdk;
  const operations = (module) => ofModule(new Record.RecordOperations(), module);
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
  const fill = async (map, kind, values = {}) => {
    for (const [key, value] of Object.entries(values)) await map.add(kind[key], value);
    return map;
  };
  const params = (kind, values) => fill(new sdk.ParameterMap(), kind, values);
  const headers = (kind, values) => fill(new sdk.HeaderMap(), kind, values);

  return {
    sdk,
    adapter: ADAPTER,
    session,
    signedIn,
    ...arrivals,
    operations,
    record,
    body,
    link: (id) => record({ id }),
    choice: (text) => new sdk.Choice(text),
    params,
    headers,

    /** As the later SDKs claim theirs; these versions do not tell the fields that changed. */
    notified: (module, operation, ids) => arrivals.notified(module, operation, ids),

    async create(module, ...records) {
      return done(await operations(module).createRecords(body(...records)), 201, 'record added');
    },
    async get(module, id) {
      return rows(await operations(module).getRecord(BigInt(id), await params(), await headers()))[0];
    },

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

/** What the topics that are those of the later SDKs need to know, see `../adapters.mjs`. */
const ADAPTER = { mixed: 202 };

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** The record operations with the module filled in: it comes after the id where one record is named, else first. */
function ofModule(operations, module) {
  const one = /^(?:get|update|delete)Record(?:UsingExternalId)?$/;
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(operations));
  return Object.fromEntries(
    names.map((name) => [
      name,
      one.test(name)
        ? (id, ...rest) => operations[name](id, module, ...rest)
        : (...rest) => operations[name](module, ...rest),
    ]),
  );
}
