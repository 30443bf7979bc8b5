import { afterEach, describe, expect, test } from 'vitest';
import { type HttpFixture, openHttp } from '../support/http.ts';

let http: HttpFixture;
afterEach(() => http.close());

describe('a server', () => {
  test('that can do its work is alive and ready', async () => {
    http = await openHttp();
    const answers = [await http.app.inject('/healthz'), await http.app.inject('/readyz')];
    expect(answers.map((answer) => [answer.statusCode, answer.json()])).toEqual([
      [200, { status: 'alive' }],
      [200, { status: 'ready' }],
    ]);
  });

  test('that cannot is alive and says why it is not ready', async () => {
    http = await openHttp({ check: async () => ({ ok: false, reason: 'delivery has not started' }) });
    expect((await http.app.inject('/healthz')).statusCode).toBe(200);
    const answer = await http.app.inject('/readyz');
    expect([answer.statusCode, answer.headers['retry-after'], answer.json()]).toEqual([
      503,
      '1',
      { status: 'unready', reason: 'delivery has not started' },
    ]);
  });

  test('whose store has gone is not ready', async () => {
    http = await openHttp();
    await http.store.close();
    expect((await http.app.inject('/readyz')).json()).toEqual({ status: 'unready', reason: expect.any(String) });
  });
});

describe('metrics', () => {
  const cases: readonly [string, string | undefined, number, string][] = [
    ['no token', undefined, 401, 'AUTHENTICATION_FAILURE'],
    ['another scheme', 'Basic dev-admin', 401, 'AUTHENTICATION_FAILURE'],
    ['a wrong token', 'Bearer dev-admin2', 401, 'INVALID_TOKEN'],
    ['a refresh token', 'Bearer 1000.dev.refresh', 401, 'INVALID_TOKEN'],
  ];

  test.each(cases)('are not shown for %s', async (_what, authorization, status, code) => {
    http = await openHttp();
    const answer = await http.app.inject({ url: '/metrics', headers: { authorization: authorization ?? '' } });
    expect([answer.statusCode, answer.json()]).toMatchObject([status, { code, status: 'error' }]);
  });

  test('are not shown to a caller of the API', async () => {
    http = await openHttp();
    const authorization = `Bearer ${await http.signIn()}`;
    expect((await http.app.inject({ url: '/metrics', headers: { authorization } })).statusCode).toBe(401);
  });

  test('are not shown to the operator of one organisation', async () => {
    http = await openHttp({ adminToken: 'a-configured-token' });
    const answer = await http.app.inject({ url: '/metrics', headers: { authorization: 'Bearer dev-admin' } });
    expect([answer.statusCode, answer.json().code]).toEqual([403, 'NO_PERMISSION']);
  });

  test('are shown to the operator of all organisations', async () => {
    http = await openHttp({ adminToken: 'a-configured-token' });
    const token = 'a-configured-token';
    const answer = await http.app.inject({ url: '/metrics', headers: { authorization: `Bearer ${token}` } });
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([
      200,
      expect.stringMatching(/^text\/plain; version=/),
    ]);
    expect(answer.body).toContain('# HELP watchbell_http_request_seconds');
  });
});
