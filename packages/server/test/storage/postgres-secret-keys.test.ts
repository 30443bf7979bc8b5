import { expect, onTestFinished, test, vi } from 'vitest';
import { createPostgresStore } from '../../src/storage/engines/postgres.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { createDatabase } from '../support/postgres/database.ts';
import { withClient } from '../support/postgres/with-client.ts';

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const key = (letter: string) => new Uint8Array(32).fill(letter.charCodeAt(0));

test('a former key is in use as long as a node that lives encrypts under it', async () => {
  const { url, drop } = await createDatabase();
  onTestFinished(drop);
  async function open(present: string, former: string) {
    const options = { url, secretKey: key(present), formerKeys: [key(former)], logger: silent };
    const store = await createPostgresStore({ ...options, time: 'database' });
    onTestFinished(() => store.close());
    return store;
  }
  const before = await open('A', 'B');
  await before.cluster?.leases.renew('old', 60_000, false);
  const after = await open('B', 'A');
  await after.cluster?.leases.renew('new', 60_000, false);
  expect(after.sealed.formerKeys()).toEqual([before.sealed.keyId]);
  expect(await after.sealed.formerKeysInUse()).toEqual([before.sealed.keyId]);
  await before.cluster?.leases.leave('old');
  expect(await after.sealed.formerKeysInUse()).toEqual([]);
  await after.cluster?.leases.renew('died', -1, false);
  await after.sealed.forgetFormerKeys();
  expect(after.sealed.formerKeys()).toEqual([]);
});

test('of nodes that start at once on an empty store with different keys, those with one of them start', async () => {
  const { url, drop } = await createDatabase();
  onTestFinished(drop);
  const look = await createPostgresStore({ url, secretKey: key('L'), logger: silent, time: 'database', isLook: true });
  await look.close();
  const letters = ['A', 'B', 'A', 'B', 'A', 'B'];
  // All of them have seen that there is no key before the first can save its own.
  const starts = await withClient(url, async (client) => {
    await client.query('BEGIN; LOCK TABLE meta IN SHARE MODE');
    const begun = Promise.allSettled(
      letters.map((letter) => createPostgresStore({ url, secretKey: key(letter), logger: silent, time: 'database' })),
    );
    await vi.waitFor(async () => {
      const { rowCount } = await client.query(
        `SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'meta'::regclass
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      expect(rowCount).toBe(letters.length);
    }, 4000);
    await client.query('COMMIT');
    return begun;
  });
  const started = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  onTestFinished(async () => void (await Promise.all(started.map((store) => store.close()))));
  const reasons = starts.flatMap((start) => (start.status === 'rejected' ? [start.reason] : []));
  expect(reasons).toEqual(Array(3).fill(expect.objectContaining({ code: 'WRONG_SECRET_KEY' })));
  expect(new Set(started.map(({ sealed }) => sealed.keyId)).size).toBe(1);
});
