import { type Channel, type ChannelRevision, ENDED_REASONS } from '../domain/channel.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Revised } from './catching-up.ts';
import type { Lanes } from './lanes.ts';
import type { Ownership } from './ownership.ts';
import { readPatiently } from './patient-read.ts';
import type { Receiver, Receivers } from './receivers.ts';

type Kind = ChannelRevision['kind'];

/** After these something may be owed of a channel of which nothing is remembered. */
const BRING_BACK: readonly Kind[] = ['renewed', 'resumed', 'rematched'];

/** Has lanes follow what other nodes made of channels. */
export interface Revisions {
  /** Resolves when all of it is taken up. */
  take(org: OrgId, revised: Revised): Promise<void>;
  /** A commit of this node is newer than what is being read of the channel. */
  saved(generation: Generation): void;
}

export interface RevisionsOptions {
  readonly lanes: Lanes;
  readonly receivers: Pick<Receivers, 'find' | 'known'>;
  readonly ownership: Pick<Ownership, 'holdOf'>;
  readonly stop: AbortSignal;
  readonly logger: Logger;
}

export function createRevisions({ lanes, receivers, ownership, stop, logger }: RevisionsOptions): Revisions {
  /** Channels that are being read, and whether the answer will be too old. */
  const reads = new Map<Generation, { isOld: boolean }>();

  async function takeOne(org: OrgId, generation: Generation, kinds: readonly Kind[]): Promise<void> {
    if (!ownership.holdOf(generation)) return;
    const last = kinds.at(-1);
    if (ENDED_REASONS.some((reason) => reason === last)) {
      lanes.ended(generation);
      return;
    }
    if (!lanes.knows(generation) && !kinds.some((kind) => BRING_BACK.includes(kind))) return;
    const before = lanes.of(generation)?.channel() ?? receivers.known(generation)?.channel;
    const found = await read(org, generation);
    if (!found) return;
    if (!found.receiver) lanes.ended(generation);
    else if (found.receiver.channel.lapsedFrom !== undefined) lanes.lapsed(generation);
    else {
      const { channel } = found.receiver;
      lanes.channelSaved(org, channel, isForgiven(before, channel, kinds));
    }
  }

  /** What a commit of this node overtook is read again: it may have been newer than that, or older. */
  async function read(
    org: OrgId,
    generation: Generation,
  ): Promise<{ readonly receiver: Receiver | undefined } | undefined> {
    for (;;) {
      const mark = { isOld: false };
      reads.set(generation, mark);
      const answered = await readPatiently(
        () => receivers.find(org, generation),
        () => stop.aborted,
        stop,
        (error) => logger.error({ err: error, org, generation }, 'a channel cannot be read, trying again'),
      );
      if (reads.get(generation) === mark) reads.delete(generation);
      if (!answered) return undefined;
      if (!mark.isOld) return { receiver: answered.rows };
    }
  }

  return {
    async take(org, revised) {
      await Promise.all(Array.from(revised, ([generation, kinds]) => takeOne(org, generation, kinds)));
    },
    saved(generation) {
      const mark = reads.get(generation);
      if (mark) mark.isOld = true;
    },
  };
}

/** As the commit itself judges it (`working-channels.ts`). */
function isForgiven(before: Channel | undefined, now: Channel, kinds: readonly Kind[]): boolean {
  if (kinds.includes('resumed')) return true;
  if (!before) return false;
  return before.notifyUrl !== now.notifyUrl || (before.suspension !== undefined && now.suspension === undefined);
}
