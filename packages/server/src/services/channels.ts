import type { Channel } from '../domain/channel.ts';
import type { Clock } from '../domain/clock.ts';
import { AppError } from '../domain/error.ts';
import type { ChannelId } from '../domain/ids.ts';
import { isActive, type Principal } from '../domain/org.ts';
import {
  type ChannelPolicy,
  decideWatch,
  type WatchCaller,
  type WatchRequest,
  type WatchResult,
} from '../domain/watch.ts';
import type { ApiVersion } from '../domain/wire/api-version.ts';
import type { ChannelReads } from '../storage/store.ts';
import type { Command, Writer } from './writer.ts';

export interface ChannelQuery {
  /** From 1. */
  readonly page: number;
  readonly perPage: number;
  /** Only channels that watch it. */
  readonly module: string | undefined;
  readonly channelId: ChannelId | undefined;
}

export interface ChannelPage {
  readonly channels: readonly Channel[];
  readonly hasMore: boolean;
}

export interface Channels {
  /** Decides the requests one after the other and commits them together; one result for each, in their order. */
  apply(principal: Principal, version: ApiVersion, requests: readonly WatchRequest[]): Promise<readonly WatchResult[]>;
  /** The caller's own live channels, by time of opening. */
  list(principal: Principal, query: ChannelQuery): Promise<ChannelPage>;
  /** The generation of a user's channel that has not ended; with `generation`, of that one, ended or not. */
  findOwn: ChannelReads['findOwn'];
}

export interface ChannelsOptions {
  readonly writer: Writer;
  readonly reads: ChannelReads;
  readonly clock: Clock;
  readonly policy: ChannelPolicy;
}

export function createChannels({ writer, reads, clock, policy }: ChannelsOptions): Channels {
  return {
    async apply(principal, version, requests) {
      if (requests.length === 0) return [];
      const userId = principal.user.id;
      const caller: WatchCaller = { userId, clientId: principal.clientId, version };
      const command: Command<readonly WatchResult[]> = {
        needs: { users: [userId], channels: requests.map(({ channelId }) => ({ userId, channelId })) },
        weight: requests.length,
        decide(set) {
          // Taken out of use since the request was let in: then nothing is opened that nobody would end.
          const user = set.users.get(userId);
          if (!user || !isActive(user)) throw new AppError('INVALID_TOKEN', 'invalid oauth token');
          return requests.map((request) => decideWatch(set, caller, request, policy));
        },
      };
      return writer.submit(principal.org.id, command);
    },

    async list(principal, { page, perPage, module, channelId }) {
      const live = await reads.listLive(principal.org.id, principal.user.id, clock.now());
      const found = live.filter(
        (channel) =>
          (channelId === undefined || channel.channelId === channelId) &&
          (module === undefined || channel.events.some((event) => event.module === module)),
      );
      const start = (page - 1) * perPage;
      return { channels: found.slice(start, start + perPage), hasMore: found.length > start + perPage };
    },
    findOwn: reads.findOwn,
  };
}
