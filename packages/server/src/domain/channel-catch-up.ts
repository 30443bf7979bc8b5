import { type ChannelRevision, channelKey, ENDED_REASONS, type LiveChannel } from './channel.ts';
import { type ChannelIndex, findByGeneration, putChannel, removeChannel } from './channel-index.ts';
import type { Generation } from './ids.ts';
import type { StoreEpoch } from './restart.ts';

/** What others committed of an organisation since an index was up to date, without a gap. */
export interface Missed {
  /** In order of their versions. */
  readonly revisions: readonly ChannelRevision[];
  /** The highest number that changes gave, of the channels that they concern. */
  readonly numbers: ReadonlyMap<Generation, number>;
}

/**
 * Brings an index up to date with what others committed under the present epoch, in any order of revisions and changes:
 * numbers only grow within a generation. What was counted of a channel is forgotten with its revision, which may have
 * cancelled what it owed: it is counted again before it matters.
 */
export function catchUp(index: ChannelIndex, { revisions, numbers }: Missed, epoch: StoreEpoch): void {
  for (const { channel, kind, at } of revisions) {
    const known = index.byKey.get(channelKey(channel.userId, channel.channelId));
    removeChannel(index, channel);
    if (isLive(kind, channel, at)) putChannel(index, known ? withNumber(channel, known) : channel);
  }
  for (const [generation, number] of numbers) {
    const channel = findByGeneration(index, generation);
    if (!channel) continue;
    channel.lastNumber = Math.max(channel.lastNumber, number);
    // Whoever numbered it had it begin anew first, where it had to.
    channel.epoch = Math.max(channel.epoch, epoch.number);
  }
}

/** A batch commits due expiries before anything else: afterwards what is not expired is live. */
const isLive = (kind: ChannelRevision['kind'], { expiresAt }: LiveChannel, at: number): boolean =>
  kind !== 'expired' && expiresAt > at && !ENDED_REASONS.some((reason) => reason === kind);

/** The revision may tell a number that changes after it went beyond. */
function withNumber(channel: LiveChannel, known: LiveChannel): LiveChannel {
  if (known.generation !== channel.generation) return channel;
  return {
    ...channel,
    lastNumber: Math.max(channel.lastNumber, known.lastNumber),
    epoch: Math.max(channel.epoch, known.epoch),
  };
}
