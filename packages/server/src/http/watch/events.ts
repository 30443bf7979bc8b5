import type { EventSelector } from '../../domain/event-type.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { findFormer, findModule, mayUse } from '../../domain/modules/catalog.ts';
import type { Principal } from '../../domain/org.ts';
import { invalid, missing, tooLong, tooShort, wrongType } from './faults.ts';
import type { Presence } from './keys.ts';

const MAX_EVENTS = 100;

/** What `eventName` writes, read. */
const OPERATION_OF: ReadonlyMap<string, EventSelector['operation']> = new Map([
  ['create', 'insert'],
  ['edit', 'update'],
  ['delete', 'delete'],
  ['all', 'all'],
]);

/** Event types to be watched: of modules that the caller may use. */
export const readEvents = (
  entry: JsonObject,
  path: string,
  presence: Presence,
  { profile, catalog }: Principal,
): readonly EventSelector[] | undefined =>
  readList(entry, path, presence, (name) => findModule(catalog, name) !== undefined && mayUse(profile, name));

/** Event types to be taken away: a module that was removed, or is denied by now, may still be watched. */
export function readEventsToRemove(entry: JsonObject, path: string, { catalog }: Principal): readonly EventSelector[] {
  const events = readList(entry, path, 'mandatory', (name) => findFormer(catalog, name) !== undefined);
  return events ?? [];
}

/** A list of `{module}.{operation}`. One that is not known spoils the list (reference §4.9). */
function readList(
  entry: JsonObject,
  path: string,
  presence: Presence,
  isKnown: (module: string) => boolean,
): readonly EventSelector[] | undefined {
  const at = `${path}.events`;
  const value = entry.events;
  if (value === undefined || value === null) {
    if (presence === 'optional') return undefined;
    throw missing('events', at);
  }
  if (!Array.isArray(value)) throw wrongType('jsonarray', 'events', at);
  if (value.length === 0) throw tooShort('events', at);
  if (value.length > MAX_EVENTS) throw tooLong(MAX_EVENTS, 'events', at);
  return value.map((item: Json) => {
    const event = readEvent(item, isKnown);
    if (!event) throw invalid('events', at);
    return event;
  });
}

function readEvent(item: Json, isKnown: (module: string) => boolean): EventSelector | undefined {
  if (typeof item !== 'string') return undefined;
  const dot = item.lastIndexOf('.');
  const module = item.slice(0, Math.max(dot, 0));
  const operation = OPERATION_OF.get(item.slice(dot + 1));
  return operation && isKnown(module) ? { module, operation } : undefined;
}
