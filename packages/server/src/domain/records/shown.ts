import type { RecordId, UserId } from '../ids.ts';
import type { Json, JsonObject } from '../json.ts';
import type { Field } from '../module.ts';
import { fullName, type User } from '../org.ts';
import type { RecordRef } from '../record.ts';
import { formatTime, parseTime } from '../time.ts';
import { lookupTarget, userTarget } from './lookup.ts';
import { participantOf, storedRows } from './subform.ts';
import { TAG_FIELD, tagRefs } from './tags.ts';

/** What ids are called, for showing values: from a batch or from what was read for an answer. */
export interface Names {
  /** Null when the record has no name, undefined when it is gone. */
  record(ref: RecordRef): string | null | undefined;
  user(id: UserId): User | undefined;
  readonly timeZone: string;
}

/** A stored value in the record API's shape; a lookup whose record is gone is shown as empty (`null`). */
export function shownValue(field: Field, value: Json | undefined, names: Names): Json {
  if (value === undefined || value === null) return null;
  const target = lookupTarget(field, value);
  if (target) return shownLookup(target.id, names.record(target));
  const userId = userTarget(field, value);
  if (userId) return shownUser(userId, names.user(userId));
  if (field.apiName === TAG_FIELD) return shownTags(value, names);
  if (field.type === 'subform') return storedRows(value).map((row) => shownRow(field.rows ?? [], row, names));
  if (field.type === 'datetime' && typeof value === 'string') {
    const time = parseTime(value);
    return time === undefined ? null : formatTime(time, names.timeZone);
  }
  return value;
}

const shownLookup = (id: RecordId, name: string | null | undefined): Json => (name === undefined ? null : { name, id });

export const shownUser = (id: UserId, user: User | undefined): JsonObject =>
  user ? { name: fullName(user), id, email: user.email } : { name: null, id };

const shownTags = (value: Json, names: Names): Json =>
  tagRefs(value).flatMap((ref) => {
    const name = names.record(ref);
    return name === undefined ? [] : [{ name, id: ref.id }];
  });

function shownRow(cells: readonly Field[], row: JsonObject, names: Names): JsonObject {
  const shown = cells.map((cell) => [cell.apiName, shownValue(cell, row[cell.apiName], names)] as const);
  return { ...Object.fromEntries(shown), ...shownParticipant(row, names), id: row.id ?? null };
}

/** Who somebody invited to an event is. Nobody answers invitations here. */
function shownParticipant(row: JsonObject, names: Names): JsonObject {
  if (row.participant === undefined) return {};
  const { record, user: userId } = participantOf(row) ?? {};
  const user = userId && names.user(userId);
  const email = user ? user.email : row.type === 'email' ? row.participant : null;
  const name = user ? fullName(user) : ((record && names.record(record)) ?? null);
  return { name, Email: email, invited: false, status: 'not_known' };
}
