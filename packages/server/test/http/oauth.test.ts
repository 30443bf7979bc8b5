import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ALL_SCOPES } from '../../src/services/accounts.ts';
import { type HttpFixture, openHttp } from '../support/http.ts';

const PATH = '/oauth/v2/token';
const REFRESH = {
  client_id: '1000.DEV',
  client_secret: 'dev-secret',
  grant_type: 'refresh_token',
  refresh_token: '1000.dev.refresh',
};
const ACCESS_TOKEN = /^1000\.[0-9a-f]{32}\.[0-9a-f]{32}$/;
const BOUNDARY = '--------------------------0123456789abcdef01234567';

let http: HttpFixture;
beforeEach(async () => {
  http = await openHttp();
});
afterEach(() => http.close());

const urlencoded = (fields: Record<string, string>) => new URLSearchParams(fields).toString();

/** As the official SDKs write it: each part with nothing but its name. */
const multipart = (fields: Record<string, string>) =>
  `${Object.entries(fields)
    .map(([name, value]) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
    .join('')}--${BOUNDARY}--\r\n`;

async function ask(payload: string | Buffer, contentType?: string, query = '') {
  const answer = await http.app.inject({
    method: 'POST',
    url: PATH + query,
    payload,
    ...(contentType !== undefined && { headers: { 'content-type': contentType } }),
  });
  return { status: answer.statusCode, type: answer.headers['content-type'], body: answer.json() };
}

const MULTIPART = `multipart/form-data; boundary=${BOUNDARY}`;
const FORM = 'application/x-www-form-urlencoded';

describe('a refresh token is taken', () => {
  const { client_id, client_secret, ...rest } = REFRESH;
  const ways: readonly [string, string, string | undefined, string][] = [
    ['as multipart, in the order of newer SDKs', multipart(REFRESH), MULTIPART, ''],
    [
      'as multipart, in the order of older SDKs',
      multipart({ refresh_token: rest.refresh_token, client_id, client_secret, grant_type: rest.grant_type }),
      MULTIPART,
      '',
    ],
    ['as a form', urlencoded(REFRESH), FORM, ''],
    ['as a form with a charset', urlencoded(REFRESH), `${FORM}; charset=utf-8`, ''],
    ['as a form without a type', urlencoded(REFRESH), undefined, ''],
    ['in the query', '', undefined, `?${urlencoded(REFRESH)}`],
    ['in the query beside an empty form', '', FORM, `?${urlencoded(REFRESH)}`],
    ['partly in each', urlencoded(rest), FORM, `?${urlencoded({ client_id, client_secret })}`],
    ['in the body rather than the query', multipart(REFRESH), MULTIPART, '?client_secret=wrong&grant_type=x'],
  ];

  test.each(ways)('%s', async (_way, payload, type, query) => {
    expect(await ask(payload, type, query)).toEqual({
      status: 200,
      type: 'application/json;charset=UTF-8',
      body: {
        access_token: expect.stringMatching(ACCESS_TOKEN),
        scope: ALL_SCOPES.join(' '),
        api_domain: 'http://127.0.0.1:8686',
        token_type: 'Bearer',
        expires_in: 3600,
      },
    });
  });
});

test('a grant code is taken with a redirect URI, once', async () => {
  const redirect_uri = 'https://app.example.com/callback?a=1';
  const code = await http.auth.makeGrant({
    clientId: REFRESH.client_id,
    orgId: http.principal.org.id,
    userId: http.principal.user.id,
    scopes: ['ZohoCRM.notifications.ALL'],
    redirectUri: redirect_uri,
  });
  const { client_id, client_secret } = REFRESH;
  const payload = multipart({ client_id, client_secret, redirect_uri, grant_type: 'authorization_code', code });
  expect(await ask(payload, MULTIPART)).toMatchObject({
    status: 200,
    body: {
      access_token: expect.stringMatching(ACCESS_TOKEN),
      refresh_token: expect.stringMatching(ACCESS_TOKEN),
      scope: 'ZohoCRM.notifications.ALL',
      expires_in: 3600,
    },
  });
  expect(await ask(payload, MULTIPART)).toMatchObject({ status: 200, body: { error: 'invalid_code' } });
});

describe('a token call is refused with status 200', () => {
  const cases: readonly [string, Record<string, string>, string][] = [
    ['without parameters', {}, 'invalid_request'],
    ['without a grant type', { ...REFRESH, grant_type: '' }, 'invalid_request'],
    ['with an unknown grant type', { ...REFRESH, grant_type: 'password' }, 'unsupported_grant_type'],
    ['with an unknown client', { ...REFRESH, client_id: 'x' }, 'invalid_client'],
    ['with a wrong secret', { ...REFRESH, client_secret: 'x' }, 'invalid_client_secret'],
    ['with an unknown refresh token', { ...REFRESH, refresh_token: 'x' }, 'invalid_code'],
    ['with an unknown code', { ...REFRESH, grant_type: 'authorization_code', code: 'x' }, 'invalid_code'],
  ];

  test.each(cases)('%s', async (_what, fields, error) => {
    for (const [payload, type] of [
      [multipart(fields), MULTIPART],
      [urlencoded(fields), FORM],
    ] as const) {
      expect(await ask(payload, type)).toMatchObject({ status: 200, body: { error } });
    }
  });
});

describe('a form is refused', () => {
  const part = (name: string, more = '') =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\nx\r\n--${BOUNDARY}--\r\n`;
  const many = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`key${i}`, 'x']));
  const cases: readonly [string, string, string][] = [
    ['without a boundary', multipart(REFRESH), 'multipart/form-data'],
    ['cut off', multipart(REFRESH).slice(0, -60), MULTIPART],
    ['with a file', part('file', '; filename="a.txt"'), MULTIPART],
    ['with a value beyond 4 KiB', multipart({ ...REFRESH, code: 'x'.repeat(5000) }), MULTIPART],
    ['with more than 20 parts', multipart(many), MULTIPART],
    ['with more than 20 fields', urlencoded(many), FORM],
  ];

  test.each(cases)('%s', async (_what, payload, type) => {
    expect(await ask(payload, type)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_DATA', details: { expected_data_type: 'form' }, message: 'body', status: 'error' },
    });
  });

  test('beyond 16 KiB', async () => {
    expect(await ask(`x=${'y'.repeat(20_000)}`, FORM)).toMatchObject({
      status: 413,
      body: { code: 'REQUEST_ENTITY_TOO_LARGE', details: { maximum_length: 16_384 } },
    });
  });
});

describe('a token is revoked', () => {
  const REVOKE = `${PATH}/revoke`;
  const revoke = async (payload: string, contentType: string, query = '') => {
    const headers = { 'content-type': contentType };
    const answer = await http.app.inject({ method: 'POST', url: REVOKE + query, payload, headers });
    return [answer.statusCode, answer.json()];
  };
  const token = REFRESH.refresh_token;
  const ways: readonly [string, string, string, string][] = [
    ['as multipart, as the official SDKs would', multipart({ token }), MULTIPART, ''],
    ['as a form', urlencoded({ token }), FORM, ''],
    ['in the query', '', FORM, `?${urlencoded({ token })}`],
  ];

  test.each(ways)('%s, once, with what it gave', async (_way, payload, type, query) => {
    const { body } = await ask(urlencoded(REFRESH), FORM);
    const headers = { authorization: `Zoho-oauthtoken ${body.access_token}` };
    expect((await http.app.inject({ url: '/crm/v8/org', headers })).statusCode).toBe(200);
    expect(await revoke(payload, type, query)).toEqual([200, { status: 'success' }]);
    expect((await http.app.inject({ url: '/crm/v8/org', headers })).statusCode).toBe(401);
    expect(await ask(urlencoded(REFRESH), FORM)).toMatchObject({ status: 200, body: { error: 'invalid_code' } });
    expect(await revoke(payload, type, query)).toEqual([200, { error: 'invalid_code' }]);
  });

  test('not without one', async () => {
    expect(await revoke('', FORM)).toEqual([200, { error: 'invalid_request', error_description: 'token is missing' }]);
  });

  test.each(['GET', 'PUT', 'PATCH', 'DELETE'] as const)('not by %s', async (method) => {
    const answer = await http.app.inject({ method, url: `${REVOKE}?${urlencoded({ token })}` });
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { code: 'INVALID_REQUEST_METHOD' }]);
  });
});

test('a client is given a token on its own word', async () => {
  const { client_id, client_secret } = REFRESH;
  const fields = { client_id, client_secret, grant_type: 'client_credentials', soid: 'ZohoCRM.3652397' };
  const scope = 'ZohoCRM.org.READ ZohoCRM.users.READ';
  for (const [payload, type] of [
    [multipart({ ...fields, scope }), MULTIPART],
    [urlencoded({ ...fields, scope: scope.replace(' ', ',') }), FORM],
  ] as const) {
    expect(await ask(payload, type)).toMatchObject({
      status: 200,
      body: {
        access_token: expect.stringMatching(ACCESS_TOKEN),
        scope,
        api_domain: 'http://127.0.0.1:8686',
        token_type: 'Bearer',
        expires_in: 3600,
      },
    });
  }
  expect((await ask(urlencoded(fields), FORM)).body).toEqual({
    error: 'invalid_scope',
    error_description: 'scope is missing',
  });
});

test.each(['GET', 'PUT', 'PATCH', 'DELETE'] as const)('%s is no way to ask for a token', async (method) => {
  const answer = await http.app.inject({ method, url: `${PATH}?${urlencoded(REFRESH)}` });
  expect([answer.statusCode, answer.json()]).toEqual([
    400,
    {
      code: 'INVALID_REQUEST_METHOD',
      details: {},
      message: 'The http request method type is not a valid one',
      status: 'error',
    },
  ]);
});

test('an access token works after the server was restarted', async () => {
  const { body } = await ask(urlencoded(REFRESH), FORM);
  http = await http.restart();
  const headers = { authorization: `Zoho-oauthtoken ${body.access_token}` };
  expect((await http.app.inject({ url: '/crm/v8/org', headers })).statusCode).toBe(200);
});

test('neither tokens nor secrets are logged', async () => {
  const { body } = await ask('', undefined, `?${urlencoded(REFRESH)}`);
  await http.app.inject({ url: '/crm/v8/org', headers: { authorization: `Bearer ${body.access_token}` } });
  const log = JSON.stringify(http.log);
  for (const secret of [body.access_token, REFRESH.refresh_token, REFRESH.client_secret]) {
    expect(log).not.toContain(secret);
  }
});
