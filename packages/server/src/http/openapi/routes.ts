import type { FastifyInstance, FastifySchema } from 'fastify';
import type { ScopeNeed } from '../../domain/scope.ts';
import type { ApiVersion } from '../../domain/wire/api-version.ts';
import type { CrmOperation } from '../call.ts';

declare module 'fastify' {
  /** What a route with a schema says of itself in the API document. */
  interface FastifySchema {
    readonly summary?: string;
    /** The first one counts. */
    readonly tags?: readonly string[];
    readonly description?: string;
  }
}

/** One operation that is served. */
export interface ServedRoute {
  readonly method: string;
  /** With parameters in braces, such as `/crm/{version}/{module}`. */
  readonly path: string;
  readonly schema: FastifySchema | undefined;
  /** Of operations under `/crm`: the version of this one. */
  readonly version?: ApiVersion;
  readonly scope?: CrmOperation['scope'];
  /** Of operations of our own API that take an access token. */
  readonly need?: ScopeNeed;
}

/** Collects what is served from now on; the list fills as routes are added. */
export function collectRoutes(app: FastifyInstance): readonly ServedRoute[] {
  const routes: ServedRoute[] = [];
  app.addHook('onRoute', ({ method, url, schema, config }) => {
    if (config?.isRefusal) return;
    const path = url.replaceAll(/:(\w+)/g, '{$1}');
    for (const one of [method].flat()) {
      if (one === 'HEAD') continue;
      const crm = config?.crm;
      const need = config?.need;
      if (!crm) routes.push({ method: one, path, schema, ...(need && { need }) });
      else {
        const { version, scope } = crm;
        const shared = path.replace(`/crm/${version}/`, '/crm/{version}/');
        routes.push({ method: one, path: shared, schema, version, scope });
      }
    }
  });
  return routes;
}
