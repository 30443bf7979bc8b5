import { expect, onTestFinished, test } from 'vitest';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';

const ORG = '/_watchbell/v1/orgs/3652397';
const REFRESH = {
  grant_type: 'refresh_token',
  client_id: '1000.DEV',
  client_secret: 'dev-secret',
  refresh_token: '1000.dev.refresh',
};
const AUTH_QUERY = new URLSearchParams({
  client_id: '1000.DEV',
  response_type: 'code',
  redirect_uri: 'http://localhost:3000/cb',
  scope: 'ZohoCRM.org.READ',
});

async function start(): Promise<LiveApp> {
  const live = await startLiveApp();
  onTestFinished(() => live.stop());
  return live;
}

async function post({ base }: LiveApp, path: string, fields: Record<string, string>) {
  const response = await fetch(`${base}${path}`, { method: 'POST', body: new URLSearchParams(fields) });
  return { status: response.status, body: await response.json() };
}

async function operate({ base }: LiveApp, method: string, path: string, body?: object) {
  const response = await fetch(`${base}${ORG}${path}`, {
    method,
    headers: { authorization: 'Bearer dev-admin', 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  expect(response.ok).toBe(true);
  return (await response.json()) as Record<string, unknown>;
}

test('a suspended organisation is given no tokens and no consent page, but may revoke, until it is resumed', async () => {
  const live = await start();
  const page = async () => {
    const response = await fetch(`${live.base}/oauth/v2/auth?${AUTH_QUERY}`);
    return [response.status, (await response.text()).includes('is suspended')];
  };
  expect(await page()).toEqual([200, false]);
  await operate(live, 'POST', '/suspend');
  expect(await post(live, '/oauth/v2/token', REFRESH)).toMatchObject({ status: 200, body: { error: 'access_denied' } });
  expect(await page()).toEqual([403, true]);
  expect((await post(live, '/oauth/v2/token/revoke', { token: live.owner.accessToken })).body).toEqual({
    status: 'success',
  });
  await operate(live, 'POST', '/resume');
  expect(await post(live, '/oauth/v2/token', REFRESH)).toMatchObject({ body: { access_token: expect.any(String) } });
  expect(await page()).toEqual([200, false]);
  expect((await live.owner.call('GET', '/crm/v8/org')).status).toBe(401);
});

test('a code that the operator makes, and a rotated secret, serve the token endpoint', async () => {
  const live = await start();
  const { client_secret } = await operate(live, 'POST', '/clients/1000.DEV/secret', { keep_seconds: 60 });
  const user = '3652397000000186017';
  const { code } = await operate(live, 'POST', '/clients/1000.DEV/grants', { user, scopes: ['ZohoCRM.org.READ'] });
  const { client_id } = REFRESH;
  const fields = { grant_type: 'authorization_code', client_id, client_secret: String(client_secret) };
  expect(await post(live, '/oauth/v2/token', { ...fields, code: String(code) })).toMatchObject({
    body: { access_token: expect.any(String), refresh_token: expect.any(String), scope: 'ZohoCRM.org.READ' },
  });
  expect(await post(live, '/oauth/v2/token', REFRESH)).toMatchObject({ body: { access_token: expect.any(String) } });
});
