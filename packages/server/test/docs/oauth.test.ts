import { expect, test } from 'vitest';
import { DEFAULT_OAUTH_POLICY, DEV_OAUTH_POLICY } from '../../src/domain/oauth/policy.ts';
import { cells, page, tableRows } from './page.ts';

const MINUTE_MS = 60_000;

test('docs/compatibility.md shows the lives and limits of tokens', () => {
  const { grantLifeMs, accessLifeMs, limits } = DEFAULT_OAUTH_POLICY;
  const window = `in ${(limits?.windowMs ?? 0) / MINUTE_MS} minutes`;
  const shown = tableRows(page('compatibility.md'), 'oauth-limits').map((row) => cells(row).slice(0, 2));
  expect(shown).toEqual([
    ['life of a grant code', `${grantLifeMs / MINUTE_MS} minutes, once`],
    [`grant codes of a client ${window}`, String(limits?.grants)],
    ['life of an access token', `${accessLifeMs / MINUTE_MS} minutes`],
    [`access tokens from a refresh token ${window}`, String(limits?.accessTokens)],
    ['live access tokens of a refresh token', String(limits?.liveAccessTokens)],
    ['refresh tokens of a user', String(limits?.refreshTokens)],
    [`wrong sign-in keys from an address ${window}`, String(limits?.wrongKeys)],
  ]);
  expect(Object.keys(limits ?? {})).toHaveLength(shown.length - 1);
});

test('the dev profile has the same lives and no limits', () => {
  const { limits: _none, ...dev } = { limits: undefined, ...DEV_OAUTH_POLICY };
  const { limits: _some, ...production } = DEFAULT_OAUTH_POLICY;
  expect(dev).toEqual({ ...production, allowsLoopback: true });
  expect(DEV_OAUTH_POLICY).not.toHaveProperty('limits');
});
