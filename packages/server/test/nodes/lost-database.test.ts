import { expect, onTestFinished, test } from 'vitest';
import { startLiveApp } from '../support/live-app.ts';
import { withClient } from '../support/postgres/with-client.ts';
import { startTcpProxy, through } from '../support/tcp-proxy.ts';
import { asksOf, targetOf } from '../tenancy/callers.ts';
import { ADMIN_ROWS, CRM_ROWS } from '../tenancy/rows.ts';
import { isCrm } from '../tenancy/stage.ts';
import { makeWorld, type Names, sender } from '../tenancy/world.ts';
import { setUpCluster } from './nodes.ts';

/** A server behind a proxy that can take its database away. */
async function setScene(options: { readonly realNow?: () => number } = {}) {
  const { url, dataDir } = await setUpCluster();
  const proxy = await startTcpProxy(Number(new URL(url).port));
  onTestFinished(() => proxy.close());
  const app = await startLiveApp({ ...options, dataDir, flags: { databaseUrl: through(proxy, url) } });
  onTestFinished(() => app.stop());
  return { url, proxy, app };
}

test('a write whose commit was answered to nobody is 503, was made once, and is not tried again', async () => {
  const { url, proxy, app } = await setScene();
  const lost = proxy.loseNext('COMMIT');
  const writes = [1, 2, 3].map((i) =>
    app.owner.call('POST', '/crm/v8/Leads', { data: [{ Last_Name: `Lost ${i}`, Company: 'C' }] }),
  );
  await lost;
  const statuses = (await Promise.all(writes)).map(({ status }) => status);
  expect(statuses).toContain(503);
  const found = await withClient(url, async (client) => {
    const { rows } = await client.query("SELECT field_values FROM record WHERE module = 'Leads'");
    return rows.map(({ field_values }) => JSON.parse(field_values).Last_Name).filter((name) => name.startsWith('Lost'));
  });
  // What was answered 503 may have been made, and was here; nothing was made twice.
  expect(found.sort()).toEqual(['Lost 1', 'Lost 2', 'Lost 3']);
  expect((await app.owner.call('POST', '/crm/v8/Leads', { data: [{ Last_Name: 'L', Company: 'C' }] })).status).toBe(
    201,
  );
});

test('while the database is away every call is answered 503 with a time to wait, and /healthz that it lives', async () => {
  let realNow = Date.now();
  const { proxy, app } = await setScene({ realNow: () => realNow });
  const { send, close } = sender(app.base);
  onTestFinished(close);
  const world = await makeWorld(app, send, 'A');
  await proxy.close();
  // Nobody is believed without asking any more.
  realNow += 5000;
  const wrong: string[] = [];
  let asked = 0;
  for (const [key, row] of Object.entries({ ...CRM_ROWS, ...ADMIN_ROWS })) {
    const [method = '', path = ''] = key.split(' ');
    for (const ask of asksOf(row(world.names satisfies Names))) {
      const response = await fetch(`${app.base}${targetOf({ method, path }, ask, 'v8')}`, {
        method,
        headers: {
          authorization: isCrm({ method, path }) ? `Zoho-oauthtoken ${world.accessToken}` : 'Bearer dev-admin',
        },
        ...(ask.body && { body: JSON.stringify(ask.body) }),
      });
      const body = (await response.json().catch(() => ({}))) as { code?: string; status?: string };
      asked += 1;
      const isRight =
        response.status === 503 &&
        response.headers.get('retry-after') !== null &&
        body.code === 'SERVICE_UNAVAILABLE' &&
        body.status === 'error';
      if (!isRight) wrong.push(`${key}: ${response.status} ${JSON.stringify(body)}`);
    }
  }
  const { clientId, clientSecret, refreshToken } = world;
  const given = { grant_type: 'refresh_token', client_id: clientId, client_secret: clientSecret };
  for (const path of ['token', 'token/revoke']) {
    const body = new URLSearchParams({ ...given, refresh_token: refreshToken, token: refreshToken });
    const { status, headers } = await fetch(`${app.base}/oauth/v2/${path}`, { method: 'POST', body });
    if (status !== 503 || headers.get('retry-after') === null) wrong.push(`${path}: ${status}`);
  }
  expect(wrong).toEqual([]);
  expect(asked).toBeGreaterThan(60);
  expect((await fetch(`${app.base}/healthz`)).status).toBe(200);
  const metrics = await fetch(`${app.base}/metrics`, { headers: { authorization: 'Bearer dev-admin' } });
  expect(await metrics.text()).toMatch(/^watchbell_database_failures_total\{kind="connection"\} [1-9]/m);
  const readyz = await fetch(`${app.base}/readyz`);
  expect(readyz.status).toBe(503);
  expect(readyz.headers.get('retry-after')).toBe('1');
  expect(await readyz.json()).toMatchObject({ status: 'unready', reason: expect.stringContaining('ECONNREFUSED') });
});
