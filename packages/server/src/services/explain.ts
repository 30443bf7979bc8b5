import type { Change } from '../domain/change.ts';
import type { ChannelRevision } from '../domain/channel.ts';
import type { Clock } from '../domain/clock.ts';
import { AppError } from '../domain/error.ts';
import {
  type Concern,
  concernOf,
  explain,
  isTold,
  mightTell,
  modulesConcerned,
  passes,
  ruleOf,
  thenOf,
  type Verdict,
} from '../domain/explain.ts';
import { holdOf } from '../domain/hold.ts';
import type { ChannelId, Generation, OrgId, UserId } from '../domain/ids.ts';
import type { RecordRef } from '../domain/record.ts';
import type {
  AccountStore,
  ChannelNow,
  DeliveryStore,
  ExplainReads,
  HousekeepingStore,
  LoggedChange,
  PassedTraces,
  TracedChannel,
} from '../storage/store.ts';
import { askedOf, type Draft, type ExplainedNotification, notificationsOf, rematchedOf } from './explain-drafts.ts';

/** Where a page goes on: in this change after this generation, or after this user where a channel was asked for. */
export interface ExplainPlace {
  readonly change: number;
  readonly after: string;
}

export interface ExplainQuery {
  readonly record: RecordRef;
  readonly channel?: ChannelId;
  /** Only channels of this user. */
  readonly user?: UserId;
  /** The user is the caller: of others nothing is told, not even that they are. */
  readonly isOwn: boolean;
  /** Only this change. */
  readonly change?: number;
  /** Only changes committed from then on, and until then; epoch ms. */
  readonly from?: number;
  readonly to?: number;
  readonly limit: number;
  readonly place?: ExplainPlace;
}

/** One change and one channel. */
export interface Explanation {
  readonly change: Change;
  /** API names of the fields of the record itself that changed; undefined: only others changed that point at it. */
  readonly fields?: readonly string[];
  readonly channel: { readonly channelId: ChannelId; readonly generation?: Generation; readonly userId?: UserId };
  readonly isTold: boolean;
  readonly verdict: Verdict;
  readonly asItWas?: ChannelRevision;
  readonly notifications: readonly ExplainedNotification[];
}

export interface ExplainPage {
  readonly items: readonly Explanation[];
  readonly next?: ExplainPlace;
  /** The oldest change that is kept; undefined: none is. */
  readonly oldest?: { readonly number: number; readonly at: number };
}

/** Says of each change of a record and each channel why it was told, or was not (P11). */
export interface Explainer {
  /**
   * Newest change first, within a change by generation. A page has at most `limit` items and looks at a bounded number of
   * changes and channels. A channel that nobody has is `AppError` NOT_FOUND, unless the caller's own were asked for.
   */
  explain(org: OrgId, query: ExplainQuery): Promise<ExplainPage>;
}

export interface ExplainParts {
  readonly reads: ExplainReads;
  readonly changes: Pick<HousekeepingStore, 'newestChange' | 'oldestChange'>;
  readonly accounts: Pick<AccountStore, 'findOrg'>;
  readonly delivery: Pick<DeliveryStore, 'firstAbout'>;
  readonly clock: Clock;
}

/** Most that one page looks at. */
const CHANGES = 200;
const CHANNELS = 20_000;
/** Of changes: one that concerned every channel of a large organisation has some millions. */
const BYTES = 16 * 1024 * 1024;
/** Channels read by one statement, and changes whose numbers are. */
const SLICE = 1000;
const CHANGE_SLICE = 50;
/** Users whose channels of one id are told of. */
const HOLDERS = 20;
/** Of what stands before a notification only its number is of use. */
const FEW_BYTES = 1;
/** Reads of a page that look for what stands before its notifications; what is not found in them is not told. */
const TURNS = 400;

export function createExplainer({ reads, changes, accounts, delivery, clock }: ExplainParts): Explainer {
  async function bounds(org: OrgId, { change, from, to, place }: ExplainQuery) {
    const lowest = Math.max(change ?? 0, from === undefined ? 0 : (await changes.newestChange(org, from - 1)) + 1);
    const highest = Math.min(
      change ?? Number.MAX_SAFE_INTEGER - 1,
      to === undefined ? Number.MAX_SAFE_INTEGER - 1 : await changes.newestChange(org, to),
      place?.change ?? Number.MAX_SAFE_INTEGER - 1,
    );
    return { lowest, below: highest + 1 };
  }

  async function collect(
    org: OrgId,
    query: ExplainQuery,
    { lowest, below }: { readonly lowest: number; readonly below: number },
  ): Promise<{ drafts: Draft[]; next?: ExplainPlace }> {
    const drafts: Draft[] = [];
    let looked = 0;
    let channelsLooked = 0;
    let bytes = 0;
    for (let top = below; ; ) {
      const numbers = await reads.changesAbout(org, query.record, lowest, top, CHANGE_SLICE);
      for (const number of numbers) {
        const logged = await reads.change(org, number);
        let after: string | undefined = query.place?.change === number ? query.place.after : '';
        looked += 1;
        bytes += logged?.size ?? 0;
        while (logged && after !== undefined) {
          const concern = concernOf(logged.change, query.record);
          // Found by a number that two records may share.
          if (!concern.own && !concern.isPointedAt) break;
          const slice = await candidates(org, query, concern, after);
          channelsLooked += slice.looked;
          for (const { key, ...found } of slice.found) {
            drafts.push({ ...draftOf(concern, logged, found.found), concern });
            if (drafts.length === query.limit) return { drafts, next: { change: number, after: key } };
          }
          after = slice.last;
          if (after !== undefined && channelsLooked >= CHANNELS) return { drafts, next: { change: number, after } };
        }
        if (looked >= CHANGES || channelsLooked >= CHANNELS || bytes >= BYTES)
          return { drafts, next: { change: number - 1, after: '' } };
      }
      if (numbers.length < CHANGE_SLICE) return { drafts };
      top = numbers.at(-1) ?? 0;
    }
  }

  /** A slice of the channels that a change might have been told to; with a channel, all of that id. */
  async function candidates(org: OrgId, query: ExplainQuery, concern: Concern, after: string) {
    const { change } = concern;
    const { user, channel } = query;
    if (channel !== undefined) {
      const found = await reads.channelsNamed(org, channel, change, { ...(user && { user }), after }, SLICE);
      const last = found.length === SLICE ? found.at(-1)?.channel.userId : undefined;
      const isNobodys = found.length === 0 && after === '';
      return {
        looked: Math.max(found.length, 1),
        found: isNobodys
          ? [{ key: '~', found: undefined }]
          : found.map((one) => ({ key: one.channel.userId as string, found: one })),
        last,
      };
    }
    const at = { change, modules: modulesConcerned(concern), ...(user && { user }) };
    const { channels, last } = await reads.channelsAt(org, at, after, SLICE);
    return {
      looked: last === undefined ? channels.length : SLICE,
      found: channels
        .filter(({ traces: { revision } }) => revision && mightTell(concern, revision.channel))
        .map((one) => ({ key: one.channel.generation as string, found: one })),
      last,
    };
  }

  function draftOf(concern: Concern, { highestOf }: LoggedChange, found?: TracedChannel): Omit<Draft, 'concern'> {
    if (!found) return {};
    const then = thenOf(found.traces);
    const rule = then.kind === 'there' ? ruleOf(concern, then.revision.channel) : undefined;
    if (!rule || !passes(rule)) return { found, then };
    const highest = highestOf(found.channel.generation);
    return { found, then, rule, ...(highest !== undefined && { highest }) };
  }

  /** Of those that a change passes, what became of it. */
  async function traces(org: OrgId, drafts: readonly Draft[]): Promise<Map<Draft, PassedTraces>> {
    const passed = drafts.filter(({ rule }) => rule);
    const asked = passed.flatMap((draft) => askedOf(draft) ?? []);
    const found = await reads.passed(org, asked);
    return new Map(passed.flatMap((draft, i) => (found[i] ? [[draft, found[i]] as const] : [])));
  }

  async function shown(
    org: OrgId,
    { number, state, trace, ...rest }: ExplainedNotification,
    channel: ChannelNow,
    turns: { left: number },
  ): Promise<ExplainedNotification> {
    if (state !== 'pending' || rest.hold || !trace) return { number, state, ...(trace && { trace }), ...rest };
    let searches = trace.ids.map((id) => ({
      record: { module: trace.module, id },
      from: (channel.cancelledTo ?? 0) + 1,
      before: number,
    }));
    for (; searches.length > 0 && turns.left > 0; turns.left -= 1) {
      const looked = await delivery.firstAbout(org, channel.generation, searches, FEW_BYTES);
      const [first] = looked.flatMap(({ owed }) => owed?.number ?? []).sort((a, b) => a - b);
      if (first !== undefined) return { number, state, trace, hold: { kind: 'order', number: first } };
      searches = searches.flatMap((search, i) => {
        const { lookedTo = number } = looked[i] ?? {};
        return lookedTo < number ? [{ ...search, from: lookedTo }] : [];
      });
    }
    return { number, state, trace };
  }

  return {
    async explain(orgId, query) {
      const [org, oldest, range] = await Promise.all([
        accounts.findOrg(orgId),
        changes.oldestChange(orgId),
        bounds(orgId, query),
      ]);
      if (!org) throw new AppError('NOT_FOUND', 'There is no such org', { api_name: 'org' });
      const { drafts, next } = await collect(orgId, query, range);
      const passed = await traces(orgId, drafts);
      const holders =
        query.isOwn || query.channel === undefined || drafts.every(({ found }) => found)
          ? undefined
          : await reads.holders(orgId, query.channel, HOLDERS);
      if (holders?.length === 0)
        throw new AppError('NOT_FOUND', 'Nobody has or had a channel of this id', { api_name: 'channel' });
      const now = clock.now();
      const turns = { left: TURNS };
      const items: Explanation[] = [];
      for (const draft of drafts) {
        const { concern, found, then } = draft;
        const base = {
          change: concern.change,
          ...(concern.own && { fields: concern.own.fields }),
        };
        if (!found || !then) {
          const { channel, user } = query;
          if (channel === undefined) continue;
          items.push({
            ...base,
            channel: { channelId: channel, ...(user && { userId: user }) },
            isTold: false,
            verdict: { kind: 'other_user', ...(holders && { holders }) },
            notifications: [],
          });
          continue;
        }
        const { channel } = found;
        const trace = passed.get(draft);
        const verdict = explain(concern, then, {
          isSuspended: trace?.isSuspended ?? channel.suspension !== undefined,
          ...(trace?.lapse && { lapse: trace.lapse }),
          ...rematchedOf(draft, trace),
        });
        const notifications: ExplainedNotification[] = [];
        for (const one of trace ? notificationsOf(draft, trace) : []) {
          const held = one.trace ? { ...one, ...holdOf(one.trace, channel, org, now) } : one;
          notifications.push(await shown(orgId, held, channel, turns));
        }
        items.push({
          ...base,
          channel,
          isTold: isTold(verdict),
          verdict,
          ...(then.kind === 'there' && { asItWas: then.revision }),
          notifications,
        });
      }
      return { items, ...(next && { next }), ...(oldest && { oldest }) };
    },
  };
}
