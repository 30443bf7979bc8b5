import { afterEach, beforeEach, expect, test } from 'vitest';
import { type HttpFixture, openHttp } from '../../support/http.ts';
import { addColleague, clientId, clientSecret, isGood, issued } from './support.ts';

const REQUEST = {
  grantType: 'client_credentials',
  clientId,
  clientSecret,
  scope: 'ZohoCRM.modules.READ,ZohoCRM.org.READ',
  soid: 'ZohoCRM.3652397',
};

let http: HttpFixture;
beforeEach(async () => {
  http = await openHttp();
});
afterEach(() => http.close());

test('a client acts as its user within the scopes it asked for, without a refresh token', async () => {
  const answer = issued(await http.auth.exchange(REQUEST));
  expect(answer).not.toHaveProperty('refreshToken');
  expect(await http.auth.authenticate(`Bearer ${answer.accessToken}`)).toMatchObject({
    user: { id: http.principal.user.id },
    clientId,
    scopes: ['ZohoCRM.modules.READ', 'ZohoCRM.org.READ'],
  });
});

const refusals: readonly [string, object, string, string | undefined][] = [
  ['no scope', { scope: undefined }, 'invalid_scope', 'scope is missing'],
  ['a bad scope', { scope: 'ZohoCRM.org.READ,nope' }, 'invalid_scope', 'nope is no scope'],
  ['no soid', { soid: undefined }, 'invalid_request', expect.stringContaining('soid')],
  ['another organisation', { soid: 'ZohoCRM.1' }, 'invalid_request', expect.stringContaining('soid')],
  ['another service', { soid: 'ZohoBooks.3652397' }, 'invalid_request', expect.stringContaining('soid')],
  ['a wrong secret', { clientSecret: 'x' }, 'invalid_client_secret', undefined],
];

test.each(refusals)('%s is refused', async (_what, change, error, description) => {
  expect(await http.auth.exchange({ ...REQUEST, ...change })).toEqual({
    kind: 'refused',
    error,
    ...(description !== undefined && { description }),
  });
});

test('a client without a user to act as is refused, until it has one', async () => {
  const org = http.principal.org.id;
  const made = await http.auth.clients.add(org, { name: 'Job' });
  const ask = () => http.auth.exchange({ ...REQUEST, clientId: made.client.id, clientSecret: made.clientSecret });
  const refused = { kind: 'refused', error: 'unauthorized_client', description: 'The client has no user to act as' };
  expect(await ask()).toEqual(refused);
  const user = await addColleague(http);
  await http.auth.clients.change(org, made.client.id, { actingUserId: user });
  const { accessToken } = issued(await ask());
  expect((await http.auth.authenticate(`Bearer ${accessToken}`)).user.id).toBe(user);
  await http.auth.clients.change(org, made.client.id, { actingUserId: null });
  expect(await ask()).toEqual(refused);
});

test('a token that a client has on its own ends with the client', async () => {
  const org = http.principal.org.id;
  const { accessToken } = issued(await http.auth.exchange(REQUEST));
  expect(await isGood(http, accessToken)).toBe(true);
  await http.auth.clients.remove(org, clientId);
  expect(await isGood(http, accessToken)).toBe(false);
  expect(await http.auth.exchange(REQUEST)).toEqual({ kind: 'refused', error: 'invalid_client' });
});
