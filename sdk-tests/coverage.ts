import { expect } from 'vitest';

interface Covered {
  readonly base: string;
  readonly admin: string;
  /** The version which the SDK calls. */
  readonly version: string;
  /** What the API offers and no method of the SDK asks for. */
  readonly noMethod: Readonly<Record<string, string>>;
}

/**
 * Asserts that every operation of the served API document, and the token calls, was asked for under this version and
 * answered well. Gives how many those are.
 */
export async function expectEverythingCalled({ base, admin, version, noMethod }: Covered): Promise<number> {
  const offered = [...(await offeredOperations(base)), 'POST /oauth/v2/token', 'POST /oauth/v2/token/revoke'];
  const called = await calledOperations(base, admin, version);
  expect(Object.keys(noMethod).filter((operation) => !offered.includes(operation))).toEqual([]);
  expect(Object.values(noMethod)).not.toContain('');
  const owed = offered.filter((operation) => !Object.hasOwn(noMethod, operation));
  expect(owed.filter((operation) => !called.has(operation))).toEqual([]);
  return owed.length;
}

async function offeredOperations(base: string): Promise<string[]> {
  const response = await fetch(`${base}/_watchbell/openapi.json`);
  const { paths } = (await response.json()) as { readonly paths: Readonly<Record<string, object>> };
  return Object.entries(paths).flatMap(([path, operations]) => {
    const own = /^\/crm\/\{version\}\/(.+)$/.exec(path)?.[1];
    if (own === undefined) return [];
    return Object.keys(operations)
      .filter((key) => /^(?:get|post|put|patch|delete)$/.test(key))
      .map((method) => `${method.toUpperCase()} ${own}`);
  });
}

/**
 * By the server's own count of requests: those of a version and of OAuth that were answered 2xx. Asserts that no other
 * version was asked for anything.
 */
async function calledOperations(base: string, admin: string, version: string): Promise<Set<string>> {
  const response = await fetch(`${base}/metrics`, { headers: { authorization: `Bearer ${admin}` } });
  const text = await response.text();
  const counts = /^watchbell_http_request_seconds_count\{method="(\w+)",route="([^"]+)",status="(\d+)"\}/gm;
  const answered = [...text.matchAll(counts)].map(([, method, route = '', status = '']) => ({ method, route, status }));
  const foreign = answered.filter(({ route }) => route.startsWith('/crm/') && !route.startsWith(`/crm/${version}/`));
  expect(foreign).toEqual([]);
  return new Set(
    answered
      .filter(({ status }) => status.startsWith('2'))
      .map(({ method, route }) => `${method} ${route.replace(`/crm/${version}/`, '').replaceAll(/:(\w+)/g, '{$1}')}`),
  );
}
