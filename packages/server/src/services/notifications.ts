import type { Attempt } from '../domain/attempt.ts';
import type { Clock } from '../domain/clock.ts';
import { AppError } from '../domain/error.ts';
import type { ChannelId, Generation, NotificationId, OrgId, RecordId, UserId } from '../domain/ids.ts';
import type { Notification } from '../domain/notification.ts';
import {
  type Candidate,
  FEW_CHANGES,
  fits,
  type LastOutcome,
  type ListedChannel,
  MAX_WALKED_CHANNELS,
  type NotificationFilter,
  walksOf,
} from '../domain/notification-query.ts';
import { type Identity, identityOf } from '../domain/restart.ts';
import { type Shown, type ShownState, shownState } from '../domain/shown-state.ts';
import type { Compat } from '../domain/wire/compat.ts';
import { curlOf } from '../domain/wire/curl.ts';
import { notificationBody } from '../domain/wire/notification-body.ts';
import { identityHeaders } from '../domain/wire/notification-headers.ts';
import type { AdministrationStore, ListedNotification, LookStore } from '../storage/store.ts';
import { type Met, type Place, takeStep } from './notification-walks.ts';

/** Whose channels are looked at. */
export interface Whose {
  /** Undefined: of all users. */
  readonly user?: UserId | undefined;
  /** All that had this id. */
  readonly channelId?: ChannelId | undefined;
  readonly generation?: Generation | undefined;
}

export interface NotificationQuery extends Whose {
  readonly module?: string | undefined;
  /** With the module. */
  readonly record?: RecordId | undefined;
  readonly state?: ShownState | undefined;
  readonly outcome?: LastOutcome | undefined;
  /** Of the change, epoch ms; `to` exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly limit: number;
  readonly place?: Place | undefined;
}

/** A notification as it stands now. */
export interface NotificationView {
  readonly listed: ListedNotification;
  readonly channel: ListedChannel;
  readonly shown: Shown;
  /** As receivers know it. */
  readonly identity: Identity;
}

export interface NotificationPage {
  readonly items: readonly NotificationView[];
  /** Where the next page begins; undefined: there is none. */
  readonly next?: Place | undefined;
}

/** With what an attempt would send now, and all that were made. */
export interface NotificationDetails extends NotificationView {
  readonly notification: Notification;
  readonly body: string;
  /** Those that are the same on every attempt. */
  readonly headers: Readonly<Record<string, string>>;
  /** Sends it by hand, from a shell. */
  readonly curl: string;
  /** The first of them; `attempts` lists all. */
  readonly attempts: readonly Attempt[];
}

/** Finds notifications. What is not there, or not the user's: NOT_FOUND. */
export interface Notifications {
  /** Looks at a bounded number of rows: a page may hold fewer than `limit`, or nothing, and have a next one. */
  list(org: OrgId, query: NotificationQuery): Promise<NotificationPage>;
  show(
    org: OrgId,
    which: { readonly id: NotificationId } | { readonly generation: Generation; readonly number: number },
    user?: UserId,
  ): Promise<NotificationDetails>;
}

export interface NotificationsOptions {
  readonly store: LookStore;
  readonly channels: Pick<AdministrationStore, 'findChannel'>;
  readonly clock: Clock;
  /** Origin that resource URIs start with. */
  readonly base: () => string;
  readonly compat: Compat;
  readonly userAgent: string;
  /** Rows that one page looks at. */
  readonly maxLooked?: number;
  /** So few changes are walked through, whatever else is asked for. */
  readonly fewChanges?: number;
}

const MAX_LOOKED = 4000;
/** Rows that one statement looks at, so that it keeps nobody waiting. */
const MAX_STEP = 1000;
const MAX_ATTEMPTS = 200;

export function createNotifications({
  store,
  channels,
  clock,
  base,
  compat,
  userAgent,
  maxLooked = MAX_LOOKED,
  fewChanges = FEW_CHANGES,
}: NotificationsOptions): Notifications {
  return {
    async list(org, query) {
      const { module, record, state, outcome, user, limit } = query;
      const generations = await generationsOf(store, org, query);
      // What others are sent is not even looked through.
      if (generations?.length === 0) return { items: [] };
      const filter: NotificationFilter = {
        ...(generations && { generations }),
        ...(user !== undefined && { user }),
        ...(module !== undefined && { module }),
        ...(record !== undefined && { record }),
        ...(state !== undefined && { state }),
        ...(outcome !== undefined && { outcome }),
        changes: await store.changesBetween(org, query.from, query.to),
      };
      const now = clock.now();
      const known = new Map<Generation, ListedChannel>();
      const fitting = async (met: readonly Met[]): Promise<Met[]> => {
        await learn(
          store,
          org,
          known,
          met.map(({ candidate }) => candidate.generation),
        );
        return met.filter(({ candidate }) => {
          const channel = known.get(candidate.generation);
          return channel !== undefined && fits(filter, candidate, channel, now);
        });
      };
      const { found, next } = await walk(org, filter, query.place, limit, now, fitting);
      const listed = await store.listed(
        org,
        found.map(({ candidate }) => candidate),
      );
      const byKey = new Map(listed.map((one) => [keyOf(one), one]));
      const items = found.flatMap(({ candidate }) => {
        const one = byKey.get(keyOf(candidate));
        const channel = known.get(candidate.generation);
        const view = one && channel && viewOf(one, channel, now);
        // Meanwhile it may have been delivered, or removed.
        return view && (state === undefined || view.shown.state === state) ? [view] : [];
      });
      return { items, next };
    },

    async show(org, which, user) {
      const found = await store.find(org, which);
      const entry = found && (await channels.findChannel(org, found.notification.generation));
      if (!found || !entry || (user !== undefined && entry.channel.userId !== user)) throw noNotification();
      const { channel } = entry;
      const { notification, listed } = found;
      const { generation, number } = notification;
      const view = viewOf(listed, channel, clock.now());
      const headers = identityHeaders(notification, view.identity, userAgent);
      const body = notificationBody(notification, channel, { base: base(), compat });
      return {
        ...view,
        notification,
        body,
        headers,
        curl: curlOf(channel.notifyUrl, headers, body),
        attempts: await store.attemptsOf(org, generation, number, MAX_ATTEMPTS),
      };
    },
  };

  /** Whoever has begun goes on in the same way: meanwhile few changes may have become many. */
  function waysOf(filter: NotificationFilter, start: Place | undefined) {
    const ways = [walksOf(filter, fewChanges), walksOf(filter, 0), walksOf(filter, Infinity)];
    const way = ways.find((walks) => start === undefined || walks.includes(start.walk));
    if (!way) throw notOfThisList();
    return way;
  }

  /** Steps along the ways that the filter asks for, until enough is found or looked at. */
  async function walk(
    org: OrgId,
    filter: NotificationFilter,
    start: Place | undefined,
    limit: number,
    now: number,
    fitting: (met: readonly Met[]) => Promise<readonly Met[]>,
  ): Promise<{ readonly found: readonly Met[]; readonly next?: Place | undefined }> {
    const walks = waysOf(filter, start);
    const first = start ? walks.indexOf(start.walk) : 0;
    const { record, outcome } = filter;
    const asked = { ...(record !== undefined && { record }), lastAttempt: outcome !== undefined };
    const context = { store, org, filter, asked, now };
    const found: Met[] = [];
    let looked = 0;
    let place = start;
    let size = Math.min(limit, MAX_STEP);
    for (const [i, name] of walks.slice(first).entries()) {
      if (i > 0) place = undefined;
      do {
        const step = await takeStep(name, place, size, context);
        const some = await fitting(step.met);
        const last = some[limit - found.length - 1];
        if (last) {
          found.push(...some.slice(0, limit - found.length));
          return { found, next: last.place() };
        }
        found.push(...some);
        looked += Math.max(1, step.looked);
        place = step.place;
        size = Math.min(size * 4, MAX_STEP);
        if (place && looked >= maxLooked) return { found, next: place };
      } while (place);
    }
    return { found };
  }
}

/** Undefined: of any, or of so many that they are told apart one by one. NOT_FOUND when a channel is named that is not there. */
export async function generationsOf(
  store: Pick<LookStore, 'channels' | 'generationsOf'>,
  org: OrgId,
  { user, channelId, generation }: Whose,
): Promise<readonly Generation[] | undefined> {
  if (generation !== undefined) {
    const [channel] = await store.channels(org, [generation]);
    if (!channel || (user !== undefined && channel.userId !== user)) throw noChannel();
    return [generation];
  }
  if (user === undefined && channelId === undefined) return undefined;
  const generations = await store.generationsOf(org, { user, channelId }, MAX_WALKED_CHANNELS + 1);
  if (generations.length === 0 && channelId !== undefined) throw noChannel();
  // Of a channel id the newest ones: retention has left little of those before.
  if (channelId !== undefined) return generations.slice(0, MAX_WALKED_CHANNELS);
  return generations.length > MAX_WALKED_CHANNELS ? undefined : generations;
}

/** Adds what is not known yet. */
export async function learn(
  store: Pick<LookStore, 'channels'>,
  org: OrgId,
  known: Map<Generation, ListedChannel>,
  generations: readonly Generation[],
): Promise<void> {
  const unknown = [...new Set(generations)].filter((generation) => !known.has(generation));
  for (const channel of await store.channels(org, unknown)) known.set(channel.generation, channel);
}

const viewOf = (listed: ListedNotification, channel: ListedChannel, now: number): NotificationView => ({
  listed,
  channel,
  shown: shownState(listed, channel, now),
  identity: identityOf(channel, listed.number),
});

const keyOf = ({ generation, number }: Pick<Candidate, 'generation' | 'number'>): string => `${generation} ${number}`;

const noChannel = (): AppError => new AppError('NOT_FOUND', 'There is no such channel', { api_name: 'channel' });
const noNotification = (): AppError =>
  new AppError('NOT_FOUND', 'There is no such notification', { api_name: 'notification' });
export const notOfThisList = (): AppError =>
  new AppError('INVALID_DATA', 'cursor is none of this list', { api_name: 'cursor' });
