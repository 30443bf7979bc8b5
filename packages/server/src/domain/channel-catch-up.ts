import { type ChannelRevision, ENDED_REASONS, type LiveChannel } from './channel.ts';
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
 * Brings an index up to date with what others committed under the present epoch. Revisions come first, whatever they came
 * between: numbers only grow within a generation, and a revision tells how far they were. What was counted of a channel is
 * forgotten with its revision, which may have cancelled what it owed: it is counted again before it matters.
 */
export function catchUp(index: ChannelIndex, { revisions, numbers }: Missed, epoch: StoreEpoch): void {
  for (const { channel, kind, at } of revisions) {
    removeChannel(index, channel);
    if (isLive(kind, channel, at)) putChannel(index, channel);
  }
  for (const [generation, number] of numbers) {
    const channel = findByGeneration(index, generation);
    if (!channel) continue;
    channel.lastNumber = Math.max(channel.lastNumber, number);
    // Whoever numbered it had it begin anew first, where it had to.
    channel.epoch = Math.max(channel.epoch, epoch.number);
  }
}

/** A batch commits due expiries before anything else: what it leaves beyond its expiry is expired, for whatever it tells. */
const isLive = (kind: ChannelRevision['kind'], { expiresAt }: LiveChannel, at: number): boolean =>
  expiresAt > at && !ENDED_REASONS.some((reason) => reason === kind);
