import type { Channel } from './channel.ts';
import { findChannel } from './channel-index.ts';
import type { FieldCondition } from './condition.ts';
import { type EventSelector, expandEvents, modulesOf, selects } from './event-type.ts';
import type { ChannelId, Generation, UserId } from './ids.ts';
import { isBeyondRetention } from './retention.ts';
import { withoutSuspension } from './suspension.ts';
import { type ApiVersion, DEFAULT_LIFE_MS, VERSION_RULES } from './wire/api-version.ts';
import { type Compat, DEFAULT_COMPAT } from './wire/compat.ts';
import { endChannel, loadedChannel, saveChannel } from './working-channels.ts';
import { takeId, type WorkingSet } from './working-set.ts';

/** What a caller may say of a channel; what is absent was not said. */
export interface ChannelSettings {
  readonly notifyUrl?: string | undefined;
  readonly events?: readonly EventSelector[] | undefined;
  readonly token?: string | null | undefined;
  /** Epoch ms, as asked for. */
  readonly expiresAt?: number | undefined;
  readonly notifyOnRelated?: boolean | undefined;
  readonly withValues?: boolean | undefined;
  readonly conditions?: readonly FieldCondition[] | undefined;
}

export type WatchRequest = { readonly channelId: ChannelId } & (
  | { readonly kind: 'open'; readonly settings: ChannelSettings & { readonly notifyUrl: string } }
  | { readonly kind: 'replace'; readonly settings: ChannelSettings }
  | { readonly kind: 'merge'; readonly settings: ChannelSettings }
  | { readonly kind: 'prune'; readonly events: readonly EventSelector[] }
  | { readonly kind: 'delete' }
);

export interface WatchCaller {
  readonly userId: UserId;
  /** Kept with the channels that it opens, which end with it. */
  readonly clientId?: string;
  /** Of the call: its limits and defaults apply. */
  readonly version: ApiVersion;
}

export interface ChannelPolicy extends Pick<Compat, 'strictExpiry' | 'afterExpiry' | 'patch'> {
  readonly maxPerUser: number;
  readonly maxPerOrg: number;
  /** How long after its expiry a POST still takes a channel up with its generation. */
  readonly retentionMs: number;
}

export const DEFAULT_CHANNEL_POLICY: ChannelPolicy = {
  maxPerUser: 10_000,
  maxPerOrg: 100_000,
  retentionMs: 72 * 3_600_000,
  strictExpiry: DEFAULT_COMPAT.strictExpiry,
  afterExpiry: DEFAULT_COMPAT.afterExpiry,
  patch: DEFAULT_COMPAT.patch,
};

export type WatchRefusal =
  /** No live channel of this id belongs to the caller. */
  | { readonly kind: 'no-channel' }
  /** The channel does not watch one of the event types. */
  | { readonly kind: 'no-event' }
  | { readonly kind: 'expiry-not-allowed' }
  | { readonly kind: 'too-many-channels'; readonly limit: number };

export type WatchResult =
  | { readonly kind: 'saved'; readonly channel: Channel }
  /** Modules whose events were removed, or all of them at the end of a channel. */
  | { readonly kind: 'pruned' | 'deleted'; readonly channelId: ChannelId; readonly modules: readonly string[] }
  | { readonly kind: 'refused'; readonly why: WatchRefusal };

/** Decides one entry of a watch call. A refused one has written nothing into the set. */
export function decideWatch(
  set: WorkingSet,
  caller: WatchCaller,
  request: WatchRequest,
  policy: ChannelPolicy,
): WatchResult {
  const known = loadedChannel(set, caller.userId, request.channelId);
  if (request.kind === 'open') return open(set, caller, request.channelId, request.settings, known, policy);
  // Once expired, only POST takes it up again (reference §3.1).
  if (!known || !isLive(set, known)) return refused({ kind: 'no-channel' });
  switch (request.kind) {
    case 'replace':
      return replace(set, caller, known, request.settings, policy);
    case 'merge':
      return merge(set, caller, known, request.settings, policy);
    case 'prune':
      return prune(set, known, request.events);
    case 'delete':
      endChannel(set, known, 'deleted');
      return { kind: 'deleted', channelId: known.channelId, modules: modulesOf(known.events) };
  }
}

/**
 * When a channel expires: as asked for if that is in the future and within the version's maximum, else after the default
 * life, as the API documents. Rounded down to whole seconds, so that what is answered is what is enforced.
 */
export function expiryFor(asked: number | undefined, version: ApiVersion, now: number): number {
  const expiry = asked !== undefined && isAllowedExpiry(asked, version, now) ? asked : now + DEFAULT_LIFE_MS;
  return Math.floor(expiry / 1000) * 1000;
}

const isAllowedExpiry = (asked: number, version: ApiVersion, now: number): boolean =>
  asked > now && asked <= now + VERSION_RULES[version].maxLifeMs;

const isLive = (set: WorkingSet, channel: Channel): boolean => set.now < channel.expiresAt;

const refused = (why: WatchRefusal): WatchResult => ({ kind: 'refused', why });

function isStrictlyRefused(
  set: WorkingSet,
  caller: WatchCaller,
  { expiresAt }: ChannelSettings,
  policy: ChannelPolicy,
) {
  return policy.strictExpiry && expiresAt !== undefined && !isAllowedExpiry(expiresAt, caller.version, set.now);
}

/** Opens a channel, or takes up the caller's own of that id, live or lapsed within retention: its numbers go on. */
function open(
  set: WorkingSet,
  caller: WatchCaller,
  channelId: ChannelId,
  settings: ChannelSettings & { readonly notifyUrl: string },
  known: Channel | undefined,
  policy: ChannelPolicy,
): WatchResult {
  if (isStrictlyRefused(set, caller, settings, policy)) return refused({ kind: 'expiry-not-allowed' });
  const limit = reachedLimit(set, caller.userId, channelId, policy);
  if (limit !== undefined) return refused({ kind: 'too-many-channels', limit });
  if (known && !isBeyondRetention(known, set.now, policy.retentionMs)) {
    const isRenewed = !isLive(set, known);
    const channel: Channel = {
      ...replaced(set, caller, known, settings),
      ...openedBy(caller),
      ...(isRenewed &&
        policy.afterExpiry === 'drop' && { cancelledTo: known.lastNumber, cancelledWhy: 'expired' as const }),
    };
    saveChannel(set, channel, isRenewed ? 'renewed' : 'replaced');
    return { kind: 'saved', channel };
  }
  if (known) endChannel(set, known, 'retention');
  const channel: Channel = {
    generation: takeId(set) as Generation,
    userId: caller.userId,
    channelId,
    lastNumber: 0,
    epoch: 0,
    restarts: [],
    openedAt: set.now,
    notifyUrl: settings.notifyUrl,
    ...openedBy(caller),
    ...settingsOrDefaults(set, caller, settings),
  };
  saveChannel(set, channel, 'opened');
  return { kind: 'saved', channel };
}

const openedBy = ({ clientId }: WatchCaller) => (clientId === undefined ? {} : { clientId });

function reachedLimit(
  set: WorkingSet,
  userId: UserId,
  channelId: ChannelId,
  policy: ChannelPolicy,
): number | undefined {
  if (findChannel(set.index, userId, channelId)) return undefined;
  if ((set.index.countByUser.get(userId) ?? 0) >= policy.maxPerUser) return policy.maxPerUser;
  return set.index.byKey.size >= policy.maxPerOrg ? policy.maxPerOrg : undefined;
}

function replace(
  set: WorkingSet,
  caller: WatchCaller,
  known: Channel,
  settings: ChannelSettings,
  policy: ChannelPolicy,
): WatchResult {
  if (isStrictlyRefused(set, caller, settings, policy)) return refused({ kind: 'expiry-not-allowed' });
  const channel = replaced(set, caller, known, settings);
  saveChannel(set, channel, 'replaced');
  return { kind: 'saved', channel };
}

/** Only what is given is kept, but for the notify URL (reference §3.3). A suspension ends. */
function replaced(set: WorkingSet, caller: WatchCaller, known: Channel, settings: ChannelSettings): Channel {
  const notifyUrl = settings.notifyUrl ?? known.notifyUrl;
  return { ...withoutSuspension(known), notifyUrl, ...settingsOrDefaults(set, caller, settings) };
}

/** Sets the version whose shapes the channel's notifications have from now on. */
function settingsOrDefaults(set: WorkingSet, { version }: WatchCaller, settings: ChannelSettings) {
  return {
    version,
    events: expandEvents(settings.events ?? []),
    token: settings.token ?? null,
    expiresAt: expiryFor(settings.expiresAt, version, set.now),
    notifyOnRelated: settings.notifyOnRelated ?? VERSION_RULES[version].relatedByDefault,
    withValues: settings.withValues ?? false,
    conditions: settings.conditions ?? [],
    modifiedAt: set.now,
  };
}

/** Keeps what is stored and changes what is given; event types are added (reference §3.4). The version stays. */
function merge(
  set: WorkingSet,
  caller: WatchCaller,
  known: Channel,
  settings: ChannelSettings,
  policy: ChannelPolicy,
): WatchResult {
  if (isStrictlyRefused(set, caller, settings, policy)) return refused({ kind: 'expiry-not-allowed' });
  const { events, expiresAt } = settings;
  const token = settings.token === undefined && policy.patch === 'observed' ? null : settings.token;
  const channel: Channel = {
    ...known,
    notifyUrl: settings.notifyUrl ?? known.notifyUrl,
    events: events ? expandEvents([...known.events, ...events]) : known.events,
    token: token === undefined ? known.token : token,
    expiresAt: expiresAt === undefined ? known.expiresAt : expiryFor(expiresAt, caller.version, set.now),
    notifyOnRelated: settings.notifyOnRelated ?? known.notifyOnRelated,
    withValues: settings.withValues ?? known.withValues,
    conditions: settings.conditions ?? known.conditions,
    modifiedAt: set.now,
  };
  saveChannel(set, channel, 'merged');
  return { kind: 'saved', channel };
}

/** Removes just these event types, all or none of them; without any left the channel ends (reference §3.5). */
function prune(set: WorkingSet, known: Channel, selectors: readonly EventSelector[]): WatchResult {
  const isWatched = (selector: EventSelector) => known.events.some((event) => selects(selector, event));
  if (!selectors.every(isWatched)) return refused({ kind: 'no-event' });
  const events = known.events.filter((event) => !selectors.some((selector) => selects(selector, event)));
  if (events.length === 0) {
    endChannel(set, known, 'deleted');
  } else {
    const modules = new Set(modulesOf(events));
    const conditions = known.conditions.filter(({ module }) => modules.has(module));
    saveChannel(set, { ...known, events, conditions, modifiedAt: set.now }, 'pruned');
  }
  return { kind: 'pruned', channelId: known.channelId, modules: modulesOf(selectors) };
}
