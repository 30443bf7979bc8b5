import type { EndedReason } from '../domain/channel.ts';
import type { OrgId } from '../domain/ids.ts';
import { endChannel, loadedChannel } from '../domain/working-channels.ts';
import type { AdministrationStore, ChannelOwner } from '../storage/store.ts';
import type { Writer } from './writer.ts';

/** Channels ended by one command. */
const CHUNK = 100;

/** Ends all channels of a user or a client, live or expired, through the writer; says how many. */
export function createChannelEnds({
  writer,
  store,
}: {
  readonly writer: Writer;
  readonly store: Pick<AdministrationStore, 'currentChannels'>;
}): (org: OrgId, whose: ChannelOwner, reason: EndedReason) => Promise<number> {
  return async (org, whose, reason) => {
    // What was queued before is committed first, so that the list below has it.
    await writer.submit(org, { needs: {}, weight: 0, isAdministration: true, decide: () => undefined });
    let ended = 0;
    for (;;) {
      const channels = await store.currentChannels(org, whose, CHUNK);
      if (channels.length === 0) return ended;
      ended += await writer.submit(org, {
        needs: { channels },
        weight: channels.length,
        isAdministration: true,
        decide(set) {
          const found = channels.flatMap(({ userId, channelId }) => loadedChannel(set, userId, channelId) ?? []);
          for (const channel of found) endChannel(set, channel, reason);
          return found.length;
        },
      });
    }
  };
}
