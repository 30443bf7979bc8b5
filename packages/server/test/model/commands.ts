import * as fc from 'fast-check';
import type { Rule } from './channels.ts';
import { HOUR, type Values, VERSIONS, type Version } from './facts.ts';

// What is done, as plain data: places of records are numbers, which the run makes ids of.

export const PEOPLE = ['owner', 'colleague', 'stranger'] as const;
export type PersonKey = (typeof PEOPLE)[number];

/** A record among those known of a module; some numbers lead to none, or to another organisation's. */
export interface Ref {
  readonly ref: number;
}

export interface WatchEntry {
  readonly kind: 'open' | 'replace' | 'merge' | 'prune';
  readonly channelId: string;
  /** Which of the receivers, with which query. */
  readonly url?: { readonly isBroken: boolean; readonly query: string };
  readonly events?: readonly string[];
  readonly token?: string | null;
  /** From now, ms; `null` is written as such. */
  readonly life?: number | null;
  readonly related?: boolean;
  readonly values?: boolean;
  readonly conditions?: Readonly<Record<string, Rule>> | null;
  readonly fields?: readonly string[];
}

export type Step =
  | { readonly do: 'watch'; readonly by: PersonKey; readonly version: Version; readonly entries: readonly WatchEntry[] }
  | { readonly do: 'unwatch'; readonly by: PersonKey; readonly version: Version; readonly channelId: string }
  | { readonly do: 'move'; readonly ms: number }
  /** To the next expiry, or a millisecond before. */
  | { readonly do: 'brink'; readonly offset: 0 | -1 }
  | { readonly do: 'restart' }
  | {
      readonly do: 'insert' | 'upsert';
      readonly by: PersonKey;
      readonly module: string;
      readonly items: readonly Values[];
    }
  | {
      readonly do: 'update';
      readonly by: PersonKey;
      readonly module: string;
      readonly items: readonly { readonly at: Ref; readonly values: Values }[];
    }
  | { readonly do: 'mass_update'; readonly by: PersonKey; readonly module: string; readonly refs: readonly Ref[] }
  | {
      readonly do: 'delete' | 'mass_delete' | 'restore' | 'purge';
      readonly by: PersonKey;
      readonly module: string;
      readonly refs: readonly Ref[];
    }
  | {
      readonly do: 'tag' | 'untag';
      readonly by: PersonKey;
      readonly module: string;
      readonly refs: readonly Ref[];
      readonly names: readonly string[];
    }
  | {
      readonly do: 'change_owner';
      readonly by: PersonKey;
      readonly module: string;
      readonly refs: readonly Ref[];
      readonly owner: PersonKey;
    };

/** Query of a notify URL, with the query parameters that the documentation makes of it. */
export const QUERIES: Readonly<Record<string, Values>> = {
  '': {},
  '?a=1&b=2': { '?a': '1', b: '2' },
  '?authorization=Zoho-oauthtoken 1000.x&k=%41': { '?authorization': 'Zoho-oauthtoken 1000.x', k: 'A' },
};

export const TAGS = ['vip', 'hot'] as const;
export const TAGGED = ['Leads', 'Contacts'] as const;

const DAY = 24 * HOUR;
const by = fc.constantFrom('owner' as const, 'owner' as const, 'colleague' as const, 'stranger' as const);
const version = fc.constantFrom(...VERSIONS);
const ref = fc.record({ ref: fc.nat(40) });
const refs = fc.array(ref, { minLength: 1, maxLength: 3 });
const lookup = fc.option(ref, { freq: 5 });
const text = (...values: string[]) => fc.option(fc.constantFrom(...values), { freq: 5 });

/** What may be given to records of each module. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, fc.Arbitrary<unknown>>>>> = {
  Leads: {
    Last_Name: fc.constantFrom('Ash', 'Birch'),
    Company: fc.constantFrom('C', 'D'),
    City: fc.oneof({ weight: 6, arbitrary: text('Pune', 'Rome') }, { weight: 1, arbitrary: fc.constant(5) }),
    Email: text('a@x.example', 'b@x.example'),
  },
  Accounts: {
    Account_Name: fc.constantFrom('Acorn', 'Beech'),
    Phone: text('1', '2'),
    Parent_Account: lookup,
    Account_Number: text('n1', 'n2', 'n3', 'n4'),
  },
  Contacts: {
    Last_Name: fc.constantFrom('Cedar', 'Elm'),
    First_Name: text('Ada', 'Bo'),
    Email: text('c@x.example', 'd@x.example'),
    Account_Name: lookup,
    Reporting_To: lookup,
  },
  Deals: {
    Deal_Name: fc.constantFrom('Fir', 'Oak'),
    Stage: fc.constantFrom('Qualification', 'Needs Analysis', 'Closed Won'),
    Amount: fc.constantFrom(5, 10),
    Account_Name: lookup,
    Contact_Name: lookup,
  },
  Quotes: {
    Subject: fc.constantFrom('Pine', 'Yew'),
    Account_Name: ref,
    Deal_Name: lookup,
    Quoted_Items: fc.constant('a row'),
  },
  Notes: {
    Note_Content: fc.constantFrom('x', 'y'),
    Parent_Id: fc.record({ ref: fc.nat(40), module: fc.constantFrom('Accounts', 'Contacts', 'Deals', 'Leads') }),
    Note_Title: text('Rowan', 'Willow'),
  },
};
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  Leads: ['Last_Name', 'Company'],
  Accounts: ['Account_Name'],
  Contacts: ['Last_Name', 'Account_Name'],
  Deals: ['Deal_Name', 'Stage', 'Account_Name'],
  Quotes: ['Subject', 'Account_Name'],
  Notes: ['Note_Content', 'Parent_Id'],
};

const anyModule = fc.constantFrom(...Object.keys(FIELDS));
const upsertable = fc.constantFrom('Leads', 'Accounts', 'Contacts', 'Deals');

/** Some of the fields, some with a mandatory one left out or emptied. */
function item(module: string, needed: readonly string[]): fc.Arbitrary<Values> {
  const fields = FIELDS[module] ?? {};
  const whole = fc.record(fields, { requiredKeys: [...needed] }) as fc.Arbitrary<Values>;
  const spoilt = whole.map((values) => ({ ...values, [NEEDED[module]?.[0] ?? '']: null }));
  return fc.oneof({ weight: 8, arbitrary: whole }, { weight: 1, arbitrary: spoilt });
}
const items = (module: string, needed: readonly string[]) =>
  fc.array(item(module, needed), { minLength: 1, maxLength: 3 });

const events = fc.uniqueArray(
  fc.tuple(anyModule, fc.constantFrom('all', 'all', 'all', 'edit', 'create', 'delete')).map((parts) => parts.join('.')),
  { minLength: 1, maxLength: 5 },
);
const CONDITION_FIELDS: Readonly<Record<string, readonly string[]>> = {
  Leads: ['City', 'Email', 'Owner', 'Tag'],
  Contacts: ['First_Name', 'Account_Name'],
  Deals: ['Stage', 'Probability', 'Amount'],
};
const rule = (module: string): fc.Arbitrary<Rule> => {
  const field = fc.constantFrom(...(CONDITION_FIELDS[module] ?? []));
  const operator = fc.constantFrom('and' as const, 'or' as const);
  const pair = (part: fc.Arbitrary<Rule>) => fc.record({ operator, parts: fc.tuple(part, part) });
  return fc.oneof(field, pair(field), pair(fc.oneof(field, pair(field))));
};
const conditions = fc.option(
  fc.record(
    { Leads: rule('Leads'), Contacts: rule('Contacts'), Deals: rule('Deals') },
    { requiredKeys: [] },
  ) as fc.Arbitrary<Record<string, Rule>>,
);
const url = fc.record({
  isBroken: fc.boolean(),
  query: fc.constantFrom(...Object.keys(QUERIES)),
});
const life = fc.option(
  fc.constantFrom(2000, HOUR, DAY - HOUR, DAY - HOUR, DAY - HOUR, DAY, DAY + 1000, 6 * DAY, 7 * DAY, 8 * DAY, -HOUR),
  { freq: 8 },
);

const settings = {
  url,
  events,
  token: fc.option(fc.constantFrom('t1', 't2', 't3'), { freq: 4 }),
  life,
  related: fc.boolean(),
  values: fc.boolean(),
};
/** Either of the two ways to narrow, or neither; `fields` says something only of modules that are named beside it. */
const narrowed = (entry: fc.Arbitrary<object>): fc.Arbitrary<WatchEntry> =>
  fc
    .tuple(entry, fc.option(conditions, { nil: undefined, freq: 2 }), fc.boolean())
    .map(([given, narrowing, asFields]) => {
      const { events: named = [] } = given as Partial<WatchEntry>;
      if (asFields && named.some((event) => event.startsWith('Deals.')))
        return { ...given, fields: ['Stage', 'Amount'] };
      return narrowing === undefined ? given : { ...given, conditions: narrowing };
    }) as fc.Arbitrary<WatchEntry>;

const channelId = fc.constantFrom('1', '1', '1', '2', '-9223372036854775808');
const of = (kind: WatchEntry['kind']) => ({ kind: fc.constant(kind), channelId });
const open = narrowed(
  fc.record({ ...of('open'), ...settings }, { requiredKeys: ['kind', 'channelId', 'url', 'events'] }),
);
const replace = narrowed(
  fc.record({ ...of('replace'), ...settings }, { requiredKeys: ['kind', 'channelId', 'events'] }),
);
const merge = narrowed(fc.record({ ...of('merge'), ...settings }, { requiredKeys: ['kind', 'channelId'] }));
const prune = fc.record({ ...of('prune'), events }) as unknown as fc.Arbitrary<WatchEntry>;

const entries = (one: fc.Arbitrary<WatchEntry>) =>
  fc.uniqueArray(one, { minLength: 1, maxLength: 2, selector: (entry) => entry.channelId });
const watch = fc
  .constantFrom(open, open, replace, merge, merge, merge, prune)
  .chain((one) => fc.record({ do: fc.constant('watch' as const), by, version, entries: entries(one) }));

const MOVES = [1000, 1000, 60_000, 60_000, HOUR / 2, HOUR / 2, HOUR, 5 * HOUR, 20 * HOUR, 30 * HOUR];

const writing = (how: 'insert' | 'upsert', module: fc.Arbitrary<string>) =>
  module.chain((name) =>
    fc.record({ do: fc.constant(how), by, module: fc.constant(name), items: items(name, NEEDED[name] ?? []) }),
  );
const updating = anyModule.chain((name) =>
  fc.record({
    do: fc.constant('update' as const),
    by,
    module: fc.constant(name),
    items: fc.array(fc.record({ at: ref, values: item(name, []) }), { minLength: 1, maxLength: 3 }),
  }),
);
const removing = fc.record({
  do: fc.constantFrom('delete' as const, 'mass_delete' as const),
  by,
  module: anyModule,
  refs,
});
const binned = fc.record({
  do: fc.constantFrom('restore' as const, 'restore' as const, 'purge' as const),
  by,
  module: anyModule,
  refs,
});
const tagging = fc.record({
  do: fc.constantFrom('tag' as const, 'untag' as const),
  by,
  module: fc.constantFrom(...TAGGED),
  refs,
  names: fc.uniqueArray(fc.constantFrom(...TAGS), { minLength: 1 }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: watch },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unwatch' as const), by, version, channelId }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), ms: fc.constantFrom(...MOVES) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('brink' as const), offset: fc.constantFrom(0 as const, -1 as const) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
  { weight: 6, arbitrary: writing('insert', anyModule) },
  { weight: 2, arbitrary: writing('upsert', upsertable) },
  { weight: 6, arbitrary: updating },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('mass_update' as const), by, module: fc.constant('Leads'), refs }),
  },
  { weight: 3, arbitrary: removing },
  { weight: 2, arbitrary: binned },
  { weight: 1, arbitrary: tagging },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('change_owner' as const), by, module: anyModule, refs, owner: by }),
  },
);

/** A record of each module, pointing at each other. */
const records = (by: PersonKey): Step[] => {
  const insert = (module: string, ...items: readonly Values[]): Step => ({ do: 'insert', by, module, items });
  const first = { ref: 0 };
  return [
    insert('Leads', { Last_Name: 'Ash', Company: 'C' }, { Last_Name: 'Birch', Company: 'C', Email: 'a@x.example' }),
    insert('Accounts', { Account_Name: 'Acorn' }),
    insert('Accounts', { Account_Name: 'Beech', Parent_Account: first }),
    insert('Contacts', { Last_Name: 'Cedar', Account_Name: first }),
    insert('Contacts', { Last_Name: 'Elm', Reporting_To: first, Account_Name: first }),
    insert('Deals', { Deal_Name: 'Fir', Stage: 'Qualification', Account_Name: first, Contact_Name: first }),
    insert('Quotes', { Subject: 'Pine', Account_Name: first, Deal_Name: first, Quoted_Items: 'a row' }),
    insert('Notes', { Note_Content: 'x', Parent_Id: { ref: 0, module: 'Contacts' } }),
    { do: 'delete', by, module: 'Deals', refs: [first] },
    { do: 'restore', by, module: 'Deals', refs: [first] },
    // Nothing but a row: an update without an affected field.
    { do: 'update', by, module: 'Quotes', items: [{ at: first, values: { Quoted_Items: 'a row' } }] },
  ];
};

/** What is set stays through a merge, and a condition goes with the last event of its module. */
const pruned = (by: PersonKey): Step[] => {
  const step = (entry: Omit<WatchEntry, 'channelId'>): Step => ({
    do: 'watch',
    by,
    version: 'v8',
    entries: [{ channelId: '7', ...entry }],
  });
  const edit = (Company: string): Step => ({
    do: 'update',
    by,
    module: 'Leads',
    items: [{ at: { ref: 0 }, values: { Company } }],
  });
  const events = ['Leads.all', 'Notes.create'];
  const url = { isBroken: false, query: '' };
  return [
    step({ kind: 'open', url, events, conditions: { Leads: 'City' }, values: true, token: 't1', life: HOUR }),
    step({ kind: 'merge', token: 't2' }),
    edit('D'),
    step({ kind: 'prune', events: ['Leads.all'] }),
    step({ kind: 'merge', events: ['Leads.edit'] }),
    edit('C'),
  ];
};

/** Everybody opens a channel on everything, and there are records; then anything may happen. */
export const story: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    fc.tuple(...PEOPLE.map(() => fc.tuple(version, open))),
    fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
  )
  .map(([opened, steps]) => [
    ...opened.map(([spoken, entry], i): Step => {
      const all = { channelId: '1', events: Object.keys(FIELDS).map((module) => `${module}.all`), life: 23 * HOUR };
      return { do: 'watch', by: PEOPLE[i] ?? 'owner', version: spoken, entries: [{ ...entry, ...all }] };
    }),
    ...records('owner'),
    ...records('stranger'),
    ...pruned('owner'),
    ...steps,
  ]);
