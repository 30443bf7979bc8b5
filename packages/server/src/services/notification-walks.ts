import type { Generation, OrgId } from '../domain/ids.ts';
import {
  type Candidate,
  type NotificationFilter,
  type OwedPart,
  owedPart,
  type Walk,
} from '../domain/notification-query.ts';
import type { Asked, LookStore } from '../storage/store.ts';
import { walkChanges } from './change-walk.ts';

/** Where a walk has come to: what lies beyond was not looked at. */
export type Place = NumbersPlace | ChangesPlace | OwedPlace | EndedPlace;

interface NumbersPlace {
  readonly walk: 'numbers' | 'given-up-numbers';
  /** Of each channel, what is below. */
  readonly below: readonly (readonly [generation: string, number: number])[];
}

export interface ChangesPlace {
  readonly walk: 'record' | 'module' | 'changes';
  readonly change: number;
  /** With the number: of that change, what comes after it; without: all of it. */
  readonly generation?: string;
  readonly number?: number;
}

interface OwedPlace {
  readonly walk: 'owed';
  readonly generation: string;
  readonly number: number;
}

interface EndedPlace {
  readonly walk: 'given-up' | 'failed';
  readonly at: number;
  readonly generation: string;
  readonly number: number;
  /** Of a failed one. */
  readonly attempt?: number;
}

/** One that a walk came upon, and the place just after it. */
export interface Met {
  readonly candidate: Candidate;
  readonly place: () => Place;
}

export interface Step {
  readonly met: readonly Met[];
  /** Rows that were looked at. */
  readonly looked: number;
  /** Where it goes on; undefined: it is over. */
  readonly place?: Place | undefined;
}

export interface WalkContext {
  readonly store: LookStore;
  readonly org: OrgId;
  readonly filter: NotificationFilter;
  readonly asked: Asked;
  readonly now: number;
}

/** Goes on from a place, or from the start, and looks at about so many rows. */
export function takeStep(walk: Walk, place: Place | undefined, size: number, context: WalkContext): Promise<Step> {
  switch (walk) {
    case 'numbers':
    case 'given-up-numbers':
      return walkNumbers(walk, place?.walk === walk ? place : undefined, size, context);
    case 'record':
    case 'module':
    case 'changes':
      return walkChanges(walk, place?.walk === walk ? place : undefined, size, context);
    case 'owed':
      return walkOwed(place?.walk === walk ? place : undefined, size, context);
    case 'given-up':
    case 'failed':
      return walkTimed(walk, place?.walk === walk ? place : undefined, size, context);
  }
}

/** Channels side by side: next is always the one whose next number is about the newest change. */
async function walkNumbers(
  walk: 'numbers' | 'given-up-numbers',
  place: NumbersPlace | undefined,
  size: number,
  context: WalkContext,
): Promise<Step> {
  const { store, org, filter, asked } = context;
  const below = new Map(place ? kept(place, filter) : await tops(context));
  const asking = [...below].map(([generation, number]) => ({ generation, below: number }));
  const share = Math.max(MIN_SHARE, Math.ceil(size / Math.max(1, asking.length)));
  const rows = await store.below(org, walk === 'numbers' ? 'all' : 'given-up', asking, share, asked);
  const queues = asking.map(({ generation }, i) => ({ generation, rows: rows[i] ?? [], next: 0 }));
  for (const queue of queues) if (queue.rows.length === 0) below.delete(queue.generation);
  const met: Met[] = [];
  for (;;) {
    const heads = queues.flatMap((queue) => {
      const head = below.has(queue.generation) ? queue.rows[queue.next] : undefined;
      return head ? [{ queue, head }] : [];
    });
    const [first, ...others] = heads;
    if (!first) break;
    const { queue, head } = others.reduce((best, one) => (one.head.change > best.head.change ? one : best), first);
    queue.next += 1;
    below.set(queue.generation, head.number);
    // Numbers and changes rise together, but for re-matched ones, which stand after what they are about.
    if (head.change < filter.changes.first && !head.isRematched) below.delete(queue.generation);
    const after = [...below];
    met.push({ candidate: head, place: () => ({ walk, below: after }) });
    if (queue.next < queue.rows.length || !below.has(queue.generation)) continue;
    // What follows in this channel was not read: others must not overtake it.
    if (queue.rows.length === share) break;
    below.delete(queue.generation);
  }
  const looked = queues.reduce((sum, queue) => sum + queue.rows.length, queues.length);
  return { met, looked, ...(below.size > 0 && { place: { walk, below: [...below] } }) };
}

/** Of channels that the caller may see: a place has no authority. */
const kept = ({ below }: NumbersPlace, { generations }: NotificationFilter): (readonly [Generation, number])[] =>
  below.flatMap(([text, number]) => {
    const generation = generations?.find((known) => known === text);
    return generation === undefined ? [] : [[generation, number] as const];
  });

/** Where each channel's numbers begin to be about what is asked for. */
async function tops({ store, org, filter: { generations = [], changes } }: WalkContext) {
  const sought = changes.last < Number.MAX_SAFE_INTEGER ? await store.seek(org, generations, changes) : undefined;
  return generations.map((generation) => [generation, sought?.get(generation) ?? Number.MAX_SAFE_INTEGER] as const);
}

/** So that even of many channels some are read of each. */
const MIN_SHARE = 10;

/** Channels read at once, and their parts. */
const CHANNELS = 200;
const PARTS = 20;

/** Channel by channel, of each the oldest first. */
async function walkOwed(
  place: OwedPlace | undefined,
  size: number,
  { store, org, filter, asked, now }: WalkContext,
): Promise<Step> {
  const { generations, state } = filter;
  const from = place?.generation ?? '';
  const named = generations && (await store.channels(org, generations));
  const channels = (named ?? (await store.owing(org, from, CHANNELS)))
    .filter(({ generation }) => generation >= from)
    .sort((a, b) => (a.generation < b.generation ? -1 : 1));
  const isEnd = named !== undefined || channels.length < CHANNELS;
  const parts = channels.flatMap((channel) => {
    const part = owedPart(channel, state, now);
    return part ? [beyond({ generation: channel.generation, ...part }, place)] : [];
  });
  const some = parts.slice(0, PARTS);
  const rows = await store.owed(org, some, size, asked);
  const met: Met[] = [];
  for (const [i, { generation }] of some.entries()) {
    const found = rows[i] ?? [];
    for (const candidate of found.slice(0, size - met.length)) {
      met.push({ candidate, place: () => ({ walk: 'owed', generation, number: candidate.number }) });
    }
    const last = met.at(-1);
    // Full before all was taken of this channel.
    if (met.length >= size) return { met, looked: met.length + some.length, ...(last && { place: last.place() }) };
  }
  const looked = met.length + channels.length;
  const last = parts.length > some.length ? some.at(-1) : channels.at(-1);
  const isOver = (isEnd && parts.length === some.length) || !last;
  if (isOver) return { met, looked };
  return { met, looked, place: { walk: 'owed', generation: last.generation, number: Number.MAX_SAFE_INTEGER } };
}

const beyond = <Part extends OwedPart & { readonly generation: Generation }>(
  part: Part,
  place: OwedPlace | undefined,
): Part => (part.generation === place?.generation ? { ...part, after: Math.max(part.after, place.number) } : part);

/** What was not delivered as it ended, or attempts as they failed, newest first. */
async function walkTimed(
  walk: 'given-up' | 'failed',
  place: EndedPlace | undefined,
  size: number,
  { store, org, filter, asked }: WalkContext,
): Promise<Step> {
  const before = place && { ...place, generation: place.generation as Generation };
  const state = filter.state === 'parked' ? 'parked' : 'cancelled';
  const rows = await (walk === 'failed'
    ? store.failed(org, before, size, asked)
    : store.givenUp(org, state, before, size, asked));
  const met = rows.flatMap(({ place: at, candidate }) => {
    // Of a notification only its last attempt counts.
    if (!candidate || (walk === 'failed' && candidate.last?.attempt !== at.attempt)) return [];
    return [{ candidate, place: (): Place => ({ walk, ...at }) }];
  });
  const last = rows.at(-1);
  const isOver = rows.length < size || !last;
  return { met, looked: rows.length, ...(!isOver && { place: { walk, ...last.place } }) };
}
