import { expect, test } from 'vitest';
import type { Change } from '../../src/domain/change.ts';
import type { Generation, NotificationId, OrgId, RecordId, UserId } from '../../src/domain/ids.ts';
import type { Notification } from '../../src/domain/notification.ts';
import { saveCounters } from '../../src/storage/accounts.ts';
import { saveChanges } from '../../src/storage/changes.ts';
import type { Write } from '../../src/storage/db.ts';
import { eachTime, toCommand } from '../../src/storage/engines/sqlite-message.ts';
import { saveNotifications, saveSettlements } from '../../src/storage/notifications.ts';
import { saveKeys, saveRecords } from '../../src/storage/records.ts';
import type { Settlement } from '../../src/storage/store.ts';
import { openPlannedStore } from './planned-store.ts';

const { prepare } = openPlannedStore();

const org = '1' as OrgId;
const by = '2' as UserId;
const id = '3' as RecordId;
const generation = '4' as Generation;
const change: Change = {
  number: 1,
  module: 'Leads',
  operation: 'update',
  at: 1,
  by,
  channelVersion: 1,
  records: [{ id, fields: ['Email'], values: { Email: 'a@example.com' }, related: [] }],
};
const notification: Notification = {
  org,
  generation,
  number: 1,
  id: 'msg_1' as NotificationId,
  module: 'Leads',
  operation: 'update',
  ids: [id],
  version: 'v8',
  withValues: true,
  change,
};
const key = { module: 'Leads', field: 'Email', value: 'a@example.com', id };
const counters = { nextSerial: 2, lastChange: 1, channelVersion: 1, catalogVersion: 0, lastTime: 1 };
const values = { createdAt: 1, createdBy: by, modifiedAt: 1, modifiedBy: by, values: {} };

const settled = (number: number, state: Settlement['state'], isDelivered: boolean): Settlement => ({
  org,
  generation,
  number,
  state,
  attempt: {
    attempt: 1,
    at: 1,
    durationMs: 1,
    outcome: isDelivered ? { kind: 'delivered', status: 200 } : { kind: 'rejected', status: 500 },
  },
  ...(state === 'pending' && { dueAt: 2 }),
});

/** All that a record change and its deliveries, good and bad, write. */
const WRITES: readonly Write[] = [
  ...saveRecords(
    org,
    new Map([
      ['Leads/3', { module: 'Leads', id, ...values }],
      ['Leads/5', { module: 'Leads', id: '5' as RecordId, removed: true }],
    ]),
  ),
  ...saveKeys(org, { keysAdded: new Map([['a', key]]), keysRemoved: new Map([['b', key]]) }),
  ...saveChanges(org, [change], [notification]),
  ...saveNotifications([notification]),
  saveCounters(org, counters),
  ...saveSettlements([settled(1, 'delivered', true), settled(2, 'pending', false), settled(3, 'parked', false)]),
].filter((write) => !('rows' in write) || write.rows.length > 0);

const TEMPORARY = /^(?:OpenEphemeral|OpenAutoindex|SorterOpen)$/;

test.each(WRITES.map((write) => toCommand(write)))('$text: makes no temporary table', ({ text, ...given }) => {
  const steps = prepare(`EXPLAIN ${text}`).all(...(eachTime(given)[0] ?? [])) as { opcode: string }[];
  expect(steps.length).toBeGreaterThan(5);
  // A list of three words or more in a CHECK of a table is one, too.
  expect(steps.map(({ opcode }) => opcode).filter((opcode) => TEMPORARY.test(opcode))).toEqual([]);
});
