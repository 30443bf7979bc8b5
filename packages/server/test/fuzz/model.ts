import { isTreeObject, type Tree, type TreeObject } from './json-tree.ts';
import { Fault, type ModelRule, type Names, readCondition } from './model-condition.ts';

/** The channels of one user as the API's pages describe them: written anew here, nothing of it comes from the server. */
export interface ModelUser {
  readonly names: Names;
  /** Modules that the user may watch. */
  readonly modules: ReadonlySet<string>;
  readonly channels: Map<string, ModelChannel>;
}

export interface ModelChannel {
  readonly url: string;
  readonly token: string | null;
  /** Epoch ms. */
  readonly expiresAt: number;
  readonly related: boolean;
  readonly values: boolean;
  /** `Leads.edit` and the like, never `.all`. */
  readonly events: ReadonlySet<string>;
  readonly conditions: ReadonlyMap<string, ModelRule>;
}

/** What one entry is answered: an error's code, or the modules of the rows with the expiry that they say. */
export type Judged =
  | { readonly error: string }
  | { readonly message: string; readonly id: string; readonly modules: readonly string[]; readonly expiresAt?: number };

/** What a call is answered: refused as a whole, or judged entry by entry. */
export type Expected =
  | { readonly status: number; readonly refusal: string }
  | { readonly status: number; readonly entries: readonly Judged[] };

export type WatchMethod = 'POST' | 'PUT' | 'PATCH';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const isFrom = (version: string, first: number): boolean => Number(version.slice(1)) >= first;

const refusal = (code: string): Expected => ({ status: 400, refusal: code });

/** POST, PUT and PATCH; `body` is undefined when it is no JSON object within bounds. */
export function write(
  user: ModelUser,
  method: WatchMethod,
  version: string,
  body: Tree | undefined,
  now: number,
): Expected {
  if (!isTreeObject(body)) return refusal('INVALID_DATA');
  const { watch } = body;
  if (watch === undefined || watch === null) return refusal('MANDATORY_NOT_FOUND');
  if (!Array.isArray(watch) || watch.length === 0) return refusal('INVALID_DATA');
  if (watch.length > 100) return refusal('LIMIT_EXCEEDED');
  const seen = new Set<string>();
  const entries = watch.map((entry: Tree): Judged => {
    try {
      return writeEntry(user, method, version, entry, now, seen);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { error: error.message };
    }
  });
  return { status: statusOf(entries, method === 'POST' ? 201 : 200, version), entries };
}

/** DELETE; `ids` is what `channel_ids` says. */
export function remove(user: ModelUser, version: string, ids: string | undefined, now: number): Expected {
  if (ids === undefined || ids.trim() === '') return refusal('REQUIRED_PARAM_MISSING');
  const list = ids.split(',');
  if (list.length > 100) return refusal('LIMIT_EXCEEDED');
  const entries = list.flatMap((text): Judged[] => {
    const id = canonical(text.trim());
    if (id === undefined) return [{ error: 'INVALID_DATA' }];
    const channel = live(user, id, now);
    if (!channel) return [{ error: 'NOT_SUBSCRIBED' }];
    user.channels.delete(id);
    return modulesOf(channel.events).map((module) => ({ message: 'un-subscribed', id, modules: [module] }));
  });
  return { status: statusOf(entries, 200, version), entries };
}

/** The user's live channels by id. */
export function listed(user: ModelUser, now: number): ReadonlyMap<string, ModelChannel> {
  return new Map([...user.channels].filter(([id]) => live(user, id, now)));
}

export const modulesOf = (events: Iterable<string>): string[] => [
  ...new Set([...events].map((event) => event.slice(0, event.lastIndexOf('.')))),
];

/** The text of a signed 64-bit integer as it is answered. */
export function canonical(text: string): string | undefined {
  if (!/^[+-]?\d{1,25}$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return value >= -(2n ** 63n) && value < 2n ** 63n ? String(value) : undefined;
}

function statusOf(entries: readonly Judged[], success: number, version: string): number {
  const failed = entries.filter((entry) => 'error' in entry).length;
  if (failed === 0) return success;
  return failed === entries.length ? 400 : version === 'v8' ? 207 : 202;
}

const live = (user: ModelUser, id: string, now: number): ModelChannel | undefined => {
  const channel = user.channels.get(id);
  return channel && now < channel.expiresAt ? channel : undefined;
};

/** Throws the code of the entry's first fault. */
function writeEntry(
  user: ModelUser,
  method: WatchMethod,
  version: string,
  entry: Tree,
  now: number,
  seen: Set<string>,
): Judged {
  if (!isTreeObject(entry)) throw new Fault('INVALID_DATA');
  const id = readId(entry.channel_id);
  if (seen.has(id)) throw new Fault('DUPLICATE_DATA');
  seen.add(id);
  if (method === 'PATCH' && entry._delete_events === true) {
    // Also of modules that are denied: they may have been allowed before.
    return prune(user, id, readEvents(user.names.modules, entry, true) ?? [], now);
  }
  const given = readEntry(user, method, version, entry);
  if (method === 'PATCH' && !['undefined', 'boolean'].includes(typeof entry._delete_events)) {
    throw new Fault('INVALID_DATA');
  }
  const before = live(user, id, now);
  if (method !== 'POST' && !before) throw new Fault('NOT_SUBSCRIBED');
  const isMerge = method === 'PATCH';
  const events = given.events ?? [];
  const url = given.url ?? before?.url;
  if (url === undefined) throw new Fault('MANDATORY_NOT_FOUND');
  const channel: ModelChannel = {
    url,
    token: given.token === undefined && isMerge && before ? before.token : (given.token ?? null),
    expiresAt: given.expiry === undefined && isMerge && before ? before.expiresAt : expiry(given.expiry, version, now),
    related: given.related ?? (isMerge && before ? before.related : version !== 'v3'),
    values: given.values ?? (isMerge && before ? before.values : false),
    events: new Set([...(isMerge && before ? before.events : []), ...events]),
    conditions: given.conditions ?? (isMerge && before ? before.conditions : new Map()),
  };
  user.channels.set(id, channel);
  const message = isMerge ? 'updated' : 'subscribed';
  return { message, id, modules: modulesOf(channel.events), expiresAt: channel.expiresAt };
}

function prune(user: ModelUser, id: string, events: readonly string[], now: number): Judged {
  const before = live(user, id, now);
  // `Deals.all` is watched when any of the three is.
  const named = modulesOf(events).map((module) => ({
    module,
    own: events.filter((event) => modulesOf([event])[0] === module),
  }));
  if (!before) throw new Fault('NOT_SUBSCRIBED');
  for (const { module, own } of named) {
    const isAll = own.includes(`${module}.all`);
    const needed = own.filter((event) => !event.endsWith('.all'));
    if (needed.some((event) => !before.events.has(event))) throw new Fault('NOT_SUBSCRIBED');
    if (isAll && !modulesOf(before.events).includes(module)) throw new Fault('NOT_SUBSCRIBED');
  }
  const gone = new Set(events.flatMap((event) => expand(event)));
  const left = new Set([...before.events].filter((event) => !gone.has(event)));
  if (left.size === 0) user.channels.delete(id);
  else {
    const conditions = new Map([...before.conditions].filter(([module]) => modulesOf(left).includes(module)));
    user.channels.set(id, { ...before, events: left, conditions });
  }
  return { message: 'removed', id, modules: modulesOf(events) };
}

interface Given {
  readonly url: string | undefined;
  readonly events: readonly string[] | undefined;
  readonly token: string | null | undefined;
  readonly expiry: number | undefined;
  readonly related: boolean | undefined;
  readonly values: boolean | undefined;
  readonly conditions: ReadonlyMap<string, ModelRule> | undefined;
}

/** In the documented order of keys, so that the first fault is the one told. */
function readEntry(user: ModelUser, method: WatchMethod, version: string, entry: TreeObject): Given {
  const url = readUrl(entry.notify_url, method === 'POST');
  const selected = readEvents(user.modules, entry, method !== 'PATCH');
  const events = selected?.flatMap(expand);
  return {
    url,
    events,
    token: readToken(entry.token),
    expiry: readExpiry(entry.channel_expiry),
    related: readFlag(entry.notify_on_related_action),
    values: isFrom(version, 3) ? readFlag(entry.return_affected_field_values) : undefined,
    conditions: isFrom(version, 6) ? readCondition(user, entry, events && modulesOf(events)) : undefined,
  };
}

function readId(value: Tree | undefined): string {
  if (value === undefined || value === null) throw new Fault('MANDATORY_NOT_FOUND');
  const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value);
  const id = isWhole || typeof value === 'string' ? canonical(String(value)) : undefined;
  if (id === undefined) throw new Fault('INVALID_DATA');
  return id;
}

function readUrl(value: Tree | undefined, isMandatory: boolean): string | undefined {
  if (value === undefined || value === null) {
    if (isMandatory) throw new Fault('MANDATORY_NOT_FOUND');
    return undefined;
  }
  // What the calls that are made up hold is one of ours or no URL at all.
  const isOurs = typeof value === 'string' && /^https?:\/\/127\.0\.0\.1:\d+\/\P{Cc}*$/iu.test(value);
  if (!isOurs || !value.isWellFormed() || value.length > 2048) throw new Fault('INVALID_DATA');
  return value;
}

const OPERATIONS = ['edit', 'create', 'delete'];

const expand = (event: string): string[] =>
  event.endsWith('.all') ? OPERATIONS.map((operation) => event.replace(/all$/, operation)) : [event];

function readEvents(
  modules: { has(name: string): boolean },
  { events }: TreeObject,
  isMandatory: boolean,
): readonly string[] | undefined {
  if (events === undefined || events === null) {
    if (isMandatory) throw new Fault('MANDATORY_NOT_FOUND');
    return undefined;
  }
  if (!Array.isArray(events) || events.length === 0 || events.length > 100) throw new Fault('INVALID_DATA');
  return events.map((event: Tree) => {
    const [, module = '', operation = ''] = (typeof event === 'string' && /^(.*)\.(\w+)$/s.exec(event)) || [];
    if (!modules.has(module) || ![...OPERATIONS, 'all'].includes(operation)) throw new Fault('INVALID_DATA');
    return `${module}.${operation}`;
  });
}

function readToken(value: Tree | undefined): string | null | undefined {
  if (value === undefined || value === null) return value;
  if (typeof value !== 'string' || value === '' || [...value].length > 50) throw new Fault('INVALID_DATA');
  if (value.includes('\0') || !value.isWellFormed()) throw new Fault('INVALID_DATA');
  return value;
}

function readExpiry(value: Tree | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/.test(value)) {
    throw new Fault('INVALID_DATA');
  }
  const day = value.slice(0, 10);
  const [time, midnight] = [Date.parse(value), Date.parse(`${day}T00:00:00Z`)];
  // 30 February is no day.
  if (Number.isNaN(time) || !new Date(midnight).toISOString().startsWith(day)) throw new Fault('INVALID_DATA');
  return time;
}

function readFlag(value: Tree | undefined): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw new Fault('INVALID_DATA');
  return value;
}

/** One hour unless what was asked for is in the future and not beyond the version's longest life; whole seconds. */
function expiry(asked: number | undefined, version: string, now: number): number {
  const longest = isFrom(version, 4) ? 7 * DAY : DAY;
  const isTaken = asked !== undefined && asked > now && asked <= now + longest;
  return Math.floor((isTaken ? asked : now + HOUR) / 1000) * 1000;
}
