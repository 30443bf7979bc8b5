import { channelKey, type LiveChannel } from './channel.ts';
import type { ChannelIndex } from './channel-index.ts';

/** Most notifications that a channel owes, unless it is set otherwise; then it overflows (P10). */
export const DEFAULT_MAX_BACKLOG = 1_000_000;

/** From this part of the limit on a channel's backlog is counted; below it an overflow ends. */
const NEAR = 0.9;
/** After so much growth, as part of the limit, it is counted again. An overflow begins that much early at most. */
const STEP = 0.05;
/** A count that so much growth has come after is not good enough to begin an overflow by. */
const STALE = 0.1;

/** What was counted of a channel: of its numbers up to `upTo`, so many were owed. */
export interface Counted {
  readonly upTo: number;
  readonly owed: number;
}

/** More than this it does not owe; less, as far as something was finished since it was counted. */
function owedAtMost({ generation, lastNumber }: LiveChannel, { counted }: ChannelIndex): number {
  const known = counted.get(generation);
  return known ? known.owed + lastNumber - known.upTo : lastNumber;
}

/**
 * Whether a channel that has just taken a number takes no more. One that comes near the limit is marked to be counted;
 * before it was counted, and lately, it is never full: what is delivered as it comes is not held against it.
 */
export function isFull(channel: LiveChannel, index: ChannelIndex, limit: number): boolean {
  const owed = owedAtMost(channel, index);
  if (owed < limit * NEAR) return false;
  const known = index.counted.get(channel.generation);
  const growth = known ? channel.lastNumber - known.upTo : Infinity;
  if (growth >= limit * STEP) {
    index.uncounted.set(channel.generation, channelKey(channel.userId, channel.channelId));
  }
  return owed >= limit && growth <= limit * STALE;
}

/**
 * Numbers that it may take besides until it comes near the limit; any, when it owes nothing. While there seems to be less
 * room than is wanted, what it owes is counted.
 */
export function roomOf(channel: LiveChannel, index: ChannelIndex, limit: number, wanted: number): number {
  const owed = owedAtMost(channel, index);
  if (owed === 0) return Infinity;
  const room = Math.floor(limit * NEAR) - owed;
  if (room < wanted) index.uncounted.set(channel.generation, channelKey(channel.userId, channel.channelId));
  return room;
}

/** Channels in overflow that may take numbers again, as far as they were counted; the others are marked to be. */
export function flowingAgain(index: ChannelIndex, limit: number): LiveChannel[] {
  const flowing: LiveChannel[] = [];
  for (const key of index.overflowing) {
    const channel = index.byKey.get(key);
    if (!channel) continue;
    if (index.counted.has(channel.generation) && owedAtMost(channel, index) < limit * NEAR) flowing.push(channel);
    else index.uncounted.set(channel.generation, key);
  }
  return flowing;
}
