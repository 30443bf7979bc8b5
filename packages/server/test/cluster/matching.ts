import type { Change } from '../../src/domain/change.ts';
import type { ChannelRevision, LiveChannel } from '../../src/domain/channel.ts';
import { createChannelIndex } from '../../src/domain/channel-index.ts';
import { match } from '../../src/domain/matching.ts';
import { groupBy } from '../../src/storage/group.ts';
import type { Query } from '../crash/store-copy.ts';

export interface Revision extends Pick<ChannelRevision, 'version' | 'at' | 'kind'> {
  /** As it was from then on, or as it was last when it ended; `lastNumber` says how far it was numbered then. */
  readonly channel: LiveChannel;
}

export const revisionsIn = (query: Query): Revision[] =>
  query('SELECT version, at, kind, snapshot FROM channel_revision ORDER BY version').map((row) => ({
    version: Number(row.version),
    at: Number(row.at),
    kind: String(row.kind) as Revision['kind'],
    channel: JSON.parse(String(row.snapshot)) as LiveChannel,
  }));

const ENDS: ReadonlySet<string> = new Set([
  'expired',
  'deleted',
  'user-deactivated',
  'user-removed',
  'client-removed',
  'retention',
]);
export const isEnd = ({ kind }: Revision): boolean => ENDS.has(kind);

/** What a change owes the channel as it is under the revision, as text; empty: nothing. */
function owedUnder(change: Change, revision: Revision | undefined): string {
  if (!revision || isEnd(revision)) return '';
  const owed = match(change, createChannelIndex([revision.channel]));
  return owed.map(({ module, operation, ids }) => `${module} ${operation} ${ids.join()}`).join('; ');
}

interface Given {
  readonly number: number;
  readonly change: number;
  readonly what: string;
  readonly shape: string;
}

export interface Matching {
  /** What a channel was owed and not given, or given and not owed. */
  readonly faults: readonly string[];
  readonly notifications: number;
  /** Changes without a notification in the very millisecond of a revision: either side of it may be the right one. */
  readonly unsure: number;
}

/** Holds every notification, and every change without one, against the channel as it was when the change was committed. */
export function checkMatching(query: Query): Matching {
  const changes = query('SELECT * FROM record_change ORDER BY number').map(
    (row): Change =>
      ({
        number: Number(row.number),
        module: row.module,
        operation: row.operation,
        at: Number(row.at),
        by: row.changed_by,
        records: JSON.parse(String(row.records)),
      }) as Change,
  );
  const revisions = revisionsIn(query);
  const faults: string[] = [];
  let notifications = 0;
  let unsure = 0;
  revisions.forEach(({ version }, at) => {
    if (version !== (revisions[0]?.version ?? 0) + at) faults.push(`revision ${version} is not the next one`);
  });
  for (const [generation, own] of groupBy(revisions, ({ channel }) => channel.generation)) {
    const found = checkGeneration(generation, own, changes, givenTo(query, generation));
    faults.push(...found.faults);
    notifications += found.notifications;
    unsure += found.unsure;
  }
  return { faults, notifications, unsure };
}

const givenTo = (query: Query, generation: string): Given[] =>
  query('SELECT * FROM notification WHERE generation = ? ORDER BY number', generation).map((row) => ({
    number: Number(row.number),
    change: Number(row.change_number),
    what: `${row.module} ${row.operation} ${(JSON.parse(String(row.ids)) as string[]).join()}`,
    shape: `${row.version} ${row.with_values}`,
  }));

function checkGeneration(
  generation: string,
  revisions: readonly Revision[],
  changes: readonly Change[],
  given: readonly Given[],
): Matching {
  const faults: string[] = [];
  const byChange = new Map(groupBy(given, ({ change }) => String(change)));
  const last = revisions.at(-1);
  const until = last && isEnd(last) ? last.at : Infinity;
  let unsure = 0;
  /** Of the newest change that had a notification. */
  let reached = -1;
  for (const change of changes) {
    const what = `${generation}, change ${change.number}`;
    const mine = byChange.get(String(change.number));
    if (mine) {
      // Numbers only grow, so they tell on which side of a revision its change was.
      const before = Math.min(...mine.map(({ number }) => number));
      const at = revisions.findLastIndex((revision) => !isEnd(revision) && revision.channel.lastNumber < before);
      const revision = revisions[at];
      const next = revisions[at + 1];
      const owed = owedUnder(change, revision);
      const was = mine.map((one) => one.what).join('; ');
      if (owed !== was) faults.push(`${what}: it was given ${was} and owed ${owed} by revision ${revision?.version}`);
      const shape = revision && `${revision.channel.version} ${Number(revision.channel.withValues)}`;
      if (mine.some((one) => one.shape !== shape)) faults.push(`${what}: its shape is not that of the channel`);
      const isWithin = (revision?.at ?? Infinity) <= change.at && change.at <= (next?.at ?? Infinity) && at >= reached;
      if (!isWithin) faults.push(`${what} is not of the time of revision ${revision?.version}`);
      reached = Math.max(reached, at);
    } else if (change.at >= (revisions[0]?.at ?? 0) && change.at <= until) {
      const candidates = candidatesAt(revisions, change.at, reached);
      if (candidates.length > 1) unsure += 1;
      if (candidates.every((revision) => owedUnder(change, revision) !== ''))
        faults.push(`${what}: it was owed ${owedUnder(change, candidates[0])} and given nothing`);
    }
  }
  return { faults, notifications: given.length, unsure };
}

/** What the channel may have been for a change of this time: nothing yet, too. */
function candidatesAt(revisions: readonly Revision[], time: number, reached: number): (Revision | undefined)[] {
  const candidates: (Revision | undefined)[] = [];
  for (let at = Math.max(reached, -1); at < revisions.length; at += 1) {
    const begins = revisions[at]?.at ?? -Infinity;
    const ends = revisions[at + 1]?.at ?? Infinity;
    if (begins > time) break;
    if (ends >= time) candidates.push(revisions[at]);
  }
  return candidates;
}
