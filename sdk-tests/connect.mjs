import { join } from 'node:path';
import { ADAPTERS } from './adapters.mjs';
import { startArrivals } from './arrivals.mjs';
import { tools } from './tools.mjs';

/** Signs one official SDK in, as it is published, and gives what the topics use of it. `session` comes from suite.ts. */
export async function connect(session) {
  const { sdk: name, base, folder, client, token } = session;
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

  const operations = (module) => new sdk.Record.RecordOperations(module);
  return { sdk, adapter, session, signedIn, ...arrivals, ...tools(sdk, session, operations) };
}
