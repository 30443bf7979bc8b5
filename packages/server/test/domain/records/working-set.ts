import type { ChannelIndex } from '../../../src/domain/channel-index.ts';
import { createChannelIndex } from '../../../src/domain/channel-index.ts';
import type { ErrorCode } from '../../../src/domain/error.ts';
import type { NotificationId, OrgId, ProfileId, RecordId, UserId } from '../../../src/domain/ids.ts';
import type { Json, JsonObject } from '../../../src/domain/json.ts';
import type { Module } from '../../../src/domain/module.ts';
import { findModule, STANDARD_CATALOG } from '../../../src/domain/modules/catalog.ts';
import type { User } from '../../../src/domain/org.ts';
import { keyRef, recordKey, type StoredRecord, type Values } from '../../../src/domain/record.ts';
import type { Written } from '../../../src/domain/records/call.ts';
import { type RecordInput, readInput } from '../../../src/domain/records/input.ts';
import { keysOf } from '../../../src/domain/records/keys.ts';
import type { Result } from '../../../src/domain/records/result.ts';
import { FIRST_EPOCH } from '../../../src/domain/restart.ts';
import { emptyWrites, type WorkingSet } from '../../../src/domain/working-set.ts';

export const NOW = Date.UTC(2026, 10, 21, 20, 43, 33);
const ORG = '3652397' as OrgId;

export const patricia: User = {
  id: '3652397000000186017' as UserId,
  email: 'patricia@example.com',
  firstName: 'Patricia',
  lastName: 'Boyle',
  profileId: '3652397000000026011' as ProfileId,
};
export const sam: User = {
  ...patricia,
  id: '3652397000000186018' as UserId,
  email: 'sam@example.com',
  firstName: 'Sam',
  lastName: 'Reed',
};

export const module = (apiName: string): Module => findModule(STANDARD_CATALOG, apiName)!;
export const recordId = (serial: number): RecordId => `${ORG}${String(serial).padStart(12, '0')}` as RecordId;

export function stored(moduleName: string, serial: number, values: Values): StoredRecord {
  return {
    module: moduleName,
    id: recordId(serial),
    values,
    createdAt: NOW - 5000,
    createdBy: sam.id,
    modifiedAt: NOW - 5000,
    modifiedBy: sam.id,
  };
}

/** A batch that has loaded these records, with their look-up entries, and the users Patricia and Sam. */
export function openSet(
  records: readonly StoredRecord[] = [],
  index: ChannelIndex = createChannelIndex([]),
): WorkingSet {
  const keys = new Map<string, Set<RecordId>>();
  for (const record of records) {
    for (const key of keysOf(module(record.module), record.values)) {
      keys.set(keyRef(key), new Set([...(keys.get(keyRef(key)) ?? []), record.id]));
    }
  }
  return {
    org: { id: ORG, name: 'Test', timeZone: 'Asia/Kolkata' },
    catalog: STANDARD_CATALOG,
    epoch: FIRST_EPOCH,
    lapses: [],
    modulesInUse: new Set(),
    now: NOW,
    maxBacklog: 1_000_000,
    records: new Map(records.map((record) => [recordKey(record.module, record.id), record])),
    keys,
    present: new Set(),
    answers: new Map(),
    deleted: new Map(),
    users: new Map([patricia, sam].map((user) => [user.id, user])),
    channels: new Map(),
    index,
    writes: emptyWrites({ nextSerial: 1001, lastChange: 6, channelVersion: 0, catalogVersion: 0, lastTime: NOW }),
    randomId: () => 'n' as NotificationId,
  };
}

export const read = (moduleName: string, ...items: readonly Json[]): Result<RecordInput>[] =>
  items.map((item, i) => readInput(module(moduleName), item, `$.data[${i}]`));

/** What became of each record: its operation, or the refusal. */
export const outcomes = (results: readonly Result<Written>[]): (string | { code: ErrorCode; details: JsonObject })[] =>
  results.map((result) =>
    result.ok ? result.value.operation : { code: result.refusal.code, details: result.refusal.details },
  );
