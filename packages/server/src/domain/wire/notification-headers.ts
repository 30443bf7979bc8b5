import type { Notification } from '../notification.ts';
import type { Identity } from '../restart.ts';

/** Of every attempt at a notification the same: what it is, whose, and by whom it is sent. */
export const identityHeaders = (
  { id, job }: Pick<Notification, 'id' | 'job'>,
  { generation, number }: Identity,
  userAgent: string,
): Readonly<Record<string, string>> => ({
  'content-type': 'application/json;charset=utf-8',
  'user-agent': userAgent,
  'webhook-id': id,
  'watchbell-generation': generation,
  'watchbell-sequence': String(number),
  ...(job !== undefined && { 'watchbell-rematch': job }),
});
