import { createHash, timingSafeEqual } from 'node:crypto';
import type { Notification } from '@watchbell/client';
import type { Received } from './receiver.ts';

/** A notification as it arrived, with what its headers say of it. */
export interface Arrival {
  readonly notification: Notification;
  /** As it came. */
  readonly text: string;
  /** The same on every attempt. */
  readonly id: string;
  /** Number within the channel's generation. */
  readonly sequence: number;
  readonly attempt: number;
}

/** Undefined when it is no notification at all. */
export function readArrival({ body, headers }: Received): Arrival | undefined {
  const text = body.toString('utf8');
  const id = headers['webhook-id'];
  const notification = parseNotification(text);
  if (!notification || typeof id !== 'string') return undefined;
  return {
    notification,
    text,
    id,
    sequence: Number(headers['watchbell-sequence']),
    attempt: Number(headers['watchbell-attempt']),
  };
}

function parseNotification(text: string): Notification | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isNotification =
      typeof value === 'object' &&
      value !== null &&
      'module' in value &&
      'operation' in value &&
      'ids' in value &&
      Array.isArray(value.ids);
    return isNotification ? (value as Notification) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it carries the channel's verification token. Takes the same time wherever they differ. */
export function isGenuine({ notification }: Arrival, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(notification.token ?? ''), digest(token));
}

/** One line for people: number, module, operation, ids and, per record, the fields that changed. */
export function arrivalLine({ notification, sequence, attempt }: Arrival): string {
  const { module, operation, ids, affected_fields = [] } = notification;
  const fields = new Map(affected_fields.flatMap((entry) => Object.entries(entry)));
  const records = ids.map((id) =>
    [id, ...(fields.get(id)?.length ? [`(${fields.get(id)?.join(', ')})`] : [])].join(' '),
  );
  return `#${sequence} ${module} ${operation} ${records.join(', ')}${attempt > 1 ? ` [attempt ${attempt}]` : ''}`;
}

/** Remembers the newest `limit` ids, to drop what comes twice. */
export function createSeen(limit: number): { has(id: string): boolean; add(id: string): void } {
  const ids = new Set<string>();
  return {
    has: (id) => ids.has(id),
    add(id) {
      ids.add(id);
      if (ids.size <= limit) return;
      const [oldest] = ids;
      if (oldest !== undefined) ids.delete(oldest);
    },
  };
}
