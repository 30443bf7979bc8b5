import type { Notification } from '../notification.ts';
import type { Identity } from '../restart.ts';

/** Of every attempt at a notification the same: what it is, whose, and by whom it is sent. */
export function identityHeaders(
  { id, job }: Pick<Notification, 'id' | 'job'>,
  { generation, number }: Identity,
  userAgent: string,
): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/json;charset=utf-8',
    'user-agent': userAgent,
    'webhook-id': id,
    'watchbell-generation': generation,
    'watchbell-sequence': String(number),
  };
  if (job !== undefined) headers['watchbell-rematch'] = job;
  return headers;
}
