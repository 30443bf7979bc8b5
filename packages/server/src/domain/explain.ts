import type { Change, ChangedRecord } from './change.ts';
import { type ChannelRevision, ENDED_REASONS, type EndedReason, type Lapse, type LiveChannel } from './channel.ts';
import type { FieldRule } from './condition.ts';
import type { EventType } from './event-type.ts';
import type { JobId, RecordId } from './ids.ts';
import { conditionOn, matchOne, takesRelated, watches } from './matching.ts';
import type { RecordRef } from './record.ts';

// Why a channel was or was not told of what happened to a record (P11). What is owed, the matcher itself says; here stands
// only why it says so.

/** A change as it concerns one record. */
export interface Concern {
  readonly change: Change;
  readonly record: RecordRef;
  /** What was done to the record itself; undefined: others that changed point at it. */
  readonly own?: ChangedRecord;
  /** Records that it points, or pointed, at, but for those that the same call changed. */
  readonly pointsAt: readonly RecordRef[];
  /** Another record of the change points, or pointed, at it. */
  readonly isPointedAt: boolean;
}

export function concernOf(change: Change, record: RecordRef): Concern {
  const own = change.module === record.module ? change.records.find(({ id }) => id === record.id) : undefined;
  const isPointedAt = change.records.some(
    (other) => other !== own && other.related.some(({ module, id }) => module === record.module && id === record.id),
  );
  const isChanged = ({ module, id }: RecordRef) =>
    module === change.module && change.records.some((changed) => changed.id === id);
  const pointsAt = (own?.related ?? []).filter((ref) => !isChanged(ref));
  return { change, record, ...(own && { own }), pointsAt, isPointedAt };
}

/** Modules of which a channel must watch something to have been told, perhaps. */
export const modulesConcerned = ({ record, pointsAt }: Concern): string[] => [
  ...new Set([record.module, ...pointsAt.map(({ module }) => module)]),
];

/** Whether a channel might have been told: it watches something of the record's module, or edits of one it points at. */
export const mightTell = ({ record, pointsAt }: Concern, channel: LiveChannel): boolean =>
  channel.events.some(({ module }) => module === record.module) ||
  pointsAt.some(({ module }) => watches(channel, module, 'update'));

/** One of the notifications that a change owes a channel. */
export interface Due extends EventType {
  readonly ids: readonly RecordId[];
  /** Its place among those that the change owes the channel, and how many these are: so its number is known. */
  readonly place: number;
  readonly of: number;
}

/** What the channel's own settings say of the change, whatever became of the channel. */
export type Rule =
  | { readonly kind: 'own_event'; readonly due: readonly Due[]; readonly condition?: FieldRule }
  | { readonly kind: 'related_action'; readonly due: readonly Due[]; readonly to: readonly RecordRef[] }
  /** `asked`: what it would have to watch. */
  | { readonly kind: 'event_type'; readonly asked: EventType; readonly watched: readonly EventType[] }
  | { readonly kind: 'condition'; readonly rule: FieldRule; readonly changed: readonly string[] }
  | { readonly kind: 'related_off' | 'related_condition'; readonly asked: EventType }
  /** It would be told as related, had it not changed itself in the same call. */
  | { readonly kind: 'changed_itself'; readonly asked: EventType; readonly watched: readonly EventType[] };

export function ruleOf(concern: Concern, channel: LiveChannel): Rule {
  const { change, record, own, pointsAt } = concern;
  const owed = matchOne(change, channel);
  const due: Due[] = owed.map(({ module, operation, ids }, place) => ({
    module,
    operation,
    ids,
    place,
    of: owed.length,
  }));
  const about = due.filter(({ module, ids }) => module === record.module && ids.includes(record.id));
  const pointing = due.filter((one) => !about.includes(one) && named(pointsAt, one).length > 0);
  if (own && about.length > 0) {
    const condition = change.operation === 'update' ? conditionOn(channel, change.module) : undefined;
    return { kind: 'own_event', due: [...about, ...pointing], ...(condition && { condition: condition.rule }) };
  }
  if (about.length > 0) return { kind: 'related_action', due: about, to: [record] };
  if (pointing.length > 0) {
    return { kind: 'related_action', due: pointing, to: pointing.flatMap((one) => named(pointsAt, one)) };
  }
  return own ? whyNotOwn(concern, own, channel) : whyNotRelated(channel, record.module, record.module);
}

/** Those of the records that a notification names. */
const named = (refs: readonly RecordRef[], { module, ids }: Pick<Due, 'module' | 'ids'>): RecordRef[] =>
  refs.filter((ref) => ref.module === module && ids.includes(ref.id));

/** Whether a notification of the change is about the record, or about one that it points at. */
export const concerns = ({ record, pointsAt }: Concern, notification: Pick<Due, 'module' | 'ids'>): boolean =>
  named([record, ...pointsAt], notification).length > 0;

function whyNotOwn({ change, record, pointsAt, isPointedAt }: Concern, own: ChangedRecord, channel: LiveChannel): Rule {
  const asked: EventType = { module: change.module, operation: change.operation };
  const watched = channel.events.filter(({ module }) => module === record.module);
  const condition = conditionOn(channel, change.module);
  if (watches(channel, asked.module, asked.operation) && condition)
    return { kind: 'condition', rule: condition.rule, changed: own.fields };
  if (isPointedAt && watches(channel, record.module, 'update') && takesRelated(channel, record.module))
    return { kind: 'changed_itself', asked, watched };
  if (watched.length > 0) return { kind: 'event_type', asked, watched };
  const pointed = pointsAt.find(({ module }) => watches(channel, module, 'update'));
  return pointed
    ? whyNotRelated(channel, pointed.module, record.module)
    : { kind: 'event_type', asked, watched: channel.events };
}

function whyNotRelated(channel: LiveChannel, module: string, shown: string): Rule {
  const asked: EventType = { module, operation: 'update' };
  if (!watches(channel, module, 'update')) {
    const watched = channel.events.filter((event) => event.module === shown);
    return { kind: 'event_type', asked, watched: watched.length > 0 ? watched : channel.events };
  }
  return { kind: channel.notifyOnRelated ? 'related_condition' : 'related_off', asked };
}

/** What is known of a channel at the moment of a change. */
export type Then =
  /** Neither ended nor unknown; live or lapsed. */
  | { readonly kind: 'there'; readonly revision: ChannelRevision }
  | { readonly kind: 'not_opened'; readonly openedAt: number }
  | { readonly kind: 'ended'; readonly at: number; readonly why: EndedReason }
  /** Retention removed what it was. */
  | { readonly kind: 'unknown' };

/** What the store has of a channel around a change. */
export interface Traces {
  /** The newest that is not newer than the change. */
  readonly revision?: ChannelRevision;
  /** The oldest that is newer than the change; asked for only without one that is not. */
  readonly next?: Pick<ChannelRevision, 'kind' | 'at'>;
  readonly openedAt: number;
  readonly endedAt?: number;
  readonly endedReason?: EndedReason;
}

export function thenOf({ revision, next, openedAt, endedAt, endedReason = 'deleted' }: Traces): Then {
  if (revision) {
    const why = ENDED_REASONS.find((reason) => reason === revision.kind);
    return why ? { kind: 'ended', at: revision.at, why } : { kind: 'there', revision };
  }
  if (next?.kind === 'opened') return { kind: 'not_opened', openedAt };
  // Of one that ended before all that is kept, even its end was removed.
  if (!next && endedAt !== undefined) return { kind: 'ended', at: endedAt, why: endedReason };
  return { kind: 'unknown' };
}

/** What matters only of a channel whose settings let the change pass. */
export interface Circumstances {
  /** It was suspended at that moment. */
  readonly isSuspended: boolean;
  /** That the change fell into. */
  readonly lapse?: Lapse;
  /** By which the change was matched again later. */
  readonly rematched?: { readonly job: JobId; readonly numbers: readonly number[] };
}

export type Verdict =
  | Exclude<Then, { kind: 'there' }>
  | Exclude<Rule, { kind: 'own_event' | 'related_action' }>
  | Extract<Rule, { kind: 'own_event' | 'related_action' }>
  | { readonly kind: 'suspended'; readonly rule: Passing }
  | ({ readonly kind: 'expired'; readonly at: number } & Missed)
  | ({ readonly kind: 'overflow'; readonly fromChange: number } & Missed)
  /** The user has no channel of this id; whether another has one is not said, unless an operator asked. */
  | { readonly kind: 'other_user'; readonly holders?: readonly string[] };

/** A rule that lets a change pass. */
export type Passing = Extract<Rule, { kind: 'own_event' | 'related_action' }>;

interface Missed {
  readonly rule: Passing;
  readonly lapse?: Lapse;
  readonly rematched?: Circumstances['rematched'];
}

/** Whether what the settings say is all that matters. */
export const passes = (rule: Rule): rule is Passing => rule.kind === 'own_event' || rule.kind === 'related_action';

/**
 * Its settings come first: of one that would not have been told anyhow it does not matter that it had expired, and what
 * had expired and would have been told is what a re-match finds.
 */
export function explain(concern: Concern, then: Then, { isSuspended, ...missed }: Circumstances): Verdict {
  if (then.kind !== 'there') return then;
  const { channel } = then.revision;
  const rule = ruleOf(concern, channel);
  if (!passes(rule)) return rule;
  if (!isLiveAt(channel, concern.change)) return { kind: 'expired', at: channel.expiresAt, rule, ...missed };
  if (channel.overflowFrom !== undefined)
    return { kind: 'overflow', fromChange: channel.overflowFrom, rule, ...missed };
  return isSuspended ? { kind: 'suspended', rule } : rule;
}

/** A batch commits expiries that are due before its changes, all at its one time. */
export const isLiveAt = ({ expiresAt }: LiveChannel, { at }: Change): boolean => at < expiresAt;

/** Whether it was, or will be, told. */
export function isTold(verdict: Verdict): boolean {
  switch (verdict.kind) {
    case 'own_event':
    case 'related_action':
    case 'suspended':
      return true;
    case 'expired':
    case 'overflow':
      return verdict.rematched !== undefined;
    default:
      return false;
  }
}
