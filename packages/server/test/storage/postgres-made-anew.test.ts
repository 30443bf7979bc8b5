import { expect, onTestFinished, test } from 'vitest';
import { createPostgresStore } from '../../src/storage/engines/postgres.ts';
import type { Store } from '../../src/storage/store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { createDatabase } from '../support/postgres/database.ts';
import { addOrgs, createRecords, markErasing, ORG, openBatches, openChannel, START } from './suite/sample.ts';

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

test('of an organisation that was erased on another node and made anew nothing is known any more', async () => {
  const { url, drop } = await createDatabase({ isMigrated: true });
  onTestFinished(drop);
  const open = async (): Promise<Store> => {
    const secretKey = new Uint8Array(32).fill(7);
    const store = await createPostgresStore({ url, secretKey, logger: silent, time: 'injected', hints: false });
    onTestFinished(() => store.close());
    return store;
  };
  const [one, two] = [await open(), await open()];
  const [first, second] = [openBatches(one), openBatches(two)];
  await addOrgs(one, ORG);
  const old = await second.run(ORG, {}, (set) => openChannel(set, '1'));
  await second.run(ORG, {}, (set) => createRecords(set));

  await markErasing(first, ORG);
  for (const table of await one.erasure.tables()) while ((await one.erasure.removeSome(ORG, table)) > 0);
  await one.erasure.removeOrg(ORG);
  one.writing.forget(ORG);
  await one.accounts.addOrg({ id: ORG, name: 'Made anew', timeZone: 'UTC' }, START + 1);
  await first.run(ORG, {}, (set) => createRecords(set, 3));
  const channel = await first.run(ORG, {}, (set) => openChannel(set, '2'));
  expect(channel.generation).not.toBe(old.generation);
  await second.run(ORG, {}, (set) => createRecords(set));
  expect(second.commits.at(-1)?.notifications.map(({ generation }) => generation)).toEqual([channel.generation]);
});
