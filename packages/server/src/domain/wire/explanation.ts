import type { EndedReason, Lapse } from '../channel.ts';
import type { FieldRule } from '../condition.ts';
import type { EventType } from '../event-type.ts';
import type { Passing, Verdict } from '../explain.ts';
import type { RecordRef } from '../record.ts';
import { eventName } from './event-name.ts';

/** A verdict as a plain sentence or two that name the rule. */
export function sentenceOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'own_event':
    case 'related_action':
      return `${told(verdict)}.`;
    case 'suspended':
      return `${told(verdict.rule)}; it was suspended then, so its notification was numbered and waits, or waited, until it is resumed.`;
    case 'expired':
      return `It had expired at ${time(verdict.at)}${lapseText(verdict.lapse)}; else it would have been told.${again(verdict.rematched)}`;
    case 'overflow':
      return `It owed too much and took nothing after change ${verdict.fromChange}${untilText(verdict.lapse)}; else it would have been told.${again(verdict.rematched)}`;
    case 'event_type':
      return `It watches ${all(verdict.watched)}; this was ${eventName(verdict.asked)}.`;
    case 'condition':
      return `Its condition asks that ${ruleText(verdict.rule)} changed; this change changed ${fieldsText(verdict.changed)}.`;
    case 'related_off':
      return `It watches ${eventName(verdict.asked)}, but does not ask for related actions.`;
    case 'related_condition':
      return `It has a condition on ${verdict.asked.module}, which takes no related actions: these change none of its fields.`;
    case 'changed_itself':
      return `It watches ${all(verdict.watched)}; this was ${eventName(verdict.asked)}. The record itself changed in the same call, so it is not also told as related.`;
    case 'not_opened':
      return `It was not open yet: it was opened at ${time(verdict.openedAt)}.`;
    case 'ended':
      return `It had ended at ${time(verdict.at)}: ${ENDED[verdict.why]}.`;
    case 'unknown':
      return 'What it was then is not known any more: retention removed it.';
    case 'other_user':
      return verdict.holders === undefined
        ? 'You have no channel of this id, and a channel of another user tells that user alone.'
        : `The user has no channel of this id; ${verdict.holders.join(' and ')} ${verdict.holders.length > 1 ? 'have' : 'has'} one, which tells its own user alone.`;
  }
}

const ENDED: Readonly<Record<EndedReason, string>> = {
  deleted: 'its owner deleted it',
  'user-deactivated': 'its user was deactivated',
  'user-removed': 'its user was removed',
  'client-removed': 'its client was removed',
  retention: 'it had stayed expired beyond the retention time',
};

function told(rule: Passing): string {
  const [first] = rule.due;
  if (rule.kind === 'own_event') {
    const condition = rule.condition
      ? `, and its condition asks that ${ruleText(rule.condition)} changed, as it did`
      : '';
    return `It watches ${first ? eventName(first) : ''}${condition}`;
  }
  const { to } = rule;
  const [ref] = to;
  return `It watches ${ref?.module ?? ''}.edit with related actions, and what changed points at ${refsText(to)}`;
}

const refsText = (refs: readonly RecordRef[]): string => refs.map(({ module, id }) => `${module} ${id}`).join(' and ');

const all = (events: readonly EventType[]): string => listed(events.map(eventName), 'and');

const fieldsText = (fields: readonly string[]): string => (fields.length === 0 ? 'no field' : listed(fields, 'and'));

/** As it was asked for: `Stage or (Amount and Closing_Date)`. */
export function ruleText(rule: FieldRule): string {
  if (rule.kind === 'field') return rule.field;
  const { operator } = rule;
  return rule.members
    .map((member) => (member.kind === 'group' ? `(${ruleText(member)})` : member.field))
    .join(` ${operator} `);
}

function listed(items: readonly string[], word: string): string {
  const last = items.at(-1) ?? '';
  return items.length > 1 ? `${items.slice(0, -1).join(', ')} ${word} ${last}` : last;
}

const lapseText = (lapse: Lapse | undefined): string =>
  lapse ? `, in a lapse after change ${lapse.fromChange}${untilText(lapse)}` : '';

const untilText = (lapse: Lapse | undefined): string => {
  if (!lapse) return '';
  return lapse.toChange === undefined ? ', which goes on' : `, up to change ${lapse.toChange}`;
};

const again = (rematched: { readonly job: string; readonly numbers: readonly number[] } | undefined): string =>
  rematched
    ? ` The change was matched again later, by job ${rematched.job}, as ${rematched.numbers.length > 1 ? 'numbers' : 'number'} ${listed(rematched.numbers.map(String), 'and')}.`
    : '';

const time = (at: number): string => new Date(at).toISOString();
