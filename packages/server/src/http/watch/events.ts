import type { EventSelector } from '../../domain/event-type.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { findModule, mayUse } from '../../domain/modules/catalog.ts';
import type { Principal } from '../../domain/org.ts';
import { invalid, missing, tooLong, tooShort, wrongType } from './faults.ts';
import type { Presence } from './keys.ts';

const MAX_EVENTS = 100;

/** A subscription's words for what a notification calls insert, update and delete. */
const OPERATION_OF: ReadonlyMap<string, EventSelector['operation']> = new Map([
  ['create', 'insert'],
  ['edit', 'update'],
  ['delete', 'delete'],
  ['all', 'all'],
]);

const WORD_OF: Readonly<Record<EventSelector['operation'], string>> = {
  insert: 'create',
  update: 'edit',
  delete: 'delete',
  all: 'all',
};

export const eventName = ({ module, operation }: EventSelector): string => `${module}.${WORD_OF[operation]}`;

export function readEvents(
  entry: JsonObject,
  path: string,
  presence: 'mandatory',
  principal: Principal,
): readonly EventSelector[];
export function readEvents(
  entry: JsonObject,
  path: string,
  presence: Presence,
  principal: Principal,
): readonly EventSelector[] | undefined;
/** A list of `{module}.{operation}`. One that is not known, or not allowed, spoils the list (reference §4.9). */
export function readEvents(
  entry: JsonObject,
  path: string,
  presence: Presence,
  principal: Principal,
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
    const event = readEvent(item, principal);
    if (!event) throw invalid('events', at);
    return event;
  });
}

function readEvent(item: Json, { profile, catalog }: Principal): EventSelector | undefined {
  if (typeof item !== 'string') return undefined;
  const dot = item.lastIndexOf('.');
  const module = item.slice(0, Math.max(dot, 0));
  const operation = OPERATION_OF.get(item.slice(dot + 1));
  return operation && findModule(catalog, module) && mayUse(profile, module) ? { module, operation } : undefined;
}
