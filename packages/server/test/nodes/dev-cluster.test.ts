import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createAccounts } from '../../src/services/accounts.ts';
import { createPostgresStore } from '../../src/storage/engines/postgres.ts';
import { systemClock } from '../../src/system-clock.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { createDatabase } from '../support/postgres/database.ts';
import { withClient } from '../support/postgres/with-client.ts';
import { setUpCluster, temporaryDirectory } from './nodes.ts';

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const CLOCK = '/_watchbell/v1/clock';

test('nodes of the dev profile that start at once on an empty database make one sample, and know the same credentials', async () => {
  const cluster = await setUpCluster();
  const nodes = await Promise.all([cluster.start(), cluster.start(), cluster.start()]);
  const counts = await withClient(cluster.url, async (client) => {
    const { rows } = await client.query(
      `SELECT (SELECT count(*) FROM org) AS orgs, (SELECT count(*) FROM user_account) AS users,
        (SELECT sum(last_change) FROM org) AS changes, (SELECT count(*) FROM record) AS records`,
    );
    return rows[0];
  });
  expect(counts).toMatchObject({ orgs: 1, users: 1, changes: '4', records: 27 });
  for (const { base } of nodes) {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: '1000.DEV',
      client_secret: 'dev-secret',
      refresh_token: '1000.dev.refresh',
    });
    expect((await fetch(`${base}/oauth/v2/token`, { method: 'POST', body: form })).status).toBe(200);
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
  }
  const kept = JSON.parse(readFileSync(join(cluster.dataDir, 'credentials.json'), 'utf8'));
  expect(nodes.map(({ base }) => base)).toContain(kept.base);
});

test('nodes that find no sample organisation at the same moment make one, with one user and one client', async () => {
  const { url, drop } = await createDatabase();
  onTestFinished(drop);
  const options = { url, secretKey: new Uint8Array(32), logger: silent, time: 'database' as const };
  const stores = [await createPostgresStore(options), await createPostgresStore(options)];
  onTestFinished(async () => void (await Promise.all(stores.map((store) => store.close()))));
  const parts = { clock: systemClock, realNow: Date.now, random: randomBytes };
  const made = await Promise.all(
    [...stores, ...stores].map((store) => createAccounts({ ...store, ...parts }).ensureDev({ timeZone: 'UTC' })),
  );
  for (const { isEmpty, principal } of made) {
    expect(isEmpty).toBe(true);
    expect(principal).toEqual(made[0]?.principal);
  }
});

test('a node of the dev profile with the key of another data directory is told how to have the same', async () => {
  const cluster = await setUpCluster();
  await cluster.start();
  const elsewhere = temporaryDirectory();
  await expect(cluster.start({ dataDir: elsewhere })).rejects.toMatchObject({
    code: 'WRONG_SECRET_KEY',
    message: expect.stringContaining(
      `This node took the key in ${elsewhere}; give all nodes on one database the same --data-dir, or the same key`,
    ),
  });
  const secretKey = readFileSync(join(cluster.dataDir, 'secret.key'), 'utf8').trim();
  await cluster.start({ dataDir: elsewhere, secretKey });
});

test('the clock that one node moves or freezes is that of all, and of what they commit', async () => {
  const cluster = await setUpCluster();
  const [a, b] = [await cluster.start(), await cluster.start()];
  const { body } = await a.ask('POST', `${CLOCK}/set`, { by: '400d' });
  const moved = Date.parse((body as { now: string }).now);
  const nowAt = async (node: typeof a) => Date.parse(((await node.ask('GET', CLOCK)).body as { now: string }).now);
  await expect.poll(() => nowAt(b)).toBeGreaterThanOrEqual(moved);
  await b.ask('POST', `${CLOCK}/freeze`);
  const frozen = await nowAt(b);
  await expect.poll(async () => (await a.ask('GET', CLOCK)).body).toMatchObject({ frozen: true });
  const made = await a.app.accounts.setup({
    orgName: 'Then',
    timeZone: 'UTC',
    email: 'a@example.com',
    firstName: '',
    lastName: 'A',
    clientName: 'A',
  });
  await b.ask('PATCH', `/_watchbell/v1/orgs/${made.orgId}`, { name: 'Frozen' });
  const lastTime = await withClient(cluster.url, async (client) => {
    const { rows } = await client.query('SELECT last_time FROM org WHERE id = $1', [made.orgId]);
    return Number(rows[0].last_time);
  });
  // The node that froze it took it as it was there; the other may have been a moment further by then.
  expect(Math.abs(lastTime - frozen)).toBeLessThan(60_000);
  expect((await b.ask('POST', `${CLOCK}/resume`)).body).toMatchObject({ frozen: false });
});

test('an organisation that one node is asked to erase is erased without a trace, whichever node does it', async () => {
  const cluster = await setUpCluster();
  const flags = { attemptTimeout: '1', leaseSeconds: '5' };
  const [a, b] = [await cluster.start(flags), await cluster.start(flags)];
  const made = await Promise.all(
    [1, 2, 3, 4].map((i) =>
      a.app.accounts.setup({
        orgName: `Org ${i}`,
        timeZone: 'UTC',
        email: 'a@example.com',
        firstName: '',
        lastName: 'A',
        clientName: 'A',
      }),
    ),
  );
  for (const { orgId } of made) {
    expect((await b.ask('DELETE', `/_watchbell/v1/orgs/${orgId}`)).status).toBe(202);
  }
  const left = () =>
    withClient(cluster.url, async (client) => {
      const { rows } = await client.query(
        `SELECT (SELECT count(*) FROM org) + (SELECT count(*) FROM user_account) + (SELECT count(*) FROM oauth_client) AS n`,
      );
      return rows[0].n;
    });
  await expect.poll(left, { timeout: 50_000 }).toBe(3);
}, 60_000);
