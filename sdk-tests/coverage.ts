import { expect } from 'vitest';

/** What the API offers under `/crm` and no method of the SDKs 8.0 asks for. */
const NO_METHOD = [
  'GET settings/recycle_bin/actions/count',
  'POST settings/recycle_bin/actions/restore',
  'POST settings/recycle_bin/{id}/actions/restore',
  'POST {module}/{id}/{related}',
];

/**
 * Asserts that every operation of the served API document, and the token calls, was asked for and answered well. Gives
 * how many those are.
 */
export async function expectEverythingCalled(base: string, admin: string): Promise<number> {
  const offered = [...(await offeredOperations(base)), 'POST /oauth/v2/token', 'POST /oauth/v2/token/revoke'];
  const called = await calledOperations(base, admin);
  expect(NO_METHOD.filter((operation) => !offered.includes(operation))).toEqual([]);
  const owed = offered.filter((operation) => !NO_METHOD.includes(operation));
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

/** By the server's own count of requests: those of v8 and of OAuth that were answered 2xx. */
async function calledOperations(base: string, admin: string): Promise<Set<string>> {
  const response = await fetch(`${base}/metrics`, { headers: { authorization: `Bearer ${admin}` } });
  const text = await response.text();
  const counts = /^watchbell_http_request_seconds_count\{method="(\w+)",route="([^"]+)",status="2\d\d"\}/gm;
  return new Set(
    [...text.matchAll(counts)].map(
      ([, method, route = '']) => `${method} ${route.replace('/crm/v8/', '').replaceAll(/:(\w+)/g, '{$1}')}`,
    ),
  );
}
