import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeDir, removeDir } from '../processes.ts';
import { startSink } from '../sink.ts';
import { addContacts, openChannels, succeed } from '../watchbell/records.ts';
import { contactIds, countOwed, seedChanges, seedContacts } from '../watchbell/seed.ts';
import { setUp, startWatchbell } from '../watchbell/server.ts';

const OWED = 150;

test('what is put into a store counts as written by the server: it is sent, found, and gone on from', async () => {
  const dir = makeDir('seed');
  const sink = await startSink();
  const credentials = setUp({ dir });
  const first = await startWatchbell({ dir });
  const { call } = await first.signIn(credentials);
  await addContacts(call, 10);
  await openChannels(call, [`${sink.origins[0]}/ok/1`, `${sink.origins[0]}/ok/2`]);
  await first.stop();
  seedContacts(dir, 50);
  seedChanges(dir, 100, false);
  seedChanges(dir, OWED, true);
  assert.equal(countOwed(dir), OWED * 2);
  const ids = contactIds(dir);
  assert.equal(ids.length, 50);

  const server = await startWatchbell({ dir });
  try {
    await sink.has(OWED * 2);
    const session = await server.signIn(credentials);
    const [id = ''] = ids;
    await succeed(session.call('PUT', `/Contacts/${id}`, { data: [{ Description: 'edited' }] }));
    const { distinct, duplicates } = await sink.has(OWED * 2 + 2);
    assert.deepEqual({ distinct, duplicates }, { distinct: OWED * 2 + 2, duplicates: 0 });
    const operate = server.administer(credentials.admin_token);
    const { orgs } = (await succeed(operate('GET', '/orgs'))) as { orgs: { id: string }[] };
    const path = `/orgs/${orgs[0]?.id}/notifications?module=Contacts&record=${id}&limit=200`;
    const { notifications } = (await succeed(operate('GET', path))) as { notifications: { number: number }[] };
    // Of 100 changes and 150 of 50 records in turns five are of each, and one more was made; all for two channels.
    assert.equal(notifications.length, 12);
    await server.stop();
    assert.equal(countOwed(dir), 0);
  } finally {
    await server.stop();
    await sink.close();
    removeDir(dir);
  }
});
