import { explainAll } from '../support/explaining.ts';
import type { Caller, LiveApp } from '../support/live-app.ts';
import { operatorOf } from '../support/operator.ts';
import { failing, ok, type Receiver } from '../support/receiver.ts';
import { rowsIn } from '../support/test-data.ts';
import type { Condition, Life, Settings } from './oracle.ts';

// What happens at random, and what the test keeps of it.

const ORG = '3652397';
const MINUTE = 60_000;
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Contacts: ['Phone', 'Title', 'Description'],
  Accounts: ['Phone', 'Website', 'Description'],
  Leads: ['Phone', 'Title', 'Description'],
};
const MODULES = Object.keys(FIELDS);
const CHANNEL_IDS = ['1', '2', '3'];

/** Numbers in [0, 1) that a seed alone decides. */
export function randomBy(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Person {
  readonly id: string;
  readonly caller: Caller;
}

export interface World {
  readonly app: LiveApp;
  readonly dataDir: string;
  readonly people: readonly Person[];
  readonly good: Receiver;
  readonly bad: Receiver;
  readonly random: () => number;
  readonly lives: Life[];
  /** Ids of records that are there. */
  readonly records: Map<string, string[]>;
  /** Highest change number after each step; its index is the step. */
  readonly changesTo: number[];
  /** How far it has come, by which seed. */
  readonly progress: { readonly seed: number; at: string };
}

export function pick<Item>(random: () => number, items: readonly Item[]): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

const some = <Item>(random: () => number, items: readonly Item[], most: number): Item[] => {
  const left = [...items];
  const count = Math.min(left.length, 1 + Math.floor(random() * most));
  return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)[0] as Item);
};

/** One thing that happens, or several at once. */
export async function step(world: World): Promise<void> {
  const { random } = world;
  const at = world.changesTo.length;
  const what = random();
  if (what < 0.36) await write(world);
  else if (what < 0.62) await watch(world, at);
  else if (what < 0.7) await suspendOrResume(world, at);
  else if (what < 0.74) world.app.clock.advance(pick(random, [1, 20, 61, 150]) * MINUTE);
  else if (what < 0.78) moveToExpiry(world);
  else if (what < 0.82) world.bad.behave(pick(random, [failing, failing, ok]));
  else if (what < 0.86) for (let i = 0; i < 14; i += 1) await insert(world, 'Leads', 1);
  // At once: they may share a batch, in which a channel changes between two changes.
  else await Promise.all(Array.from({ length: 8 }, () => (random() < 0.55 ? write(world) : watch(world, at))));
  if (random() < 0.5) await world.app.app.idle();
  const [{ last } = { last: 0 }] = await rowsIn<{ last: number }>(
    world.dataDir,
    `SELECT last_change AS last FROM org WHERE id = '${ORG}'`,
  );
  world.changesTo.push(Number(last));
}

/** To the very moment from which on a channel is told nothing. */
function moveToExpiry({ random, lives, app }: World): void {
  const now = app.clock.now();
  const expiries = lives.flatMap(({ states, ended }) => (ended ? [] : (states.at(-1)?.settings.expiresAt ?? [])));
  const ahead = expiries.filter((at) => at > now);
  if (ahead.length > 0) app.clock.set(pick(random, ahead));
}

async function write(world: World): Promise<void> {
  const { random, records } = world;
  const module = pick(random, MODULES);
  const there = records.get(module) ?? [];
  const what = random();
  if (there.length === 0 || what < 0.3) return insert(world, module, 1 + Math.floor(random() * 3));
  if (what < 0.8) {
    const data = some(random, there, 3).map((id) => ({ id, ...values(world, module) }));
    await world.app.owner.call('PUT', `/crm/v8/${module}`, { data });
    return;
  }
  const gone = some(random, there, 2);
  records.set(
    module,
    there.filter((id) => !gone.includes(id)),
  );
  await world.app.owner.call('DELETE', `/crm/v8/${module}?ids=${gone.join(',')}`);
}

const NAMES: Readonly<Record<string, object>> = {
  Contacts: { Last_Name: 'L' },
  Accounts: { Account_Name: 'A' },
  Leads: { Last_Name: 'L', Company: 'C' },
};

async function insert(world: World, module: string, count: number): Promise<void> {
  const data = Array.from({ length: count }, () => ({
    ...NAMES[module],
    ...(module === 'Accounts' && { Account_Name: `A ${world.random()}` }),
    ...values(world, module),
  }));
  const answer = await world.app.owner.call('POST', `/crm/v8/${module}`, { data });
  const { data: made } = answer.body as { data: { status: string; details: { id?: string } }[] };
  const ids = made.flatMap(({ status, details }) => (status === 'success' && details.id ? [details.id] : []));
  world.records.set(module, [...(world.records.get(module) ?? []), ...ids]);
}

/** New values of some fields, and lookups to records that are there, or to none. */
function values({ random, records }: World, module: string): object {
  const fields = some(random, FIELDS[module] ?? [], 2).map((field) => [
    field,
    field === 'Website' ? `https://example.com/${Math.floor(random() * 4)}` : String(Math.floor(random() * 4)),
  ]);
  const to = (target: string) => {
    const ids = records.get(target) ?? [];
    return ids.length > 0 && random() < 0.6 ? { id: pick(random, ids) } : null;
  };
  const lookups =
    module === 'Contacts'
      ? { Account_Name: to('Accounts'), Reporting_To: to('Contacts') }
      : module === 'Accounts'
        ? { Parent_Account: to('Accounts') }
        : {};
  const given = Object.entries(lookups).filter(() => random() < 0.4);
  return Object.fromEntries([...fields, ...given]);
}

const METHODS = { open: 'POST', replace: 'PUT', merge: 'PATCH' } as const;

async function watch(world: World, at: number): Promise<void> {
  const { random, lives } = world;
  const person = pick(random, world.people);
  const channelId = pick(random, CHANNEL_IDS);
  const known = lives.findLast(
    (life) => life.user === person.id && life.channelId === channelId && life.ended === undefined,
  );
  const what = random();
  if (known && what < 0.16) {
    const { body } = await person.caller.call('DELETE', `/crm/v8/actions/watch?channel_ids=${channelId}`);
    // Deleted by a call at the same time, or expired.
    if (isSuccess(body)) known.ended = { step: at };
    return;
  }
  const kind = !known || what < 0.5 ? 'open' : what < 0.75 ? 'merge' : 'replace';
  const settings = randomSettings(random);
  const life = pick(random, [30, 60, 200, 600]) * MINUTE;
  const receiver = random() < 0.75 ? world.good : world.bad;
  const entry = {
    channel_id: channelId,
    ...(kind === 'merge' ? {} : { notify_url: receiver.origin }),
    events: settings.events,
    notify_on_related_action: settings.related,
    notification_condition: settings.conditions.map(wireCondition),
    channel_expiry: `${new Date(world.app.clock.now() + life).toISOString().slice(0, 19)}+00:00`,
  };
  const { body } = await person.caller.call(METHODS[kind], '/crm/v8/actions/watch', {
    watch: [{ ...entry, ...(settings.conditions.length === 0 && { notification_condition: undefined }) }],
  });
  if (!isSuccess(body)) return;
  const expiry = (body as { watch: { details: { events: { channel_expiry: string }[] } }[] }).watch[0]?.details
    .events[0]?.channel_expiry;
  note(world, at, kind, { user: person.id, channelId }, { ...settings, expiresAt: new Date(expiry ?? 0).getTime() });
}

/** Keeps what the call did. A PATCH adds events, and keeps conditions when it has none. */
function note(
  { lives }: World,
  step: number,
  kind: keyof typeof METHODS,
  whose: Pick<Life, 'user' | 'channelId'>,
  settings: Settings,
): void {
  const known = lives.findLast(
    (life) => life.user === whose.user && life.channelId === whose.channelId && life.ended === undefined,
  );
  if (!known) {
    lives.push({ ...whose, states: [{ step, settings, isSuspended: false }] });
    return;
  }
  const before = known.states.at(-1);
  if (kind !== 'merge' || !before) {
    known.states.push({ step, settings, isSuspended: false });
    return;
  }
  const events = [...new Set([...before.settings.events, ...settings.events])];
  const conditions = settings.conditions.length > 0 ? settings.conditions : before.settings.conditions;
  known.states.push({ step, settings: { ...settings, events, conditions }, isSuspended: before.isSuspended });
}

function randomSettings(random: () => number): Omit<Settings, 'expiresAt'> {
  const words = ['create', 'edit', 'edit', 'delete'];
  const events = [
    ...new Set(some(random, MODULES, 2).flatMap((module) => some(random, words, 3).map((word) => `${module}.${word}`))),
  ];
  const edited = MODULES.filter((module) => events.includes(`${module}.edit`));
  const conditions = edited
    .filter(() => random() < 0.35)
    .map((module): Condition => {
      const fields = some(random, FIELDS[module] ?? [], 2);
      return { module, operator: pick(random, ['and', 'or'] as const), fields };
    });
  return { events, related: random() < 0.6, conditions };
}

function wireCondition({ module, operator, fields }: Condition): object {
  const members = fields.map((field) => ({ field: { api_name: field } }));
  return {
    type: 'field_selection',
    module: { api_name: module },
    field_selection: members.length === 1 ? members[0] : { group_operator: operator, group: members },
  };
}

const isSuccess = (body: unknown): boolean =>
  (body as { watch?: { status: string }[] } | undefined)?.watch?.[0]?.status === 'success';

async function suspendOrResume(world: World, at: number): Promise<void> {
  const { random, lives, app } = world;
  const there = lives.filter(({ ended }) => ended === undefined);
  if (there.length === 0) return;
  const life = pick(random, there);
  const state = life.states.at(-1);
  if (!state) return;
  const operate = operatorOf(app.base);
  const { body } = await operate('GET', `/orgs/${ORG}/channels?user=${life.user}&per_page=200`);
  const { channels } = body as { channels: { channel_id: string; generation: string }[] };
  const generation = channels.find(({ channel_id }) => channel_id === life.channelId)?.generation;
  const act = state.isSuspended ? 'resume' : 'suspend';
  const mode = act === 'resume' ? { mode: pick(random, ['backlog', 'backlog', 'skip']) } : undefined;
  const answer = await operate('POST', `/orgs/${ORG}/channels/${generation}/${act}`, mode);
  if (answer.status !== 200) throw new Error(`${act} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  life.states.push({ step: at, settings: state.settings, isSuspended: !state.isSuspended });
}

export const explainTo = (world: World, query: Record<string, string | number>, person?: Person) =>
  explainAll(world.app, query, person?.caller);
