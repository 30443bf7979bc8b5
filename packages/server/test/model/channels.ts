import { atLeast, HOUR, type Operation, type Person, RETENTION, type Values, type Version } from './facts.ts';

/** A condition on one module: a field, or two parts of which both or one must have changed. */
export type Rule = string | { readonly operator: 'and' | 'or'; readonly parts: readonly [Rule, Rule] };

/** One entry of a watch call, in the call's own words; what is undefined is left out. */
export interface Entry {
  readonly kind: 'open' | 'replace' | 'merge' | 'prune';
  readonly channelId: string;
  readonly url?: string | undefined;
  readonly events?: readonly string[] | undefined;
  readonly token?: string | null | undefined;
  /** Epoch ms, whole seconds. */
  readonly expiry?: number | null | undefined;
  readonly related?: boolean | undefined;
  readonly values?: boolean | undefined;
  readonly conditions?: Readonly<Record<string, Rule>> | null | undefined;
  readonly fields?: readonly string[] | undefined;
}

/** What one change owes a channel: they take the next numbers, in whatever order among themselves. */
export interface Owed {
  readonly at: number;
  readonly version: Version;
  readonly withValues: boolean;
  readonly lines: readonly Line[];
}
export interface Line {
  readonly module: string;
  readonly operation: Operation;
  readonly told: ReadonlyMap<string, Told>;
}
export interface Told {
  readonly fields: readonly string[];
  readonly values: Values;
}

export interface ModelChannel {
  readonly person: Person;
  readonly channelId: string;
  readonly generation: number;
  version: Version;
  events: ReadonlySet<string>;
  token: string | null;
  url: string;
  expiresAt: number;
  related: boolean;
  withValues: boolean;
  conditions: Readonly<Record<string, Rule>>;
  lastNumber: number;
  /** Not delivered yet. */
  owed: Owed[];
}

const WORDS: Readonly<Record<string, readonly Operation[]>> = {
  create: ['insert'],
  edit: ['update'],
  delete: ['delete'],
  all: ['insert', 'update', 'delete'],
};

/** `Leads.all` as `Leads insert`, `Leads update`, `Leads delete`. */
const expanded = (events: readonly string[]): string[] =>
  events.flatMap((event) => {
    const [module, word = ''] = event.split('.');
    return (WORDS[word] ?? []).map((operation) => `${module} ${operation}`);
  });

/** The channels of everybody. `now` is the time at which something is asked. */
export function createChannelModel(now: () => number, hasField: (module: string, field: string) => boolean) {
  let generations = 0;
  const channels = new Map<string, ModelChannel>();
  const keyOf = (person: Person, channelId: string) => `${person.key}/${channelId}`;
  const isLive = (channel: ModelChannel) => now() < channel.expiresAt;

  function expiryOf(asked: number | null | undefined, version: Version): number {
    const longest = (atLeast(version, 'v4') ? 7 * 24 : 24) * HOUR;
    const usable = typeof asked === 'number' && asked > now() && asked <= now() + longest;
    return Math.floor((usable ? asked : now() + HOUR) / 1000) * 1000;
  }

  /** The conditions that the entry sets; undefined when it says nothing of them, or its version cannot. */
  function conditionsOf(entry: Entry, version: Version): Readonly<Record<string, Rule>> | undefined {
    if (!atLeast(version, 'v6')) return undefined;
    const { fields, events = [] } = entry;
    if (!fields) return entry.conditions === null ? {} : entry.conditions;
    const modules = [...new Set(events.map((event) => event.split('.')[0] ?? ''))];
    return Object.fromEntries(
      modules.flatMap((module) => {
        const [first, ...more] = fields.filter((field) => hasField(module, field));
        if (first === undefined) return [];
        return [[module, more.reduce<Rule>((rule, field) => ({ operator: 'or', parts: [rule, field] }), first)]];
      }),
    );
  }

  /** One entry of a watch call; false when it is refused. */
  function watch(person: Person, version: Version, entry: Entry): boolean {
    const key = keyOf(person, entry.channelId);
    const known = channels.get(key);
    const conditions = conditionsOf(entry, version);
    const withValues = atLeast(version, 'v3') ? entry.values : undefined;
    const whole = () => ({
      version,
      events: new Set(expanded(entry.events ?? [])),
      token: entry.token ?? null,
      expiresAt: expiryOf(entry.expiry, version),
      related: entry.related ?? version !== 'v3',
      withValues: withValues ?? false,
      conditions: conditions ?? {},
    });
    if (entry.kind === 'open') {
      if (known && now() < known.expiresAt + RETENTION) Object.assign(known, { url: entry.url }, whole());
      else {
        generations += 1;
        const made = { person, channelId: entry.channelId, generation: generations, lastNumber: 0, owed: [] };
        channels.set(key, { ...made, url: entry.url ?? '', ...whole() });
      }
      return true;
    }
    if (!known || !isLive(known)) return false;
    const named = expanded(entry.events ?? []);
    switch (entry.kind) {
      case 'replace':
        Object.assign(known, { url: entry.url ?? known.url }, whole());
        return true;
      case 'merge':
        known.url = entry.url ?? known.url;
        known.events = new Set([...known.events, ...named]);
        if (entry.token !== undefined) known.token = entry.token;
        if (typeof entry.expiry === 'number') known.expiresAt = expiryOf(entry.expiry, version);
        known.related = entry.related ?? known.related;
        known.withValues = withValues ?? known.withValues;
        known.conditions = conditions ?? known.conditions;
        return true;
      case 'prune': {
        // `all` takes what there is of a module; everything else must be watched.
        const selectors = entry.events ?? [];
        if (!selectors.every((one) => expanded([one]).some((event) => known.events.has(event)))) return false;
        known.events = new Set([...known.events].filter((event) => !named.includes(event)));
        const left = new Set([...known.events].map((event) => event.split(' ')[0]));
        known.conditions = Object.fromEntries(Object.entries(known.conditions).filter(([module]) => left.has(module)));
        if (known.events.size === 0) channels.delete(key);
        return true;
      }
    }
  }

  /** DELETE of one channel; false when it is refused. */
  function unwatch(person: Person, channelId: string): boolean {
    const known = channels.get(keyOf(person, channelId));
    return known !== undefined && isLive(known) && channels.delete(keyOf(person, channelId));
  }

  return {
    watch,
    unwatch,
    isLive,
    /** Those that were opened and not ended, expired ones too. */
    all: () => [...channels.values()],
    find: (person: Person, channelId: string) => channels.get(keyOf(person, channelId)),
  };
}
