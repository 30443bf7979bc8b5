import type { Facts, LoggedChange, Owed, StoredChannel, StoredNotification } from './facts.ts';
import { type Arrival, cutOff, isSuccess, type Kill, keyOf } from './journal.ts';
import type { Acknowledged } from './load.ts';

/** What happened, beside what the store says of it. */
export interface Story {
  readonly arrivals: readonly Arrival[];
  readonly kills: readonly Kill[];
  readonly acknowledged: readonly Acknowledged[];
  /** After so many attempts a notification is parked. */
  readonly maxAttempts: number;
}

/** All lists are empty when the promises are kept. */
export interface Verdict {
  /** Acknowledged changes that are not in the change log; what it owes a channel and there is no notification of. */
  readonly lost: readonly string[];
  /** Numbers of a generation between 1 and its last that the receiver never saw, or that the store does not have. */
  readonly gaps: readonly string[];
  /** First arrivals of one record out of order, or before the one before them was answered 2xx or parked (P4). */
  readonly disorder: readonly string[];
  /** What came is not what is owed; ids or numbers given twice; a state that does not fit what was answered. */
  readonly wrong: readonly string[];
  /** Attempts that were made again although no kill stands between. */
  readonly unexplained: readonly string[];
  readonly figures: Figures;
}

export interface Figures {
  readonly changes: number;
  readonly notifications: number;
  readonly states: Readonly<Record<string, number>>;
  /** By channel. */
  readonly parked: Readonly<Record<string, number>>;
  readonly arrivals: number;
  /** Attempts that came twice. Never more than `inAir` and `unsettled` together. */
  readonly duplicates: number;
  /** Of all kills: what they cut off. */
  readonly inAir: number;
  readonly unsettled: number;
  /** Answered 2xx, or read at all, but so late that the server had given up. */
  readonly late: number;
}

/** Holds what the receivers saw against the change log and what was answered 2xx. */
export function verify(facts: Facts, story: Story): Verdict {
  const verdict = { lost: [] as string[], gaps: [] as string[], disorder: [] as string[], wrong: [] as string[] };
  const unexplained: string[] = [];
  checkChangeLog(facts, story.acknowledged, verdict);
  checkIds(story.arrivals, verdict.wrong);
  checkKnown(facts, story.arrivals, verdict.wrong);
  const states: Record<string, number> = {};
  const parked: Record<string, number> = {};
  const logged = new Map(facts.changes.map((change) => [change.number, change]));
  let duplicates = 0;
  let late = 0;
  for (const channel of facts.channels) {
    const came = byNumber(story.arrivals.filter(({ generation }) => generation === channel.generation));
    checkNumbers(channel, verdict.gaps);
    if (channel.owed) checkOwed(channel, channel.owed, verdict.lost);
    checkOrder(channel, came, verdict.disorder);
    for (const notification of channel.notifications) {
      states[notification.state] = (states[notification.state] ?? 0) + 1;
      if (notification.state === 'parked') parked[channel.name] = (parked[channel.name] ?? 0) + 1;
      const arrivals = came.get(notification.number) ?? [];
      checkState(channel, notification, arrivals, story.maxAttempts, verdict);
      checkContent(channel, notification, arrivals, logged.get(notification.change), verdict.wrong);
    }
    for (const arrivals of came.values()) {
      const repeats = repeatsOf(channel, arrivals, story.kills);
      duplicates += repeats.duplicates;
      late += repeats.late;
      unexplained.push(...repeats.unexplained);
    }
  }
  const notifications = facts.channels.reduce((sum, channel) => sum + channel.notifications.length, 0);
  const figures = { changes: facts.changes.length, notifications, states, parked, arrivals: story.arrivals.length };
  return { ...verdict, unexplained, figures: { ...figures, duplicates, ...atKills(story), late } };
}

function byNumber(arrivals: readonly Arrival[]): Map<number, Arrival[]> {
  const groups = new Map<number, Arrival[]>();
  for (const arrival of arrivals) {
    const others = groups.get(arrival.number);
    if (others) others.push(arrival);
    else groups.set(arrival.number, [arrival]);
  }
  return groups;
}

/** What was answered is there, and nothing is there twice: each says a Description of its own. */
function checkChangeLog(
  { changes }: Facts,
  acknowledged: readonly Acknowledged[],
  { lost, wrong }: { lost: string[]; wrong: string[] },
): void {
  const logged = new Set<string>();
  for (const { module, operation, records } of changes) {
    for (const { id, description } of records) {
      const one = mark({ module, operation, id, ...(description && { description }) });
      if (logged.has(one) && (operation !== 'update' || description)) wrong.push(`change log: ${one} twice`);
      logged.add(one);
    }
  }
  for (const change of acknowledged) if (!logged.has(mark(change))) lost.push(`change log: ${mark(change)}`);
}

const mark = (change: Omit<Acknowledged, 'operation'> & { readonly operation: string }): string =>
  `${change.operation} ${change.module} ${change.id} ${change.operation === 'delete' ? '' : (change.description ?? '')}`;

/** One id is one number of one generation, and the other way round. */
function checkIds(arrivals: readonly Arrival[], wrong: string[]): void {
  const keys = new Map<string, string>();
  const ids = new Map<string, string>();
  for (const arrival of arrivals) {
    const key = keyOf(arrival);
    if ((keys.get(arrival.id) ?? key) !== key) wrong.push(`${arrival.id} is ${keys.get(arrival.id)} and ${key}`);
    if ((ids.get(key) ?? arrival.id) !== arrival.id) wrong.push(`${key} is ${ids.get(key)} and ${arrival.id}`);
    keys.set(arrival.id, key);
    ids.set(key, arrival.id);
  }
}

/** Nothing is sent that was not committed. */
function checkKnown({ channels }: Facts, arrivals: readonly Arrival[], wrong: string[]): void {
  const known = new Set(
    channels.flatMap(({ generation, notifications }) =>
      notifications.map(({ number }) => keyOf({ generation, number })),
    ),
  );
  for (const arrival of arrivals) {
    if (!known.has(keyOf(arrival))) wrong.push(`${keyOf(arrival)} came and is not in the store`);
  }
}

function checkNumbers({ name, notifications, lastNumber }: StoredChannel, gaps: string[]): void {
  const numbers = new Set(notifications.map(({ number }) => number));
  for (let number = 1; number <= lastNumber; number += 1) {
    if (!numbers.has(number)) gaps.push(`${name} #${number} is not in the store`);
  }
}

/** Numbers go 1, 2, 3 … in the order of the change log, one for each change that the channel is owed. */
function checkOwed({ name, notifications }: StoredChannel, owed: readonly Owed[], lost: string[]): void {
  const stored = new Map(notifications.map((notification) => [notification.change, notification]));
  let before = 0;
  for (const { change, ids } of owed) {
    const notification = stored.get(change.number);
    const isSame =
      notification?.module === change.module &&
      notification.operation === change.operation &&
      notification.ids.join() === ids.join() &&
      notification.number > before;
    if (!isSame) lost.push(`${name}: change ${change.number}, ${change.operation} of ${ids.join()}`);
    before = notification?.number ?? before;
  }
  if (owed.length !== notifications.length) {
    lost.push(`${name} has ${notifications.length} notifications and is owed ${owed.length}`);
  }
}

function checkOrder({ name, notifications }: StoredChannel, came: Map<number, Arrival[]>, disorder: string[]): void {
  const before = new Map<string, StoredNotification>();
  for (const notification of notifications) {
    const first = came.get(notification.number)?.[0];
    for (const id of notification.ids) {
      const earlier = before.get(id);
      before.set(id, notification);
      if (!first || !earlier) continue;
      const attempts = came.get(earlier.number) ?? [];
      const over =
        earlier.state === 'parked'
          ? (attempts.at(-1)?.order ?? 0)
          : attempts.find(({ answer }) => isSuccess(answer?.status))?.answer?.order;
      if ((over ?? Infinity) < first.order) continue;
      disorder.push(`${name} record ${id}: #${notification.number} came before #${earlier.number} was over`);
    }
  }
}

/** Its state and its attempts fit what was answered. */
function checkState(
  { name, outcomes, end }: StoredChannel,
  { number, state, attemptsMade }: StoredNotification,
  arrivals: readonly Arrival[],
  maxAttempts: number,
  { gaps, wrong }: { gaps: string[]; wrong: string[] },
): void {
  const what = `${name} #${number}`;
  const isAnswered = arrivals.some(({ answer }) => isSuccess(answer?.status));
  if (state === 'delivered' && !isAnswered) gaps.push(`${what} is called delivered and was not answered 2xx`);
  else if (state === 'parked' && attemptsMade !== maxAttempts) wrong.push(`${what} parked after ${attemptsMade}`);
  else if (state !== 'delivered' && state !== 'parked' && state !== end) wrong.push(`${what} is ${state}`);
  for (let attempt = 1; attempt <= attemptsMade; attempt += 1) {
    const outcome = outcomes.get(`${number} ${attempt}`);
    const isLast = state === 'delivered' && attempt === attemptsMade;
    if (outcome === undefined || (outcome === 'delivered') !== isLast)
      wrong.push(`${what}, attempt ${attempt}: ${outcome}`);
  }
}

/** What came is what is stored, with the values of the change log, and the same each time. */
function checkContent(
  { name }: StoredChannel,
  { number, id, module, operation, ids, withValues }: StoredNotification,
  arrivals: readonly Arrival[],
  change: LoggedChange | undefined,
  wrong: string[],
): void {
  const descriptions = new Map(change?.records.map((record) => [record.id, record.description]));
  const isTold = withValues && operation !== 'delete';
  for (const arrival of arrivals) {
    const isSame =
      arrival.id === id &&
      arrival.digest === arrivals[0]?.digest &&
      arrival.module === module &&
      arrival.operation === operation &&
      arrival.ids.join() === ids.join() &&
      (!isTold || ids.every((one) => arrival.descriptions.get(one) === descriptions.get(one)));
    if (!isSame) wrong.push(`${name} #${number} is not what is stored`);
  }
}

/** An attempt is made once, unless its server was killed meanwhile; the next one is made when it has failed. */
function repeatsOf({ name, outcomes }: StoredChannel, arrivals: readonly Arrival[], kills: readonly Kill[]) {
  let duplicates = 0;
  let late = 0;
  const unexplained: string[] = [];
  arrivals.forEach((arrival, at) => {
    const before = arrivals[at - 1];
    if (!before) return;
    const what = `${name} #${arrival.number}: attempt ${arrival.attempt} after attempt ${before.attempt}`;
    if (arrival.attempt === before.attempt) {
      duplicates += 1;
      const isBetween = ({ order, until, pending, sender = before.from }: Kill) =>
        before.order < until &&
        order < arrival.order &&
        (sender === before.from || sender === arrival.from) &&
        (pending.get(keyOf(arrival)) ?? Infinity) < arrival.attempt;
      if (!kills.some(isBetween)) unexplained.push(what);
    } else if (arrival.attempt < before.attempt) {
      // It was given up, and another begun, before it was read here.
      if (outcomes.get(`${arrival.number} ${arrival.attempt}`) === 'unreachable') late += 1;
      else unexplained.push(what);
    } else if (outcomes.get(`${before.number} ${before.attempt}`) === 'delivered') unexplained.push(what);
    else if (isSuccess(before.answer?.status)) late += 1;
  });
  return { duplicates, late, unexplained };
}

function atKills({ arrivals, kills }: Story): { inAir: number; unsettled: number } {
  const cuts = kills.map((kill) => cutOff(kill, arrivals));
  return {
    inAir: cuts.reduce((sum, cut) => sum + cut.inAir, 0),
    unsettled: cuts.reduce((sum, cut) => sum + cut.unsettled, 0),
  };
}
