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
export function checkSenders(
  { journal, attemptMs, deaths, freezes }: Pick<ClusterWorld, 'journal' | 'attemptMs' | 'deaths' | 'freezes'>,
  query: Query,
): AtOnce {
  const faults: string[] = [];
  let atThaw = 0;
  const givenUp = spansOfGivenUp(query);
  const spanOf = (arrival: Arrival): Span => {
    const { at, answer, from } = arrival;
    const known = givenUp.get(attemptKey(arrival));
    const death = deaths.get(from) ?? Infinity;
    // An attempt that a node had no time to settle is made again under its number: it is not the one that was saved.
    if (known && !answer && known.from <= at) return { from: known.from, to: Math.min(known.to, death) };
    return { from: at, to: Math.min(answer?.at ?? Infinity, at + attemptMs, death) };
  };
  const isAtThaw = ({ from, at }: Arrival) =>
    freezes.some((freeze) => freeze.sender === from && freeze.from <= at && at <= freeze.until);
  for (const [generation, own] of groupBy(journal.arrivals, (arrival) => arrival.generation)) {
    /** Of each sender, the attempt that ends last. */
    const newest = new Map<string, { readonly arrival: Arrival; readonly span: Span }>();
    const spans = own.map((arrival) => ({ arrival, span: spanOf(arrival) }));
    for (const one of spans.sort((a, b) => a.span.from - b.span.from)) {
      const { arrival, span } = one;
      for (const [sender, other] of newest) {
        const early = other.span.to - span.from;
        if (sender === arrival.from || early <= 0) continue;
        if (isAtThaw(arrival) || isAtThaw(other.arrival)) atThaw += 1;
        else {
          const before = `#${other.arrival.number} attempt ${other.arrival.attempt}${other.arrival.answer ? '' : ', unanswered'}`;
          faults.push(
            `${generation}: #${arrival.number} attempt ${arrival.attempt} of ${arrival.from} began ` +
              `${Math.round(early)} ms before ${before} of ${sender} ended, at ${Math.round(span.from)}`,
          );
        }
      }
      const before = newest.get(arrival.from);
      if (!before || before.span.to < span.to) newest.set(arrival.from, one);
    }
  }
  return { faults, atThaw };
}

/** Of a request, ms of this process' own clock. */
interface Span {
  readonly from: number;
  readonly to: number;
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
  const givenUp = spansOfGivenUp(query);
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
        const time = performance.timeOrigin + (givenUp.get(attemptKey(arrival))?.from ?? arrival.at);
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

/** Those attempts that were given up before they were answered, by their nodes: they may be read here long after. */
const spansOfGivenUp = (query: Query): ReadonlyMap<string, Span> =>
  new Map(
    query(`SELECT * FROM attempt WHERE outcome LIKE '%"unreachable"%'`).map((row) => {
      const { generation, number, attempt, at, duration_ms } = row;
      const from = Number(at) - performance.timeOrigin;
      return [
        attemptKey({ generation: String(generation), number: Number(number), attempt: Number(attempt) }),
        { from, to: from + Number(duration_ms) },
      ];
    }),
  );
