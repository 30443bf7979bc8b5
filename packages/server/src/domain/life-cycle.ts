import type { Channel, ChannelRevision, MissedRange, RevisionDetails, SuspendedWhy } from './channel.ts';
import { noticeExpiry } from './working-channels.ts';
import type { WorkingSet } from './working-set.ts';

/** What happens to a channel that its owner is told of; each is a line of the log and counted, too. */
export const LIFE_EVENTS = ['expiring', 'expired', 'suspended', 'resumed', 'missed'] as const;

/** One thing to tell: of the revision's own kind, or of what is missed with it. */
export type LifeEvent =
  | { readonly kind: 'expiring' | 'expired' | 'resumed' }
  | { readonly kind: 'suspended'; readonly why?: SuspendedWhy }
  | { readonly kind: 'missed'; readonly range: MissedRange };
export type LifeEventKind = LifeEvent['kind'];

/** Kinds of revisions that something may be to tell of. */
export const TELLING: readonly ChannelRevision['kind'][] = [
  'expiring',
  'expired',
  'suspended',
  'resumed',
  'renewed',
  'flowing',
  'retention',
];

/** In the order in which they are told. Whether any of some numbers was owed, the store knows. */
export function lifeEventsOf({ kind, details }: Pick<ChannelRevision, 'kind' | 'details'>): LifeEvent[] {
  const missed = (details?.missed ?? []).filter((range) => !isEmpty(range));
  return [...ownEvent(kind, details), ...missed.map((range) => ({ kind: 'missed', range }) as const)];
}

function ownEvent(kind: ChannelRevision['kind'], details: RevisionDetails | undefined): LifeEvent[] {
  switch (kind) {
    case 'expiring':
    case 'expired':
    case 'resumed':
      return [{ kind }];
    case 'suspended':
      return [{ kind, ...(details?.why && { why: details.why }) }];
    default:
      return [];
  }
}

const isEmpty = (range: MissedRange): boolean =>
  range.kind === 'numbers' ? range.toNumber <= range.fromNumber : range.toChange <= range.fromChange;

/**
 * Tells of those whose time has come, as far as they live yet: a batch commits due expiries before anything else. How many
 * it told of.
 */
export function tellExpiring(set: WorkingSet, channels: readonly Pick<Channel, 'userId' | 'channelId'>[]): number {
  return channels.filter(({ userId, channelId }) => noticeExpiry(set, userId, channelId)).length;
}
