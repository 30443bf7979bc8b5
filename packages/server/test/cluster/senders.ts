import { groupBy } from '../../src/storage/group.ts';
import type { Arrival } from '../crash/journal.ts';
import type { Query } from '../crash/store-copy.ts';
import type { Deletion } from './churn.ts';
import { isEnd, revisionsIn } from './matching.ts';
import type { ClusterWorld } from './world.ts';

export interface AtOnce {
  /** Attempts of a channel that were made while one of another node was in the air. */
  readonly faults: readonly string[];
  /** Of those, the ones that a node made when it went on after it was frozen. */
  readonly atThaw: number;
}

/** Two nodes never send for a channel at once: what the one has in the air lands before the other begins. */
export function checkSenders({
  journal: { arrivals },
  attemptMs,
  deaths,
  freezes,
}: Pick<ClusterWorld, 'journal' | 'attemptMs' | 'deaths' | 'freezes'>): AtOnce {
  const faults: string[] = [];
  let atThaw = 0;
  const endOf = ({ at, answer, from }: Arrival) =>
    Math.min(answer?.at ?? Infinity, at + attemptMs, deaths.get(from) ?? Infinity);
  const isAtThaw = ({ from, at }: Arrival) =>
    freezes.some((freeze) => freeze.sender === from && freeze.from <= at && at <= freeze.until);
  for (const [generation, own] of groupBy(arrivals, (arrival) => arrival.generation)) {
    /** Of each sender, the attempt that ends last. */
    const newest = new Map<string, Arrival>();
    for (const arrival of own) {
      for (const [sender, other] of newest) {
        if (sender === arrival.from || endOf(other) <= arrival.at) continue;
        if (isAtThaw(arrival) || isAtThaw(other)) atThaw += 1;
        else
          faults.push(`${generation}: #${arrival.number} began ${Math.round(endOf(other) - arrival.at)} ms too early`);
      }
      const before = newest.get(arrival.from);
      if (!before || endOf(before) < endOf(arrival)) newest.set(arrival.from, arrival);
    }
  }
  return { faults, atThaw };
}

export interface Silence {
  /** Requests that came more than a second after their channel had ended, expired or was suspended. */
  readonly faults: readonly string[];
  /** The latest of all after each, ms; 0: none came. */
  readonly latest: Readonly<Record<string, number>>;
  /** How many of each there were. */
  readonly counts: Readonly<Record<string, number>>;
}

const SILENT_AFTER_MS = 1000;
/** Until a request that was begun is read here. */
const SLACK_MS = 250;

/** After a DELETE is answered, after an expiry and after a suspension nothing is sent. */
export function checkSilence(query: Query, arrivals: readonly Arrival[], deletions: readonly Deletion[]): Silence {
  const faults: string[] = [];
  const latest: Record<string, number> = {};
  const counts: Record<string, number> = {};
  const came = new Map(groupBy(arrivals, ({ generation }) => generation));
  const givenUp = startsOfGivenUp(query);
  const revisions = revisionsIn(query);
  for (const [generation, own] of groupBy(revisions, ({ channel }) => channel.generation)) {
    own.forEach((revision, at) => {
      if (!isEnd(revision) && revision.kind !== 'suspended') return;
      const { kind, channel } = revision;
      const answered = deletions.find((one) => one.channelId === channel.channelId && one.at >= revision.at);
      const from =
        kind === 'expired' ? channel.expiresAt : kind === 'deleted' ? (answered?.at ?? Infinity) : revision.at;
      const until = own[at + 1]?.at ?? Infinity;
      counts[kind] = (counts[kind] ?? 0) + 1;
      latest[kind] ??= 0;
      for (const arrival of came.get(generation) ?? []) {
        const time = givenUp.get(attemptKey(arrival)) ?? performance.timeOrigin + arrival.at;
        if (time <= from || time >= until) continue;
        latest[kind] = Math.max(latest[kind] ?? 0, Math.round(time - from));
        if (time - from > SILENT_AFTER_MS + SLACK_MS)
          faults.push(`${generation} #${arrival.number} came ${Math.round(time - from)} ms after it was ${kind}`);
      }
    });
  }
  return { faults, latest, counts };
}

const attemptKey = ({ generation, number, attempt }: Pick<Arrival, 'generation' | 'number' | 'attempt'>): string =>
  `${generation} ${number} ${attempt}`;

/** When those attempts began (epoch ms) that were given up before they were answered: they may be read here long after. */
const startsOfGivenUp = (query: Query): ReadonlyMap<string, number> =>
  new Map(
    query(`SELECT * FROM attempt WHERE outcome LIKE '%"unreachable"%'`).map(({ generation, number, attempt, at }) => [
      attemptKey({ generation: String(generation), number: Number(number), attempt: Number(attempt) }),
      Number(at),
    ]),
  );
