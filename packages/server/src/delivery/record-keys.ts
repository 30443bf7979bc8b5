import type { RecordId } from '../domain/ids.ts';
import type { Notification } from '../domain/notification.ts';
import { type RecordRef, recordKey } from '../domain/record.ts';

/** Keys of the records that a notification is about: what order is kept by. */
export const recordsOf = ({ module, ids }: Notification): string[] => ids.map((id) => recordKey(module, id));

/** The record of a key. */
export function refOf(key: string): RecordRef {
  const slash = key.lastIndexOf('/');
  return { module: key.slice(0, slash), id: key.slice(slash + 1) as RecordId };
}
