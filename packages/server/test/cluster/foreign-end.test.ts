import { expect, onTestFinished, test } from 'vitest';
import { bucketOf } from '../../src/domain/bucket.ts';
import type { Generation } from '../../src/domain/ids.ts';
import { createJournal } from '../crash/journal.ts';
import { hanging, startReceiver, well } from '../crash/receivers.ts';
import { type PairNode, startPair } from './pair.ts';
import { ask } from './tables.ts';

const OWED = 40;
const PATIENCE_MS = 10_000;

/** An end that another node answered, and how it is asked for. */
const ENDS: readonly [string, (node: PairNode, id: string) => Promise<unknown>][] = [
  ['a DELETE', (node, id) => node.call('DELETE', `v8/actions/watch?channel_ids=${id}`)],
  [
    'taking away its last event',
    (node, id) =>
      node.call('PATCH', 'v8/actions/watch', {
        watch: [{ channel_id: id, events: ['Contacts.create'], _delete_events: true }],
      }),
  ],
];

test.each(ENDS)('%s that one node answers stops what the other is sending', async (_what, end) => {
  const journal = createJournal();
  const stuck = await startReceiver('stuck', hanging, journal);
  const mark = await startReceiver('mark', well, journal);
  onTestFinished(async () => {
    await stuck.shut();
    await mark.shut();
  });
  const pair = await startPair();
  onTestFinished(pair.close);

  const open = async (node: PairNode, id: string, event: string, url: string) => {
    const entry = { channel_id: id, events: [event], notify_url: url };
    expect((await node.call('POST', 'v8/actions/watch', { watch: [entry] })).status).toBe(201);
    const [row] = await ask(pair.url, 'SELECT generation FROM channel WHERE channel_id = $1 AND ended_at IS NULL', [
      id,
    ]);
    return bucketOf(String(row?.generation) as Generation);
  };
  const [first, second] = pair.nodes;
  const bucket = await open(first, '1', 'Contacts.create', stuck.url);
  const [owner, other] = first.buckets.has(bucket) ? [first, second] : [second, first];
  // By another channel of the same node it shows how much that one knows.
  let markId = 2;
  while (!owner.buckets.has(await open(first, String(markId), 'Leads.create', mark.url))) {
    await first.call('DELETE', `v8/actions/watch?channel_ids=${markId}`);
    markId += 1;
  }

  for (let left = OWED; left > 0; left -= 1)
    await owner.call('POST', 'v8/Contacts', { data: [{ Last_Name: 'Boyle' }] });
  expect(await journal.until(() => stuck.hanging() > 1, PATIENCE_MS)).toBe(true);
  await end(other, '1');
  // A revision later than the end, whose effect is seen: so the owner knows of the end as well.
  const moved = await startReceiver('moved', well, journal);
  onTestFinished(() => moved.shut());
  await other.call('PATCH', 'v8/actions/watch', { watch: [{ channel_id: String(markId), notify_url: moved.url }] });
  const isMoved = () => journal.arrivals.some(({ receiver }) => receiver === 'moved');
  while (!isMoved()) {
    await other.call('POST', 'v8/Leads', { data: [{ Last_Name: 'Boyle', Company: 'Zylker' }] });
    await journal.until(isMoved, 100);
  }
  const came = journal.arrivals.filter(({ receiver }) => receiver === 'stuck').length;
  stuck.become(well);
  stuck.answerHanging();
  for (const { app } of pair.nodes) await app.idle();
  expect(journal.arrivals.filter(({ receiver }) => receiver === 'stuck')).toHaveLength(came);
  expect(came).toBeLessThan(OWED);
});
