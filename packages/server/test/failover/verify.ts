import type { Acknowledged } from '../crash/load.ts';
import type { Received } from '../support/receiver.ts';
import type { Facts } from './facts.ts';

export interface Story {
  readonly acknowledged: readonly Acknowledged[];
  readonly arrivals: readonly Received[];
  /** How many were acknowledged when the old primary came back. */
  readonly knownAtReturn: number;
  /** What the old primary had when it came back. */
  readonly old: Facts;
  readonly promoted: Facts;
  /** Changes that the old primary was given after it had come back. */
  readonly stray: number;
  readonly lostCommits: ReadonlySet<string> | undefined;
  readonly times: { readonly firstWriteMs: number; readonly firstDeliveryMs: number };
  /** Of all nodes. */
  readonly log: string;
}

/** All lists are empty when the promises are kept. */
export interface Failover {
  /** Acknowledged, and neither in the promoted database nor among what PostgreSQL lost; lost though PostgreSQL has it. */
  readonly lost: readonly string[];
  /** Acknowledged after the old primary had come back, and not in the promoted database. */
  readonly astray: readonly string[];
  /** In the promoted database, and not delivered. */
  readonly undelivered: readonly string[];
  /** A generation with a number that receivers were told of two notifications, or an id of two records. */
  readonly givenTwice: readonly string[];
  /** Numbers that never came, of a generation as receivers were told. */
  readonly gaps: readonly string[];
  /** How often a node began a new epoch: once in all. */
  readonly told: number;
  readonly figures: Figures;
}

export interface Figures {
  readonly acknowledged: number;
  /** Changes that the old primary alone has. */
  readonly lostChanges: number;
  /** Records of them whose writes had been acknowledged. */
  readonly lostAcknowledged: number;
  /** Notifications of them that had been delivered. */
  readonly lostDelivered: number;
  readonly delivered: number;
  readonly repeated: number;
  readonly firstWriteMs: number;
  readonly firstDeliveryMs: number;
}

export function verify(story: Story): Failover {
  const { acknowledged, arrivals, old, promoted, lostCommits } = story;
  const kept = new Set(promoted.changes.map(({ key }) => key));
  const lostChanges = old.changes.filter(({ key }) => !kept.has(key));
  const keptDescriptions = new Set(promoted.changes.flatMap(({ descriptions }) => descriptions));
  const lostDescriptions = new Set(lostChanges.flatMap(({ descriptions }) => descriptions));
  const missing = acknowledged.filter(({ description }) => !keptDescriptions.has(String(description)));
  const nameOf = ({ id, description }: Acknowledged): string => `${id} ${description}`;
  const lost = missing.filter(({ description }) => !lostDescriptions.has(String(description))).map(nameOf);
  if (lostCommits) {
    const isLost = new Set(lostChanges.map(({ key }) => key));
    for (const { key, transaction } of old.changes) {
      if (lostCommits.has(transaction) !== isLost.has(key)) lost.push(`${key}: the log says otherwise`);
    }
  }
  const came = new Set(arrivals.map(idOf));
  const stored = new Set(promoted.notifications.map(({ id }) => id));
  const undelivered = promoted.notifications
    .filter(({ id, state }) => state !== 'delivered' || !came.has(id))
    .map(({ id, state }) => `${id} is ${state}${came.has(id) ? '' : ' and never came'}`);
  const astray = acknowledged
    .slice(story.knownAtReturn)
    .filter(({ description }) => !keptDescriptions.has(String(description)))
    .map(nameOf);
  if (story.stray > 0) astray.push(`the old primary was given ${story.stray} changes`);
  return {
    lost,
    astray,
    undelivered,
    ...checkNumbers(arrivals, acknowledged),
    told: story.log.split('channels number anew from here on').length - 1,
    figures: {
      acknowledged: acknowledged.length,
      lostChanges: lostChanges.length,
      lostAcknowledged: missing.length,
      lostDelivered: [...came].filter((id) => !stored.has(id)).length,
      delivered: came.size,
      repeated: arrivals.length - came.size,
      ...story.times,
    },
  };
}

function checkNumbers(arrivals: readonly Received[], acknowledged: readonly Acknowledged[]) {
  const givenTwice: string[] = [];
  const gaps: string[] = [];
  const generations = new Map<string, Map<number, string>>();
  for (const arrival of arrivals) {
    const generation = String(arrival.headers['watchbell-generation']);
    const number = Number(arrival.headers['watchbell-sequence']);
    const ids = generations.get(generation) ?? new Map<number, string>();
    generations.set(generation, ids);
    const other = ids.get(number);
    if (other !== undefined && other !== idOf(arrival)) givenTwice.push(`${generation} ${number}`);
    ids.set(number, idOf(arrival));
  }
  for (const [generation, ids] of generations) {
    for (let number = 1; number <= Math.max(...ids.keys()); number += 1) {
      if (!ids.has(number)) gaps.push(`${generation} ${number}`);
    }
  }
  const made = new Set<string>();
  for (const { id, operation } of acknowledged) {
    if (operation !== 'insert') continue;
    if (made.has(id)) givenTwice.push(`record ${id}`);
    made.add(id);
  }
  return { givenTwice, gaps };
}

const idOf = ({ headers }: Received): string => String(headers['webhook-id']);
