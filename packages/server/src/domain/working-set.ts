import type { Change, ChangedRecord, Operation } from './change.ts';
import {
  type Channel,
  type ChannelRevision,
  channelKey,
  type EndedReason,
  type Lapse,
  type LiveChannel,
  type Restart,
  type Signing,
} from './channel.ts';
import { type ChannelIndex, dueChannels, putChannel, removeChannel } from './channel-index.ts';
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
import { match } from './matching.ts';
import type { AddedField, AddedModule } from './modules/additions.ts';
import type { Catalog } from './modules/catalog.ts';
import type { Notification } from './notification.ts';
import type { Org, User } from './org.ts';
import { flowingAgain, isFull } from './overflow.ts';
import { type KeyRef, keyRef, type RecordRef, recordKey, type StoredRecord } from './record.ts';
import { mustRestart, restartAt, type StoreEpoch, withRestart } from './restart.ts';

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
  /** Modules of which to know whether they have records. */
  readonly modulesInUse?: readonly string[];
  /** Channels in full (with URL and token), live or lapsed within retention. */
  readonly channels?: readonly { readonly userId: UserId; readonly channelId: ChannelId }[];
  /** With what the organisation signs. */
  readonly orgSigning?: boolean;
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
  /** Channels whose failures so far count no more: resumed, or sent elsewhere from now on. */
  readonly forgiven: Set<Generation>;
  /** Channels that overflowed, with the change after which, or (null) take numbers again. */
  readonly overflowed: Map<Generation, number | null>;
  readonly revisions: ChannelRevision[];
  readonly lapses: Lapse[];
  /** Modules and fields of the organisation that were added or changed. */
  readonly additions: { readonly modules: Map<string, AddedModule>; readonly fields: Map<string, AddedField> };
  readonly answers: KeptAnswer[];
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
  /** By `recordKey`: what records loaded point at, is there, and was not loaded itself. */
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
  overflowed: new Map(),
  forgiven: new Set(),
  revisions: [],
  lapses: [],
  additions: { modules: new Map(), fields: new Map() },
  answers: [],
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

/** Stores a record with its look-up entries (`keys`), which replace those it had (`oldKeys`). */
export function putRecord(
  set: WorkingSet,
  record: StoredRecord,
  keys: readonly KeyRef[],
  oldKeys: readonly KeyRef[] = [],
): void {
  const key = recordKey(record.module, record.id);
  set.records.set(key, record);
  set.writes.records.set(key, record);
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
  const number = set.writes.counters.lastChange + 1;
  set.writes.counters = { ...set.writes.counters, lastChange: number };
  const change: Change = { number, module, operation, at: set.now, by, records };
  set.writes.changes.push(change);
  const full = new Set<LiveChannel>();
  for (const { channel, ...subject } of match(change, set.index)) {
    if (channel.overflowFrom !== undefined) continue;
    if (mustRestart(channel, set.epoch)) beginAnew(set, channel);
    channel.lastNumber += 1;
    set.writes.numbers.set(channel.generation, channel.lastNumber);
    set.writes.notifications.push({
      org: set.org.id,
      generation: channel.generation,
      number: channel.lastNumber,
      id: set.randomId(),
      ...subject,
      version: channel.version,
      withValues: channel.withValues,
      change,
    });
    if (isFull(channel, set.index, set.maxBacklog)) full.add(channel);
  }
  for (const channel of full) beginOverflow(set, channel, number);
}

/** What comes after the change `fromChange` is kept as a range, without numbers. */
function beginOverflow(set: WorkingSet, channel: LiveChannel, fromChange: number): void {
  const overflowing: LiveChannel = { ...channel, overflowFrom: fromChange };
  putChannel(set.index, overflowing);
  set.writes.overflowed.set(channel.generation, fromChange);
  set.writes.lapses.push({ generation: channel.generation, kind: 'overflow', fromChange, at: set.now });
  addRevision(set, 'overflowed', overflowing);
}

/** Ends the range of an overflow, if there is one, with the newest change. */
function closeOverflow(set: WorkingSet, { generation, overflowFrom }: LiveChannel): void {
  if (overflowFrom === undefined) return;
  const toChange = set.writes.counters.lastChange;
  set.writes.overflowed.set(generation, null);
  set.writes.lapses.push({ generation, kind: 'overflow', fromChange: overflowFrom, toChange, at: set.now });
}

/** Lets channels that owe less by now take numbers again; at the beginning of a batch, after its expiries. */
export function endOverflows(set: WorkingSet): void {
  for (const channel of flowingAgain(set.index, set.maxBacklog)) {
    const { overflowFrom, ...flowing } = channel;
    closeOverflow(set, channel);
    putChannel(set.index, flowing);
    addRevision(set, 'flowing', flowing);
  }
}

/** After a restore the numbers that come next may have been given before: receivers are told another generation from here. */
function beginAnew(set: WorkingSet, channel: LiveChannel): void {
  const { generation } = channel;
  const restart = restartAt(channel, set.epoch);
  const epoch = set.epoch.number;
  channel.epoch = epoch;
  const loaded = set.channels.get(channelKey(channel.userId, channel.channelId));
  if (loaded?.generation === generation) {
    const known = { ...withRestart(loaded, restart), epoch };
    set.channels.set(channelKey(channel.userId, channel.channelId), known);
  }
  const saved = set.writes.channels.get(generation);
  if (saved) set.writes.channels.set(generation, { ...withRestart(saved, restart), epoch });
  else set.writes.restarts.set(generation, { epoch, restart });
}

/** The caller's channel of this id, live or lapsed, as the commands before left it. */
export const loadedChannel = (set: WorkingSet, userId: UserId, channelId: ChannelId): Channel | undefined =>
  set.channels.get(channelKey(userId, channelId));

/** Saves a channel that is live from now on. Ends its lapse, if it was in one. */
export function saveChannel(set: WorkingSet, channel: Channel, kind: ChannelRevision['kind']): Channel {
  const { lapsedFrom, overflowFrom: _, ...rest } = channel;
  const known = set.index.byKey.get(channelKey(channel.userId, channel.channelId));
  const counted = known?.generation === channel.generation ? known : undefined;
  const lastNumber = counted?.lastNumber ?? channel.lastNumber;
  const overflow = counted?.overflowFrom !== undefined && { overflowFrom: counted.overflowFrom };
  const saved: Channel = { ...rest, lastNumber, ...overflow };
  if (lapsedFrom !== undefined) {
    const toChange = set.writes.counters.lastChange;
    set.writes.lapses.push({
      generation: channel.generation,
      kind: 'expired',
      fromChange: lapsedFrom,
      toChange,
      at: set.now,
    });
  }
  putChannel(set.index, liveChannel(saved));
  // All is cancelled: there is nothing to count.
  if (saved.cancelledTo === lastNumber) set.index.counted.set(saved.generation, { upTo: lastNumber, owed: 0 });
  putRow(set, saved, kind);
  return saved;
}

/** Saves a change to a channel that leaves it as live or as lapsed as it was. */
export function amendChannel(set: WorkingSet, channel: Channel, kind: ChannelRevision['kind']): Channel {
  if (channel.lapsedFrom === undefined) return saveChannel(set, channel, kind);
  putRow(set, channel, kind);
  return channel;
}

function putRow(set: WorkingSet, saved: Channel, kind: ChannelRevision['kind']): void {
  const key = channelKey(saved.userId, saved.channelId);
  const before = set.channels.get(key);
  set.channels.set(key, saved);
  set.writes.channels.set(saved.generation, saved);
  set.writes.restarts.delete(saved.generation);
  addRevision(set, kind, saved);
  if (before?.generation !== saved.generation) return;
  const isResumed = before.suspension !== undefined && saved.suspension === undefined;
  if (isResumed || before.notifyUrl !== saved.notifyUrl) set.writes.forgiven.add(saved.generation);
  // However it came about, that a suspension ended is told apart.
  if (isResumed && kind !== 'resumed') addRevision(set, 'resumed', saved);
}

/** Changes the organisation itself, for the commands that follow as well. */
export function saveOrg(set: WorkingSet, org: Org): void {
  set.org = org;
  set.writes.org = org;
}

/** Ends a generation: what it still owed is cancelled, and its id is free for a new one. */
export function endChannel(set: WorkingSet, channel: Channel, reason: EndedReason = 'deleted'): void {
  const key = channelKey(channel.userId, channel.channelId);
  const live = set.index.byKey.get(key);
  if (live) closeOverflow(set, live);
  const { generation, lapsedFrom } = channel;
  if (lapsedFrom !== undefined) {
    const toChange = set.writes.counters.lastChange;
    set.writes.lapses.push({ generation, kind: 'expired', fromChange: lapsedFrom, toChange, at: set.now });
  }
  set.channels.delete(key);
  set.writes.restarts.delete(generation);
  set.writes.channels.set(generation, { ...channel, endedAt: set.now, endedReason: reason });
  removeChannel(set.index, channel);
  addRevision(set, reason, channel);
}

/** Commits the expiries that are due, before anything else of the batch is decided (DESIGN §3). */
export function expireDue(set: WorkingSet): void {
  for (const due of dueChannels(set.index, set.now)) {
    const fromChange = set.writes.counters.lastChange;
    closeOverflow(set, due);
    const { overflowFrom: _, ...channel } = due;
    removeChannel(set.index, channel);
    const key = channelKey(channel.userId, channel.channelId);
    const loaded = set.channels.get(key);
    if (loaded) {
      const { overflowFrom: _, ...rest } = loaded;
      set.channels.set(key, { ...rest, lastNumber: channel.lastNumber, lapsedFrom: fromChange });
    }
    set.writes.lapsed.set(channel.generation, fromChange);
    set.writes.lapses.push({ generation: channel.generation, kind: 'expired', fromChange, at: set.now });
    addRevision(set, 'expired', channel);
  }
}

function addRevision(set: WorkingSet, kind: ChannelRevision['kind'], channel: LiveChannel): void {
  const version = set.writes.counters.channelVersion + 1;
  set.writes.counters = { ...set.writes.counters, channelVersion: version };
  set.writes.revisions.push({ version, at: set.now, kind, channel: liveChannel(channel) });
}

/** The part of a channel that matching needs, and nothing else of it. */
function liveChannel(channel: LiveChannel): LiveChannel {
  const {
    generation,
    userId,
    channelId,
    version,
    events,
    notifyOnRelated,
    withValues,
    conditions,
    expiresAt,
    overflowFrom,
    epoch,
    lastNumber,
  } = channel;
  return {
    generation,
    userId,
    channelId,
    version,
    events,
    notifyOnRelated,
    withValues,
    conditions,
    expiresAt,
    ...(overflowFrom !== undefined && { overflowFrom }),
    epoch,
    lastNumber,
  };
}
