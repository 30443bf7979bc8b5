import type { Channel } from '../domain/channel.ts';
import type { Clock } from '../domain/clock.ts';
import { AppError } from '../domain/error.ts';
import type { FeedCursor } from '../domain/feed-cursor.ts';
import type { Generation, JobId, NotificationId, OrgId } from '../domain/ids.ts';
import { withoutRanges } from '../domain/ranges.ts';
import { identityOf } from '../domain/restart.ts';
import { type ShownState, shownState } from '../domain/shown-state.ts';
import type { Compat } from '../domain/wire/compat.ts';
import { notificationBody } from '../domain/wire/notification-body.ts';
import type { FeedSlice, FeedStore, StoredNotification } from '../storage/store.ts';
import { createFeedWaits, type FeedWaits } from './feed-waits.ts';

/** A notification as a reader of its channel gets it. */
export interface FeedItem {
  readonly number: number;
  readonly id: NotificationId;
  /** As its receiver is told them. */
  readonly generation: string;
  readonly sequence: number;
  readonly state: ShownState;
  /** Of a cancelled one. */
  readonly reason?: string;
  readonly changedAt: number;
  readonly settledAt?: number;
  /** That re-matched it. */
  readonly job?: JobId;
  /** The exact text that an attempt sends now. */
  readonly body: string;
}

export interface FeedPage {
  readonly items: readonly FeedItem[];
  /** Numbers up to `through` that retention removed, in order: delivered, or why not. */
  readonly removed: readonly RemovedNumbers[];
  /**
   * All numbers after the one asked for, up to this, are in `items` or in `removed`. Before the one asked for when the
   * channel has not come that far (any more, after a restore).
   */
  readonly through: number;
  readonly lastNumber: number;
}

export interface RemovedNumbers {
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

export interface FeedQuery {
  /** Where to begin: after a number, or where a cursor stands. */
  readonly start: { readonly after: number } | { readonly cursor: string };
  /** 1 … 1000. */
  readonly limit: number;
  readonly waitMs: number;
  /** On whose account it waits. */
  readonly who: string;
  /** The caller has gone. */
  readonly signal?: AbortSignal;
}

/** What a channel's reader fetches by itself. A channel that is not there: NOT_FOUND; ended ones are. */
export interface Feed {
  read(org: OrgId, generation: Generation, query: FeedQuery): Promise<FeedPage>;
  cursors(org: OrgId, generation: Generation): Promise<FeedCursor[]>;
  cursor(org: OrgId, generation: Generation, name: string): Promise<FeedCursor>;
  /** INVALID_DATA beyond the newest number, LIMIT_REACHED when there are too many. May be set back. */
  moveCursor(org: OrgId, generation: Generation, name: string, number: number): Promise<FeedCursor>;
  removeCursor(org: OrgId, generation: Generation, name: string): Promise<void>;
  /** Told of each commit of this node. Never throws. */
  readonly committed: FeedWaits['committed'];
  /** Answers all who wait, and nobody waits any more. */
  close(): void;
}

export interface FeedOptions {
  readonly store: FeedStore;
  /** Other nodes give numbers, too. */
  readonly isShared: boolean;
  readonly clock: Clock;
  /** Origin that resource URIs start with. */
  readonly base: () => string;
  readonly compat: Compat;
}

/** Of the changes that one page is made of: what is parsed and written out at once delays everything else. */
const MAX_BYTES = 1024 * 1024;
const MAX_CURSORS = 20;

export function createFeed({ store, isShared, clock, base, compat }: FeedOptions): Feed {
  const waits = createFeedWaits({ ...(isShared && { look: store.lastNumbers }) });

  async function slice(org: OrgId, generation: Generation, after: number, limit: number): Promise<FeedSlice> {
    const found = await store.slice(org, generation, after, limit, MAX_BYTES);
    if (!found) throw noChannel();
    return found;
  }

  async function requireChannel(org: OrgId, generation: Generation): Promise<number> {
    const last = (await store.lastNumbers([{ org, generation }])).get(generation);
    if (last === undefined) throw noChannel();
    return last;
  }

  async function cursor(org: OrgId, generation: Generation, name: string): Promise<FeedCursor> {
    const found = (await store.cursors(org, generation)).find((one) => one.name === name);
    if (found) return found;
    await requireChannel(org, generation);
    throw new AppError('NOT_FOUND', 'There is no such cursor: begin one by setting it to a number', {
      api_name: 'cursor',
    });
  }

  function page({ channel, notifications, removed, through }: FeedSlice, after: number): FeedPage {
    const now = clock.now();
    // Some may have been given since the channel was read.
    const lastNumber = Math.max(channel.lastNumber, notifications.at(-1)?.number ?? 0);
    return {
      items: notifications.map((one) => item(one, channel, now)),
      removed: removedBetween(notifications, removed, after, through),
      through: after <= lastNumber ? through : lastCommon(channel, lastNumber),
      lastNumber,
    };
  }

  const item = (one: StoredNotification, channel: Channel, now: number): FeedItem => {
    const { generation, number: sequence } = identityOf(channel, one.number);
    return {
      number: one.number,
      id: one.id,
      generation,
      sequence,
      ...shownState(one, channel, now),
      changedAt: one.change.at,
      ...(one.settledAt !== undefined && { settledAt: one.settledAt }),
      ...(one.job !== undefined && { job: one.job }),
      body: notificationBody(one, channel, { base: base(), compat }),
    };
  };

  return {
    async read(org, generation, { start, limit, waitMs, who, signal }) {
      const after = 'after' in start ? start.after : (await cursor(org, generation, start.cursor)).number;
      // Before it is looked: what is committed from now on is not missed.
      const waiter = waits.enter({ org, generation, after, who, waitMs, ...(signal && { signal }) });
      try {
        const found = await slice(org, generation, after, limit);
        const { endedAt, lastNumber } = found.channel;
        // Of one that has ended nothing more comes; and who is ahead of the channel would wait past what comes.
        const isOver = endedAt !== undefined || lastNumber < after;
        if (found.through > after || waitMs === 0 || isOver) return page(found, after);
        await waiter.over;
        return page(signal?.aborted ? found : await slice(org, generation, after, limit), after);
      } finally {
        waiter.leave();
      }
    },

    async cursors(org, generation) {
      await requireChannel(org, generation);
      return store.cursors(org, generation);
    },

    cursor,

    async moveCursor(org, generation, name, number) {
      const last = await requireChannel(org, generation);
      if (number > last) {
        throw new AppError('INVALID_DATA', `The newest number of the channel is ${last}`, {
          api_name: 'number',
          range: { from: 0, to: last },
        });
      }
      const moved = { name, number, at: clock.now() };
      if (await store.saveCursor(org, generation, moved, MAX_CURSORS)) return moved;
      throw new AppError('LIMIT_REACHED', `A channel has at most ${MAX_CURSORS} cursors`, {
        api_name: 'name',
        limit: MAX_CURSORS,
      });
    },

    async removeCursor(org, generation, name) {
      if (!(await store.removeCursor(org, generation, name))) await cursor(org, generation, name);
    },

    committed: waits.committed,
    close: waits.close,
  };
}

/** What is missing among the numbers: as `removed` says, or else it was delivered before it was removed. */
function removedBetween(
  notifications: readonly StoredNotification[],
  removed: FeedSlice['removed'],
  after: number,
  through: number,
): RemovedNumbers[] {
  const there = notifications.map(({ number }) => ({ from: number, to: number }));
  const undelivered = withoutRanges(removed, there);
  const missing = withoutRanges([{ from: after + 1, to: through }], there);
  const delivered = withoutRanges(missing, undelivered).map((range) => ({ ...range, reason: 'delivered' }));
  return [...undelivered, ...delivered].sort((a, b) => a.from - b.from);
}

/** Where a reader that is ahead of a restored channel goes on: before what was numbered since then. */
const lastCommon = ({ restarts }: Channel, lastNumber: number): number =>
  Math.min(lastNumber, (restarts.at(-1)?.from ?? Infinity) - 1);

const noChannel = (): AppError => new AppError('NOT_FOUND', 'There is no such channel', { api_name: 'channel' });
