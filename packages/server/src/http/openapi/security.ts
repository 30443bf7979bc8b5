import type { ScopeNeed } from '../../domain/scope.ts';
import type { ApiVersion } from '../../domain/wire/api-version.ts';
import type { Call } from '../call.ts';
import type { ServedRoute } from './routes.ts';
import type { JsonSchema } from './shapes.ts';

/** What opens an operation: any one of these. Empty: nothing is needed. */
export function securityOf({ path, scope, need }: ServedRoute, versions: readonly ApiVersion[]): object[] {
  if (need) return scopeNames(need).map((name) => ({ oauth: [name] }));
  if (/^\/_watchbell\/v1\//.test(path) || path === '/metrics') return [{ operator: [] }];
  const [version] = versions.slice(-1);
  if (!scope || !version) return [];
  return scopeNames(scope(sampleCall(version))).map((name) => ({ oauth: [name] }));
}

/** Every scope that opens a call, each alone. Of a module's the family's stand for those of one module. */
const scopeNames = ({ family, part, operations }: ScopeNeed): string[] =>
  ['ALL', ...operations].map((one) => `ZohoCRM.${family}.${family === 'settings' && part ? `${part}.` : ''}${one}`);

/** A call that tells which scope it needs: one with an empty entry. */
const sampleCall = (version: ApiVersion): Call => ({
  version,
  params: {},
  query: new Map(),
  base: '',
  ifModifiedSince: undefined,
  external: undefined,
  body: () => ({ watch: [{}], data: [{}] }),
  get principal(): never {
    throw new Error('A scope must not depend on who is calling');
  },
});

export function securitySchemes(routes: readonly ServedRoute[], base: string): JsonSchema {
  const scopes = new Set(
    routes.flatMap(({ scope, version }) => (scope && version ? scopeNames(scope(sampleCall(version))) : [])),
  );
  const flow = {
    tokenUrl: `${base}/oauth/v2/token`,
    refreshUrl: `${base}/oauth/v2/token`,
    scopes: Object.fromEntries([...scopes].sort().map((name) => [name, ''])),
  };
  return {
    oauth: {
      type: 'oauth2',
      description: 'Sent as `Authorization: Zoho-oauthtoken {access token}`; `Bearer` is taken, too',
      flows: { authorizationCode: { authorizationUrl: `${base}/oauth/v2/auth`, ...flow }, clientCredentials: flow },
    },
    operator: { type: 'http', scheme: 'bearer', description: 'The admin token' },
  };
}
