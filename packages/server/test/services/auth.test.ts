import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ALL_SCOPES, DEV_CREDENTIALS } from '../../src/services/accounts.ts';
import { createAuth, type GrantInput, type TokenAnswer } from '../../src/services/auth.ts';
import { hashSecret } from '../../src/services/secret.ts';
import { type HttpFixture, openHttp } from '../support/http.ts';

const HOUR = 3_600_000;
const { clientId, clientSecret, refreshToken } = DEV_CREDENTIALS;
const refresh = { grantType: 'refresh_token', clientId, clientSecret, refreshToken };

let http: HttpFixture;
beforeEach(async () => {
  http = await openHttp();
});
afterEach(() => http.close());

function issued(answer: TokenAnswer) {
  if (answer.kind !== 'issued') throw new Error(`refused: ${answer.error}`);
  return answer;
}

const grant = (more: Partial<GrantInput> = {}) =>
  http.auth.makeGrant({
    clientId,
    orgId: http.principal.org.id,
    userId: http.principal.user.id,
    scopes: ['ZohoCRM.notifications.READ'],
    ...more,
  });

const redeem = (code: string, redirectUri?: string) =>
  http.auth.exchange({ grantType: 'authorization_code', clientId, clientSecret, code, redirectUri });

describe('an access token', () => {
  test('stands for its user, organisation, client and scopes', async () => {
    const token = await http.signIn();
    expect(token).toMatch(/^1000\.[0-9a-f]{32}\.[0-9a-f]{32}$/);
    expect(await http.auth.authenticate(`Zoho-oauthtoken ${token}`)).toEqual({
      org: { id: '3652397', name: 'Watchbell Sample', timeZone: 'Asia/Kolkata' },
      user: {
        id: '3652397000000186017',
        email: 'patricia@example.com',
        firstName: 'Patricia',
        lastName: 'Boyle',
        profileId: '3652397000000026011',
      },
      profile: { id: '3652397000000026011', name: 'Administrator', deniedModules: [] },
      catalog: http.principal.catalog,
      clientId,
      scopes: ALL_SCOPES,
      tokenExpiresAt: http.time.now + HOUR,
    });
  });

  test('is asked of the store once by all who come with it at once, and anew by who comes after it was forgotten', async () => {
    const { store } = http;
    const header = `Bearer ${await http.signIn()}`;
    let asked = 0;
    const find = async (hash: string) => {
      asked += 1;
      return store.tokens.find(hash);
    };
    const { now } = http.time;
    const auth = createAuth({ ...store, tokens: { ...store.tokens, find }, realNow: () => now, random: randomBytes });
    const first = [auth.authenticate(header), auth.authenticate(header)];
    expect(asked).toBe(1);
    auth.forget({});
    const second = auth.authenticate(header);
    expect(asked).toBe(2);
    expect(new Set((await Promise.all([...first, second])).map(({ user }) => user.id)).size).toBe(1);
    await auth.authenticate(header);
    expect(asked).toBe(2);
    await expect(Promise.all([auth.authenticate('Bearer a'), auth.authenticate('Bearer a')])).rejects.toThrow();
    await expect(auth.authenticate('Bearer a')).rejects.toThrow('invalid oauth token');
    expect(asked).toBe(4);
  });

  test.each(['Zoho-oauthtoken', 'zoho-oauthtoken', 'Bearer', 'BEARER'])(
    'is taken under the scheme %s',
    async (scheme) => {
      const token = await http.signIn();
      expect((await http.auth.authenticate(`${scheme} ${token}`)).clientId).toBe(clientId);
    },
  );

  test('is good for one hour of real time, to the millisecond, however recently it was used', async () => {
    const header = `Bearer ${await http.signIn()}`;
    http.time.now += HOUR - 1;
    await http.auth.authenticate(header);
    http.time.now += 1;
    await expect(http.auth.authenticate(header)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
  });

  test('that was removed is believed for less than a second', async () => {
    const token = await http.signIn();
    await http.auth.authenticate(`Bearer ${token}`);
    await http.store.tokens.remove(hashSecret(token));
    http.time.now += 1_000;
    await expect(http.auth.authenticate(`Bearer ${token}`)).rejects.toMatchObject({ code: 'INVALID_TOKEN' });
  });

  test('outlives a restart', async () => {
    const header = `Bearer ${await http.signIn()}`;
    http = await http.restart();
    expect((await http.auth.authenticate(header)).user.lastName).toBe('Boyle');
  });

  test('is not kept in clear', async () => {
    const token = await http.signIn();
    expect(await http.store.tokens.find(token)).toBeUndefined();
    expect(await http.store.tokens.find(hashSecret(token))).toMatchObject({ kind: 'access', clientId });
  });

  test('is removed some time after it has expired', async () => {
    const token = await http.signIn();
    http.time.now += 2 * HOUR;
    await http.signIn();
    expect(await http.store.tokens.find(hashSecret(token))).toBeUndefined();
  });
});

describe('an Authorization header', () => {
  test.each([undefined, '', 'Zoho-oauthtoken', 'Zoho-oauthtoken ', 'Basic dXNlcjpwYXNz', '1000.a.b', 'Bearer a b'])(
    '%o sends no token',
    async (header) => {
      await expect(http.auth.authenticate(header)).rejects.toMatchObject({
        code: 'AUTHENTICATION_FAILURE',
        message: 'Authentication failed',
      });
    },
  );

  test.each(['1000.a.b', 'x', refreshToken, DEV_CREDENTIALS.adminToken, 'a'.repeat(100_000)])(
    'with %.20s… sends a bad token',
    async (token) => {
      await expect(http.auth.authenticate(`Zoho-oauthtoken ${token}`)).rejects.toMatchObject({
        code: 'INVALID_TOKEN',
        message: 'invalid oauth token',
      });
    },
  );
});

describe('a refresh token', () => {
  test('gives access tokens again and again, and no new refresh token', async () => {
    const answers = [issued(await http.auth.exchange(refresh)), issued(await http.auth.exchange(refresh))];
    expect(new Set(answers.map(({ accessToken }) => accessToken)).size).toBe(2);
    expect(answers[0]).toMatchObject({ scopes: ALL_SCOPES, lifeMs: HOUR });
    expect(answers[0]).not.toHaveProperty('refreshToken');
  });

  const refusals: readonly [string, object, string][] = [
    ['no grant type', { grantType: undefined }, 'invalid_request'],
    ['an unknown grant type', { grantType: 'password' }, 'unsupported_grant_type'],
    ['no client', { clientId: undefined }, 'invalid_client'],
    ['an unknown client', { clientId: '1000.NONE' }, 'invalid_client'],
    ['no secret', { clientSecret: undefined }, 'invalid_client_secret'],
    ['a wrong secret', { clientSecret: 'dev-secret2' }, 'invalid_client_secret'],
    ['no token', { refreshToken: undefined }, 'invalid_request'],
    ['an unknown token', { refreshToken: '1000.x' }, 'invalid_code'],
    ["the operator's token", { refreshToken: DEV_CREDENTIALS.adminToken }, 'invalid_code'],
  ];

  test.each(refusals)('with %s is refused', async (_what, change, error) => {
    expect(await http.auth.exchange({ ...refresh, ...change })).toMatchObject({ kind: 'refused', error });
  });

  test('serves only the client it was made for', async () => {
    const other = await http.accounts.addClient(http.principal.org.id, 'Other');
    expect(await http.auth.exchange({ ...refresh, ...other })).toEqual({ kind: 'refused', error: 'invalid_code' });
  });
});

describe('a grant code', () => {
  test('gives an access token and a refresh token with its scopes', async () => {
    const answer = issued(await redeem(await grant()));
    expect(answer.scopes).toEqual(['ZohoCRM.notifications.READ']);
    expect((await http.auth.authenticate(`Bearer ${answer.accessToken}`)).scopes).toEqual(answer.scopes);
    const again = await http.auth.exchange({ ...refresh, refreshToken: answer.refreshToken });
    expect(issued(again).scopes).toEqual(answer.scopes);
  });

  test('counts once, even when ten race for it', async () => {
    const code = await grant();
    const answers = await Promise.all(Array.from({ length: 10 }, () => redeem(code)));
    expect(answers.filter(({ kind }) => kind === 'issued')).toHaveLength(1);
    expect(answers.filter((answer) => answer.kind === 'refused' && answer.error === 'invalid_code')).toHaveLength(9);
  });

  test('is good for three minutes', async () => {
    const codes = [await grant(), await grant()] as const;
    http.time.now += 179_999;
    expect((await redeem(codes[0])).kind).toBe('issued');
    http.time.now += 1;
    expect(await redeem(codes[1])).toEqual({ kind: 'refused', error: 'invalid_code' });
  });

  test('made for a redirect URI needs the same, and a wrong one does not use it up', async () => {
    const code = await grant({ redirectUri: 'https://app.example.com/cb' });
    const wrong = { kind: 'refused', error: 'invalid_redirect_uri' };
    expect(await redeem(code)).toEqual(wrong);
    expect(await redeem(code, 'https://app.example.com/other')).toEqual(wrong);
    expect((await redeem(code, 'https://app.example.com/cb')).kind).toBe('issued');
  });

  test('is no refresh token, nor the other way round', async () => {
    const refused = { kind: 'refused', error: 'invalid_code' };
    expect(await http.auth.exchange({ ...refresh, refreshToken: await grant() })).toEqual(refused);
    expect(await redeem(refreshToken)).toEqual(refused);
  });
});

test('a scope that is missing is refused', () => {
  const reader = { ...http.principal, scopes: ['ZohoCRM.notifications.READ'] };
  http.auth.requireScope(reader, { family: 'notifications', operations: ['READ'] });
  expect(() => http.auth.requireScope(reader, { family: 'notifications', operations: ['CREATE'] })).toThrow(
    expect.objectContaining({
      code: 'OAUTH_SCOPE_MISMATCH',
      message: 'invalid oauth scope to access this URL',
    }),
  );
});

describe('the operator', () => {
  test('is known by a stored token and by the configured one', async () => {
    await http.close();
    http = await openHttp({ adminToken: 'a-configured-token' });
    const asked = await Promise.all(
      [DEV_CREDENTIALS.adminToken, 'a-configured-token', 'a-configured-tokeN', refreshToken, ''].map((token) =>
        http.auth.operator(token),
      ),
    );
    expect(asked).toEqual([{ orgId: http.principal.org.id }, {}, undefined, undefined, undefined]);
  });
});
