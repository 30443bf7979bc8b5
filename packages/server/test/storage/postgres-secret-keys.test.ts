import { expect, onTestFinished, test } from 'vitest';
import { createPostgresStore } from '../../src/storage/engines/postgres.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { createDatabase } from '../support/postgres/database.ts';

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
