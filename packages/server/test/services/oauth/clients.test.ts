import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OrgId, UserId } from '../../../src/domain/ids.ts';
import { type HttpFixture, openHttp } from '../../support/http.ts';
import {
  addColleague,
  clientId,
  clientSecret,
  grantInput,
  isGood,
  issued,
  MINUTE,
  REFRESH,
  redeem,
} from './support.ts';

const OTHER_ORG = '1234567' as OrgId;

let http: HttpFixture;
let org: OrgId;
beforeEach(async () => {
  http = await openHttp();
  org = http.principal.org.id;
});
afterEach(() => http.close());

const knows = async (secret: string): Promise<boolean> =>
  (await http.auth.exchange({ ...REFRESH, clientSecret: secret })).kind === 'issued';

describe('a client', () => {
  test('is shown without its secrets, which are told once', async () => {
    const input = { name: 'App', redirectUris: ['https://app.example.com/cb'], actingUserId: http.principal.user.id };
    const { client, clientSecret: secret } = await http.auth.clients.add(org, input);
    expect(secret).toMatch(/^[0-9a-f]{48}$/);
    expect(client).toEqual({
      ...input,
      id: expect.stringMatching(/^1000\.[0-9A-F]{30}$/),
      orgId: org,
      createdAt: http.time.now,
    });
    expect(await http.auth.clients.find(org, client.id)).toEqual(client);
    const { clients, moreClients } = await http.auth.clients.list(org, 1, 200);
    expect([clients.map(({ id }) => id).toSorted(), moreClients]).toEqual([[client.id, clientId].toSorted(), false]);
    expect(JSON.stringify(clients)).not.toMatch(/secret/i);
  });

  test('is not there for another organisation', async () => {
    expect(await http.auth.clients.find(OTHER_ORG, clientId)).toBeUndefined();
    expect(await http.auth.clients.change(OTHER_ORG, clientId, { name: 'x' })).toBeUndefined();
    expect(await http.auth.clients.rotateSecret(OTHER_ORG, clientId, 0)).toBeUndefined();
    expect(await http.auth.clients.remove(OTHER_ORG, clientId)).toBe(false);
    expect(await knows(clientSecret)).toBe(true);
  });

  const refusals: readonly [string, object, string][] = [
    ['no name', { name: ' ' }, 'name'],
    ['a name that is too long', { name: 'x'.repeat(101) }, 'name'],
    ['a name with a NUL', { name: 'a\0b' }, 'name'],
    ['an address that is none', { redirectUris: ['https://a.example/', 'nope'] }, 'redirect_uris.1'],
    ['an address in clear', { redirectUris: ['http://a.example/'] }, 'redirect_uris.0'],
    ['an address twice', { redirectUris: ['https://a.example/', 'https://a.example/'] }, 'redirect_uris'],
    [
      'too many addresses',
      { redirectUris: Array.from({ length: 21 }, (_, i) => `https://a.example/${i}`) },
      'redirect_uris',
    ],
    ['a user of nobody', { actingUserId: '1' as UserId }, 'acting_user'],
  ];

  test.each(refusals)('with %s is refused by the name of the field', async (_what, change, field) => {
    const error = { code: 'INVALID_DATA', details: { api_name: field } };
    await expect(http.auth.clients.add(org, { name: 'App', ...change })).rejects.toMatchObject(error);
    await expect(http.auth.clients.change(org, clientId, change)).rejects.toMatchObject(error);
  });
});

describe('a rotated secret', () => {
  test('works beside the new one for as long as was said, and the new one outlives a restart', async () => {
    const rotated = await http.auth.clients.rotateSecret(org, clientId, 5 * MINUTE);
    expect(rotated?.client.formerSecretUntil).toBe(http.time.now + 5 * MINUTE);
    http = await http.restart();
    http.time.now += 5 * MINUTE - 1;
    expect([await knows(clientSecret), await knows(rotated?.clientSecret ?? '')]).toEqual([true, true]);
    http.time.now += 1;
    expect([await knows(clientSecret), await knows(rotated?.clientSecret ?? '')]).toEqual([false, true]);
    expect(await http.auth.clients.find(org, clientId)).not.toHaveProperty('formerSecretUntil');
  });

  test('ends at once when it is not to be kept, and when another follows it', async () => {
    const second = await http.auth.clients.rotateSecret(org, clientId, 0);
    expect(await knows(clientSecret)).toBe(false);
    await http.auth.clients.rotateSecret(org, clientId, MINUTE);
    const fourth = await http.auth.clients.rotateSecret(org, clientId, MINUTE);
    expect(await knows(second?.clientSecret ?? '')).toBe(false);
    expect(await knows(fourth?.clientSecret ?? '')).toBe(true);
  });

  test.each([-1, 0.5, 30 * 86_400_000 + 1, Number.NaN])('is not kept for %d ms', async (keepMs) => {
    await expect(http.auth.clients.rotateSecret(org, clientId, keepMs)).rejects.toMatchObject({
      code: 'INVALID_DATA',
      details: { api_name: 'keep_seconds' },
    });
  });
});

test('a client that is removed ends with all it was given, at once', async () => {
  const access = issued(await http.auth.exchange(REFRESH)).accessToken;
  const code = await http.auth.makeGrant(grantInput(http));
  expect(await isGood(http, access)).toBe(true);
  expect(await http.auth.clients.remove(org, clientId)).toBe(true);
  expect(await isGood(http, access)).toBe(false);
  expect(await redeem(http, code)).toEqual({ kind: 'refused', error: 'invalid_client' });
  expect((await http.auth.issued.list(org, { clientId }, 1, 10)).tokens).toEqual([]);
});

test('removing a client while tokens are issued leaves none behind', async () => {
  const asked = Array.from({ length: 20 }, () => http.auth.exchange(REFRESH));
  const removed = http.auth.clients.remove(org, clientId);
  const answers = await Promise.all(asked);
  await removed;
  expect((await http.auth.issued.list(org, { clientId }, 1, 100)).tokens).toEqual([]);
  const good = await Promise.all(answers.map((one) => (one.kind === 'issued' ? isGood(http, one.accessToken) : false)));
  expect(good).not.toContain(true);
});

describe('what changes around a trusted token is seen', () => {
  test('at once by those who are forgotten', async () => {
    const access = await http.signIn();
    const denied = async () => (await http.auth.authenticate(`Bearer ${access}`)).profile.deniedModules;
    expect(await denied()).toEqual([]);
    await http.store.accounts.setDeniedModules(org, http.principal.profile.id, ['Leads']);
    http.auth.forget({ orgId: OTHER_ORG });
    http.auth.forget({ userId: '1' as UserId });
    http.auth.forget({ clientId: '1000.NONE' });
    expect(await denied()).toEqual([]);
    http.auth.forget({ orgId: org, userId: http.principal.user.id });
    expect(await denied()).toEqual(['Leads']);
  });

  test('even when it was looked up while they were forgotten', async () => {
    const access = await http.signIn();
    const looking = http.auth.authenticate(`Bearer ${access}`);
    http.auth.forget({});
    await looking;
    await http.store.accounts.setDeniedModules(org, http.principal.profile.id, ['Leads']);
    expect((await http.auth.authenticate(`Bearer ${access}`)).profile.deniedModules).toEqual(['Leads']);
  });
});

test('a grant is made only for a client, user and scopes that are there', async () => {
  const colleague = await addColleague(http);
  await http.auth.makeGrant(grantInput(http, { userId: colleague }));
  const cases: readonly [object, string][] = [
    [{ clientId: '1000.NONE' }, 'client'],
    [{ orgId: OTHER_ORG }, 'client'],
    [{ userId: '1' as UserId }, 'user'],
    [{ scopes: [] }, 'scopes'],
    [{ scopes: ['ZohoCRM.org.READ', 'x'] }, 'scopes.1'],
    [{ redirectUri: 'nope' }, 'redirect_uri'],
  ];
  for (const [change, field] of cases) {
    await expect(http.auth.makeGrant(grantInput(http, change))).rejects.toMatchObject({
      code: 'INVALID_DATA',
      details: { api_name: field },
    });
  }
});
