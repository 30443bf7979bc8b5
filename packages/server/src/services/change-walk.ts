import type { Generation } from '../domain/ids.ts';
import type { Candidate } from '../domain/notification-query.ts';
import type { LookStore, NumberSpan } from '../storage/store.ts';
import type { ChangesPlace, Place, Step, WalkContext } from './notification-walks.ts';

/** What a change says of very many channels counts as so many rows more that were looked at. */
const BYTES_OF_A_ROW = 4 * 1024;

/** What changes numbered, and what was numbered for them later, newest change first, then by channel and number. */
export async function walkChanges(
  walk: 'record' | 'module' | 'changes',
  place: ChangesPlace | undefined,
  size: number,
  { store, org, filter, asked }: WalkContext,
): Promise<Step> {
  const { module, record } = filter;
  const source =
    walk === 'changes' || module === undefined
      ? {}
      : { module, ...(walk === 'record' && record !== undefined && { record }) };
  const range = { first: filter.changes.first, last: Math.min(filter.changes.last, place?.change ?? Infinity) };
  const read = await store.changes(org, source, range, size, filter.generations);
  const [newest] = read.changes;
  const oldest = read.changes.at(-1);
  if (!newest || !oldest) return { met: [], looked: 1 };
  const again = await store.rematched(org, source, { first: oldest.number, last: newest.number }, size);
  const { changes, rematched, isCut } = await whole(read.changes, again, size, (change) =>
    store.rematched(org, source, { first: change, last: change }, Number.MAX_SAFE_INTEGER),
  );
  const spots = spotsOf(changes, rematched, filter.generations).filter((spot) => !place || isBeyond(place, spot));
  const some = spots.slice(0, size);
  const found = (await candidatesAt(some, { store, org, asked })).filter((one) => !place || isPast(place, one));
  const met = found.map((candidate) => {
    const { change, generation, number } = candidate;
    return { candidate, place: (): Place => ({ walk, change, generation, number }) };
  });
  const looked = read.changes.length + some.length + Math.floor(read.bytes / BYTES_OF_A_ROW);
  const last = some.at(-1);
  if (last && spots.length > some.length) {
    // The lowest numbers of a change in a channel are found together.
    const number = last.isLowest ? 0 : last.to;
    return { met, looked, place: { walk, change: last.change, generation: last.generation, number } };
  }
  const lowest = changes.at(-1)?.number ?? oldest.number;
  const isOver = read.isEnd && !isCut;
  return { met, looked, ...(!isOver && { place: { walk, change: lowest - 1 } }) };
}

type Numbered = Awaited<ReturnType<LookStore['changes']>>['changes'];
type Rematched = Awaited<ReturnType<LookStore['rematched']>>;

/** The changes of which all re-matched ones were read, at least one. */
async function whole(
  changes: Numbered,
  rematched: Rematched,
  limit: number,
  readAll: (change: number) => Promise<Rematched>,
): Promise<{ readonly changes: Numbered; readonly rematched: Rematched; readonly isCut: boolean }> {
  const last = rematched.at(-1);
  if (!last || rematched.length < limit) return { changes, rematched, isCut: false };
  const complete = changes.filter(({ number }) => number > last.change);
  if (complete.length > 0) return { changes: complete, rematched, isCut: true };
  const { change } = last;
  return { changes: changes.filter(({ number }) => number === change), rematched: await readAll(change), isCut: true };
}

interface Spot extends NumberSpan {
  readonly change: number;
  /** There may be more of the change just below it, and all that there are in this channel. */
  readonly isLowest: boolean;
}

/** Where notifications of the changes stand; in the order of the walk. */
function spotsOf(changes: Numbered, rematched: Rematched, generations: readonly Generation[] | undefined): Spot[] {
  const wanted = generations && new Set(generations);
  const again = new Map<number, Spot[]>();
  for (const { change, generation, number } of rematched) {
    const spots = again.get(change) ?? [];
    again.set(change, spots);
    spots.push({ change, generation, from: number, to: number, isLowest: false });
  }
  return changes.flatMap(({ number: change, numbered }) => {
    const spots = again.get(change) ?? [];
    for (const [generation, to] of numbered)
      spots.push({ change, generation, from: Math.max(1, to - 1), to, isLowest: true });
    return spots
      .filter(({ generation }) => !wanted || wanted.has(generation))
      .sort((a, b) => inOrder([a.generation, a.to], [b.generation, b.to]));
  });
}

/** Of one change: higher channels first, and of each higher numbers. */
const inOrder = (a: readonly [Generation, number], b: readonly [Generation, number]): number => {
  if (a[0] !== b[0]) return a[0] < b[0] ? 1 : -1;
  return b[1] - a[1];
};

/** Whether something of it may lie beyond the place. */
const isBeyond = ({ change, generation, number = Infinity }: ChangesPlace, spot: Spot): boolean => {
  if (spot.change < change || generation === undefined) return true;
  if (spot.generation !== generation) return spot.generation < generation;
  return spot.isLowest ? number > 0 : spot.to < number;
};

const isPast = ({ change, generation, number = Infinity }: ChangesPlace, one: Candidate): boolean => {
  if (one.change < change || generation === undefined) return true;
  return one.generation === generation ? one.number < number : one.generation < generation;
};

/** How many numbers below the known ones are looked at in a turn, and turns: a change gives a channel few numbers. */
const LOWER = 16;
const TURNS = 3;

/**
 * What stands there. Of the numbers that a change gave a channel the highest is known: the next lower ones are looked at
 * until one is about another change.
 */
async function candidatesAt(
  spots: readonly Spot[],
  { store, org, asked }: Pick<WalkContext, 'store' | 'org' | 'asked'>,
): Promise<Candidate[]> {
  const found = new Map<string, Candidate>();
  let looking = spots;
  for (let turn = 0; looking.length > 0 && turn <= TURNS; turn += 1) {
    const rows = await store.spans(org, looking, asked);
    const byKey = new Map(rows.map((row) => [keyOf(row.generation, row.number), row]));
    const next: Spot[] = [];
    for (const spot of looking) {
      for (let number = spot.to; number >= spot.from; number -= 1) {
        const row = byKey.get(keyOf(spot.generation, number));
        if (row?.change === spot.change) found.set(keyOf(row.generation, number), row);
      }
      const lowest = byKey.get(keyOf(spot.generation, spot.from));
      const isOther = lowest !== undefined && lowest.change !== spot.change;
      if (spot.isLowest && !isOther && spot.from > 1)
        next.push({ ...spot, from: Math.max(1, spot.from - LOWER), to: spot.from - 1 });
    }
    looking = next;
  }
  return [...found.values()].sort(
    (a, b) => b.change - a.change || inOrder([a.generation, a.number], [b.generation, b.number]),
  );
}

const keyOf = (generation: Generation, number: number): string => `${generation} ${number}`;
