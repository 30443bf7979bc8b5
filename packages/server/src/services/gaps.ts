import type { Channel } from '../domain/channel.ts';
import type { Clock } from '../domain/clock.ts';
import { AppError } from '../domain/error.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import { type ShownState, shownState } from '../domain/shown-state.ts';
import type { FeedStore, OpenRange } from '../storage/store.ts';
import type { Feed } from './feed.ts';
import type { LapseView, Rematches } from './rematch.ts';

/** Numbers, both ends inclusive, that were neither taken by the receiver nor acknowledged by the cursor. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  readonly state: Exclude<ShownState, 'delivered'> | 'removed';
  /** Of those that are cancelled, or were removed by retention. */
  readonly reason?: string;
}

export interface Gaps {
  /** In order; those that touch and are alike are one. */
  readonly numbers: readonly Gap[];
  /** All numbers after the one asked for, up to this, that are not in `numbers` are acknowledged. */
  readonly through: number;
  readonly lastNumber: number;
  /** Those whose changes were not all matched again, open ones too; oldest first. */
  readonly lapses: readonly LapseView[];
  readonly hasMoreLapses: boolean;
}

export interface GapsQuery {
  readonly after: number;
  /** Numbers up to where it stands are acknowledged. */
  readonly cursor?: string;
  /** Most ranges of numbers. */
  readonly limit: number;
}

export type ReadGaps = (org: OrgId, generation: Generation, query: GapsQuery) => Promise<Gaps>;

export interface GapsOptions {
  readonly store: Pick<FeedStore, 'open'>;
  readonly feed: Pick<Feed, 'cursor'>;
  readonly rematches: Pick<Rematches, 'lapses'>;
  readonly clock: Clock;
}

const LAPSES = 100;

/** What a receiver may lack, of a channel that is there, ended or not; else NOT_FOUND. */
export function createGaps({ store, feed, rematches, clock }: GapsOptions): ReadGaps {
  return async (org, generation, { after, cursor, limit }) => {
    const stand = cursor === undefined ? 0 : (await feed.cursor(org, generation, cursor)).number;
    const start = Math.max(after, stand);
    const found = await store.open(org, generation, start);
    if (!found) throw new AppError('NOT_FOUND', 'There is no such channel', { api_name: 'channel' });
    const { channel, ranges, through = channel.lastNumber } = found;
    const gaps = alike(ranges.flatMap((range) => gapsOf(range, channel, clock.now())));
    const numbers = gaps.slice(0, limit);
    const lapses = await rematches.lapses(org, generation, undefined, LAPSES + 1, 'open');
    return {
      numbers,
      through: gaps.length > limit ? (numbers.at(-1)?.to ?? start) : Math.max(through, numbers.at(-1)?.to ?? 0),
      lastNumber: channel.lastNumber,
      lapses: lapses.slice(0, LAPSES),
      hasMoreLapses: lapses.length > LAPSES,
    };
  };
}

/** What a row says means two things where the channel's end of what is cancelled lies within the range. */
function gapsOf({ from, to, state, reason }: OpenRange, channel: Channel, now: number): Gap[] {
  if (state !== 'pending') return [{ from, to, state, ...(reason !== undefined && { reason }) }];
  const cut = channel.cancelledTo ?? 0;
  const parts =
    cut >= from && cut < to
      ? [
          { from, to: cut },
          { from: cut + 1, to },
        ]
      : [{ from, to }];
  return parts.flatMap((part) => {
    const shown = shownState({ number: part.from, state }, channel, now);
    return shown.state === 'delivered' ? [] : [{ ...part, ...shown, state: shown.state }];
  });
}

function alike(gaps: readonly Gap[]): Gap[] {
  const joined: Gap[] = [];
  for (const gap of gaps) {
    const before = joined.at(-1);
    const touches = before?.to === gap.from - 1 && before.state === gap.state && before.reason === gap.reason;
    if (before && touches) joined[joined.length - 1] = { ...before, to: gap.to };
    else joined.push(gap);
  }
  return joined;
}
