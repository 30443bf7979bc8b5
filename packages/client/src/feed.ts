import type { CursorPage, Overview } from './channel-wire.ts';
import type { Job } from './jobs.ts';
import type { Call, Exchange } from './transport.ts';
import type { Notification } from './wire.ts';

export type FeedState = 'pending' | 'held' | 'delivered' | 'parked' | 'cancelled';

/** A notification of a channel, whatever became of it. Times are ISO 8601. */
export interface FeedItem {
  /** Contiguous in the channel: 1, 2, 3 … */
  readonly number: number;
  /** As in `webhook-id`: the same in the feed and on every attempt. */
  readonly id: string;
  /** As in `watchbell-generation` and `watchbell-sequence`. */
  readonly generation: string;
  readonly sequence: number;
  readonly state: FeedState;
  /** Of a cancelled one. */
  readonly reason: string | null;
  readonly changed_at: string;
  /** Since when it is neither pending nor held. */
  readonly settled_at: string | null;
  /** Job that re-matched it. */
  readonly rematch: string | null;
  /** The exact text that is sent; `notificationOf` reads it. */
  readonly body: string;
}

export interface NumberRange {
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
}

export interface FeedPage {
  readonly notifications: readonly FeedItem[];
  /** Numbers that retention removed; `delivered`, or why they were not. */
  readonly removed: readonly (NumberRange & { readonly reason: string })[];
  /**
   * All numbers after the one asked for, up to this, are in one of the two. Go on after it, also when it is before the one
   * asked for: then the server was restored and has not come as far again.
   */
  readonly through: number;
  readonly last_number: number;
  readonly more: boolean;
}

/** Where to begin: after a number (0 when absent), or where a cursor stands. */
export interface FeedQuery {
  readonly after?: number;
  readonly cursor?: string;
  /** 1 to 1000; 100 when absent. */
  readonly limit?: number;
  /** Seconds to wait for something, 0 to 60. */
  readonly wait?: number;
}

export interface FeedCursor {
  readonly name: string;
  /** Up to it everything is acknowledged. */
  readonly number: number;
  readonly at: string;
}

/** Changes that a channel did not see: after `from_change`, up to `to_change` (null: it goes on). */
export interface MissedRange {
  readonly kind: 'expired' | 'overflow';
  readonly from_change: number;
  readonly to_change: number | null;
  readonly began_at: string;
  readonly ended_at: string | null;
  readonly rematched_to: number | null;
  /** In it, of all modules, that were not matched again. */
  readonly changes: number;
  /** Those up to this one were removed by retention. */
  readonly gone_to: number | null;
  readonly can_rematch: boolean;
  /** Why not: `open`, `done`, `gone`, `expired` or `ended`. */
  readonly hindrance: string | null;
}

export interface Gaps {
  readonly numbers: readonly (NumberRange & {
    readonly state: Exclude<FeedState, 'delivered'> | 'removed';
    readonly reason: string | null;
  })[];
  /** What is not in `numbers`, up to this, was acknowledged. */
  readonly through: number;
  readonly last_number: number;
  readonly more: boolean;
  readonly lapses: readonly MissedRange[];
  readonly more_lapses: boolean;
}

export type RematchWish =
  | { readonly lapse: 'expired' | 'overflow'; readonly from_change: number }
  | { readonly all: true };

export interface RematchPlan {
  readonly lapse: MissedRange;
  /** Changes, from the first on: at most 5,000 for one request. */
  readonly looked_at: number;
  /** That these would make. */
  readonly notifications: number;
}

/** What a reader of a channel fetches by itself, and what it may lack. */
export interface PullFeed {
  read(query?: FeedQuery): Promise<FeedPage>;
  readonly cursors: {
    list(): Promise<readonly FeedCursor[]>;
    show(name: string): Promise<FeedCursor>;
    /** Acknowledges everything up to the number; a lower one sets it back. Makes it, if it is new. */
    move(name: string, number: number): Promise<FeedCursor>;
    remove(name: string): Promise<void>;
  };
  /** Numbers that were not acknowledged, by a 2xx or by the cursor, and changes that have no number. */
  gaps(query?: Pick<FeedQuery, 'after' | 'cursor' | 'limit'>): Promise<Gaps>;
  /** All of them, oldest first, also what was matched again. */
  lapses(page?: CursorPage): Promise<Overview<MissedRange>>;
  /** A job for each lapse. */
  rematch(wish: RematchWish): Promise<readonly Job[]>;
  planRematch(wish: RematchWish): Promise<readonly RematchPlan[]>;
}

/** The body of an item, read. A channel id beyond 2^53 is text in the body, so nothing is lost. */
export const notificationOf = ({ body }: Pick<FeedItem, 'body'>): Notification => JSON.parse(body) as Notification;

/** `path` and `query`: of the channel. */
export function createPullFeed(call: Call, path: string, query: Exchange['query'] = {}): PullFeed {
  // What an answer holds is the server's promise, not checked again.
  async function ask<Answer>(
    method: Exchange['method'],
    below: string,
    more: Pick<Exchange, 'query' | 'json' | 'waitMs'> = {},
  ): Promise<Answer> {
    return (await call({ ...more, method, path: path + below, query: { ...query, ...more.query } })).body as Answer;
  }
  const cursor = (name: string): string => `/feed/cursors/${encodeURIComponent(name)}`;
  return {
    read: ({ wait = 0, ...asked } = {}) =>
      ask('GET', '/feed', { query: { ...asked, ...(wait > 0 && { wait }) }, waitMs: wait * 1000 }),
    cursors: {
      list: async () => (await ask<{ readonly cursors: readonly FeedCursor[] }>('GET', '/feed/cursors')).cursors,
      show: (name) => ask('GET', cursor(name)),
      move: (name, number) => ask('PUT', cursor(name), { json: { number } }),
      remove: (name) => ask('DELETE', cursor(name)),
    },
    gaps: (asked) => ask('GET', '/gaps', { query: { ...asked } }),
    async lapses(page) {
      const { lapses, next } = await ask<{
        readonly lapses: readonly MissedRange[];
        readonly next: string | null;
      }>('GET', '/lapses', { query: { ...page } });
      return { items: lapses, next };
    },
    rematch: async (wish) => (await ask<{ readonly jobs: readonly Job[] }>('POST', '/rematches', { json: wish })).jobs,
    planRematch: async (wish) =>
      (
        await ask<{ readonly lapses: readonly RematchPlan[] }>('POST', '/rematches', {
          json: { ...wish, dry_run: true },
        })
      ).lapses,
  };
}
