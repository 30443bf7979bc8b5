import { API_VERSIONS } from '../../../src/domain/wire/api-version.ts';
import { type Ask, before, type ErrorRow, json, SOUND, type Stage, since, type Told, WATCH, watch } from './row.ts';

const OURS = 'ours';

interface CallRow {
  readonly source: string;
  readonly told: Told;
  readonly status?: number;
  readonly stage?: Stage;
  readonly versions?: ErrorRow['versions'];
}

const row = (
  cause: string,
  asks: readonly Ask[],
  { source, told, status = 400, stage = 'served', versions = API_VERSIONS }: CallRow,
): ErrorRow => ({ cause, reference: '4.10', source, versions, status, told, place: 'answer', stage, asks });

const get = (path: string): Ask => ({ method: 'GET', path });
const list = (query: string): Ask => get(`${WATCH}?${query}`);
const deleting = (query: string): Ask => ({ method: 'DELETE', path: `${WATCH}${query}` });
const writing = (...bodies: (string | Uint8Array)[]): Ask[] =>
  ['POST', 'PUT', 'PATCH'].flatMap((method) => bodies.map((body) => ({ method, path: WATCH, body })));
const by = (...who: NonNullable<Ask['by']>[]): Ask[] => [
  ...who.map((one) => ({ ...list(''), by: one })),
  ...who.map((one) => ({ method: 'POST', path: WATCH, body: watch(SOUND), by: one })),
  ...['POST', 'PUT', 'PATCH'].flatMap((method) => who.map((one) => ({ method, path: WATCH, body: '{', by: one }))),
];

const invalid = (details: Told['details'], message = 'invalid data'): Told => ({
  code: 'INVALID_DATA',
  details,
  message,
});
const plain = (code: string, message: string, details: Told['details'] = {}): Told => ({ code, details, message });

const deep = (depth: number) => `${'{"watch":['.repeat(depth / 2)}${']}'.repeat(depth / 2)}`;
const many = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
const MISSING_PARAM = 'One of the expected parameter is missing';
const TOO_MANY = 'Too many requests. Please try again later.';
const unserved = (source: string, version: string, instead: number): ErrorRow =>
  row(
    `\`/crm/${version}/…\`, a version that is not served`,
    [get(`/crm/${version}/${WATCH}`), { method: 'POST', path: `/crm/${version}/Leads`, body: json({ data: [{}] }) }],
    {
      source,
      told: plain('API_NOT_SUPPORTED', 'This version of the API is not supported', { supported_version: instead }),
    },
  );

/** Errors of a whole call. */
export const CALL_ROWS: readonly ErrorRow[] = [
  row(
    'a body is absent, no JSON object, no UTF-8, or nested more than 64 deep',
    writing(
      '',
      '[]',
      '5',
      'null',
      '"watch"',
      '<watch/>',
      '{"watch":',
      '{"watch":[],}',
      `{"watch":[${json(SOUND)},]}`,
      "{'watch':[]}",
      deep(66),
      deep(100_000),
      new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    ),
    { source: 'live captures', told: invalid({ expected_data_type: 'jsonobject' }, 'body') },
  ),
  row('`watch` is missing', writing('{}', '{"watch":null}', '{"Watch":[]}', json(SOUND)), {
    source: 'Kaizen #14',
    told: plain('MANDATORY_NOT_FOUND', 'required field not found', { api_name: 'watch', json_path: '$.watch' }),
  }),
  row('`watch` is no list', writing('{"watch":{}}', '{"watch":"x"}', '{"watch":1}'), {
    source: OURS,
    told: invalid({ expected_data_type: 'jsonarray', api_name: 'watch', json_path: '$.watch' }),
  }),
  row('`watch` is empty', writing('{"watch":[]}'), {
    source: 'SDK 2',
    told: invalid({ minimum_length: 1, api_name: 'watch', json_path: '$.watch' }),
  }),
  row(
    '`watch` has more than 100 channels',
    writing(watch(...many(101).map((channel_id) => ({ ...SOUND, channel_id })))),
    {
      source: 'Kaizen #14, SDK 2',
      told: plain('LIMIT_EXCEEDED', 'maximum number of channels per call exceeded', {
        maximum_length: 100,
        api_name: 'watch',
        json_path: '$.watch',
      }),
    },
  ),
  row('`channel_ids` has more than 100 items', [deleting(`?channel_ids=${many(101)}`)], {
    source: OURS,
    told: plain('LIMIT_EXCEEDED', 'maximum number of channels per call exceeded', {
      maximum_length: 100,
      param: 'channel_ids',
    }),
  }),
  ...(['v6', undefined] as const).map((end) =>
    row('`channel_ids` is missing or empty', ['', '?channel_ids=', '?channel_ids=%20', '?channel_id=1'].map(deleting), {
      source: end ? 'OpenAPI 2025' : 'OpenAPI 2026',
      versions: end ? before(end) : since('v6'),
      told: plain('REQUIRED_PARAM_MISSING', MISSING_PARAM, {
        ...(end && { param_name: 'channel_ids' }),
        param: 'channel_ids',
      }),
    }),
  ),
  row(
    '`page` is no number from 1 on',
    ['0', '-1', 'x', '', '1.5', '99999999999', '1e1'].map((page) => list(`page=${page}`)),
    { source: 'OpenAPI 2025', told: invalid({ expected_data_type: 'int', api_name: 'page' }) },
  ),
  row(
    '`per_page` is no number from 1 to 200',
    ['0', '-1', 'x', '', '201', '1.5'].map((count) => list(`per_page=${count}&page=1`)),
    { source: 'OpenAPI 2025, page v7', told: invalid({ expected_data_type: 'int', api_name: 'per_page' }) },
  ),
  row(
    '`module` is unknown or denied',
    ['Nothings', 'leads', '', 'Invoices', 'Leads%20'].map((module) => list(`module=${module}`)),
    { source: 'SDK 2', told: plain('INVALID_MODULE', 'the module name given seems to be invalid') },
  ),
  row(
    '`channel_id` in the query is no integer of 64 bits',
    ['x', '', '1,2', '9223372036854775808', '1.0'].map((id) => list(`channel_id=${id}`)),
    { source: OURS, told: invalid({ expected_data_type: 'long', api_name: 'channel_id' }) },
  ),
  row('criteria that cannot be read, in a search', [get('Leads/search?criteria=(')], {
    source: 'OpenAPI 2026',
    told: plain('INVALID_QUERY', 'invalid query formed', {
      reason: 'a field followed by a colon is expected',
      index: 1,
    }),
  }),
  row(
    'a path does not take the method',
    [
      ...['HEAD', 'OPTIONS', 'TRACE'].map((method) => ({ method, path: WATCH })),
      ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((method) => ({ method, path: 'org', body: '{}' })),
      { method: 'PATCH', path: 'Leads', body: '{}' },
    ],
    { source: 'SDK 2', told: plain('INVALID_REQUEST_METHOD', 'The http request method type is not a valid one') },
  ),
  unserved('OpenAPI 2025', 'v1', 2),
  unserved('OpenAPI 2025', 'v2.2', 2.1),
  unserved('OpenAPI 2025', 'v9', 8),
  row('nothing is sent that is a token', by('nobody', 'other-scheme', 'tokenless'), {
    source: 'status codes',
    status: 401,
    told: plain('AUTHENTICATION_FAILURE', 'Authentication failed'),
  }),
  row('the token is unknown, has expired, or is revoked', by('unknown', 'endless', 'expired', 'revoked'), {
    source: 'status codes',
    status: 401,
    told: plain('INVALID_TOKEN', 'invalid oauth token'),
  }),
  row('the scopes of the token do not allow the call', by('narrow', 'other-family'), {
    source: 'status codes',
    status: 401,
    told: plain('OAUTH_SCOPE_MISMATCH', 'invalid oauth scope to access this URL'),
  }),
  row('records of a module that the profile denies', [get('Invoices')], {
    source: 'status codes',
    status: 403,
    told: plain('NO_PERMISSION', 'permission denied', { permissions: ['Crm_Implied_View_Invoices'] }),
  }),
  row(
    'there is no such path',
    [
      ...['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => ({ method, path: `${WATCH}/1` })),
      get(`${WATCH}/1/2`),
      get('actions/watches'),
      get('settings/layouts'),
      get('/crm'),
      get(`/crm/latest/${WATCH}`),
      get(`/crm/v/${WATCH}`),
    ],
    {
      source: 'live captures',
      status: 404,
      told: plain('INVALID_URL_PATTERN', 'Please check if the URL trying to access is a correct one'),
    },
  ),
  row('a body has more bytes than allowed', writing(`{"watch":"${'x'.repeat(1_048_576)}"}`), {
    source: OURS,
    status: 413,
    told: plain('REQUEST_ENTITY_TOO_LARGE', 'The request body is too large', { maximum_length: 1_048_576 }),
  }),
  ...(['limited', 'guessed'] as const).flatMap((stage) => {
    const cause = stage === 'limited' ? 'more requests than allowed' : 'more wrong tokens than allowed';
    const asks = stage === 'limited' ? [list(''), ...writing(watch(SOUND))] : by('unknown');
    return [
      row(cause, asks, {
        source: 'status codes',
        status: 429,
        stage,
        versions: before('v8'),
        told: plain('TOO_MANY_REQUESTS', TOO_MANY),
      }),
      row(cause, asks, {
        source: 'OpenAPI 2026',
        status: 429,
        stage,
        versions: since('v8'),
        told: plain('RATE_LIMIT_EXCEEDED', TOO_MANY),
      }),
    ];
  }),
  row('a bug of ours', [list(''), ...writing(watch(SOUND)), deleting('?channel_ids=1')], {
    source: 'status codes',
    status: 500,
    stage: 'buggy',
    told: plain('INTERNAL_ERROR', 'Internal Server Error'),
  }),
  row('the store cannot be reached', [list('')], {
    source: 'OpenAPI 2026',
    status: 503,
    stage: 'storeless',
    told: plain('SERVICE_UNAVAILABLE', 'The store cannot be reached right now'),
  }),
];
