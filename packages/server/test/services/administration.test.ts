import { randomBytes } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { NotificationId } from '../../src/domain/ids.ts';
import { createAccounts } from '../../src/services/accounts.ts';
import { createAdministration } from '../../src/services/administration.ts';
import { createAuth } from '../../src/services/auth.ts';
import { createErasure } from '../../src/services/erasure.ts';
import { createWriter, type Writer } from '../../src/services/writer.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import { addOrgs, ORG, openChannel, PATRICIA, START } from '../storage/suite/sample.ts';
import { openStoreIn, removeData } from '../support/test-data.ts';

const quiet = () => undefined;
const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const realNow = () => START;
const clock = { now: realNow, at: () => quiet };

/** An organisation whose user has one channel, opened by one client. */
async function setScene() {
  const dataDir = mkdtempSync(join(tmpdir(), 'watchbell-administration-'));
  const store = await openStoreIn(dataDir, { secretKey: new Uint8Array(32).fill(7), logger });
  await addOrgs(store, ORG);
  const { accounts: reads, administration, clients, tokens } = store;
  const parts = { accounts: reads, clients, tokens, realNow, random: randomBytes };
  const accounts = createAccounts({ ...parts, administration, clock });
  const auth = createAuth(parts);
  const erasure = createErasure({ store: store.erasure, logger, quiet: async () => {}, onErased: quiet });
  const writers: Writer[] = [];
  const openWriter = (maxQueued: number): Writer => {
    const writer = createWriter({
      store: store.writing,
      clock,
      randomId: () => 'n-1' as NotificationId,
      onCommitted: quiet,
      maxQueued,
      maxBatchWeight: 50,
    });
    writers.push(writer);
    return writer;
  };
  onTestFinished(async () => {
    for (const writer of writers) await writer.drain();
    await store.close();
    await removeData(dataDir);
  });
  const { client } = await auth.clients.add(ORG, { name: 'Sync' });
  await openWriter(10).submit(ORG, {
    needs: {},
    weight: 1,
    decide: (set) => openChannel(set, '1', { clientId: client.id }),
  });
  return {
    client: client.id,
    administrationWith: (writer: Writer) =>
      createAdministration({ store: administration, reads, accounts, auth, writer, erasure, clock }),
    openWriter,
    listChannels: administration.listChannels,
  };
}

test.each(['user', 'client'] as const)('taking away a %s that was cut short can be asked for again', async (what) => {
  const { client, administrationWith, openWriter, listChannels } = await setScene();
  const stopped = openWriter(10);
  await stopped.drain();
  const takeAway = (writer: Writer) => {
    const administration = administrationWith(writer);
    return what === 'user' ? administration.removeUser(ORG, PATRICIA) : administration.removeClient(ORG, client);
  };
  await expect(takeAway(stopped)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  const again = openWriter(10);
  expect(await takeAway(again)).toBe(1);
  await expect(takeAway(again)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const left = await listChannels(ORG, { ended: false }, 1, 10);
  expect(left.items).toEqual([]);
});
