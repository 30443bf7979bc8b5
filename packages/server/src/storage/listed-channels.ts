import { CANCELLED_WHYS, ENDED_REASONS, type Restart, SUSPENDED_WHYS } from '../domain/channel.ts';
import type { ChannelId, Generation, UserId } from '../domain/ids.ts';
import type { ListedChannel } from '../domain/notification-query.ts';
import { type Row, sql } from './db.ts';
import { integer, integerOrNone, objectList, oneOf, text } from './rows.ts';

/** Of `c`: what lists need to know of a channel; nothing that is sealed. */
export const CHANNEL_COLUMNS = sql`c.generation, c.user_id, c.channel_id, c.expires_at, c.lapsed_from, c.suspended_at,
  c.suspended_why, c.cancelled_to, c.cancelled_why, c.ended_at, c.ended_reason, c.restarts, c.last_number`;

export function readListedChannel(row: Row): ListedChannel {
  const lapsedFrom = integerOrNone(row, 'lapsed_from');
  const suspendedAt = integerOrNone(row, 'suspended_at');
  const cancelledTo = integerOrNone(row, 'cancelled_to');
  const endedAt = integerOrNone(row, 'ended_at');
  return {
    generation: text<Generation>(row, 'generation'),
    userId: text<UserId>(row, 'user_id'),
    channelId: text<ChannelId>(row, 'channel_id'),
    expiresAt: integer(row, 'expires_at'),
    lastNumber: integer(row, 'last_number'),
    restarts: objectList<Restart>(row, 'restarts', ['from', 'generation']),
    ...(lapsedFrom !== undefined && { lapsedFrom }),
    ...(suspendedAt !== undefined && {
      suspension: { at: suspendedAt, why: oneOf(row, 'suspended_why', SUSPENDED_WHYS) },
    }),
    ...(cancelledTo !== undefined && { cancelledTo, cancelledWhy: oneOf(row, 'cancelled_why', CANCELLED_WHYS) }),
    ...(endedAt !== undefined && { endedAt, endedReason: oneOf(row, 'ended_reason', ENDED_REASONS) }),
  };
}
