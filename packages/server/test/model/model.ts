// What channels are owed, told a second time and as plainly as can be: nothing here looks at how the server does it.

export const VERSIONS = ['v2', 'v2.1', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8'] as const;
export type Version = (typeof VERSIONS)[number];
export const HOUR = 3_600_000;
export const RETENTION = 24 * HOUR;

export type Values = Readonly<Record<string, unknown>>;
export type Operation = 'insert' | 'update' | 'delete';

/** What the documentation says of the modules that are used. */
export interface ModuleFacts {
  readonly mandatory: readonly string[];
  /** Lookup fields with the module that they point at; the value names it when it may be any. */
  readonly lookups: Readonly<Record<string, string>>;
  readonly subforms: readonly string[];
  /** Fields by which an upsert finds the record that it updates, tried in this order. */
  readonly upsertBy?: readonly string[];
  readonly unique?: string;
  readonly name: (values: Values) => unknown;
}

const fullName = ({ First_Name: first, Last_Name: last }: Values) => [first, last].filter(Boolean).join(' ');
const none = { lookups: {}, subforms: [] };

export const MODULES: Readonly<Record<string, ModuleFacts>> = {
  Leads: { ...none, mandatory: ['Last_Name', 'Company'], upsertBy: ['Email'], name: fullName },
  Accounts: {
    ...none,
    mandatory: ['Account_Name'],
    lookups: { Parent_Account: 'Accounts' },
    upsertBy: ['Account_Name', 'Account_Number'],
    unique: 'Account_Number',
    name: (values) => values.Account_Name,
  },
  Contacts: {
    ...none,
    mandatory: ['Last_Name'],
    lookups: { Account_Name: 'Accounts', Reporting_To: 'Contacts' },
    upsertBy: ['Email'],
    name: fullName,
  },
  Deals: {
    ...none,
    mandatory: ['Deal_Name', 'Stage'],
    lookups: { Account_Name: 'Accounts', Contact_Name: 'Contacts' },
    upsertBy: ['Deal_Name'],
    name: (values) => values.Deal_Name,
  },
  Quotes: {
    mandatory: ['Subject', 'Account_Name'],
    lookups: { Account_Name: 'Accounts', Deal_Name: 'Deals' },
    subforms: ['Quoted_Items'],
    name: (values) => values.Subject,
  },
  Notes: {
    ...none,
    mandatory: ['Note_Content', 'Parent_Id'],
    lookups: { Parent_Id: 'any' },
    name: (values) => values.Note_Title,
  },
};

const PROBABILITY: Readonly<Record<string, number>> = { Qualification: 10, 'Needs Analysis': 20, 'Closed Won': 100 };

export interface Person {
  readonly key: string;
  readonly org: string;
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

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
interface Owed {
  readonly at: number;
  readonly version: Version;
  readonly withValues: boolean;
  readonly lines: readonly Line[];
}
interface Line {
  readonly module: string;
  readonly operation: Operation;
  readonly told: ReadonlyMap<string, Told>;
}
interface Told {
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

interface ModelRecord {
  readonly org: string;
  readonly module: string;
  readonly id: string;
  values: Values;
  state: 'there' | 'binned' | 'gone';
}

/** What a call does to one record. */
export type Action =
  | { readonly do: 'insert' | 'upsert'; readonly values: Values }
  | { readonly do: 'update'; readonly id: string; readonly values: Values }
  | { readonly do: 'tag' | 'untag'; readonly id: string; readonly names: readonly string[] }
  | { readonly do: 'delete' | 'restore' | 'purge'; readonly id: string };

interface Changed extends Told {
  readonly id: string;
  readonly operation: Operation;
  readonly related: readonly { readonly module: string; readonly id: string }[];
}

const atLeast = (version: Version, first: Version) => VERSIONS.indexOf(version) >= VERSIONS.indexOf(first);
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

const passes = (rule: Rule, changed: readonly string[]): boolean => {
  if (typeof rule === 'string') return changed.includes(rule);
  const [one, other] = rule.parts;
  return rule.operator === 'and'
    ? passes(one, changed) && passes(other, changed)
    : passes(one, changed) || passes(other, changed);
};

const same = (a: unknown, b: unknown) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
const isRef = (value: unknown): value is { readonly id: string; readonly module?: string } =>
  typeof value === 'object' && value !== null && 'id' in value;

export type Model = ReturnType<typeof createModel>;

export function createModel(
  start: number,
  people: readonly Person[],
  hasField: (module: string, field: string) => boolean,
) {
  let now = start;
  let generations = 0;
  const channels = new Map<string, ModelChannel>();
  const records = new Map<string, ModelRecord>();
  const tagIds = new Map<string, string>();

  const keyOf = (person: Person, channelId: string) => `${person.key}/${channelId}`;
  const isLive = (channel: ModelChannel) => now < channel.expiresAt;
  const found = (org: string, id: string, module?: string) => {
    const record = records.get(id);
    return record?.org === org && (module === undefined || record.module === module) ? record : undefined;
  };
  const there = (org: string, id: string, module?: string) => {
    const record = found(org, id, module);
    return record?.state === 'there' ? record : undefined;
  };

  // Channels.

  function expiryOf(asked: number | null | undefined, version: Version): number {
    const longest = (atLeast(version, 'v4') ? 7 * 24 : 24) * HOUR;
    const usable = typeof asked === 'number' && asked > now && asked <= now + longest;
    return Math.floor((usable ? asked : now + HOUR) / 1000) * 1000;
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
      if (known && now < known.expiresAt + RETENTION) Object.assign(known, { url: entry.url }, whole());
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

  // Records.

  const moduleOfRef = (module: string, field: string, ref: { readonly module?: string }): string => {
    const target = MODULES[module]?.lookups[field] ?? '';
    return target === 'any' ? (ref.module ?? '') : target;
  };

  /** What the lookups of a record point at and is there. */
  const pointedAt = ({ org, module }: ModelRecord, values: Values) =>
    Object.keys(MODULES[module]?.lookups ?? {}).flatMap((field) => {
      const ref = values[field];
      if (!isRef(ref)) return [];
      const target = there(org, ref.id, moduleOfRef(module, field, ref));
      return target ? [{ module: target.module, id: target.id }] : [];
    });

  function shown(org: string, module: string, field: string, value: unknown): unknown {
    if (value === undefined || value === null) return null;
    if (field === 'Tag')
      return (value as string[]).map((name) => ({ name, id: tagIds.get(`${org} ${module} ${name}`) }));
    if (!isRef(value)) return value;
    if (field === 'Owner') return shownPerson(people.find(({ id }) => id === value.id));
    const target = there(org, value.id);
    return { name: (target && MODULES[target.module]?.name(target.values)) ?? null, id: value.id };
  }
  const shownPerson = (person: Person | undefined) =>
    person && { name: person.name, id: person.id, email: person.email };

  const told = (org: string, module: string, values: Values, fields: readonly string[]): Values =>
    Object.fromEntries(
      fields
        .filter((field) => !MODULES[module]?.subforms.includes(field))
        .map((field) => [field, shown(org, module, field, values[field])]),
    );

  /** Records that are there and have the text as their value, the oldest first. */
  const sameValue = (org: string, module: string, field: string, value: unknown): string[] =>
    [...records.values()]
      .filter((one) => one.org === org && one.module === module && one.state === 'there')
      .filter((one) => typeof value === 'string' && one.values[field] === value)
      .map(({ id }) => id)
      .sort();

  /** Whether a field of the call cannot take its value. */
  function isRefused(org: string, module: string, given: Values, own: string | undefined): boolean {
    const { lookups = {}, unique, mandatory = [] } = MODULES[module] ?? {};
    const isWrong = Object.entries(given).some(([field, value]) => {
      if (mandatory.includes(field) && value === null) return true;
      if (field === 'City' && typeof value === 'number') return true;
      return field in lookups && isRef(value) && !there(org, value.id, moduleOfRef(module, field, value));
    });
    const isTaken =
      unique !== undefined && sameValue(org, module, unique, given[unique]).some((other) => other !== own);
    return isWrong || isTaken;
  }

  function withProbability(module: string, before: Values, given: Values): Values {
    const stage = given.Stage;
    if (module !== 'Deals' || typeof stage !== 'string' || stage === before.Stage) return given;
    return { ...given, Probability: PROBABILITY[stage] };
  }

  function insert(person: Person, module: string, given: Values, id: string): Changed | undefined {
    const { mandatory = [] } = MODULES[module] ?? {};
    const { org } = person;
    if (mandatory.some((field) => (given[field] ?? null) === null) || isRefused(org, module, given, undefined))
      return undefined;
    const values = { Owner: { id: person.id }, ...withProbability(module, {}, given) };
    const record: ModelRecord = { org, module, id, values, state: 'there' };
    records.set(id, record);
    const fields = Object.keys(given).filter((field) => given[field] !== null);
    return {
      id,
      operation: 'insert',
      fields: [],
      values: told(org, module, values, fields),
      related: pointedAt(record, values),
    };
  }

  /** `null`: it succeeds, and nothing fires. */
  function update(org: string, module: string, id: string, given: Values): Changed | null | undefined {
    const record = there(org, id, module);
    if (!record || isRefused(org, module, given, id)) return undefined;
    const before = record.values;
    const whole = withProbability(module, before, given);
    record.values = { ...before, ...whole };
    const { subforms = [] } = MODULES[module] ?? {};
    // The rows given are added to those there are.
    const different = Object.keys(whole).filter(
      (field) => subforms.includes(field) || !same(before[field], whole[field]),
    );
    if (different.length === 0) return null;
    const values = told(org, module, record.values, different);
    const related = [...pointedAt(record, record.values), ...pointedAt(record, before)];
    return { id, operation: 'update', fields: Object.keys(values), values, related };
  }

  /** The oldest record that an upsert of these values would update. */
  function matchOf(org: string, module: string, given: Values): string | undefined {
    for (const field of MODULES[module]?.upsertBy ?? []) {
      const [first] = sameValue(org, module, field, given[field]);
      if (first !== undefined) return first;
    }
    return undefined;
  }

  function moved(person: Person, record: ModelRecord, operation: Operation, status: number): Changed {
    const values = { Modified_By: shownPerson(person), Record_Status__s: status };
    return { id: record.id, operation, fields: Object.keys(values), values, related: pointedAt(record, record.values) };
  }

  /** Does it to one record. `undefined`: refused. `made`: the id that the answer gave to a new one. */
  function act(person: Person, module: string, action: Action, made: string): Changed | null | undefined {
    const { org } = person;
    switch (action.do) {
      case 'insert':
        return insert(person, module, action.values, made);
      case 'upsert': {
        const id = matchOf(org, module, action.values);
        return id === undefined ? insert(person, module, action.values, made) : update(org, module, id, action.values);
      }
      case 'update':
        return update(org, module, action.id, action.values);
      case 'tag':
      case 'untag': {
        const tags = (there(org, action.id, module)?.values.Tag ?? []) as string[];
        const next =
          action.do === 'tag'
            ? [...new Set([...tags, ...action.names])]
            : tags.filter((name) => !action.names.includes(name));
        return update(org, module, action.id, { Tag: next.length > 0 ? next : null });
      }
      case 'delete': {
        const record = there(org, action.id, module);
        if (!record) return undefined;
        record.state = 'binned';
        return moved(person, record, 'delete', 0);
      }
      case 'restore': {
        const record = found(org, action.id);
        if (record?.state !== 'binned') return undefined;
        const { unique } = MODULES[record.module] ?? {};
        const holders = unique === undefined ? [] : sameValue(org, record.module, unique, record.values[unique]);
        if (holders.length > 0) return undefined;
        record.state = 'there';
        return moved(person, record, 'update', 1);
      }
      case 'purge': {
        const record = found(org, action.id);
        if (record?.state !== 'binned') return undefined;
        record.state = 'gone';
        return { ...moved(person, record, 'delete', 0), related: [] };
      }
    }
  }

  /** One call. Answers for each action whether it succeeds; `made` are the ids that the server answered. */
  function call(person: Person, module: string, actions: readonly Action[], made: readonly string[]): boolean[] {
    const done = actions.map((action, i) => {
      const changed = act(person, module, action, made[i] ?? '');
      return changed && { ...changed, module: records.get(changed.id)?.module ?? module };
    });
    for (const name of new Set(done.map((changed) => changed?.module))) {
      for (const operation of ['insert', 'update', 'delete'] as const) {
        const all = done.filter((changed) => changed && changed.module === name && changed.operation === operation);
        if (name !== undefined && all.length > 0) owe(person.org, name, operation, all as Changed[]);
      }
    }
    return done.map((changed) => changed !== undefined);
  }

  // Notifications.

  function owe(org: string, module: string, operation: Operation, all: readonly Changed[]): void {
    const changed = new Map<string, Told>();
    for (const { id, fields, values } of all) {
      const first = changed.get(id);
      // Written twice in one call: told once.
      changed.set(id, {
        fields: [...new Set([...(first?.fields ?? []), ...fields])],
        values: { ...first?.values, ...values },
      });
    }
    const related = all.flatMap((one) => one.related).filter(({ id }) => !changed.has(id));
    for (const channel of channels.values()) {
      if (channel.person.org !== org || !isLive(channel)) continue;
      const told = new Map<string, Map<string, Told>>();
      const tell = (module: string, operation: Operation, id: string, what: Told) => {
        const event = `${module} ${operation}`;
        if (!channel.events.has(event)) return;
        const line = told.get(event) ?? new Map<string, Told>();
        told.set(event, line.set(id, what));
      };
      for (const [id, what] of changed) {
        const rule = channel.conditions[module];
        if (operation !== 'update' || rule === undefined || passes(rule, what.fields))
          tell(module, operation, id, what);
      }
      for (const { module, id } of related) {
        if (channel.related && !(module in channel.conditions)) tell(module, 'update', id, { fields: [], values: {} });
      }
      if (told.size === 0) continue;
      const { version, withValues } = channel;
      const lines = [...told].map(([event, line]): Line => {
        const [name = '', does = ''] = event.split(' ');
        return { module: name, operation: does as Operation, told: line };
      });
      channel.owed.push({ at: now, version, withValues, lines });
    }
  }

  /** The body of one notification, sent now. `query` is what the channel's URL has as query parameters. */
  function bodyOf(channel: ModelChannel, owed: Owed, line: Line, base: string, query: Values): Values {
    const { module, operation, told } = line;
    const isRich = atLeast(owed.version, 'v3');
    const fields = operation === 'insert' ? [] : [...told].map(([id, { fields }]) => ({ [id]: fields }));
    const values = [...told].map(([id, { values }]) => ({ record_id: id, values }));
    return {
      ...(isRich && { server_time: owed.at }),
      ...(isRich && owed.withValues && { affected_values: values }),
      query_params: query,
      module,
      resource_uri: `${base}/crm/v2/${module}`,
      ids: [...told.keys()],
      ...(isRich && { affected_fields: fields }),
      operation,
      channel_id: channel.channelId,
      token: channel.token,
    };
  }

  return {
    now: () => now,
    moveTo(time: number) {
      now = time;
    },
    watch,
    unwatch,
    call,
    bodyOf,
    learnTag: (org: string, module: string, name: string, id: string) => tagIds.set(`${org} ${module} ${name}`, id),
    /** Those that were opened and not ended, expired ones too. */
    channels: () => [...channels.values()],
    channel: (person: Person, channelId: string) => channels.get(keyOf(person, channelId)),
    isLive,
    ids: (org: string, module: string | undefined, state: ModelRecord['state']) =>
      [...records.values()]
        .filter((one) => one.org === org && (module === undefined || one.module === module) && one.state === state)
        .map(({ id }) => id),
  };
}
