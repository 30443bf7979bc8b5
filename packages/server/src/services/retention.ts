import { ANSWER_LIFE_MS } from '../domain/idempotency.ts';
import type { OrgId } from '../domain/ids.ts';
import { cancellationOf, isBeyondRetention, removalOf } from '../domain/retention.ts';
import { endChannel, loadedChannel } from '../domain/working-channels.ts';
import type { HousekeepingStore, KeptChannel } from '../storage/store.ts';
import type { Pace } from './pace.ts';
import type { Writer } from './writer.ts';

/** What housekeeping did to an organisation, in rows. */
export interface Tally {
  add(table: Table, rows: number): void;
}

/** `ended` and `cancelled` are channels and notifications that stay for now; of all others rows were removed. */
export const TABLES = [
  'ended',
  'cancelled',
  'notification',
  'attempt',
  'record_change',
  'channel_revision',
  'lapse',
  'channel',
  'idempotency',
  'record_key',
  'job',
  'notice',
] as const;
export type Table = (typeof TABLES)[number];

/** Channels looked at by one read. */
const CHANNELS = 500;
/** Channels that one command ends. */
const ENDED_AT_ONCE = 100;

interface RetentionParts {
  readonly store: HousekeepingStore;
  readonly writer: Writer;
  readonly retentionMs: number;
  readonly pace: Pace;
}

/**
 * What retention asks of one organisation: ends channels that expired long ago, writes down what is cancelled, and removes
 * what was finished before `now - retentionMs`. What is pending stays, and a change outlives its last notification.
 * Answers when the oldest change that is kept was made; undefined when there is none, or it was stopped on the way.
 */
export function createRetention({ store, writer, retentionMs, pace }: RetentionParts) {
  async function endOverdue(org: OrgId, channels: readonly KeptChannel[], now: number): Promise<number> {
    const overdue = channels.filter((channel) => isOverdue(channel, now));
    let ended = 0;
    for (let from = 0; from < overdue.length; from += ENDED_AT_ONCE) {
      const some = overdue.slice(from, from + ENDED_AT_ONCE);
      ended += await writer.submit(org, {
        needs: { channels: some },
        weight: some.length,
        decide(set) {
          // Its owner may have taken it up again meanwhile.
          const found = some
            .flatMap(({ userId, channelId }) => loadedChannel(set, userId, channelId) ?? [])
            .filter((channel) => isBeyondRetention(channel, set.now, retentionMs));
          for (const channel of found) endChannel(set, channel, 'retention');
          return found.length;
        },
      });
    }
    return ended;
  }

  const isOverdue = (channel: KeptChannel, now: number): boolean =>
    channel.endedAt === undefined && isBeyondRetention(channel, now, retentionMs);

  /** Repeats a step until it finds nothing more. */
  async function exhaust(tally: Tally, table: Table, step: (limit: number) => Promise<number>): Promise<void> {
    while (!pace.isStopped()) {
      const rows = await pace.timed(() => step(pace.size()));
      if (rows === 0) return;
      tally.add(table, rows);
    }
  }

  /** Repeats a step from where the one before it ended, until it has gone through all. */
  async function walk<Place>(
    tally: Tally,
    table: Table,
    start: Place,
    step: (after: Place, limit: number) => Promise<{ readonly removed: number; readonly last?: Place }>,
  ): Promise<void> {
    for (let after: Place | undefined = start; after !== undefined && !pace.isStopped(); ) {
      const from: Place = after;
      const { removed, last } = await pace.timed(() => step(from, pace.size()));
      tally.add(table, removed);
      after = last;
    }
  }

  /** Removes what is finished of one channel; answers the oldest change that something kept is about, if it is old. */
  async function prune(
    org: OrgId,
    { generation, firstNumber }: KeptChannel,
    throughChange: number,
    now: number,
    tally: Tally,
  ): Promise<number | undefined> {
    let oldest: number | undefined;
    for (let from = firstNumber; from !== undefined && !pace.isStopped(); ) {
      const limit = pace.size();
      const slice = await store.notifications(org, generation, from, throughChange, limit);
      const removal = removalOf(slice, now - retentionMs);
      const { oldestChange = oldest } = removal;
      oldest = oldest === undefined ? oldestChange : Math.min(oldest, oldestChange ?? oldest);
      if (removal.runs.length > 0) {
        await pace.timed(() => store.removeNotifications(org, generation, removal, now));
        tally.add('notification', removal.notifications);
        tally.add('attempt', removal.attempts);
      }
      const last = slice.at(-1);
      from = last && slice.length === limit ? last.number + 1 : undefined;
    }
    return oldest;
  }

  async function tidyChannel(org: OrgId, channel: KeptChannel, throughChange: number, now: number, tally: Tally) {
    const cancellation = cancellationOf(channel, now);
    const { firstPending } = channel;
    if (cancellation && firstPending !== undefined && firstPending <= (cancellation.to ?? firstPending)) {
      await exhaust(tally, 'cancelled', (limit) => store.cancel(org, channel.generation, cancellation, limit));
    }
    return prune(org, channel, throughChange, now, tally);
  }

  /** Of ended channels nothing else is left. */
  async function removeEnded(org: OrgId, channels: readonly KeptChannel[], now: number, tally: Tally): Promise<void> {
    const gone = channels.filter(
      ({ endedAt = now, firstNumber, hasRanges }) =>
        endedAt <= now - retentionMs && firstNumber === undefined && !hasRanges,
    );
    if (gone.length === 0) return;
    await pace.timed(() =>
      store.removeChannels(
        org,
        gone.map(({ generation }) => generation),
      ),
    );
    tally.add('channel', gone.length);
  }

  return async function retain(org: OrgId, now: number, tally: Tally): Promise<number | undefined> {
    const limit = now - retentionMs;
    const throughChange = await store.newestChange(org, limit);
    let floor = throughChange + 1;
    for (let after = ''; !pace.isStopped(); ) {
      let channels = await store.channels(org, after, CHANNELS);
      const last = channels.at(-1);
      if (!last) break;
      const ended = await endOverdue(org, channels, now);
      tally.add('ended', ended);
      if (ended > 0) channels = await store.channels(org, after, CHANNELS);
      for (const channel of channels) {
        if (pace.isStopped()) return undefined;
        if (channel.firstNumber === undefined) continue;
        floor = Math.min(floor, (await tidyChannel(org, channel, throughChange, now, tally)) ?? floor);
      }
      await removeEnded(org, channels, now, tally);
      after = last.generation;
    }
    const unseen = await store.openLapse(org);
    if (unseen !== undefined) floor = Math.min(floor, unseen + 1);
    floor = Math.min(floor, (await store.neededByRematch(org)) ?? floor);
    await exhaust(tally, 'record_change', (rows) => store.removeChanges(org, floor, rows));
    await exhaust(tally, 'lapse', (rows) => store.removeLapses(org, floor, rows));
    const oldest = await store.oldestChange(org);
    // A change that is kept can be explained only by the channels as they were then.
    const before = Math.min(limit, oldest?.at ?? limit);
    await walk(tally, 'channel_revision', 0, (after, rows) => store.removeRevisions(org, after, before, rows));
    await exhaust(tally, 'idempotency', (rows) => store.removeAnswers(org, now - ANSWER_LIFE_MS, rows));
    await exhaust(tally, 'record_key', (rows) => store.removeLookUps(org, rows));
    await exhaust(tally, 'job', (rows) => store.removeJobs(org, limit, rows));
    await walk(tally, 'job', '', (after, rows) => store.removeFinishedJobs(org, after, limit, rows));
    await walk(tally, 'notice', 0, (after, rows) => store.removeNotices(org, after, limit, rows));
    return oldest?.at;
  };
}
