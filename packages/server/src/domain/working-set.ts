import type { Change, ChangedRecord, Operation } from './change.ts';
import type { Channel, ChannelRevision, Lapse, LiveChannel, Restart, Signing } from './channel.ts';
import type { ChannelIndex } from './channel-index.ts';
import type { DeletedRecord } from './deleted-record.ts';
import type { KeptAnswer } from './idempotency.ts';
import {
  type ChannelId,
  type Generation,
  idFromSerial,
  type NotificationId,
  type RecordId,
  type UserId,
} from './ids.ts';
import type { Job, JobStep } from './job.ts';
import { match } from './matching.ts';
import type { AddedField, AddedModule } from './modules/additions.ts';
import type { Catalog } from './modules/catalog.ts';
import type { Notification } from './notification.ts';
import type { Org, User } from './org.ts';
import { isFull } from './overflow.ts';
import { type KeyRef, keyRef, type RecordRef, recordKey, type StoredRecord } from './record.ts';
import { mustRestart, type StoreEpoch } from './restart.ts';
import { beginAnew, beginOverflow } from './working-channels.ts';

/** Counters of an organisation, saved with each batch. */
export interface OrgCounters {
  readonly nextSerial: number;
  readonly lastChange: number;
  /** Newest channel revision. */
  readonly channelVersion: number;
  /** Counts the batches that changed modules or fields; 0: none ever did. */
  readonly catalogVersion: number;
  /** Committed time, epoch milliseconds: never runs backwards. */
  readonly lastTime: number;
}

/** What a batch of commands may look at; everything else of the organisation stays in the store. */
export interface Needs {
  readonly records?: readonly RecordRef[];
  /** Look-ups for unique and duplicate-check fields; the records found are loaded too. */
  readonly keys?: readonly KeyRef[];
  readonly users?: readonly UserId[];
  /** Deleted records that are to be restored or removed for good. */
  readonly deleted?: readonly RecordId[];
  /** Records of which to know whether they are there, and nothing more. */
  readonly present?: readonly RecordRef[];
  /** Modules of which to know whether they have records. */
  readonly modulesInUse?: readonly string[];
  /** Channels in full (with URL and token), live or lapsed within retention. */
  readonly channels?: readonly { readonly userId: UserId; readonly channelId: ChannelId }[];
  /** With what the organisation signs. */
  readonly orgSigning?: boolean;
  /** Generations whose lapses are to be known. */
  readonly lapses?: readonly Generation[];
  /** Answers that were kept for a caller's keys. */
  readonly answers?: readonly { readonly userId: UserId; readonly key: string }[];
}

/** What a batch changed; saved as a whole, in one transaction. */
export interface WriteSet {
  counters: OrgCounters;
  readonly records: Map<string, StoredRecord | RemovedRecord>;
  /** Records that were deleted, or restored. */
  readonly deleted: Map<RecordId, DeletedRecord | 'restored'>;
  readonly keysAdded: Map<string, KeyRef & { readonly id: RecordId }>;
  readonly keysRemoved: Map<string, KeyRef & { readonly id: RecordId }>;
  readonly changes: Change[];
  readonly notifications: Notification[];
  readonly channels: Map<Generation, Channel>;
  /** Highest number given in this batch, for channels that took notifications. */
  readonly numbers: Map<Generation, number>;
  /** Channels that began to count anew under the store's epoch, and where; those in `channels` have it in their own list. */
  readonly restarts: Map<Generation, { readonly epoch: number; readonly restart: Restart }>;
  /** Channels whose expiry this batch committed, with the change after which they lapsed. */
  readonly lapsed: Map<Generation, number>;
  /** Channels whose owners were told that they expire, with when they are looked at next; not those in `channels`. */
  readonly noticed: Map<Generation, number>;
  /** Channels whose failures so far count no more: resumed, or sent elsewhere from now on. */
  readonly forgiven: Set<Generation>;
  /** Channels that overflowed, with the change after which, or (null) take numbers again. */
  readonly overflowed: Map<Generation, number | null>;
  readonly revisions: ChannelRevision[];
  readonly lapses: Lapse[];
  /** Modules and fields of the organisation that were added or changed. */
  readonly additions: { readonly modules: Map<string, AddedModule>; readonly fields: Map<string, AddedField> };
  readonly answers: KeptAnswer[];
  /** Jobs that came further with this batch. */
  readonly jobs: JobStep[];
  readonly newJobs: Job[];
  /** The organisation itself, when the batch changed it. */
  org?: Org;
  /** With what it signs from now on, when the batch changed that. */
  orgSigning?: Signing | 'none';
}

export interface RemovedRecord extends RecordRef {
  readonly removed: true;
}

/**
 * One batch in memory: what was loaded, with the effects of the commands decided so far. Commands look and write through
 * the functions below; a command that throws must do so before its first write.
 */
export interface WorkingSet {
  org: Org;
  catalog: Catalog;
  /** Of the store, for the whole time that it is open. */
  readonly epoch: StoreEpoch;
  /** The batch's time: `max(clock, lastTime)`. */
  readonly now: number;
  /** Most notifications that a channel may owe. */
  readonly maxBacklog: number;
  readonly records: Map<string, StoredRecord | undefined>;
  /** By `recordKey`: what was asked for or what records loaded point at, is there, and was not loaded itself. */
  readonly present: ReadonlySet<string>;
  readonly keys: Map<string, Set<RecordId>>;
  readonly deleted: Map<RecordId, DeletedRecord>;
  readonly users: Map<UserId, User>;
  /** Of the modules asked for, those that have records. */
  readonly modulesInUse: ReadonlySet<string>;
  readonly channels: Map<string, Channel>;
  /** Undefined when it signs nothing, or was not asked for. */
  orgSigning?: Signing | undefined;
  /** By `answerKey`. */
  readonly answers: Map<string, KeptAnswer>;
  /** Of the generations asked for, as they were before the batch. */
  readonly lapses: readonly Lapse[];
  readonly index: ChannelIndex;
  readonly writes: WriteSet;
  readonly randomId: () => NotificationId;
}

export const emptyWrites = (counters: OrgCounters): WriteSet => ({
  counters,
  records: new Map(),
  deleted: new Map(),
  keysAdded: new Map(),
  keysRemoved: new Map(),
  changes: [],
  notifications: [],
  channels: new Map(),
  numbers: new Map(),
  restarts: new Map(),
  lapsed: new Map(),
  noticed: new Map(),
  overflowed: new Map(),
  forgiven: new Set(),
  revisions: [],
  lapses: [],
  additions: { modules: new Map(), fields: new Map() },
  answers: [],
  jobs: [],
  newJobs: [],
});

/** The first of `count` serials of the organisation that nothing else will have. */
export function takeSerials(set: WorkingSet, count: number): number {
  const { counters } = set.writes;
  set.writes.counters = { ...counters, nextSerial: counters.nextSerial + count };
  return counters.nextSerial;
}

/** A new id of the organisation. One that is not used afterwards leaves a harmless hole. */
export const takeId = (set: WorkingSet): string => idFromSerial(set.org.id, takeSerials(set, 1));

export const findRecord = (set: WorkingSet, module: string, id: RecordId): StoredRecord | undefined =>
  set.records.get(recordKey(module, id));

/** Whether a record is there that was loaded, or that one loaded points at. */
export function isThere(set: WorkingSet, { module, id }: RecordRef): boolean {
  const key = recordKey(module, id);
  return set.records.has(key) ? set.records.get(key) !== undefined : set.present.has(key);
}

/** Ids of the records that hold this value, of those that the batch asked for. */
export const findByKey = (set: WorkingSet, key: KeyRef): readonly RecordId[] => [...(set.keys.get(keyRef(key)) ?? [])];

/** Stores a record with its look-up entries (`keys`), which replace those it had (`oldKeys`); without both it keeps them. */
export function putRecord(
  set: WorkingSet,
  record: StoredRecord,
  keys: readonly KeyRef[] = [],
  oldKeys: readonly KeyRef[] = [],
): void {
  const key = recordKey(record.module, record.id);
  set.records.set(key, record);
  set.writes.records.set(key, record);
  if (keys.length + oldKeys.length === 0) return;
  // Entries that stay are left alone: an update mostly changes few of them.
  const before = new Set(oldKeys.map(keyRef));
  const after = new Set(keys.map(keyRef));
  for (const old of oldKeys) if (!after.has(keyRef(old))) dropKey(set, old, record.id);
  for (const added of keys) if (!before.has(keyRef(added))) addKey(set, added, record.id);
}

export function removeRecord(set: WorkingSet, record: StoredRecord, oldKeys: readonly KeyRef[]): void {
  const key = recordKey(record.module, record.id);
  set.records.set(key, undefined);
  set.writes.records.set(key, { module: record.module, id: record.id, removed: true });
  for (const old of oldKeys) dropKey(set, old, record.id);
}

/** Remembers a record as deleted, in the bin or for good. */
export function putDeleted(set: WorkingSet, deleted: DeletedRecord): void {
  set.deleted.set(deleted.id, deleted);
  set.writes.deleted.set(deleted.id, deleted);
}

/** Forgets that a record was deleted: it is there again. */
export function dropDeleted(set: WorkingSet, id: RecordId): void {
  set.deleted.delete(id);
  set.writes.deleted.set(id, 'restored');
}

function addKey(set: WorkingSet, key: KeyRef, id: RecordId): void {
  const ref = keyRef(key);
  const ids = set.keys.get(ref);
  if (ids) ids.add(id);
  else set.keys.set(ref, new Set([id]));
  set.writes.keysRemoved.delete(`${ref}/${id}`);
  set.writes.keysAdded.set(`${ref}/${id}`, { ...key, id });
}

function dropKey(set: WorkingSet, key: KeyRef, id: RecordId): void {
  const ref = keyRef(key);
  set.keys.get(ref)?.delete(id);
  set.writes.keysAdded.delete(`${ref}/${id}`);
  set.writes.keysRemoved.set(`${ref}/${id}`, { ...key, id });
}

/** Numbers a change, finds who is owed it and numbers their notifications. At most 100 records, none twice. */
export function addChange(
  set: WorkingSet,
  module: string,
  operation: Operation,
  by: UserId,
  records: readonly ChangedRecord[],
): void {
  const { nextSerial, lastChange, channelVersion, catalogVersion, lastTime } = set.writes.counters;
  const number = lastChange + 1;
  set.writes.counters = { nextSerial, lastChange: number, channelVersion, catalogVersion, lastTime };
  const change: Change = {
    number,
    module,
    operation,
    at: set.now,
    by,
    channelVersion,
    records,
  };
  set.writes.changes.push(change);
  let full: Set<LiveChannel> | undefined;
  for (const { channel, module: subject, operation: told, ids } of match(change, set.index)) {
    if (channel.overflowFrom !== undefined) continue;
    const { version, withValues } = channel;
    takeNumber(set, channel, { module: subject, operation: told, ids, version, withValues, change });
    if (!isFull(channel, set.index, set.maxBacklog)) continue;
    full ??= new Set();
    full.add(channel);
  }
  if (full) for (const channel of full) beginOverflow(set, channel, number);
}

/** Gives a live channel of the index its next notification. */
export function takeNumber(
  set: WorkingSet,
  channel: LiveChannel,
  {
    module,
    operation,
    ids,
    version,
    withValues,
    change,
    job,
  }: Omit<Notification, 'org' | 'generation' | 'number' | 'id'>,
): void {
  if (mustRestart(channel, set.epoch)) beginAnew(set, channel);
  channel.lastNumber += 1;
  set.writes.numbers.set(channel.generation, channel.lastNumber);
  set.writes.notifications.push({
    org: set.org.id,
    generation: channel.generation,
    number: channel.lastNumber,
    id: set.randomId(),
    module,
    operation,
    ids,
    version,
    withValues,
    change,
    job,
  });
}

/** Changes the organisation itself, for the commands that follow as well. */
export function saveOrg(set: WorkingSet, org: Org): void {
  set.org = org;
  set.writes.org = org;
}
