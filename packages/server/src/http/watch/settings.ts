import type { FieldCondition } from '../../domain/condition.ts';
import type { JudgeUrl } from '../../domain/egress.ts';
import type { EventSelector } from '../../domain/event-type.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { Principal } from '../../domain/org.ts';
import type { ChannelSettings } from '../../domain/watch.ts';
import type { VersionRules } from '../../domain/wire/api-version.ts';
import { readConditions } from './condition.ts';
import { readEvents } from './events.ts';
import { ambiguous, dependent } from './faults.ts';
import { readFields } from './fields.ts';
import { type Presence, readExpiry, readFlag, readNotifyUrl, readToken } from './keys.ts';

/** What an entry is judged by. */
export interface ReadContext {
  readonly rules: VersionRules;
  readonly principal: Principal;
  readonly judgeReceiver: JudgeUrl;
}

/** The settings of a channel; keys that the version does not know, and unknown ones, are ignored. */
export function readSettings(
  entry: JsonObject,
  path: string,
  eventsPresence: Presence,
  context: ReadContext,
): ChannelSettings {
  const { rules, principal, judgeReceiver } = context;
  const notifyUrl = readNotifyUrl(entry, path, 'optional', judgeReceiver);
  const events = readEvents(entry, path, eventsPresence, principal);
  return {
    notifyUrl,
    events,
    token: readToken(entry, path),
    expiresAt: readExpiry(entry, path),
    notifyOnRelated: readFlag(entry, 'notify_on_related_action', path),
    withValues: rules.hasValues ? readFlag(entry, 'return_affected_field_values', path) : undefined,
    conditions: rules.hasConditions ? readRestrictions(entry, path, events, context) : undefined,
  };
}

/** `fields` and `notification_condition` say the same thing in two ways; `null` for the latter means none. */
function readRestrictions(
  entry: JsonObject,
  path: string,
  events: readonly EventSelector[] | undefined,
  context: ReadContext,
): readonly FieldCondition[] | undefined {
  const { fields, notification_condition: conditions } = entry;
  if (fields === undefined || fields === null) return readConditions(conditions, path, context.principal);
  if (conditions !== undefined && conditions !== null) throw ambiguous(path, ['fields', 'notification_condition']);
  if (!events) throw dependent(path, 'fields', 'events');
  return readFields(fields, path, events, context.principal.catalog);
}
