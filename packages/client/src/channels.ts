import type {
  ChannelDetails,
  ChannelRevision,
  ChannelSettings,
  ChannelTest,
  CursorPage,
  Overview,
} from './channel-wire.ts';
import { createPullFeed, type PullFeed } from './feed.ts';
import { createReplays, type Replays } from './jobs.ts';
import type { Call, Exchange } from './transport.ts';
import type { AdminSigning } from './wire.ts';

/** What is seen and done of one channel: by its owner, or by an operator. */
export interface ChannelHandle extends Replays {
  /** Ended ones too, when they are named by their generation. */
  show(): Promise<ChannelDetails>;
  /** What was made of it, newest first. */
  revisions(page?: CursorPage): Promise<Overview<ChannelRevision>>;
  settings(): Promise<ChannelSettings>;
  /** What is not given stays; null takes one away. */
  changeSettings(change: Partial<ChannelSettings>): Promise<ChannelSettings>;
  /** Nothing is sent for it until it is resumed, here or by a POST or PUT of its owner. */
  suspend(): Promise<ChannelDetails>;
  /** What it owes flows on (`backlog`), or is cancelled (`skip`). */
  resume(mode?: 'backlog' | 'skip'): Promise<ChannelDetails>;
  /** Sends a test notification now: about no record, without a number. Also to a suspended channel. */
  test(): Promise<ChannelTest>;
  /** What a reader fetches by itself, and what it may lack. */
  readonly feed: PullFeed;
  readonly signing: {
    show(): Promise<AdminSigning>;
    /** A new secret, shown here and never again; the one before signs beside it for a day, or as said (0 to 30 days). */
    renew(keepSeconds?: number): Promise<AdminSigning & { readonly secret: string }>;
    end(): Promise<void>;
  };
}

/** `path`: of the channel. `generation`: an earlier one of an owner's channel id, for what only reads. */
export function createChannelHandle(call: Call, path: string, generation?: string): ChannelHandle {
  const query = generation === undefined ? {} : { generation };
  // What an answer holds is the server's promise, not checked again.
  async function ask<Answer>(method: Exchange['method'], below: string, json?: object): Promise<Answer> {
    return (await call({ method, path: path + below, query, ...(json && { json }) })).body as Answer;
  }
  return {
    ...createReplays(call, path),
    feed: createPullFeed(call, path, query),
    show: () => ask('GET', ''),
    async revisions(page) {
      const { body } = await call({ method: 'GET', path: `${path}/revisions`, query: { ...query, ...page } });
      const { revisions, next } = body as {
        readonly revisions: readonly ChannelRevision[];
        readonly next: string | null;
      };
      return { items: revisions, next };
    },
    settings: () => ask('GET', '/settings'),
    changeSettings: (change) => ask('PATCH', '/settings', change),
    suspend: () => ask('POST', '/suspend'),
    resume: (mode = 'backlog') => ask('POST', '/resume', { mode }),
    test: () => ask('POST', '/test'),
    signing: {
      show: () => ask('GET', '/signing'),
      renew: (keepSeconds) =>
        ask('PUT', '/signing', { ...(keepSeconds !== undefined && { keep_seconds: keepSeconds }) }),
      end: () => ask('DELETE', '/signing'),
    },
  };
}
