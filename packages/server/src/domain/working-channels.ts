import {
  type Channel,
  type ChannelRevision,
  channelKey,
  type EndedReason,
  type LiveChannel,
  type MissedRange,
  type RevisionDetails,
} from './channel.ts';
import { dueChannels, putChannel, removeChannel } from './channel-index.ts';
import type { ChannelId, UserId } from './ids.ts';
import { firstLook, nextLook } from './notice-times.ts';
import { flowingAgain } from './overflow.ts';
import { restartAt, withRestart } from './restart.ts';
import type { WorkingSet } from './working-set.ts';

// How commands look at channels of a working set and change them: each change is written with its revision.

/** What comes after the change `fromChange` is kept as a range, without numbers. */
export function beginOverflow(set: WorkingSet, channel: LiveChannel, fromChange: number): void {
  const overflowing: LiveChannel = { ...channel, overflowFrom: fromChange };
  putChannel(set.index, overflowing);
  set.writes.overflowed.set(channel.generation, fromChange);
  set.writes.lapses.push({ generation: channel.generation, kind: 'overflow', fromChange, at: set.now });
  addRevision(set, 'overflowed', overflowing);
}

/** Ends the range of an overflow, if there is one, with the newest change. */
function closeOverflow(set: WorkingSet, { generation, overflowFrom }: LiveChannel): MissedRange[] {
  if (overflowFrom === undefined) return [];
  const toChange = set.writes.counters.lastChange;
  set.writes.overflowed.set(generation, null);
  set.writes.lapses.push({
    generation,
    kind: 'overflow',
    fromChange: overflowFrom,
    toChange,
    at: set.now,
    endedAt: set.now,
  });
  return [{ kind: 'overflow', fromChange: overflowFrom, toChange }];
}

/** Ends the lapse of an expired channel, if it is in one, with the newest change. */
function closeLapse(set: WorkingSet, { generation, lapsedFrom }: Channel): MissedRange[] {
  if (lapsedFrom === undefined) return [];
  const toChange = set.writes.counters.lastChange;
  set.writes.lapses.push({
    generation,
    kind: 'expired',
    fromChange: lapsedFrom,
    toChange,
    at: set.now,
    endedAt: set.now,
  });
  return [{ kind: 'lapse', fromChange: lapsedFrom, toChange }];
}

/** Lets channels that owe less by now take numbers again; at the beginning of a batch, after its expiries. */
export function endOverflows(set: WorkingSet): void {
  for (const channel of flowingAgain(set.index, set.maxBacklog)) {
    const { overflowFrom, ...flowing } = channel;
    const missed = closeOverflow(set, channel);
    putChannel(set.index, flowing);
    addRevision(set, 'flowing', flowing, { missed });
  }
}

/** After a restore the numbers that come next may have been given before: receivers are told another generation from here. */
export function beginAnew(set: WorkingSet, channel: LiveChannel): void {
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
  const { lapsedFrom: _lapsed, overflowFrom: _, ...rest } = channel;
  const known = set.index.byKey.get(channelKey(channel.userId, channel.channelId));
  const counted = known?.generation === channel.generation ? known : undefined;
  const lastNumber = counted?.lastNumber ?? channel.lastNumber;
  const overflow = counted?.overflowFrom !== undefined && { overflowFrom: counted.overflowFrom };
  const saved: Channel = { ...rest, lastNumber, ...overflow, noticeAt: noticeAfter(set, channel) };
  const missed = closeLapse(set, channel);
  putChannel(set.index, liveChannel(saved));
  // All is cancelled: there is nothing to count.
  if (saved.cancelledTo === lastNumber) set.index.counted.set(saved.generation, { upTo: lastNumber, owed: 0 });
  putRow(set, saved, kind, missed);
  return saved;
}

/** Stays as it was while its expiry does. */
function noticeAfter(set: WorkingSet, channel: Channel): number {
  const before = set.channels.get(channelKey(channel.userId, channel.channelId));
  const isSame = before?.generation === channel.generation && before.expiresAt === channel.expiresAt;
  return (isSame ? before.noticeAt : undefined) ?? firstLook(channel, set.now);
}

/** Has an owner told that the channel expires, if it is time, and says when it is next. False: it is not. */
export function noticeExpiry(set: WorkingSet, userId: UserId, channelId: ChannelId): boolean {
  const key = channelKey(userId, channelId);
  const channel = set.channels.get(key);
  const live = set.index.byKey.get(key);
  const { noticeAt = Infinity } = channel ?? {};
  // Another node, or its owner, may have come first.
  if (!channel || live?.generation !== channel.generation || set.now < noticeAt) return false;
  const { generation } = channel;
  const next = { noticeAt: nextLook(channel, noticeAt, set.now) };
  set.channels.set(key, { ...channel, ...next });
  const saved = set.writes.channels.get(generation);
  if (saved) set.writes.channels.set(generation, { ...saved, ...next });
  else set.writes.noticed.set(generation, next.noticeAt);
  addRevision(set, 'expiring', live);
  return true;
}

/** Saves a change to a channel that leaves it as live or as lapsed as it was. */
export function amendChannel(set: WorkingSet, channel: Channel, kind: ChannelRevision['kind']): Channel {
  if (channel.lapsedFrom === undefined) return saveChannel(set, channel, kind);
  putRow(set, channel, kind);
  return channel;
}

function putRow(
  set: WorkingSet,
  saved: Channel,
  kind: ChannelRevision['kind'],
  closed: readonly MissedRange[] = [],
): void {
  const key = channelKey(saved.userId, saved.channelId);
  const before = set.channels.get(key);
  set.channels.set(key, saved);
  set.writes.channels.set(saved.generation, saved);
  set.writes.restarts.delete(saved.generation);
  set.writes.noticed.delete(saved.generation);
  const missed = [...closed, ...cancelledSince(before, saved)];
  addRevision(set, kind, saved, {
    ...(kind === 'suspended' && saved.suspension && { why: saved.suspension.why }),
    ...(missed.length > 0 && { missed }),
  });
  if (before?.generation !== saved.generation) return;
  const isResumed = before.suspension !== undefined && saved.suspension === undefined;
  if (isResumed || before.notifyUrl !== saved.notifyUrl) set.writes.forgiven.add(saved.generation);
  // However it came about, that a suspension ended is told apart.
  if (isResumed && kind !== 'resumed') addRevision(set, 'resumed', saved);
}

function cancelledSince(before: Channel | undefined, saved: Channel): MissedRange[] {
  const { cancelledTo, cancelledWhy } = saved;
  if (before?.generation !== saved.generation || cancelledTo === undefined || cancelledWhy === undefined) return [];
  const fromNumber = before.cancelledTo ?? 0;
  return cancelledTo > fromNumber ? [{ kind: 'numbers', fromNumber, toNumber: cancelledTo, why: cancelledWhy }] : [];
}

/** Ends a generation: what it still owed is cancelled, and its id is free for a new one. */
export function endChannel(set: WorkingSet, channel: Channel, reason: EndedReason = 'deleted'): void {
  const key = channelKey(channel.userId, channel.channelId);
  const live = set.index.byKey.get(key);
  if (live) closeOverflow(set, live);
  const missed = closeLapse(set, channel);
  const { noticeAt: _, ...ended } = channel;
  const { generation, cancelledTo: fromNumber = 0, lastNumber: toNumber } = channel;
  set.channels.delete(key);
  set.writes.restarts.delete(generation);
  set.writes.noticed.delete(generation);
  set.writes.channels.set(generation, { ...ended, endedAt: set.now, endedReason: reason });
  removeChannel(set.index, channel);
  // Whoever ends it otherwise knows that what it owes goes with it.
  const isTold = reason === 'retention';
  const numbers = { kind: 'numbers', fromNumber, toNumber, why: 'retention' } as const;
  addRevision(set, reason, channel, isTold ? { missed: [...missed, ...(toNumber > fromNumber ? [numbers] : [])] } : {});
}

/** Commits the expiries that are due, before anything else of the batch is decided (DESIGN §3). */
export function expireDue(set: WorkingSet): void {
  for (const due of dueChannels(set.index, set.now)) {
    const fromChange = set.writes.counters.lastChange;
    const missed = closeOverflow(set, due);
    const { overflowFrom: _, ...channel } = due;
    removeChannel(set.index, channel);
    const key = channelKey(channel.userId, channel.channelId);
    const loaded = set.channels.get(key);
    if (loaded) {
      const { overflowFrom: _, noticeAt: _told, ...rest } = loaded;
      set.channels.set(key, { ...rest, lastNumber: channel.lastNumber, lapsedFrom: fromChange });
    }
    set.writes.lapsed.set(channel.generation, fromChange);
    set.writes.lapses.push({ generation: channel.generation, kind: 'expired', fromChange, at: set.now });
    addRevision(set, 'expired', channel, missed.length > 0 ? { missed } : {});
  }
}

export function addRevision(
  set: WorkingSet,
  kind: ChannelRevision['kind'],
  channel: LiveChannel,
  details: RevisionDetails = {},
): void {
  const version = set.writes.counters.channelVersion + 1;
  set.writes.counters = { ...set.writes.counters, channelVersion: version };
  set.writes.revisions.push({
    version,
    at: set.now,
    kind,
    channel: liveChannel(channel),
    ...(Object.keys(details).length > 0 && { details }),
  });
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
