import { expect } from 'vitest';
import { type LiveApp, startLiveApp } from '../support/live-app.ts';
import type { Received, Receiver } from '../support/receiver.ts';
import { PEOPLE, type PersonKey, QUERIES, type Ref, type Step, TAGGED, TAGS, type WatchEntry } from './commands.ts';
import {
  type Action,
  createModel,
  type Entry,
  HOUR,
  MODULES,
  type Model,
  type ModelChannel,
  type Person,
  RETENTION,
  type Rule,
  type Values,
  VERSIONS,
  type Version,
} from './model.ts';

export interface Tally {
  readonly versions: Map<string, number>;
  readonly operations: Map<string, number>;
  /** Of related actions; come later than owed; held over an expiry; of a channel id's later generation. */
  related: number;
  flowed: number;
  afterLapse: number;
  renumbered: number;
}

interface Means {
  readonly good: Receiver;
  readonly broken: Receiver;
  readonly hasField: (module: string, field: string) => boolean;
  readonly tally: Tally;
}

interface World extends Means {
  app: LiveApp;
  readonly model: Model;
  readonly people: Readonly<Record<PersonKey, Person>>;
  readonly tokens: Readonly<Record<PersonKey, string>>;
  /** A product of each organisation, for line items. */
  readonly products: Readonly<Record<string, string>>;
  /** Generations of the model by what the server calls them. */
  readonly generations: Map<number, string>;
  /** The generation last heard of each channel id. */
  readonly heard: Map<string, string>;
  /** Of notifications that came. */
  readonly ids: Set<string>;
  arrived: number;
}

const UNKNOWN = '3652397999999999999';
/** Longest that anything is left owed to a live channel whose receiver fails: far from its last attempt. */
const PATIENCE = 12 * HOUR;
/** More than the longest wait for a retry that such a notification can have. */
const RETAKEN_LIFE = 23 * HOUR;

/** A server of its own, all that happens to it, and what came of it held against the model, step by step. */
export async function runStory(steps: readonly Step[], means: Means): Promise<void> {
  const world = await begin(means);
  try {
    for (const step of steps) await take(world, step);
    await end(world);
  } finally {
    await world.app.stop();
  }
}

async function begin(means: Means): Promise<World> {
  const app = await startLiveApp({ flags: { retentionHours: String(RETENTION / HOUR) } });
  const callers = { owner: app.owner, colleague: await app.colleague(), stranger: await app.stranger() };
  const people = {} as Record<PersonKey, Person>;
  const products: Record<string, string> = {};
  for (const key of PEOPLE) {
    const org = key === 'stranger' ? 'elsewhere' : 'sample';
    const { body } = await callers[key].call('GET', '/crm/v8/users?type=CurrentUser');
    const { id, email, full_name: name } = (body as { users: Record<string, string>[] }).users[0] ?? {};
    people[key] = { key, org, id: id ?? '', name: name ?? '', email: email ?? '' };
  }
  const model = createModel(app.clock.now(), Object.values(people), means.hasField);
  for (const key of ['owner', 'stranger'] as const) {
    const { org } = people[key];
    const made = await callers[key].call('POST', '/crm/v8/Products', { data: [{ Product_Name: 'P' }] });
    products[org] = idsIn(made.body)[0] ?? '';
    for (const module of TAGGED) {
      const tags = { tags: TAGS.map((name) => ({ name })) };
      const { body } = await callers[key].call('POST', `/crm/v8/settings/tags?module=${module}`, tags);
      for (const [i, id] of idsIn(body, 'tags').entries()) model.learnTag(org, module, TAGS[i] ?? '', id);
    }
  }
  const tokens = Object.fromEntries(PEOPLE.map((key) => [key, callers[key].accessToken])) as World['tokens'];
  return {
    ...means,
    app,
    model,
    people,
    tokens,
    products,
    generations: new Map(),
    ids: new Set(),
    heard: new Map(),
    arrived: means.good.received.length,
  };
}

/** Changes follow each other without waiting for what they owe; whatever else happens waits for it. */
async function take(world: World, step: Step): Promise<void> {
  switch (step.do) {
    case 'watch':
      await settle(world);
      return watch(
        world,
        step.by,
        step.version,
        step.entries.map((entry) => spelled(world, step.by, entry)),
      );
    case 'unwatch': {
      await settle(world);
      const { body } = await call(
        world,
        step.by,
        'DELETE',
        `${step.version}/actions/watch?channel_ids=${step.channelId}`,
      );
      const expected = world.model.unwatch(world.people[step.by], step.channelId);
      expect(successes(body, 'watch')[0]).toBe(expected);
      return;
    }
    case 'move':
      await settle(world);
      return moveTo(world, world.model.now() + step.ms);
    case 'brink': {
      await settle(world);
      const live = world.model.channels().filter(world.model.isLive);
      const next = Math.min(...live.map(({ expiresAt }) => expiresAt + step.offset));
      return Number.isFinite(next) && next > world.model.now() ? moveTo(world, next) : undefined;
    }
    case 'restart':
      await settle(world);
      world.app = await world.app.restart();
      return settle(world);
    default:
      return change(world, step);
  }
}

// Channels.

/** Whoever takes up what is owed lets it flow: by a receiver that works, and with time for the retry that was due. */
function spelled(world: World, by: PersonKey, entry: WatchEntry): Entry {
  const { good, broken, model } = world;
  const { url, life, ...rest } = entry;
  const isRetaken = entry.kind === 'open' && holds(world, by, entry.channelId);
  const ms = isRetaken ? RETAKEN_LIFE : life;
  return {
    ...rest,
    ...(url && { url: `${(url.isBroken && !isRetaken ? broken : good).origin}/${by}${url.query}` }),
    ...(ms !== undefined && { expiry: ms === null ? null : Math.floor((model.now() + ms) / 1000) * 1000 }),
  };
}

function holds({ model, people }: World, by: PersonKey, channelId: string): boolean {
  const known = model.channel(people[by], channelId);
  return known !== undefined && !model.isLive(known) && known.owed.length > 0;
}

const METHODS = { open: 'POST', replace: 'PUT', merge: 'PATCH', prune: 'PATCH' } as const;

async function watch(world: World, by: PersonKey, version: Version, entries: readonly Entry[]): Promise<void> {
  const { model, people } = world;
  const [{ kind } = { kind: 'open' as const }] = entries;
  const isRetaken = kind === 'open' && entries.some(({ channelId }) => holds(world, by, channelId));
  if (isRetaken) for (const channel of model.channels()) if (isWaiting(world, channel)) await mend(world, channel);
  const { body } = await call(world, by, METHODS[kind], `${version}/actions/watch`, { watch: entries.map(wireEntry) });
  const expected = entries.map((entry) => model.watch(people[by], version, entry));
  expect(successes(body, 'watch'), JSON.stringify(body)).toEqual(expected);
  for (const [i, { channelId }] of entries.entries()) {
    const items = (body as { watch: { details: { events?: { channel_expiry?: string }[] } }[] }).watch[i]?.details
      .events;
    const expiry = items?.[0]?.channel_expiry;
    if (kind === 'prune' || expiry === undefined) continue;
    expect(new Date(expiry).getTime()).toBe(model.channel(people[by], channelId)?.expiresAt);
  }
  await settle(world, isRetaken);
}

const wireRule = (rule: Rule): object =>
  typeof rule === 'string'
    ? { field: { api_name: rule } }
    : { group_operator: rule.operator, group: rule.parts.map(wireRule) };

const wireEntry = (entry: Entry): object => ({
  channel_id: entry.channelId,
  notify_url: entry.url,
  events: entry.events,
  token: entry.token,
  channel_expiry: typeof entry.expiry === 'number' ? iso(entry.expiry) : entry.expiry,
  notify_on_related_action: entry.related,
  return_affected_field_values: entry.values,
  fields: entry.fields,
  notification_condition:
    entry.conditions &&
    Object.entries(entry.conditions).map(([module, rule]) => ({
      type: 'field_selection',
      module: { api_name: module },
      field_selection: wireRule(rule),
    })),
  ...(entry.kind === 'prune' && { _delete_events: true }),
});

const iso = (time: number) => `${new Date(time).toISOString().slice(0, 19)}Z`;

// Records.

type Change = Exclude<Step, { do: 'watch' | 'unwatch' | 'move' | 'brink' | 'restart' }>;

async function change(world: World, step: Change): Promise<void> {
  const { model, people } = world;
  const person = people[step.by];
  const { module } = step;
  const path = `v8/${module}`;
  const send = async (actions: readonly Action[], method: string, target: string, body?: object, list = 'data') => {
    const answer = await call(world, step.by, method, target, body);
    const expected = model.call(person, module, actions, idsIn(answer.body, list));
    expect(successes(answer.body, list), JSON.stringify([step, answer.body])).toEqual(expected);
  };
  switch (step.do) {
    case 'insert':
    case 'upsert': {
      const data = step.items.map((item) => valued(world, person, module, item));
      const target = step.do === 'insert' ? path : `${path}/upsert`;
      return send(
        data.map((values) => ({ do: step.do, values })),
        'POST',
        target,
        { data },
      );
    }
    case 'update': {
      const actions = step.items.map(({ at, values }) => ({
        do: 'update' as const,
        id: idOf(world, person, module, at),
        values: valued(world, person, module, values),
      }));
      return send(actions, 'PUT', path, { data: actions.map(({ id, values }) => ({ id, ...values })) });
    }
    case 'mass_update': {
      const ids = idsOf(world, person, module, step.refs);
      const values = { City: 'Oslo' };
      const actions = ids.map((id) => ({ do: 'update' as const, id, values }));
      return send(actions, 'POST', `${path}/actions/mass_update`, { data: [values], ids });
    }
    case 'change_owner': {
      const ids = idsOf(world, person, module, step.refs);
      const owner = people[step.owner];
      // A user of another organisation is nobody here.
      const isThere = owner.org === person.org;
      const given = isThere ? owner : person;
      const actions = ids.map((id) => ({ do: 'update' as const, id, values: { Owner: { id: given.id } } }));
      return send(actions, 'POST', `${path}/actions/change_owner`, { owner: { id: given.id }, ids });
    }
    case 'tag':
    case 'untag': {
      const ids = idsOf(world, person, module, step.refs);
      const actions = ids.map((id) => ({ do: step.do, id, names: step.names }));
      const tags = step.names.map((name) => ({ name }));
      return send(actions, 'POST', `${path}/actions/${step.do === 'tag' ? 'add' : 'remove'}_tags`, { tags, ids });
    }
    case 'delete':
    case 'mass_delete': {
      const ids = idsOf(world, person, module, step.refs);
      const actions = ids.map((id) => ({ do: 'delete' as const, id }));
      return step.do === 'delete'
        ? send(actions, 'DELETE', `${path}?ids=${ids.join(',')}`)
        : send(actions, 'POST', `${path}/actions/mass_delete`, { ids });
    }
    case 'restore':
    case 'purge': {
      const bin = model.ids(person.org, undefined, 'binned');
      const pool = bin.length > 0 ? [...bin, ...bin, ...bin, UNKNOWN] : [UNKNOWN];
      const ids = [...new Set(step.refs.map(({ ref }) => pool[ref % pool.length] ?? UNKNOWN))];
      const how = step.do;
      const actions = ids.map((id) => ({ do: how, id }));
      return how === 'restore'
        ? send(actions, 'POST', 'v8/settings/recycle_bin/actions/restore', { ids }, 'recycle_bin')
        : send(actions, 'DELETE', `v8/settings/recycle_bin?ids=${ids.join(',')}`, undefined, 'recycle_bin');
    }
  }
}

/** Mostly one that is there; else a deleted one, another organisation's, or none. */
function idOf({ model, people }: World, { org }: Person, module: string, { ref }: Ref): string {
  const there = model.ids(org, module, 'there');
  const foreign = Object.values(people).find((person) => person.org !== org)?.org ?? '';
  const others = [...model.ids(org, module, 'binned'), ...model.ids(foreign, module, 'there').slice(0, 1), UNKNOWN];
  const pool = [...there, ...there, ...there, ...there, ...others];
  return pool[ref % pool.length] ?? UNKNOWN;
}

const idsOf = (world: World, person: Person, module: string, refs: readonly Ref[]): string[] => [
  ...new Set(refs.map((ref) => idOf(world, person, module, ref))),
];

function valued(world: World, person: Person, module: string, item: Values): Values {
  return Object.fromEntries(
    Object.entries(item).map(([field, value]) => {
      if (field === 'Quoted_Items') return [field, [{ Product_Name: { id: world.products[person.org] }, Quantity: 1 }]];
      if (typeof value !== 'object' || value === null) return [field, value];
      const { ref, module: named } = value as Ref & { readonly module?: string };
      const target = named ?? MODULES[module]?.lookups[field] ?? '';
      return [field, { id: idOf(world, person, target, { ref }), ...(named !== undefined && { module: named }) }];
    }),
  );
}

// Time.

/** Live channels that have owed something for long are given a receiver that works before time moves on. */
async function moveTo(world: World, time: number): Promise<void> {
  const { model } = world;
  for (const channel of model.channels()) {
    const { at = time } = channel.owed[0] ?? {};
    if (isWaiting(world, channel) && Math.min(time, channel.expiresAt) - at > PATIENCE) await mend(world, channel);
  }
  model.moveTo(time);
  world.app.clock.set(time);
  await settle(world);
}

/** It is live, and owes what its receiver does not take. */
const isWaiting = ({ model }: World, channel: ModelChannel): boolean =>
  model.isLive(channel) && channel.owed.length > 0;

async function mend(world: World, { person, channelId }: ModelChannel): Promise<void> {
  const by = person.key as PersonKey;
  await watch(world, by, 'v8', [{ kind: 'merge', channelId, url: `${world.good.origin}/${by}` }]);
}

/**
 * One channel expires with something owed. Then everybody opens all channels again, so what was held flows, and new
 * changes have the next numbers; one user deletes theirs first, whose numbers begin anew. And one of each version is
 * opened, with what the version does by default.
 */
async function end(world: World): Promise<void> {
  const { model, good, broken } = world;
  const open = (by: PersonKey, channelId: string, version: Version, origin = good.origin, life = RETAKEN_LIFE) => {
    const expiry = Math.floor((model.now() + life) / 1000) * 1000;
    const events = ['Leads.all', 'Accounts.all'];
    const entry = { kind: 'open' as const, channelId, url: `${origin}/${by}`, events, expiry, values: true };
    return watch(world, by, version, [entry]);
  };
  const change = async (by: PersonKey) => {
    await take(world, { do: 'insert', by, module: 'Leads', items: [{ Last_Name: 'Last', Company: 'C' }] });
    const account = { Account_Name: 'Last', Parent_Account: { ref: 0 } };
    await take(world, { do: 'insert', by, module: 'Accounts', items: [account] });
  };
  await settle(world);
  await open('owner', '99', 'v4', broken.origin, HOUR);
  await change('owner');
  await settle(world);
  await moveTo(world, model.now() + HOUR);
  for (const { person, channelId } of model.channels()) {
    const by = person.key as PersonKey;
    if (by === 'colleague') await take(world, { do: 'unwatch', by, version: 'v8', channelId });
    await open(by, channelId, 'v8');
  }
  for (const [i, version] of VERSIONS.entries()) await open('owner', String(100 + i), version);
  await change('owner');
  await change('stranger');
  await settle(world);
  for (const by of PEOPLE) {
    const { body } = await call(world, by, 'GET', 'v8/actions/watch');
    const listed = ((body as { watch?: { channel_id: string }[] } | undefined)?.watch ?? []).map(
      (row) => row.channel_id,
    );
    const live = world.model.channels().filter((one) => one.person.key === by && world.model.isLive(one));
    expect([...new Set(listed)].sort()).toEqual(live.map(({ channelId }) => channelId).sort());
  }
}

// What came.

/**
 * Waits until nothing more can come and holds what came against what the model owes by now. `isRetaken`: what was held
 * may wait for its next retry, so time may move on for it.
 */
async function settle(world: World, isRetaken = false): Promise<void> {
  const { model, good, app } = world;
  const due = model
    .channels()
    .filter((one) => model.isLive(one) && one.url.startsWith(good.origin) && one.owed.length > 0);
  const count = due.reduce((sum, { owed }) => sum + owed.reduce((lines, one) => lines + one.lines.length, 0), 0);
  await app.app.idle();
  for (
    let wait = 1000;
    isRetaken && good.received.length < world.arrived + count && wait < RETAKEN_LIFE / 2;
    wait *= 2
  ) {
    model.moveTo(model.now() + wait);
    app.clock.set(model.now());
    await app.app.idle();
  }
  const came = good.received.slice(world.arrived);
  world.arrived = good.received.length;
  if (isRetaken) world.tally.afterLapse += came.length;
  const byChannel = new Map<string, Received[]>();
  for (const one of came) {
    const key = `${one.target.split(/[/?]/)[1]} ${one.body.channel_id}`;
    byChannel.set(key, [...(byChannel.get(key) ?? []), one]);
  }
  const expected = due.map(({ person, channelId }) => `${person.key} ${channelId}`);
  expect([...byChannel.keys()].sort(), 'channels that got something').toEqual(expected.sort());
  for (const channel of due) compare(world, channel, byChannel.get(`${channel.person.key} ${channel.channelId}`) ?? []);
}

const numberOf = ({ headers }: Received): number => Number(headers['watchbell-sequence']);

function compare(world: World, channel: ModelChannel, came: readonly Received[]): void {
  const { model, tally, app } = world;
  const query = channel.url.replace(/^[^?]*/, '');
  const owed = channel.owed.splice(0);
  const total = owed.reduce((sum, { lines }) => sum + lines.length, 0);
  const first = channel.lastNumber + 1;
  channel.lastNumber += total;
  const numbers = came.map(numberOf).sort((a, b) => a - b);
  expect(numbers, `numbers of ${channel.channelId}`).toEqual(Array.from({ length: total }, (_, i) => first + i));
  expectOrder(came);
  for (const { headers, target } of came) {
    expect(target).toBe(`/${channel.person.key}${query.replaceAll(' ', '%20')}`);
    const generation = String(headers['watchbell-generation']);
    const known = world.generations.get(channel.generation);
    if (known === undefined) {
      expect([...world.generations.values()]).not.toContain(generation);
      world.generations.set(channel.generation, generation);
    } else expect(generation).toBe(known);
    const key = `${channel.person.key} ${channel.channelId}`;
    if ((world.heard.get(key) ?? generation) !== generation) tally.renumbered += 1;
    world.heard.set(key, generation);
    const id = String(headers['webhook-id']);
    expect(world.ids).not.toContain(id);
    world.ids.add(id);
  }
  let next = first;
  for (const one of owed) {
    const bodies = one.lines.map((line) => model.bodyOf(channel, one, line, app.base, QUERIES[query] ?? {}));
    const texts = came.filter((each) => numberOf(each) >= next && numberOf(each) < next + one.lines.length);
    next += one.lines.length;
    // Those of one change have their numbers in no particular order; ids in one notification neither.
    expect(texts.map(({ body }) => settled(body as unknown as Values)).sort(byText)).toEqual(
      bodies.map(settled).sort(byText),
    );
    count(tally, one, model.now());
  }
}

function count(tally: Tally, owed: ModelChannel['owed'][number], now: number): void {
  const add = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
  for (const { operation, told } of owed.lines) {
    add(tally.versions, owed.version);
    add(tally.operations, operation);
    if (operation === 'update' && [...told.values()].every(({ fields }) => fields.length === 0)) tally.related += 1;
  }
  if (owed.at < now) tally.flowed += 1;
}

const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

/** With the order of its keys as a value, and without the order of its ids. */
function settled(body: Values): Values {
  const sorted = (list: unknown) => (Array.isArray(list) ? [...list].sort(byText) : list);
  return {
    ...body,
    keys: Object.keys(body),
    ids: sorted(body.ids),
    affected_fields: sorted(body.affected_fields),
    affected_values: sorted(body.affected_values),
  };
}

/** Those about one record came in the order of their numbers. */
function expectOrder(came: readonly Received[]): void {
  const last = new Map<string, number>();
  for (const one of came) {
    for (const id of one.body.ids) {
      expect(numberOf(one), `order of ${id}`).toBeGreaterThan(last.get(id) ?? 0);
      last.set(id, numberOf(one));
    }
  }
}

// Calls.

async function call(world: World, by: PersonKey, method: string, target: string, body?: object) {
  const response = await fetch(`${world.app.base}/crm/${target}`, {
    method,
    headers: { authorization: `Zoho-oauthtoken ${world.tokens[by]}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
}

type Items = readonly { readonly status?: string; readonly details?: { readonly id?: string } }[];
const itemsOf = (body: unknown, list: string): Items => (body as Record<string, Items> | undefined)?.[list] ?? [];

const successes = (body: unknown, list: string): boolean[] =>
  itemsOf(body, list).map(({ status }) => status === 'success');
const idsIn = (body: unknown, list = 'data'): string[] => itemsOf(body, list).map(({ details }) => details?.id ?? '');
