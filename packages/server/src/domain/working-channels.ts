import { type Channel, type ChannelRevision, channelKey, type EndedReason, type LiveChannel } from './channel.ts';
import { dueChannels, putChannel, removeChannel } from './channel-index.ts';
import type { ChannelId, UserId } from './ids.ts';
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
function closeOverflow(set: WorkingSet, { generation, overflowFrom }: LiveChannel): void {
  if (overflowFrom === undefined) return;
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
      endedAt: set.now,
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

/** Ends a generation: what it still owed is cancelled, and its id is free for a new one. */
export function endChannel(set: WorkingSet, channel: Channel, reason: EndedReason = 'deleted'): void {
  const key = channelKey(channel.userId, channel.channelId);
  const live = set.index.byKey.get(key);
  if (live) closeOverflow(set, live);
  const { generation, lapsedFrom } = channel;
  if (lapsedFrom !== undefined) {
    const toChange = set.writes.counters.lastChange;
    set.writes.lapses.push({
      generation,
      kind: 'expired',
      fromChange: lapsedFrom,
      toChange,
      at: set.now,
      endedAt: set.now,
    });
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
