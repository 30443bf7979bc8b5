import { expect, test } from 'vitest';
import { openHttp } from '../support/http.ts';
import { checkAnswer, type GivenAnswer } from '../support/oas/check.ts';
import { SCHEMA_DEVIATIONS, STATUS_DEVIATIONS } from '../support/oas/deviations.ts';
import { hasOas } from '../support/oas/files.ts';

const WATCH = '/crm/v8/actions/watch';
const EVENT = {
  channel_expiry: '2026-01-05T15:00:00+05:30',
  resource_uri: 'https://bell.example.com/crm/v8/Leads',
  resource_id: '3652397000000002175',
  resource_name: 'Leads',
  channel_id: '1',
};
const SUCCESS = { code: 'SUCCESS', message: 'Successfully removed the subscribe details', status: 'success' };
const FAILED = { message: 'invalid data', status: 'error' };
const INFO = { per_page: 200, page: 1, count: 1, more_records: false };
const LEAF = { field: { api_name: 'Email', id: '3652397000000000001' }, group_operator: null, group: null };
const CONDITION = { type: 'field_selection', module: { api_name: 'Leads' }, field_selection: LEAF };
const LISTED = {
  channel_id: '1',
  notify_url: 'https://here.example/hook',
  notification_condition: null,
};

const answer = (request: string, status: number, body?: unknown): GivenAnswer => {
  const [method = '', path = ''] = request.split(' ');
  const contentType = 'application/json;charset=UTF-8';
  return { method, path, status, contentType, body: body === undefined ? '' : JSON.stringify(body) };
};

const watch = (...entries: readonly object[]) => ({ watch: entries });

const REFUSED = {
  code: 'INVALID_MODULE',
  details: {},
  message: 'the module name given seems to be invalid',
  status: 'error',
};

/** Answers of this server, each with something that is intended to be as it is. */
const INTENDED: readonly GivenAnswer[] = [
  answer(`POST ${WATCH}`, 201, watch({ ...SUCCESS, details: { events: [EVENT] } })),
  answer(
    `POST ${WATCH}`,
    207,
    watch(
      { ...SUCCESS, details: { events: [EVENT] } },
      { ...FAILED, code: 'INVALID_DATA', details: { api_name: 'events', json_path: '$.watch[1].events' } },
    ),
  ),
  answer(`POST ${WATCH}`, 400, watch({ ...FAILED, code: 'NOT_SUBSCRIBED', details: {} })),
  answer(
    `POST ${WATCH}`,
    400,
    watch({
      ...FAILED,
      code: 'DUPLICATE_DATA',
      details: { api_name: 'channel_id', json_path: '$.watch[1].channel_id' },
    }),
  ),
  answer(`PATCH ${WATCH}`, 200, watch({ ...SUCCESS, details: { events: [{ ...EVENT, channel_expiry: undefined }] } })),
  answer(`DELETE ${WATCH}`, 207, watch({ ...FAILED, code: 'INVALID_DATA', details: { api_name: 'channel_ids' } })),
  answer(`DELETE ${WATCH}`, 400, { ...FAILED, code: 'REQUIRED_PARAM_MISSING', details: { param: 'channel_ids' } }),
  answer(`GET ${WATCH}`, 200, { ...watch(LISTED, { ...LISTED, notification_condition: [CONDITION] }), info: INFO }),
  answer('GET /crm/v8/Leads', 200, { data: [{ id: '1' }], info: { ...INFO, next_page_token: null } }),
  answer('GET /crm/v8/Leads/1', 204),
  answer('GET /crm/v8/Leads/1', 401, { ...REFUSED, code: 'INVALID_TOKEN' }),
  answer('POST /crm/v8/Leads', 201, { data: [{ ...SUCCESS, message: 'record added', details: { id: '1' } }] }),
  answer('POST /crm/v8/Leads', 400, {
    data: [{ ...FAILED, code: 'INVALID_DATA', details: { api_name: 'Company', maximum_length: 200 } }],
  }),
  answer('POST /crm/v8/Leads/upsert', 200, {
    data: [{ ...SUCCESS, message: 'record added', action: 'insert', duplicate_field: null, details: { id: '1' } }],
  }),
  answer('GET /crm/v8/Leads/actions/count', 200, { count: 3 }),
  answer('GET /crm/v8/Leads/deleted', 200, { data: [{ id: '1', display_name: null }], info: INFO }),
];

/** Metadata, as it is really answered. */
async function metadata(): Promise<GivenAnswer[]> {
  const http = await openHttp();
  const headers = { authorization: `Zoho-oauthtoken ${await http.signIn()}`, host: 'localhost' };
  const paths = ['settings/modules', 'settings/fields?module=Leads', 'org', 'users', `users/${http.principal.user.id}`];
  const answers = paths.map(async (path) => {
    const url = `/crm/v8/${path}`;
    const { statusCode, body } = await http.app.inject({ url, headers });
    return answer(`GET ${url}`, statusCode, JSON.parse(body));
  });
  return Promise.all(answers).finally(() => http.close());
}

test.runIf(hasOas)('each intended deviation from the public OpenAPI files is needed, and has a reason', async () => {
  const verdicts = [...INTENDED, ...(await metadata())].map(checkAnswer);
  expect(verdicts.flatMap(({ faults }) => faults)).toEqual([]);
  const used = new Set(verdicts.flatMap(({ deviations }) => deviations));
  const all = [...STATUS_DEVIATIONS, ...SCHEMA_DEVIATIONS];
  expect(all.filter((one) => !used.has(one))).toEqual([]);
  expect(all.map(({ reason }) => reason)).not.toContain('');
});

const OPENED = answer(`POST ${WATCH}`, 201, watch({ ...SUCCESS, details: { events: [EVENT] } }));
const openedWith = (event: object): GivenAnswer => ({
  ...OPENED,
  body: JSON.stringify(watch({ ...SUCCESS, details: { events: [event] } })),
});

test.runIf(hasOas).each<[what: string, given: GivenAnswer, fault: string]>([
  ['a missing key', openedWith({ ...EVENT, resource_uri: undefined }), 'resource_uri is missing'],
  ['a number for text', openedWith({ ...EVENT, resource_id: 5 }), 'resource_id is 5, not string'],
  ['null where there is none', openedWith({ ...EVENT, resource_name: null }), 'resource_name is null, not string'],
  ['a time without its offset', openedWith({ ...EVENT, channel_expiry: '2026-01-05T15:00:00' }), 'no date-time'],
  [
    'a message of its own',
    { ...OPENED, body: JSON.stringify(watch({ ...SUCCESS, message: 'Done', details: {} })) },
    'message',
  ],
  ['an unknown status', { ...OPENED, status: 418 }, 'status is not among those described'],
  ['another content type', { ...OPENED, contentType: 'text/html' }, 'content type is text/html'],
  ['no JSON', { ...OPENED, body: '{' }, 'no JSON'],
  ['a body with 204', { ...OPENED, method: 'GET', status: 204 }, 'the body is not described'],
  ['a shape of none of the variants', answer('PUT /crm/v8/Leads/1', 200, { rows: [] }), '$'],
  ['an error without its status', answer(`GET ${WATCH}`, 401, { ...REFUSED, status: undefined }), 'status is missing'],
])('%s is a fault, and says where', (_what, given, fault) => {
  expect(checkAnswer(given).faults.join('\n')).toContain(fault);
});

test.runIf(hasOas)('an answer as described has no fault, and calls that the files lack are told apart', () => {
  expect(checkAnswer(OPENED)).toMatchObject({ operation: `POST ${WATCH}`, faults: [] });
  expect(checkAnswer(answer('GET /crm/v8/settings/tags', 200, {}))).toEqual({ faults: [], deviations: [] });
});
