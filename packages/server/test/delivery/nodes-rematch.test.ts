import { expect, test } from 'vitest';
import type { Change } from '../../src/domain/change.ts';
import { findByGeneration } from '../../src/domain/channel-index.ts';
import type { JobId, NotificationId, RecordId, UserId } from '../../src/domain/ids.ts';
import { addRevision } from '../../src/domain/working-channels.ts';
import { takeNumber } from '../../src/domain/working-set.ts';
import { createWriter } from '../../src/services/writer.ts';
import { idle, ORG, openFor, receiver, sequences, together } from './together.ts';

test('what one node matches again another sends, though it knew nothing of the channel', async () => {
  const { start, shared, clock } = together();
  const [a, b] = [await start('a'), await start('b')];
  await shared(a, b);
  const well = await receiver();
  // Of a change that was made before there was any channel.
  await a.change(1);
  const { generation } = await openFor(a, well, b);
  await idle(b);
  expect(b.delivery.counts().lanes).toBe(0);
  const change: Change = {
    number: 1,
    module: 'Contacts',
    operation: 'update',
    at: clock.now(),
    by: '1' as UserId,
    channelVersion: 1,
    records: [{ id: '1' as RecordId, fields: [], values: {}, related: [] }],
  };
  let ids = 0;
  const writer = createWriter({
    store: a.store.writing,
    clock,
    randomId: () => `rematched-${++ids}` as NotificationId,
    onCommitted: (org, writes) => a.delivery.committed(org, writes),
    maxQueued: 10,
    maxBatchWeight: 10,
  });
  await writer.submit(ORG, {
    needs: {},
    weight: 2,
    decide(set) {
      const live = findByGeneration(set.index, generation);
      if (!live) throw new Error('the channel is live');
      const what = { module: 'Contacts', operation: 'update', ids: ['1' as RecordId] } as const;
      for (const job of ['one', 'two'] as JobId[])
        takeNumber(set, live, { ...what, version: 'v8', withValues: false, change, job });
      addRevision(set, 'rematched', live);
    },
  });
  await idle(b);
  await well.first(2);
  expect(sequences(well)).toEqual([1, 2]);
  expect(well.received.map(({ headers }) => headers['watchbell-rematch'])).toEqual(['one', 'two']);
  // Both go on after it.
  await b.change(2);
  await a.change(3);
  await well.first(4);
  expect(sequences(well)).toEqual([1, 2, 3, 4]);
});
