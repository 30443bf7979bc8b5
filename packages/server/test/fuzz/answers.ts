import { brotliDecompressSync, gunzipSync } from 'node:zlib';

/** One answer as it came. */
export interface Came {
  readonly method: string;
  /** Path and query as sent. */
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Every code that the documentation names, with the status of a call that is refused with it. */
const CODES: ReadonlyMap<string, number> = new Map([
  ...[
    'INVALID_DATA MANDATORY_NOT_FOUND DUPLICATE_DATA EXPECTED_FIELD_MISSING DEPENDENT_FIELD_MISSING',
    'AMBIGUITY_DURING_PROCESSING NOT_SUBSCRIBED LIMIT_REACHED LIMIT_EXCEEDED REQUIRED_PARAM_MISSING',
    'PATTERN_NOT_MATCHED EXPIRED_VALUE TOKEN_BOUND_DATA_MISMATCH DISCRETE_PAGINATION_LIMIT_EXCEEDED',
    'INVALID_MODULE INVALID_QUERY INVALID_REQUEST_METHOD API_NOT_SUPPORTED',
  ]
    .flatMap((line) => line.split(' '))
    .map((code): [string, number] => [code, 400]),
  ['INVALID_TOKEN', 401],
  ['AUTHENTICATION_FAILURE', 401],
  ['OAUTH_SCOPE_MISMATCH', 401],
  ['NO_PERMISSION', 403],
  ['INVALID_URL_PATTERN', 404],
  ['NOT_FOUND', 404],
  ['REQUEST_ENTITY_TOO_LARGE', 413],
]);

const TOKEN_ERRORS = [
  'invalid_request unsupported_grant_type invalid_client invalid_client_secret invalid_code invalid_redirect_uri',
  'invalid_scope unauthorized_client access_denied',
].flatMap((line) => line.split(' '));

const JSON_TYPE = 'application/json;charset=UTF-8';
/** Calls under `/crm` that judge each item alone say so under one of these. */
const LISTS = ['watch', 'data', 'tags', 'recycle_bin'];

/** What is wrong with an answer, as one who reads the documentation sees it; none for a good one. */
export function faultsOf(came: Came): string[] {
  const { method, path, status, headers, body } = came;
  if (status >= 500) return [`status ${status}`];
  if (headers['x-request-id'] === undefined) return ['no x-request-id'];
  if (status === 204 || status === 304) return body.length === 0 ? [] : [`a body with ${status}`];
  if (method === 'HEAD') return [];
  const [route = ''] = path.split('?');
  const type = String(headers['content-type'] ?? '');
  if (type.startsWith('text/html') && /^\/oauth\/v2\/auth$/.test(route)) {
    return [200, 400, 403, 429].includes(status) ? [] : [`a page with ${status}`];
  }
  if (status >= 300 && status < 400) {
    return route === '/oauth/v2/auth' && headers.location !== undefined ? [] : [`status ${status}`];
  }
  const isOurs = route.startsWith('/crm/') || route.startsWith('/oauth/') || status >= 300;
  if (!isOurs) return status === 200 || status === 201 || status === 202 ? [] : [`status ${status}`];
  if (type !== JSON_TYPE) return [`content type ${type}`];
  const value = parse(decoded(came));
  if (!isObject(value)) return ['no JSON object'];
  if (status < 300 && route.startsWith('/oauth/')) return tokenFaults(value);
  const listed = route.startsWith('/crm/') ? LISTS.find((key) => Array.isArray(value[key])) : undefined;
  if (listed !== undefined && ![200, 201].includes(status)) return itemFaults(value[listed] as unknown[], status);
  if (status < 300) return [200, 201].includes(status) ? [] : [`status ${status} without a list`];
  return refusalFaults(value, status);
}

function refusalFaults(value: Readonly<Record<string, unknown>>, status: number): string[] {
  const faults = errorFaults(value);
  const keys = Object.keys(value).join();
  if (keys !== 'code,details,message,status') faults.push(`keys ${keys}`);
  // What comes too slowly or has too long headers is refused before it is a call.
  const expected = CODES.get(String(value.code));
  if (expected !== undefined && expected !== status && ![408, 431].includes(status)) {
    faults.push(`${value.code} with ${status}`);
  }
  return faults;
}

/** 202 and 207 say that some failed and some did not, 400 that all did. */
function itemFaults(items: readonly unknown[], status: number): string[] {
  const faults: string[] = [];
  let failed = 0;
  for (const item of items) {
    if (!isObject(item)) return ['an item that is no object'];
    if (item.status === 'success') continue;
    failed += 1;
    faults.push(...errorFaults(item));
  }
  const expected = failed === items.length ? 400 : failed > 0 ? 'mixed' : 'none failed';
  const actual = status === 202 || status === 207 ? 'mixed' : status;
  if (actual !== expected) faults.push(`${failed} of ${items.length} items failed with ${status}`);
  return faults;
}

function errorFaults({ code, details, message, status }: Readonly<Record<string, unknown>>): string[] {
  return [
    ...(CODES.has(String(code)) ? [] : [`code ${code}`]),
    ...(isObject(details) ? [] : ['details that are no object']),
    ...(typeof message === 'string' && message !== '' ? [] : ['no message']),
    ...(status === 'error' ? [] : [`"status": ${JSON.stringify(status)}`]),
  ];
}

function tokenFaults(value: Readonly<Record<string, unknown>>): string[] {
  if (typeof value.access_token === 'string' || value.status === 'success') return [];
  const { error, error_description, ...others } = value;
  const known = TOKEN_ERRORS.includes(String(error)) && Object.keys(others).length === 0;
  return known && ['string', 'undefined'].includes(typeof error_description) ? [] : ['no answer of a token call'];
}

function decoded({ headers, body }: Pick<Came, 'headers' | 'body'>): string {
  const encoding = headers['content-encoding'];
  const plain = encoding === 'gzip' ? gunzipSync(body) : encoding === 'br' ? brotliDecompressSync(body) : body;
  return plain.toString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The body; undefined when there is none. */
export const jsonOf = (came: Came) => (came.body.length === 0 ? undefined : JSON.parse(decoded(came)));

/** What is wrong with the answer of a call that must be refused as a whole with that code. */
export const refusedFaults = (code: string, came: Came): string[] => {
  const body = jsonOf(came);
  return body?.code === code ? [] : [`${came.status} ${body?.code} instead of ${code}`];
};
