// What the documentation says of channels and changes, in its own words and without the server's code.

export type Word = 'create' | 'edit' | 'delete';
const WORDS: Readonly<Record<string, Word>> = { insert: 'create', update: 'edit', delete: 'delete' };

/** All of them changed (`and`), or any. */
export interface Condition {
  readonly module: string;
  readonly operator: 'and' | 'or';
  readonly fields: readonly string[];
}

export interface Settings {
  /** `Contacts.edit`. */
  readonly events: readonly string[];
  readonly related: boolean;
  readonly conditions: readonly Condition[];
  readonly expiresAt: number;
}

/** One life of a channel id; its states by the step after which they hold, oldest first. */
export interface Life {
  readonly user: string;
  readonly channelId: string;
  readonly states: { readonly step: number; readonly settings: Settings; readonly isSuspended: boolean }[];
  ended?: { readonly step: number };
}

export interface LoggedRecord {
  readonly id: string;
  readonly fields: readonly string[];
  readonly related: readonly { readonly module: string; readonly id: string }[];
}

export interface Logged {
  readonly number: number;
  readonly module: string;
  readonly operation: string;
  readonly at: number;
  readonly records: readonly LoggedRecord[];
  /** In which it was made. */
  readonly step: number;
}

export interface Subject {
  readonly module: string;
  readonly id: string;
}

/** As it was before a step. */
export function stateBefore(life: Life, step: number) {
  const state = life.states.findLast((one) => one.step < step);
  return state && { ...state, isEnded: life.ended !== undefined && life.ended.step < step };
}

/** Nothing was done to it in that very step, at the same time as the change. */
export const isCertain = (life: Life, step: number): boolean =>
  life.states.every((one) => one.step !== step) && life.ended?.step !== step;

const own = (change: Logged, { module, id }: Subject): LoggedRecord | undefined =>
  change.module === module ? change.records.find((record) => record.id === id) : undefined;

/** Whether the list of what might have told has it. */
export function isCandidate(change: Logged, subject: Subject, { events }: Settings): boolean {
  const pointsAt = (own(change, subject)?.related ?? []).filter(
    ({ module, id }) => module !== change.module || change.records.every((record) => record.id !== id),
  );
  return (
    events.some((event) => event.startsWith(`${subject.module}.`)) ||
    pointsAt.some(({ module }) => events.includes(`${module}.edit`))
  );
}

/** Why, by the channel's settings alone. */
function ruleFor(change: Logged, subject: Subject, settings: Settings): string {
  const { events, related, conditions } = settings;
  const mine = own(change, subject);
  const isPointedAt = change.records.some(
    (record) =>
      record !== mine && record.related.some(({ module, id }) => module === subject.module && id === subject.id),
  );
  const takes = (module: string) => related && conditions.every((condition) => condition.module !== module);
  const isChanged = (module: string, id: string) =>
    module === change.module && change.records.some((record) => record.id === id);
  if (!mine) {
    if (!events.includes(`${subject.module}.edit`)) return 'event_type';
    if (!related) return 'related_off';
    return takes(subject.module) ? 'related_action' : 'related_condition';
  }
  const condition = conditions.find(({ module }) => module === subject.module);
  const isNarrowed = change.operation === 'update' && condition !== undefined;
  const holds =
    condition?.operator === 'and'
      ? condition.fields.every((field) => mine.fields.includes(field))
      : condition?.fields.some((field) => mine.fields.includes(field));
  const watches = events.includes(`${subject.module}.${WORDS[change.operation]}`);
  if (watches && (!isNarrowed || holds)) return 'own_event';
  const told = mine.related.filter(
    ({ module, id }) => !isChanged(module, id) && events.includes(`${module}.edit`) && takes(module),
  );
  if (told.length > 0) return 'related_action';
  if (watches) return 'condition';
  if (isPointedAt && events.includes(`${subject.module}.edit`) && takes(subject.module)) return 'changed_itself';
  if (events.some((event) => event.startsWith(`${subject.module}.`))) return 'event_type';
  const pointed = mine.related.find(({ module, id }) => !isChanged(module, id) && events.includes(`${module}.edit`));
  if (!pointed) return 'event_type';
  return related ? 'related_condition' : 'related_off';
}

/** Why, in the end; undefined: it was not open yet. */
export function reasonFor(
  change: Logged,
  subject: Subject,
  life: Life,
  overflows: readonly { readonly from: number; readonly to: number }[],
): string | undefined {
  const state = stateBefore(life, change.step);
  if (!state) return undefined;
  if (state.isEnded) return 'deleted';
  const rule = ruleFor(change, subject, state.settings);
  if (rule !== 'own_event' && rule !== 'related_action') return rule;
  if (change.at >= state.settings.expiresAt) return 'expired';
  if (overflows.some(({ from, to }) => from < change.number && change.number <= to)) return 'overflow';
  return state.isSuspended ? 'suspended' : rule;
}
