import type { Outcome } from '../domain/attempt.ts';
import { AppError } from '../domain/error.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { ListedChannel } from '../domain/notification-query.ts';
import { type Identity, identityOf } from '../domain/restart.ts';
import type { ListedAttempt, LookStore } from '../storage/store.ts';
import { generationsOf, learn, notOfThisList, type Whose } from './notifications.ts';

export interface AttemptQuery extends Whose {
  readonly outcome?: Outcome['kind'] | undefined;
  /** HTTP status that was answered. */
  readonly status?: number | undefined;
  /** Of its start, epoch ms; `to` exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly limit: number;
  readonly place?: AttemptPlace | undefined;
}

/** Where a list of attempts has come to: of one channel after the other, or of those that failed, by their times. */
export type AttemptPlace =
  | { readonly of: 'channel'; readonly generation: string; readonly number: number; readonly attempt: number }
  | {
      readonly of: 'failed';
      readonly at: number;
      readonly generation: string;
      readonly number: number;
      readonly attempt: number;
    };

export interface AttemptView {
  readonly attempt: ListedAttempt;
  readonly channel: ListedChannel;
  readonly identity: Identity;
}

export interface AttemptList {
  /**
   * Those that failed, newest first; all of them where channels are named and nothing else is asked for, by their numbers
   * from the highest down. Looks at a bounded number of rows. INVALID_DATA for those that succeeded of unnamed channels.
   */
  list(
    org: OrgId,
    query: AttemptQuery,
  ): Promise<{ readonly items: readonly AttemptView[]; readonly next?: AttemptPlace | undefined }>;
}

interface Step {
  readonly attempts: readonly ListedAttempt[];
  readonly looked: number;
  readonly place?: AttemptPlace | undefined;
}

const MAX_LOOKED = 4000;
const MAX_STEP = 1000;

export function createAttemptList({
  store,
  maxLooked = MAX_LOOKED,
}: {
  readonly store: LookStore;
  readonly maxLooked?: number;
}): AttemptList {
  return {
    async list(org, query) {
      const { user, channelId, generation, limit } = query;
      const isNamed = channelId !== undefined || generation !== undefined;
      const generations = await generationsOf(store, org, query);
      if (generations?.length === 0) return { items: [] };
      const isOfFailed = !isNamed || mustHaveFailed(query);
      if (!isNamed && query.outcome === 'delivered') {
        const message = 'Attempts that succeeded are listed of one channel: name it';
        throw new AppError('INVALID_DATA', message, { api_name: 'channel' });
      }
      const known = new Map<Generation, ListedChannel>();
      const items: AttemptView[] = [];
      let { place } = query;
      if (place && (place.of === 'failed') !== isOfFailed) throw notOfThisList();
      let looked = 0;
      let size = Math.min(limit, MAX_STEP);
      do {
        const step: Step = isOfFailed
          ? await stepOfFailed(org, query, place, size)
          : await stepOfChannels(org, generations ?? [], place, size);
        await learn(
          store,
          org,
          known,
          step.attempts.map((one) => one.generation),
        );
        for (const attempt of step.attempts) {
          const channel = known.get(attempt.generation);
          const isWanted = channel && (user === undefined || channel.userId === user) && fits(query, attempt);
          if (!isWanted || (generations && !generations.includes(attempt.generation))) continue;
          items.push({ attempt, channel, identity: identityOf(channel, attempt.number) });
          if (items.length === limit) return { items, next: placeOf(attempt, isOfFailed) };
        }
        place = step.place;
        looked += Math.max(1, step.looked);
        size = Math.min(size * 4, MAX_STEP);
      } while (place && looked < maxLooked);
      return { items, next: place };
    },
  };

  async function stepOfFailed(
    org: OrgId,
    { from = 0, to }: AttemptQuery,
    place: AttemptPlace | undefined,
    size: number,
  ): Promise<Step> {
    const start = to === undefined ? undefined : { at: to, generation: '' as Generation, number: 0, attempt: 0 };
    const before = place?.of === 'failed' ? { ...place, generation: place.generation as Generation } : start;
    const attempts = await store.failedAttempts(org, before, size);
    const last = attempts.at(-1);
    const isOver = attempts.length < size || !last || last.at < from;
    return { attempts, looked: attempts.length, ...(!isOver && { place: placeOf(last, true) }) };
  }

  /** One channel after the other. */
  async function stepOfChannels(
    org: OrgId,
    generations: readonly Generation[],
    place: AttemptPlace | undefined,
    size: number,
  ): Promise<Step> {
    const at = place === undefined ? 0 : generations.findIndex((generation) => generation === place.generation);
    const generation = generations[at];
    if (generation === undefined) return { attempts: [], looked: 0 };
    const attempts = await store.attempts(org, generation, place, size);
    const last = attempts.at(-1);
    const looked = attempts.length;
    if (last && looked === size) return { attempts, looked, place: placeOf(last, false) };
    const following = generations[at + 1];
    const start = { of: 'channel' as const, number: Number.MAX_SAFE_INTEGER, attempt: 0 };
    return { attempts, looked, ...(following !== undefined && { place: { ...start, generation: following } }) };
  }
}

function fits({ outcome, status, from, to }: AttemptQuery, attempt: ListedAttempt): boolean {
  const { outcome: came, at } = attempt;
  return (
    (outcome === undefined || came.kind === outcome) &&
    (status === undefined || ('status' in came && came.status === status)) &&
    (from === undefined || at >= from) &&
    (to === undefined || at < to)
  );
}

const mustHaveFailed = ({ outcome, status }: AttemptQuery): boolean =>
  (outcome !== undefined && outcome !== 'delivered') || (status !== undefined && (status < 200 || status > 299));

function placeOf({ at, generation, number, attempt }: ListedAttempt, isOfFailed: boolean): AttemptPlace {
  return isOfFailed
    ? { of: 'failed', at, generation, number, attempt }
    : { of: 'channel', generation, number, attempt };
}
