import { join } from 'node:path';
import { startArrivals } from '../arrivals.mjs';
import { tools } from '../tools.mjs';
import { CLASSES } from './classes.mjs';

/** Signs an official SDK of version 2.0 or 2.1 in. Gives what `../connect.mjs` gives of the later ones. */
export async function connect(session) {
  const { sdk: name, base, folder, client, token, colleague } = session;
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

  const operations = (module) => ofModule(new sdk.Record.RecordOperations(), module);
  return {
    sdk,
    adapter: ADAPTER,
    session,
    signedIn,
    ...arrivals,
    ...tools(sdk, session, operations),
    /** As the later SDKs claim theirs; these versions do not tell the fields that changed. */
    notified: (module, operation, ids) => arrivals.notified(module, operation, ids),
  };
}

/** What the topics that are those of the later SDKs need to know, see `../adapters.mjs`. */
const ADAPTER = {
  mixed: 202,
  modules: (operations, _params, headers) => operations.getModules(headers),
  fields: async ({ sdk: { Fields }, params }, module) => new Fields.FieldsOperations(module).getFields(await params()),
  lookedUp: ({ lookup }) => lookup?.module,
};

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
