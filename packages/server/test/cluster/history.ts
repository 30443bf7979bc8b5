import { createChannelModel, type ModelChannel, type Rule } from '../model/channels.ts';
import type { Person } from '../model/facts.ts';
import { type Call, CHANNEL_ID } from './calls.ts';
import { isEnd, type Revision } from './matching.ts';

/** A call with what it was answered; `sent` and `answered` are places in one order. */
export interface Made extends Call {
  readonly isDone: boolean;
  readonly sent: number;
  readonly answered: number;
}

export interface History {
  readonly faults: readonly string[];
  /** The channel as the model has it in the end. */
  readonly last: ModelChannel | undefined;
}

const OWNER: Person = { key: 'owner', org: 'sample', id: '', name: '', email: '' };

const ruleText = (rule: Rule): string => (typeof rule === 'string' ? rule : '');

/** What a revision, or the model, says of a channel, in one form. */
const stateOf = ({ kind, channel }: Revision): string =>
  isEnd({ kind } as Revision)
    ? 'none'
    : JSON.stringify([
        channel.events.map(({ module, operation }) => `${module} ${operation}`).sort(),
        channel.conditions.map(({ module, rule }) => `${module} ${rule.kind === 'field' ? rule.field : ''}`).sort(),
        ...[channel.expiresAt, channel.withValues, channel.notifyOnRelated, channel.version],
      ]);
const modelState = (channel: ModelChannel | undefined): string =>
  channel === undefined
    ? 'none'
    : JSON.stringify([
        [...channel.events].sort(),
        Object.entries(channel.conditions)
          .map(([module, rule]) => `${module} ${ruleText(rule)}`)
          .sort(),
        ...[channel.expiresAt, channel.withValues, channel.related, channel.version],
      ]);

/**
 * Runs the model on the calls in the order in which they were committed, which their revisions tell, and holds each
 * revision against it: so no call's change was lost under another's. `now`: before all expiries.
 */
export function replay(revisions: readonly Revision[], made: readonly Made[], now: number): History {
  const model = createChannelModel(
    () => now,
    () => true,
  );
  const current = () => model.find(OWNER, CHANNEL_ID);
  const faults: string[] = [];
  const left = new Set(made.filter(({ isDone }) => isDone).toSorted((a, b) => a.answered - b.answered));
  /** After each revision; the first is before all. */
  const states = [modelState(undefined)];
  const order: Made[] = [];

  /** Whether the call is the one that leads from where the model is to the revision. */
  const leadsTo = (revision: Revision, { entry }: Made): boolean => {
    if (entry === 'delete') return revision.kind === 'deleted';
    if (entry.kind !== 'prune')
      return !isEnd(revision) && revision.kind !== 'pruned' && revision.channel.expiresAt === entry.expiry;
    const before = current();
    if (!before || (revision.kind !== 'pruned' && revision.kind !== 'deleted')) return false;
    const kept = [...before.events].filter((event) => !(entry.events ?? []).some((one) => eventOf(one) === event));
    const after = isEnd(revision)
      ? []
      : revision.channel.events.map(({ module, operation }) => `${module} ${operation}`);
    return kept.sort().join() === after.sort().join();
  };

  for (const revision of revisions) {
    const call = [...left].find((one) => leadsTo(revision, one));
    if (!call) {
      faults.push(`no call leads from ${states.at(-1)} to revision ${revision.version}, ${stateOf(revision)}`);
      return { faults, last: current() };
    }
    left.delete(call);
    order.push(call);
    const { entry, version } = call;
    const isTaken = entry === 'delete' ? model.unwatch(OWNER, CHANNEL_ID) : model.watch(OWNER, version, entry);
    const state = modelState(current());
    states.push(state);
    if (!isTaken) faults.push(`revision ${revision.version} is of a call that the model refuses`);
    if (state !== stateOf(revision))
      faults.push(`revision ${revision.version} is ${stateOf(revision)} and by the model ${state}`);
  }
  for (const call of left) faults.push(`a call that was answered as done left no revision: ${JSON.stringify(call)}`);
  faults.push(...lateOnes(order), ...wronglyRefused(made, order, states));
  return { faults, last: current() };
}

const WORDS: Readonly<Record<string, string>> = { create: 'insert', edit: 'update', delete: 'delete' };
const eventOf = (event: string): string => {
  const [module, word = ''] = event.split('.');
  return `${module} ${WORDS[word]}`;
};

/** A call that was answered before another was sent is committed before it. */
function lateOnes(order: readonly Made[]): string[] {
  let sent = 0;
  return order.flatMap((call) => {
    const isLate = call.answered < sent;
    sent = Math.max(sent, call.sent);
    return isLate ? [`committed after a call that was sent when it had been answered: ${JSON.stringify(call)}`] : [];
  });
}

/** There was a moment between its sending and its answer at which what it asked for could not be done. */
function wronglyRefused(made: readonly Made[], order: readonly Made[], states: readonly string[]): string[] {
  return made.flatMap((call) => {
    const { isDone, entry, sent, answered } = call;
    if (isDone) return [];
    const from = order.findLastIndex((other) => other.answered < sent) + 1;
    const next = order.findIndex((other) => other.sent > answered);
    const until = next < 0 ? order.length : next;
    const within = states.slice(from, until + 1);
    const isRefused = within.some((state) => {
      if (state === 'none') return true;
      if (entry === 'delete' || entry.kind !== 'prune') return false;
      const [events] = JSON.parse(state) as [string[]];
      return (entry.events ?? []).some((event) => !events.includes(eventOf(event)));
    });
    return isRefused ? [] : [`refused, and could be done: ${JSON.stringify(call)}`];
  });
}
