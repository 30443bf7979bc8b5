import type { ChannelRevision, Lapse, MissedRange } from '../channel.ts';
import type { OrgId } from '../ids.ts';
import type { LifeEvent } from '../life-cycle.ts';

/** What a notice is made of. */
export interface NoticeContent {
  readonly id: string;
  readonly org: OrgId;
  readonly revision: ChannelRevision;
  readonly event: LifeEvent;
  /** Of the changes that were missed; undefined: it is not kept any more. */
  readonly lapse?: Lapse;
  /** Of numbers that were missed, the first. */
  readonly firstNumber?: number;
}

/** The exact text that is POSTed. Ranges are inclusive at both ends; no secret is in it. */
export function noticeBody({ id, org, revision, event, ...missed }: NoticeContent): string {
  const { channelId, generation, userId, expiresAt } = revision.channel;
  return JSON.stringify({
    id,
    type: `channel.${event.kind}`,
    at: iso(revision.at),
    org,
    channel_id: channelId,
    generation,
    user: userId,
    expires_at: iso(expiresAt),
    ...(event.kind === 'suspended' && event.why && { reason: event.why }),
    ...(event.kind === 'missed' && { range: rangeOf(event.range, missed) }),
  });
}

function rangeOf(range: MissedRange, { lapse, firstNumber }: Pick<NoticeContent, 'lapse' | 'firstNumber'>) {
  if (range.kind === 'numbers') {
    const { fromNumber, toNumber, why } = range;
    return { kind: range.kind, from_number: firstNumber ?? fromNumber + 1, to_number: toNumber, reason: why };
  }
  return {
    kind: range.kind,
    from_change: range.fromChange + 1,
    to_change: range.toChange,
    from_time: lapse ? iso(lapse.at) : null,
    to_time: lapse?.endedAt === undefined ? null : iso(lapse.endedAt),
  };
}

const iso = (at: number): string => new Date(at).toISOString();
