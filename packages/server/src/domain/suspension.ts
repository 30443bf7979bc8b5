import type { Channel, SuspendedWhy } from './channel.ts';
import { findChannel } from './channel-index.ts';
import type { ChannelId, Generation, UserId } from './ids.ts';
import { amendChannel, loadedChannel } from './working-channels.ts';
import type { WorkingSet } from './working-set.ts';

/** What delivery asks for, with the channel as it was when its attempts failed. */
export interface SuspensionRequest {
  readonly channel: Pick<Channel, 'generation' | 'userId' | 'channelId' | 'notifyUrl' | 'modifiedAt'>;
  readonly why: Exclude<SuspendedWhy, 'operator'>;
}

/** What becomes of what a suspended channel owes: it flows on, or is cancelled. */
export type ResumeMode = 'backlog' | 'skip';

/** Suspends a live channel, unless it was changed since: then it is tried as it is now. Says whether it is suspended. */
export function decideSuspension(set: WorkingSet, { channel: seen, why }: SuspensionRequest): boolean {
  const channel = loadedChannel(set, seen.userId, seen.channelId);
  if (channel?.generation !== seen.generation || channel.lapsedFrom !== undefined) return false;
  if (channel.suspension) return true;
  if (channel.notifyUrl !== seen.notifyUrl || channel.modifiedAt !== seen.modifiedAt) return false;
  suspendChannel(set, channel, why);
  return true;
}

/** Live or lapsed. One that is suspended stays so, for the reason it was. */
export function suspendChannel(set: WorkingSet, channel: Channel, why: SuspendedWhy): Channel {
  if (channel.suspension) return channel;
  return amendChannel(set, { ...channel, suspension: { at: set.now, why } }, 'suspended');
}

/** One that is not suspended stays as it is, with all that it owes. */
export function resumeChannel(set: WorkingSet, channel: Channel, mode: ResumeMode): Channel {
  if (!channel.suspension) return channel;
  const lastNumber = currentNumber(set, channel);
  return amendChannel(
    set,
    {
      ...withoutSuspension(channel),
      ...(mode === 'skip' && lastNumber > 0 && { cancelledTo: lastNumber, cancelledWhy: 'skipped' as const }),
    },
    'resumed',
  );
}

/** The channel as any successful POST or PUT by its owner leaves it. */
export function withoutSuspension({ suspension: _ended, ...channel }: Channel): Channel {
  return channel;
}

/** The generation's channel, unless it has ended. */
export function findGeneration(
  set: WorkingSet,
  { userId, channelId, generation }: { userId: UserId; channelId: ChannelId; generation: Generation },
): Channel | undefined {
  const channel = loadedChannel(set, userId, channelId);
  return channel?.generation === generation ? channel : undefined;
}

/** Commands before it in the batch may have numbered more than was loaded. */
function currentNumber(set: WorkingSet, { generation, userId, channelId, lastNumber }: Channel): number {
  const live = findChannel(set.index, userId, channelId);
  return live?.generation === generation ? live.lastNumber : lastNumber;
}
