import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ScopeNeed } from '../../src/domain/scope.ts';
import { API_VERSIONS } from '../../src/domain/wire/api-version.ts';
import { resource } from '../../src/http/call.ts';
import { type HttpFixture, openHttp } from '../support/http.ts';

const NEED: ScopeNeed = { family: 'modules', part: 'Leads', operations: ['CREATE'] };
const NO_OBJECT = {
  code: 'INVALID_DATA',
  details: { expected_data_type: 'jsonobject' },
  message: 'body',
  status: 'error',
};

let http: HttpFixture;
let authorization: string;

/** The server with one more resource, `/crm/v8/actions/probe`, that tells what arrived. */
beforeEach(async () => {
  http = await openHttp({
    extend: (app, { authenticate, requireScope }) => {
      const context = { version: 'v8', authenticate, begin: () => () => {}, baseOf: () => '', requireScope } as const;
      resource(app, context, '/crm/v8/actions/probe', {
        GET: { scope: () => NEED, handle: async ({ query }) => ({ status: 200, body: Object.fromEntries(query) }) },
        POST: {
          scope: () => NEED,
          handle: async ({ body }) => ({ status: 201, body: { keys: Object.entries(body()).map(String) } }),
        },
        DELETE: { scope: () => NEED, handle: async () => ({ status: 204 }) },
        PUT: {
          scope: () => NEED,
          handle: async () => {
            throw new TypeError('a bug with a secret in its message');
          },
        },
      });
    },
  });
  authorization = `Zoho-oauthtoken ${await http.signIn()}`;
});
afterEach(() => http.close());

const post = (payload: string | Buffer, headers: Record<string, string> = {}) =>
  http.app.inject({ method: 'POST', url: '/crm/v8/actions/probe', headers: { authorization, ...headers }, payload });

test.each([
  ['/crm/v8/%00', 'GET'],
  ['/crm/v8/Leads/1%00', 'PUT'],
  ['/_watchbell/v1/orgs/1/modules/%00', 'DELETE'],
  ['/_watchbell/inbox/%00', 'POST'],
])('a path with a character that no store takes is that of nothing: %s', async (url, method) => {
  const answer = await http.app.inject({ method: method as 'GET', url, headers: { authorization }, payload: '{}' });
  expect([answer.statusCode, answer.json().code]).toEqual([404, 'INVALID_URL_PATTERN']);
});

describe('a body', () => {
  test.each([
    'application/json',
    'application/x-www-form-urlencoded',
    'text/plain',
    'multipart/form-data',
    'nonsense',
    '',
  ])('is read as JSON under the content type %o', async (type) => {
    const answer = await post('{"channel_id":9223372036854775807}', { 'content-type': type });
    expect([answer.statusCode, answer.json()]).toEqual([201, { keys: ['channel_id,9223372036854775807'] }]);
  });

  const refused: readonly [string, string | Buffer][] = [
    ['is empty', ''],
    ['is a list', '[{"watch":[]}]'],
    ['is no JSON', '<watch/>'],
    ['nests 10,000 deep', '{"a":'.repeat(10_000)],
    ['is no UTF-8', Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d])],
  ];

  test.each(refused)('that %s is refused', async (_what, payload) => {
    const answer = await post(payload);
    expect([answer.statusCode, answer.json()]).toEqual([400, NO_OBJECT]);
  });

  test('of more than the limit is refused with the limit', async () => {
    const answer = await post(`{"a":"${'x'.repeat(2 * 1024 * 1024)}"}`);
    expect([answer.statusCode, answer.json()]).toEqual([
      413,
      {
        code: 'REQUEST_ENTITY_TOO_LARGE',
        details: { maximum_length: 1_048_576 },
        message: 'The request body is too large',
        status: 'error',
      },
    ]);
  });

  test('is not needed: GET and DELETE may say Content-Length: 0', async () => {
    for (const method of ['GET', 'DELETE'] as const) {
      const headers = { authorization, 'content-length': '0' };
      const answer = await http.app.inject({ method, url: '/crm/v8/actions/probe', headers });
      expect(answer.statusCode).toBe(method === 'GET' ? 200 : 204);
    }
  });
});

test('a query is decoded, and of a repeated key the last counts', async () => {
  const answer = await http.app.inject({
    url: '/crm/v8/actions/probe?channel_ids=1%2C2&q=a+b&q=c%20d&__proto__=x&bad=%zz&',
    headers: { authorization },
  });
  expect(Object.entries(answer.json())).toEqual(
    expect.arrayContaining([
      ['channel_ids', '1,2'],
      ['q', 'c d'],
      ['bad', '%zz'],
    ]),
  );
});

describe('who is calling', () => {
  const cases: readonly [string, string | undefined, string, string][] = [
    ['nobody', undefined, 'AUTHENTICATION_FAILURE', 'Authentication failed'],
    ['an unknown token', 'Zoho-oauthtoken 1000.a.b', 'INVALID_TOKEN', 'invalid oauth token'],
    ['a refresh token', 'Zoho-oauthtoken 1000.dev.refresh', 'INVALID_TOKEN', 'invalid oauth token'],
  ];

  test.each(cases)('%s', async (_who, given, code, message) => {
    const answer = await post('{}', { authorization: given ?? '' });
    expect([answer.statusCode, answer.json()]).toEqual([401, { code, details: {}, message, status: 'error' }]);
  });

  test('a token that has expired', async () => {
    http.time.now += 3_600_000;
    const answer = await post('{}');
    expect([answer.statusCode, answer.json().code]).toEqual([401, 'INVALID_TOKEN']);
  });

  test('a token without the scope', async () => {
    const { org, user } = http.principal;
    const refreshToken = await http.accounts.makeRefreshToken({
      orgId: org.id,
      userId: user.id,
      clientId: '1000.DEV',
      scopes: ['ZohoCRM.modules.READ'],
    });
    const narrow = await http.signIn(refreshToken);
    const answer = await post('{}', { authorization: `Bearer ${narrow}` });
    expect([answer.statusCode, answer.json()]).toEqual([
      401,
      {
        code: 'OAUTH_SCOPE_MISMATCH',
        details: {},
        message: 'invalid oauth scope to access this URL',
        status: 'error',
      },
    ]);
  });
});

describe('a path', () => {
  test.each([
    '/',
    '/crm/v8',
    '/crm/latest/Leads',
    '/crm/v9',
    '/crm/v8/actions/watch/1',
    '/crm/v8/%ff%fe/x',
    `/crm/v8/${'x'.repeat(200)}`,
    '/_watchbell/v1/nothing',
  ])('%s that does not exist is answered 404 in the same shape', async (url) => {
    const answer = await http.app.inject({ url, headers: { authorization } });
    expect([answer.statusCode, answer.json()]).toEqual([
      404,
      {
        code: 'INVALID_URL_PATTERN',
        details: {},
        message: 'Please check if the URL trying to access is a correct one',
        status: 'error',
      },
    ]);
    expect(answer.headers['content-type']).toBe('application/json;charset=UTF-8');
    expect(answer.headers).toMatchObject({ 'x-request-id': expect.any(String), 'x-content-type-options': 'nosniff' });
  });

  test('that exists refuses other methods', async () => {
    const answer = await http.app.inject({ method: 'PATCH', url: '/crm/v8/actions/probe', headers: { authorization } });
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'INVALID_REQUEST_METHOD']);
  });

  test.each(API_VERSIONS)('of %s is served', async (version) => {
    const paths = ['actions/watch', 'settings/modules', 'org', 'users?type=CurrentUser', 'Leads'];
    const answers = await Promise.all(
      paths.map((path) => http.app.inject({ url: `/crm/${version}/${path}`, headers: { authorization } })),
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([204, 200, 200, 200, 204]);
  });
});

describe('an answer', () => {
  test('is for its caller only and says what it is', async () => {
    const { headers } = await post('{}');
    expect(headers).toMatchObject({
      'content-type': 'application/json;charset=UTF-8',
      'cache-control': 'no-store, no-cache, must-revalidate, private',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test('under /crm is a file by name, and says when its token ends', async () => {
    const got = await http.app.inject({ url: '/crm/v8/org', headers: { authorization } });
    expect(got.headers).toMatchObject({
      'content-disposition': 'attachment; filename=response.json',
      'x-accesstoken-reset': '2026-01-05T15:30:00+05:30',
    });
    const refused = await http.app.inject({ url: '/crm/v8/Nothing', headers: { authorization } });
    expect([refused.statusCode, refused.headers]).toMatchObject([
      400,
      {
        'content-disposition': 'attachment; filename=response.json',
        'x-accesstoken-reset': '2026-01-05T15:30:00+05:30',
      },
    ]);
    const unknown = await http.app.inject({ url: '/crm/v8/org' });
    expect(unknown.headers['x-accesstoken-reset']).toBeUndefined();
    const empty = await http.app.inject({ url: '/crm/v8/Leads', headers: { authorization } });
    expect([empty.statusCode, empty.headers['content-disposition']]).toEqual([204, undefined]);
  });

  test('of 204 has neither body nor type', async () => {
    const answer = await http.app.inject({
      method: 'DELETE',
      url: '/crm/v8/actions/probe',
      headers: { authorization },
    });
    expect([answer.body, answer.headers['content-type']]).toEqual(['', undefined]);
  });

  test('to a bug of ours tells nothing, and the log tells all', async () => {
    const answer = await http.app.inject({ method: 'PUT', url: '/crm/v8/actions/probe', headers: { authorization } });
    expect([answer.statusCode, answer.json()]).toEqual([
      500,
      { code: 'INTERNAL_ERROR', details: {}, message: 'Internal Server Error', status: 'error' },
    ]);
    const line = http.log.find(({ level }) => level === 'error');
    expect(line?.fields).toMatchObject({
      requestId: answer.headers['x-request-id'],
      err: expect.objectContaining({ message: 'a bug with a secret in its message' }),
    });
  });

  test('of 503 says when to come again', async () => {
    await http.store.close();
    http.time.now += 1_000;
    const answer = await post('{}');
    expect([answer.statusCode, answer.json().code, answer.headers['retry-after']]).toEqual([
      503,
      'SERVICE_UNAVAILABLE',
      '1',
    ]);
  });
});

test('a request is logged and counted without its query, which may hold secrets', async () => {
  await http.app.inject({ url: '/crm/v8/actions/probe?token=hush', headers: { authorization } });
  expect(http.log.filter(({ message }) => message === 'request').at(-1)?.fields).toMatchObject({
    method: 'GET',
    path: '/crm/v8/actions/probe',
    status: 200,
  });
  expect(JSON.stringify(http.log)).not.toContain('hush');
  const metrics = await http.app.inject({ url: '/metrics', headers: { authorization: 'Bearer dev-admin' } });
  expect(metrics.body).toContain(
    'watchbell_http_request_seconds_count{method="GET",route="/crm/v8/actions/probe",status="200"} 1',
  );
  expect(metrics.body).not.toContain('hush');
});

describe('the dev profile', () => {
  const cases: readonly [string, Record<string, string>, number][] = [
    ['localhost', { host: 'localhost' }, 200],
    ['localhost with a port', { host: 'localhost:8686' }, 200],
    ['an IPv4 loopback address', { host: '127.0.0.1:1' }, 200],
    ['another loopback address', { host: '127.0.0.2' }, 200],
    ['an IPv6 loopback address', { host: '[::1]:8686' }, 200],
    ['a page of this machine', { host: 'localhost', origin: 'http://127.0.0.1:3000' }, 200],
    ['a foreign name', { host: 'rebound.example.com' }, 403],
    ['a foreign name that begins like ours', { host: 'localhost.example.com' }, 403],
    ['a foreign name with our port', { host: 'example.com:8686' }, 403],
    ['an address of the network', { host: '192.168.0.7:8686' }, 403],
    ['a foreign page', { host: 'localhost', origin: 'https://example.com' }, 403],
    ['a foreign page that begins like ours', { host: 'localhost', origin: 'http://localhost.example.com' }, 403],
    ['a page without an origin', { host: 'localhost', origin: 'null' }, 403],
    ['an extension', { host: 'localhost', origin: 'chrome-extension://localhost' }, 403],
  ];

  test.each(cases)('answers %s: %o with %i', async (_who, headers, status) => {
    for (const url of ['/healthz', '/nothing/here']) {
      const answer = await http.app.inject({ url, headers });
      expect(answer.statusCode).toBe(status === 403 ? 403 : url === '/healthz' ? 200 : 404);
      if (status === 403) {
        expect(answer.json()).toMatchObject({
          code: 'NO_PERMISSION',
          details: { header: 'origin' in headers ? 'Origin' : 'Host' },
          status: 'error',
        });
      }
    }
  });

  test('does so for token calls too', async () => {
    const answer = await http.app.inject({
      method: 'POST',
      url: '/oauth/v2/token?grant_type=refresh_token&client_id=1000.DEV&client_secret=dev-secret&refresh_token=1000.dev.refresh',
      headers: { host: 'localhost', origin: 'https://example.com' },
    });
    expect([answer.statusCode, answer.json()]).toMatchObject([403, { code: 'NO_PERMISSION' }]);
  });
});

test('in production any name is answered', async () => {
  await http.close();
  http = await openHttp({ devGuard: false });
  const answer = await http.app.inject({
    url: '/healthz',
    headers: { host: 'crm.example.com', origin: 'https://a.test' },
  });
  expect(answer.statusCode).toBe(200);
});

describe('on a real socket', () => {
  const talk = (port: number, text: string) =>
    new Promise<string>((resolve, reject) => {
      let heard = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket.on('data', (chunk) => {
        heard += chunk;
      });
      socket.on('error', reject).on('close', () => resolve(heard));
    });

  async function listen(): Promise<number> {
    return Number(new URL(await http.app.listen({ host: '127.0.0.1', port: 0 })).port);
  }

  test.each([
    ['%2C between ids and an & at the end', 'DELETE', 'actions/watch?channel_ids=1%2C2&', 400, 'NOT_SUBSCRIBED'],
    ['bare commas and an & at the end', 'DELETE', 'actions/watch?channel_ids=1,2&', 400, 'NOT_SUBSCRIBED'],
    ['a + for a space', 'GET', 'Contacts/search?criteria=(Last_Name%3Aequals%3ANobody+Here)&', 204, ''],
    ['a bare + and bare colons', 'GET', 'Contacts/search?criteria=(Last_Name:equals:Nobody+Here)&', 204, ''],
  ])('Content-Length: 0 with %s is taken as the SDKs send it', async (_what, method, path, status, code) => {
    const port = await listen();
    const head = `Host: localhost\r\nAuthorization: ${authorization}\r\nContent-Length: 0\r\nConnection: close`;
    const heard = await talk(port, `${method} /crm/v8/${path} HTTP/1.1\r\n${head}\r\n\r\n`);
    expect(heard).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(heard).toContain(code);
  });

  test('what is no HTTP is refused in the same shape', async () => {
    const heard = await talk(await listen(), 'hello\r\n\r\n');
    expect(heard).toMatch(/^HTTP\/1\.1 400 /);
    expect(JSON.parse(heard.slice(heard.indexOf('\r\n\r\n') + 4))).toMatchObject({
      code: 'INVALID_DATA',
      status: 'error',
    });
  });

  test('a request line that is too long is told so', async () => {
    const ids = '1,'.repeat(20_000);
    const heard = await talk(await listen(), `GET /crm/v8/Leads?ids=${ids} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    expect(heard).toMatch(/^HTTP\/1\.1 431 /);
    expect(heard).toContain('"message":"The request line and the headers are longer than 16384 bytes"');
  });

  test('a method that no path takes is no bug of ours', async () => {
    const heard = await talk(
      await listen(),
      'QUERY /crm/v8/org HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    expect(heard).toMatch(/^HTTP\/1\.1 404 /);
    expect(heard).toContain('"code":"INVALID_URL_PATTERN"');
  });

  test('closing ends idle connections, and the others once they have their answer', async () => {
    let answerSlow = () => {};
    await http.close();
    http = await openHttp({
      extend: (app) => {
        app.get('/slow', () => new Promise((resolve) => (answerSlow = () => resolve({ slow: true }))));
      },
    });
    const port = await listen();
    const get = (path: string) => talk(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    const begun = once(http.app.server, 'request');
    const slow = get('/slow');
    await begun;
    const answered = once(http.app.server, 'request');
    const idle = get('/healthz');
    await answered;
    const closed = http.app.close();
    await vi.waitUntil(() => !http.app.server.listening);
    answerSlow();
    expect(await slow).toContain('{"slow":true}');
    expect(await idle).toContain('{"status":"alive"}');
    await closed;
  });

  test('closing does not wait for who waits for messages', async () => {
    const port = await listen();
    const begun = once(http.app.server, 'request');
    const waiting = fetch(`http://127.0.0.1:${port}/_watchbell/v1/inbox/box?wait=30`, {
      headers: { authorization: 'Bearer dev-admin' },
    });
    await begun;
    await http.app.close();
    expect((await waiting).status).toBe(200);
  });
});
