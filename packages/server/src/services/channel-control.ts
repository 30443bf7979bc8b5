import { type Channel, type ChannelRevision, type ChannelState, channelState, type Lapse } from '../domain/channel.ts';
import type { ChannelHealth } from '../domain/channel-health.ts';
import { changeSettings, type SettingsChange } from '../domain/channel-settings.ts';
import type { Clock } from '../domain/clock.ts';
import { AppError } from '../domain/error.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import { requireStays } from '../domain/org.ts';
import {
  decideSuspension,
  findGeneration,
  type ResumeMode,
  resumeChannel,
  type SuspensionRequest,
  suspendChannel,
} from '../domain/suspension.ts';
import type { WorkingSet } from '../domain/working-set.ts';
import type { AdministrationStore, BacklogReads, ChannelEntry, ChannelFilter, Owed, Page } from '../storage/store.ts';
import type { Writer } from './writer.ts';

/** A channel as its operator sees it now. */
export interface ChannelView {
  readonly channel: Channel;
  readonly state: ChannelState;
  /** Until it expires, at the time of the answer; 0: it has, or it has ended. */
  readonly expiresInMs: number;
  /** Undefined: its last attempt succeeded, or there was none. */
  readonly health?: ChannelHealth;
  /** Counted up to 10,000 in a list, to 1,000,000 of one; one more stands for more. */
  readonly owed: Owed;
}

export interface ChannelDetails extends ChannelView {
  /** Newest first, at most `MAX_LAPSES`. */
  readonly lapses: readonly Lapse[];
}

export interface RevisionPage {
  /** Newest first. */
  readonly revisions: readonly ChannelRevision[];
  readonly hasMore: boolean;
}

/** Shows the channels of an organisation, stops them and lets them go on. Generations that are not there: NOT_FOUND. */
export interface ChannelControl {
  list(org: OrgId, filter: ChannelFilter, page: number, perPage: number): Promise<Page<ChannelView>>;
  /** Ended ones too. */
  find(org: OrgId, generation: Generation): Promise<ChannelDetails>;
  /** What was made of it, ended or not: what came before a version, or the newest. */
  revisions(org: OrgId, generation: Generation, before: number | undefined, limit: number): Promise<RevisionPage>;
  /** One that is suspended stays so as it is; one that has ended is NOT_FOUND. */
  suspend(org: OrgId, generation: Generation): Promise<ChannelDetails>;
  /** One that is not suspended stays as it is; one that has ended is NOT_FOUND. */
  resume(org: OrgId, generation: Generation, mode: ResumeMode): Promise<ChannelDetails>;
  /** Of one that has not ended; else NOT_FOUND. */
  changeSettings(org: OrgId, generation: Generation, change: SettingsChange): Promise<ChannelDetails>;
  /** What delivery asks for: whether the channel is suspended then. Rejects only while the store is in trouble. */
  ask(org: OrgId, request: SuspensionRequest): Promise<boolean>;
}

export interface ChannelControlOptions {
  readonly writer: Writer;
  readonly store: Pick<AdministrationStore, 'findChannel' | 'listChannels' | 'revisions' | 'newestLapses'>;
  readonly backlog: BacklogReads;
  readonly clock: Clock;
}

const COUNTED_IN_LIST = 10_001;
const COUNTED_OF_ONE = 1_000_001;
const MAX_LAPSES = 100;

export function createChannelControl({ writer, store, backlog, clock }: ChannelControlOptions): ChannelControl {
  async function view(org: OrgId, entries: readonly ChannelEntry[], most: number): Promise<ChannelView[]> {
    const asked = entries.map(({ channel }) => ({ org, generation: channel.generation }));
    const owed = await backlog.owed(asked, most);
    const now = clock.now();
    return entries.map((entry, i) => ({
      ...entry,
      state: channelState(entry.channel, now),
      expiresInMs: entry.channel.endedAt === undefined ? Math.max(0, entry.channel.expiresAt - now) : 0,
      owed: owed[i] ?? { count: 0 },
    }));
  }

  async function find(org: OrgId, generation: Generation): Promise<ChannelDetails> {
    const [found, lapses] = await Promise.all([
      store.findChannel(org, generation),
      store.newestLapses(org, generation, MAX_LAPSES),
    ]);
    const [shown] = found ? await view(org, [found], COUNTED_OF_ONE) : [];
    if (!shown) throw notFound();
    return { ...shown, lapses };
  }

  /** It need not be counted what it owes. */
  async function findChannel(org: OrgId, generation: Generation): Promise<Channel> {
    const found = await store.findChannel(org, generation);
    if (!found) throw notFound();
    return found.channel;
  }

  /** A change of the channel, in line with all others of its organisation. */
  async function change(
    org: OrgId,
    generation: Generation,
    act: (set: WorkingSet, channel: Channel) => void,
  ): Promise<ChannelDetails> {
    const known = await findChannel(org, generation);
    await writer.submit(org, {
      needs: { channels: [known] },
      weight: 1,
      isAdministration: true,
      decide(set) {
        requireStays(set.org);
        const channel = findGeneration(set, known);
        if (!channel) throw notFound();
        act(set, channel);
      },
    });
    return find(org, generation);
  }

  return {
    async list(org, filter, page, perPage) {
      const { items, hasMore } = await store.listChannels(org, filter, page, perPage);
      return { items: await view(org, items, COUNTED_IN_LIST), hasMore };
    },
    find,
    async revisions(org, generation, before, limit) {
      await findChannel(org, generation);
      const found = await store.revisions(org, generation, before, limit + 1);
      return { revisions: found.slice(0, limit), hasMore: found.length > limit };
    },
    suspend: (org, generation) => change(org, generation, (set, channel) => suspendChannel(set, channel, 'operator')),
    resume: (org, generation, mode) => change(org, generation, (set, channel) => resumeChannel(set, channel, mode)),
    changeSettings: (org, generation, asked) =>
      change(org, generation, (set, channel) => changeSettings(set, channel, asked)),
    async ask(org, request) {
      try {
        return await writer.submit(org, {
          needs: { channels: [request.channel] },
          weight: 1,
          isAdministration: true,
          decide: (set) => set.org.erasingAt === undefined && decideSuspension(set, request),
        });
      } catch (error) {
        if (!(error instanceof AppError) || error.code === 'SERVICE_UNAVAILABLE') throw error;
        // Its organisation is gone.
        return false;
      }
    },
  };
}

const notFound = (): AppError =>
  new AppError('NOT_FOUND', 'There is no such channel, or it has ended', { api_name: 'channel' });
