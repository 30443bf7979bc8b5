import { afterEach, describe, expect, test } from 'vitest';
import type { RateLimits } from '../../src/domain/rate-limit.ts';
import { API_VERSIONS } from '../../src/domain/wire/api-version.ts';
import { networkOf } from '../../src/http/rate-limit.ts';
import { DEV_CREDENTIALS } from '../../src/services/accounts.ts';
import { type HttpFixture, openHttp } from '../support/http.ts';

let http: HttpFixture;
afterEach(() => http.close());

const open = async (rateLimits: RateLimits) => {
  http = await openHttp({ rateLimits, trustProxy: 1 });
};

const call = (token: string, { version = 'v8', from = '203.0.113.1', path = 'org' } = {}) =>
  http.app.inject({
    url: `/crm/${version}/${path}`,
    headers: { authorization: `Zoho-oauthtoken ${token}`, 'x-forwarded-for': from },
  });

const WRONG = '1000.00000000000000000000000000000000.00000000000000000000000000000000';

describe('requests', () => {
  test.each(API_VERSIONS)(
    'beyond the rate are answered 429 with the code of %s and when to come again',
    async (version) => {
      await open({ requests: { perSecond: 0.25, burst: 2 } });
      const token = await http.signIn();
      const answers = [await call(token, { version }), await call(token, { version }), await call(token, { version })];
      expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429]);
      expect(answers[2]?.json()).toEqual({
        code: version === 'v8' ? 'RATE_LIMIT_EXCEEDED' : 'TOO_MANY_REQUESTS',
        details: {},
        message: 'Too many requests. Please try again later.',
        status: 'error',
      });
      expect(answers[2]?.headers['retry-after']).toBe('4');
      http.time.now += 4_000;
      expect((await call(token, { version })).statusCode).toBe(200);
    },
  );

  test("count the same on an owner's own channels", async () => {
    await open({ requests: { perSecond: 0.25, burst: 2 } });
    const token = await http.signIn();
    const owned = () =>
      http.app.inject({
        url: '/_watchbell/v1/channels',
        headers: { authorization: `Zoho-oauthtoken ${token}`, 'x-forwarded-for': '203.0.113.1' },
      });
    const statuses = [await call(token), await owned(), await owned(), await call(token)];
    expect(statuses.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429, 429]);
    expect(statuses[2]?.json()).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
  });

  test("on an owner's own channels give their places back, whatever came of them", async () => {
    await open({ concurrent: 1 });
    const token = await http.signIn();
    for (const path of ['channels', 'channels/1', 'channels?page=0', 'channels']) {
      const url = `/_watchbell/v1/${path}`;
      const { statusCode } = await http.app.inject({ url, headers: { authorization: `Zoho-oauthtoken ${token}` } });
      expect(statusCode, path).not.toBe(429);
    }
  });

  test('of another organisation are not counted', async () => {
    await open({ requests: { perSecond: 0.1, burst: 1 } });
    const token = await http.signIn();
    await call(token);
    expect((await call(token)).statusCode).toBe(429);
    const other = await http.accounts.setup({
      orgName: 'Elsewhere',
      timeZone: 'UTC',
      email: 'stranger@example.com',
      firstName: '',
      lastName: 'Stranger',
      clientName: 'Test',
    });
    const answer = await http.auth.exchange({ grantType: 'refresh_token', ...other });
    if (answer.kind !== 'issued') throw new Error(answer.error);
    expect((await call(answer.accessToken)).statusCode).toBe(200);
  });

  test('more than may be served at once are answered 429, and their places are given back', async () => {
    await open({ concurrent: 2 });
    const token = await http.signIn();
    const answers = await Promise.all(Array.from({ length: 6 }, () => call(token, { path: 'Contacts' })));
    const statuses = answers.map(({ statusCode }) => statusCode);
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0);
    expect(statuses.filter((status) => status !== 429).length).toBeGreaterThanOrEqual(2);
    expect(answers.find(({ statusCode }) => statusCode === 429)?.headers['retry-after']).toBe('1');
    for (let i = 0; i < 4; i++) expect((await call(token, { path: 'Contacts' })).statusCode).toBe(204);
    for (let i = 0; i < 4; i++) expect((await call(token, { path: 'users?page=0' })).statusCode).toBe(400);
    expect((await call(token, { path: 'Contacts' })).statusCode).toBe(204);
  });

  test('are not limited when no limit is set', async () => {
    await open({});
    const token = await http.signIn();
    const answers = await Promise.all(Array.from({ length: 200 }, () => call(token)));
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
  });
});

describe('wrong tokens', () => {
  const limits: RateLimits = { wrongTokens: { perSecond: 1 / 60, burst: 3 } };
  const guess = async (times: number, from?: string) => {
    for (let i = 0; i < times; i++) await call(`${WRONG}${i}`, from === undefined ? {} : { from });
  };

  test('are answered 429 after a few, from that address, for a while', async () => {
    await open(limits);
    await guess(3);
    const refused = await call(WRONG);
    expect([refused.statusCode, refused.json().code, refused.headers['retry-after']]).toEqual([
      429,
      'RATE_LIMIT_EXCEEDED',
      '60',
    ]);
    expect((await call(WRONG, { version: 'v7' })).json().code).toBe('TOO_MANY_REQUESTS');
    expect((await call(WRONG, { from: '203.0.113.2' })).statusCode).toBe(401);
    http.time.now += 60_000;
    expect((await call(WRONG)).statusCode).toBe(401);
  });

  test('are counted over a whole IPv6 network', async () => {
    await open(limits);
    for (const last of ['1', '2', '3']) await guess(1, `2001:db8:1:2::${last}`);
    expect((await call(WRONG, { from: '2001:db8:1:2::4' })).statusCode).toBe(429);
    expect((await call(WRONG, { from: '2001:db8:1:3::4' })).statusCode).toBe(401);
  });

  test('do not shut out a neighbour whose token worked lately, or was issued here', async () => {
    await open(limits);
    const worked = await http.signIn();
    expect((await call(worked)).statusCode).toBe(200);
    await guess(4);
    expect((await call(WRONG)).statusCode).toBe(429);
    expect((await call(worked)).statusCode).toBe(200);
    const form = { grant_type: 'refresh_token', client_id: '1000.DEV', refresh_token: '1000.dev.refresh' };
    const ask = (client_secret: string) =>
      http.app.inject({
        method: 'POST',
        url: '/oauth/v2/token',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': '203.0.113.9' },
        payload: new URLSearchParams({ ...form, client_secret }).toString(),
      });
    const issued = (await ask('dev-secret')).json().access_token;
    await guess(4, '203.0.113.9');
    expect((await call(issued, { from: '203.0.113.9' })).statusCode).toBe(200);
    expect((await ask('dev-secret')).statusCode).toBe(200);
    expect((await ask('another')).statusCode).toBe(429);
  });

  test('make client secrets hard to guess, too: a call without a proof does not make one known', async () => {
    await open(limits);
    const ask = (more: Record<string, string>) =>
      http.app.inject({
        method: 'POST',
        url: '/oauth/v2/token',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams({ client_id: DEV_CREDENTIALS.clientId, ...more }).toString(),
      });
    const body = { grant_type: 'refresh_token', refresh_token: '1000.dev.refresh' };
    await ask({ client_secret: 'guess-4' });
    for (const i of [1, 2, 3]) {
      expect((await ask({ ...body, client_secret: `guess-${i}` })).json().error).toBe('invalid_client_secret');
    }
    const refused = await ask({ ...body, client_secret: 'guess-4' });
    expect([refused.statusCode, refused.json().code]).toEqual([429, 'TOO_MANY_REQUESTS']);
  });

  test('of operators are counted like others', async () => {
    await open(limits);
    const scrape = (token: string) =>
      http.app.inject({ url: '/metrics', headers: { authorization: `Bearer ${token}` } });
    for (const i of [1, 2, 3]) expect((await scrape(`guess-${i}`)).statusCode).toBe(401);
    expect((await scrape('guess-4')).statusCode).toBe(429);
    expect((await scrape('dev-admin')).statusCode).toBe(429);
    http.time.now += 60_000;
    expect((await scrape('dev-admin')).statusCode).toBe(200);
  });
});

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['unknown', 'unknown'],
])('the network of %s is %s', async (address, network) => {
  http = await openHttp();
  expect(networkOf(address)).toBe(network);
});
