import type { NotificationId } from '../ids.ts';
import type { Identity } from '../restart.ts';

/** Of every attempt at a notification the same: what it is, whose, and by whom it is sent. */
export const identityHeaders = (
  id: NotificationId,
  { generation, number }: Identity,
  userAgent: string,
): Readonly<Record<string, string>> => ({
  'content-type': 'application/json;charset=utf-8',
  'user-agent': userAgent,
  'webhook-id': id,
  'watchbell-generation': generation,
  'watchbell-sequence': String(number),
});
