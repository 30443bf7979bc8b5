import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpFixture } from '../../support/http.ts';
import {
  addColleague,
  clientId,
  clientSecret,
  grantInput,
  isGood,
  issued,
  MINUTE,
  openLimited,
  REFRESH,
  redeem,
} from './support.ts';

const DENIED = { kind: 'refused', error: 'access_denied', description: expect.any(String) };
const PACE = 61_000;

let http: HttpFixture;
beforeEach(async () => {
  http = await openLimited();
});
afterEach(() => http.close());

const access = () => http.auth.exchange(REFRESH);

test('a refresh token gives ten access tokens in ten minutes, however they race, and goes on later', async () => {
  const answers = await Promise.all(Array.from({ length: 14 }, access));
  expect(answers.filter(({ kind }) => kind === 'issued')).toHaveLength(10);
  expect(answers.filter(({ kind }) => kind === 'refused')).toEqual(Array(4).fill(DENIED));
  http.time.now += 10 * MINUTE - 1;
  expect(await access()).toEqual(DENIED);
  http.time.now += 1;
  expect((await access()).kind).toBe('issued');
});

test('the count of access tokens outlives a restart', async () => {
  for (let i = 0; i < 10; i += 1) issued(await access());
  http = await http.restart();
  expect(await access()).toEqual(DENIED);
});

test('the sixteenth access token of a refresh token ends the oldest, at once', async () => {
  const tokens: string[] = [];
  for (let i = 0; i < 15; i += 1) {
    tokens.push(issued(await access()).accessToken);
    http.time.now += PACE;
  }
  expect(await Promise.all(tokens.map((token) => isGood(http, token)))).toEqual(Array(15).fill(true));
  const last = issued(await access()).accessToken;
  const good = await Promise.all([...tokens, last].map((token) => isGood(http, token)));
  expect(good).toEqual([false, ...Array(15).fill(true)]);
});

test('a client has ten grant codes in ten minutes, used or not, and another client its own', async () => {
  const make = () => http.auth.makeGrant(grantInput(http));
  issued(await redeem(http, await make()));
  for (let i = 1; i < 10; i += 1) await make();
  await expect(make()).rejects.toMatchObject({ code: 'LIMIT_REACHED', details: { limit: 10 } });
  const { client } = await http.auth.clients.add(http.principal.org.id, { name: 'Other' });
  await http.auth.makeGrant(grantInput(http, { clientId: client.id }));
  http.time.now += 10 * MINUTE;
  await make();
});

test('the twenty-first refresh token of a user ends the oldest with its access tokens, and nobody else’s', async () => {
  const colleague = await addColleague(http);
  const theirs = issued(await redeem(http, await http.auth.makeGrant(grantInput(http, { userId: colleague }))));
  const refresh = (refreshToken: string | undefined) => http.auth.exchange({ ...REFRESH, refreshToken });
  // The sample user's own is the first of the twenty.
  const made = [];
  for (let i = 0; i < 19; i += 1) {
    http.time.now += PACE;
    made.push(issued(await redeem(http, await http.auth.makeGrant(grantInput(http)))));
  }
  issued(await access());
  http.time.now += PACE;
  made.push(issued(await redeem(http, await http.auth.makeGrant(grantInput(http)))));
  expect(await access()).toEqual({ kind: 'refused', error: 'invalid_code' });
  issued(await refresh(made[0]?.refreshToken));
  const [first, second] = made;
  expect(await isGood(http, first?.accessToken ?? '')).toBe(true);
  http.time.now += PACE;
  issued(await redeem(http, await http.auth.makeGrant(grantInput(http))));
  expect(await isGood(http, first?.accessToken ?? '')).toBe(false);
  expect(await isGood(http, second?.accessToken ?? '')).toBe(true);
  issued(await refresh(theirs.refreshToken));
});

describe('a client on its own', () => {
  test('has ten access tokens in ten minutes', async () => {
    const ask = () =>
      http.auth.exchange({
        grantType: 'client_credentials',
        clientId,
        clientSecret,
        scope: 'ZohoCRM.org.READ',
        soid: 'ZohoCRM.3652397',
      });
    const answers = await Promise.all(Array.from({ length: 12 }, ask));
    expect(answers.filter(({ kind }) => kind === 'issued')).toHaveLength(10);
    issued(await access());
  });
});

test('nothing is limited in the dev profile', async () => {
  const { openHttp } = await import('../../support/http.ts');
  const dev = await openHttp();
  const answers = await Promise.all(Array.from({ length: 40 }, () => dev.auth.exchange(REFRESH)));
  expect(answers.every(({ kind }) => kind === 'issued')).toBe(true);
  await dev.close();
});
