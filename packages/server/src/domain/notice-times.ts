import type { Channel } from './channel.ts';

/** Before its expiry, ms: the last time that an owner is told of it. */
const LAST_CALL_MS = 300_000;
/** What is left of a channel's life when its owner is told of the expiry for the first time. */
const FIRST_CALL = 1 / 4;

type Lasting = Pick<Channel, 'modifiedAt' | 'expiresAt'>;

/**
 * When a channel is next looked at for its owner to be told of its expiry: when a quarter of its life is left, counted
 * from when its expiry was set (`modifiedAt`), five minutes before it, and at it. The first of these after `now`.
 */
export const firstLook = ({ modifiedAt, expiresAt }: Lasting, now: number): number =>
  nextOf([expiresAt - (expiresAt - modifiedAt) * FIRST_CALL, expiresAt - LAST_CALL_MS], expiresAt, now);

/** After the one at `noticeAt`. The expiry may have been set before `modifiedAt`: no quarter is told of twice. */
export function nextLook({ modifiedAt, expiresAt }: Lasting, noticeAt: number, now: number): number {
  const wasLastCall = expiresAt - noticeAt <= LAST_CALL_MS;
  const quarter = expiresAt - (expiresAt - modifiedAt) * FIRST_CALL;
  // Of a life of less than twenty minutes the quarter comes last.
  const isToCome = expiresAt - noticeAt === LAST_CALL_MS && expiresAt - quarter < LAST_CALL_MS;
  return nextOf([...(wasLastCall ? [] : [expiresAt - LAST_CALL_MS]), ...(isToCome ? [quarter] : [])], expiresAt, now);
}

const nextOf = (times: readonly number[], expiresAt: number, now: number): number =>
  Math.min(expiresAt, ...times.map(Math.ceil).filter((time) => time > now));
