import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OrgId } from '../../../src/domain/ids.ts';
import { DEV_CREDENTIALS } from '../../../src/services/accounts.ts';
import { type HttpFixture, openHttp } from '../../support/http.ts';
import { addColleague, clientId, grantInput, isGood, issued, REFRESH, redeem, refreshToken } from './support.ts';

const OTHER_ORG = '1234567' as OrgId;

let http: HttpFixture;
let org: OrgId;
beforeEach(async () => {
  http = await openHttp();
  org = http.principal.org.id;
});
afterEach(() => http.close());

const access = async () => issued(await http.auth.exchange(REFRESH)).accessToken;

describe('whoever holds it can revoke', () => {
  test('an access token, which is dead at once and takes nothing with it', async () => {
    const [first, second] = [await access(), await access()];
    expect([await isGood(http, first), await isGood(http, second)]).toEqual([true, true]);
    expect(await http.auth.issued.revoke(first)).toBe(true);
    expect([await isGood(http, first), await isGood(http, second)]).toEqual([false, true]);
    expect(await http.auth.issued.revoke(first)).toBe(false);
    await access();
  });

  test('a refresh token with its access tokens, for good', async () => {
    const mine = await access();
    const other = issued(await redeem(http, await http.auth.makeGrant(grantInput(http))));
    expect(await isGood(http, mine)).toBe(true);
    expect(await http.auth.issued.revoke(refreshToken)).toBe(true);
    expect([await isGood(http, mine), await isGood(http, other.accessToken)]).toEqual([false, true]);
    const refused = { kind: 'refused', error: 'invalid_code' };
    expect(await http.auth.exchange(REFRESH)).toEqual(refused);
    const taken = http.store.tokens;
    expect((await taken.list(org, {}, http.time.now, 1, 100)).tokens.map(({ kind }) => kind).toSorted()).toEqual([
      'access',
      'admin',
      'refresh',
    ]);
  });

  test('nothing else', async () => {
    const code = await http.auth.makeGrant(grantInput(http));
    const key = await http.auth.signInKeys.issue(org, http.principal.user.id);
    const others = [DEV_CREDENTIALS.adminToken, code, key, '1000.x', '', 'x'.repeat(10_000)];
    expect(await Promise.all(others.map((token) => http.auth.issued.revoke(token)))).toEqual(others.map(() => false));
    expect(await http.auth.operator(DEV_CREDENTIALS.adminToken)).toBeDefined();
    issued(await redeem(http, code));
  });

  test('no access token that has expired', async () => {
    const token = await access();
    http.time.now += 3_600_000;
    expect(await http.auth.issued.revoke(token)).toBe(false);
  });
});

describe('the operator', () => {
  test('sees what tokens there are, and never a token or its hash', async () => {
    const token = await access();
    const { tokens, moreTokens } = await http.auth.issued.list(org, {}, 1, 10);
    expect(moreTokens).toBe(false);
    expect(tokens.map(({ kind }) => kind).toSorted()).toEqual(['access', 'admin', 'refresh']);
    expect(tokens.find(({ kind }) => kind === 'access')).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      kind: 'access',
      userId: http.principal.user.id,
      clientId,
      scopes: http.principal.scopes,
      createdAt: http.time.now,
      expiresAt: http.time.now + 3_600_000,
    });
    expect(JSON.stringify(tokens)).not.toContain(token);
    expect(await http.auth.issued.list(OTHER_ORG, {}, 1, 10)).toEqual({ tokens: [], moreTokens: false });
  });

  test('ends a token by its id, in its own organisation, at once', async () => {
    const token = await access();
    const { tokens } = await http.auth.issued.list(org, {}, 1, 10);
    const id = tokens.find(({ kind }) => kind === 'refresh')?.id ?? '';
    expect(await isGood(http, token)).toBe(true);
    expect(await http.auth.issued.remove(OTHER_ORG, id)).toBe(false);
    expect(await http.auth.issued.remove(org, id.slice(1))).toBe(false);
    expect(await http.auth.issued.remove(org, '%'.repeat(24))).toBe(false);
    expect(await isGood(http, token)).toBe(true);
    expect(await http.auth.issued.remove(org, id)).toBe(true);
    expect(await isGood(http, token)).toBe(false);
  });

  test('ends all of a user, of whatever kind, at once, and nobody else’s', async () => {
    const user = await addColleague(http);
    const code = () => http.auth.makeGrant(grantInput(http, { userId: user }));
    const theirs = issued(await redeem(http, await code()));
    const unused = await code();
    const mine = await access();
    expect([await isGood(http, theirs.accessToken), await isGood(http, mine)]).toEqual([true, true]);
    // The spent code counts, too.
    expect(await http.auth.issued.removeOf(org, { userId: user })).toBe(4);
    expect([await isGood(http, theirs.accessToken), await isGood(http, mine)]).toEqual([false, true]);
    expect(await redeem(http, unused)).toEqual({ kind: 'refused', error: 'invalid_code' });
  });
});

test('an operator’s token administers its own organisation, the configured one all', async () => {
  await http.close();
  http = await openHttp({ adminToken: 'a-configured-token' });
  expect(await http.auth.operator(DEV_CREDENTIALS.adminToken)).toEqual({ orgId: org });
  expect(await http.auth.operator('a-configured-token')).toEqual({});
  expect(await http.auth.operator(refreshToken)).toBeUndefined();
});

test('an online grant gives an access token alone', async () => {
  const answer = issued(await redeem(http, await http.auth.makeGrant(grantInput(http, { isOnline: true }))));
  expect(answer).not.toHaveProperty('refreshToken');
  expect(await isGood(http, answer.accessToken)).toBe(true);
});
