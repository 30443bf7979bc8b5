import type { Operation } from './change.ts';
import { channelKey, type LiveChannel } from './channel.ts';
import type { FieldCondition } from './condition.ts';
import { type EventType, eventKey } from './event-type.ts';
import type { ChannelId, Generation, UserId } from './ids.ts';
import type { Counted } from './overflow.ts';

/**
 * The live channels of one organisation, found by what they watch. The writer owns it and is the only one to change it;
 * after a failed save it is thrown away and built anew from the store. What writers elsewhere did comes by `catchUp`.
 */
export interface ChannelIndex {
  readonly byKey: Map<string, LiveChannel>;
  /** Those that watch the same, by what that is. */
  readonly groups: Map<string, Group>;
  readonly byEvent: Map<string, Set<Group>>;
  readonly countByUser: Map<UserId, number>;
  /** Keys of those that take no numbers. */
  readonly overflowing: Set<string>;
  /** Of the channels that came near the limit, what they were counted to owe. */
  readonly counted: Map<Generation, Counted>;
  /** Those that are to be counted, with their keys; the store takes them out. */
  readonly uncounted: Map<Generation, string>;
  /** Made when a channel is first asked for by its generation. */
  byGeneration?: Map<Generation, LiveChannel>;
  /** No channel expires before this; may be earlier than the earliest expiry, never later. */
  nextExpiryAt: number;
}

const NO_CONDITIONS: readonly FieldCondition[] = [];

/** Channels that have one list of events in common, which most do with many others. */
interface Group {
  readonly events: readonly EventType[];
  readonly channels: Set<LiveChannel>;
}

export function createChannelIndex(channels: Iterable<LiveChannel>): ChannelIndex {
  const index: ChannelIndex = {
    byKey: new Map(),
    groups: new Map(),
    byEvent: new Map(),
    countByUser: new Map(),
    overflowing: new Set(),
    counted: new Map(),
    uncounted: new Map(),
    nextExpiryAt: Infinity,
  };
  for (const channel of channels) putChannel(index, channel);
  return index;
}

export const findChannel = (index: ChannelIndex, userId: UserId, channelId: ChannelId): LiveChannel | undefined =>
  index.byKey.get(channelKey(userId, channelId));

export function findByGeneration(index: ChannelIndex, generation: Generation): LiveChannel | undefined {
  index.byGeneration ??= new Map(Array.from(index.byKey.values(), (channel) => [channel.generation, channel]));
  return index.byGeneration.get(generation);
}

export function putChannel(index: ChannelIndex, channel: LiveChannel): void {
  const counted = index.counted.get(channel.generation);
  removeChannel(index, channel);
  const key = channelKey(channel.userId, channel.channelId);
  index.byKey.set(key, channel);
  index.byGeneration?.set(channel.generation, channel);
  if (counted) index.counted.set(channel.generation, counted);
  if (channel.overflowFrom !== undefined) index.overflowing.add(key);
  index.countByUser.set(channel.userId, (index.countByUser.get(channel.userId) ?? 0) + 1);
  index.nextExpiryAt = Math.min(index.nextExpiryAt, channel.expiresAt);
  const group = groupOf(index, channel.events);
  group.channels.add(channel);
  // Lists of its own would be half of what it takes in memory.
  Object.assign(channel, {
    events: group.events,
    ...(channel.conditions.length === 0 && { conditions: NO_CONDITIONS }),
  });
}

const nameOf = (events: readonly EventType[]): string =>
  events.map(({ module, operation }) => eventKey(module, operation)).join();

function groupOf({ groups, byEvent }: ChannelIndex, events: readonly EventType[]): Group {
  const name = nameOf(events);
  const known = groups.get(name);
  if (known) return known;
  const group: Group = { events, channels: new Set() };
  groups.set(name, group);
  for (const { module, operation } of events) {
    const watched = eventKey(module, operation);
    const watching = byEvent.get(watched);
    if (watching) watching.add(group);
    else byEvent.set(watched, new Set([group]));
  }
  return group;
}

export function removeChannel(
  index: ChannelIndex,
  { userId, channelId }: Pick<LiveChannel, 'userId' | 'channelId'>,
): void {
  const key = channelKey(userId, channelId);
  const known = index.byKey.get(key);
  if (!known) return;
  index.byKey.delete(key);
  index.byGeneration?.delete(known.generation);
  index.overflowing.delete(key);
  index.counted.delete(known.generation);
  index.uncounted.delete(known.generation);
  const left = (index.countByUser.get(userId) ?? 1) - 1;
  if (left > 0) index.countByUser.set(userId, left);
  else index.countByUser.delete(userId);
  const name = nameOf(known.events);
  const group = index.groups.get(name);
  group?.channels.delete(known);
  if (group?.channels.size !== 0) return;
  index.groups.delete(name);
  for (const event of known.events) {
    const watched = eventKey(event.module, event.operation);
    const groups = index.byEvent.get(watched);
    groups?.delete(group);
    if (groups?.size === 0) index.byEvent.delete(watched);
  }
}

/** By what they watch, then in the order in which they came. */
export function watching(index: ChannelIndex, module: string, operation: Operation): Iterable<LiveChannel> {
  const groups = index.byEvent.get(eventKey(module, operation));
  if (!groups) return [];
  const [only] = groups;
  return only && groups.size === 1 ? only.channels : allOf(groups);
}

function* allOf(groups: Iterable<Group>): Generator<LiveChannel> {
  for (const { channels } of groups) yield* channels;
}

/** How many channels `watching` would name. */
export function countWatching({ byEvent }: ChannelIndex, module: string, operation: Operation): number {
  let count = 0;
  for (const { channels } of byEvent.get(eventKey(module, operation)) ?? []) count += channels.size;
  return count;
}

/** Channels whose time has come; moves the mark to the earliest expiry left. */
export function dueChannels(index: ChannelIndex, now: number): LiveChannel[] {
  if (now < index.nextExpiryAt) return [];
  const due: LiveChannel[] = [];
  let next = Infinity;
  for (const channel of index.byKey.values()) {
    if (channel.expiresAt <= now) due.push(channel);
    else next = Math.min(next, channel.expiresAt);
  }
  index.nextExpiryAt = next;
  return due;
}
