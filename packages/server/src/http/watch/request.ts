import type { JudgeUrl } from '../../domain/egress.ts';
import { AppError } from '../../domain/error.ts';
import type { ChannelId } from '../../domain/ids.ts';
import { isObject, type Json, type JsonObject } from '../../domain/json.ts';
import type { WatchRequest } from '../../domain/watch.ts';
import { VERSION_RULES } from '../../domain/wire/api-version.ts';
import type { Call } from '../call.ts';
import { readEventsToRemove } from './events.ts';
import { type Read, reading, tooShort, wrongType } from './faults.ts';
import { readChannelId, readListedId, readNotifyUrl } from './keys.ts';
import { type ReadContext, readSettings } from './settings.ts';

const MAX_CHANNELS_PER_CALL = 100;

type WatchMethod = 'POST' | 'PUT' | 'PATCH';

/** Reads `{"watch":[…]}`; each entry is judged alone, and its first fault in the documented order is the one told. */
export function readWatch(call: Call, method: WatchMethod, judgeReceiver: JudgeUrl): readonly Read<WatchRequest>[] {
  const context: ReadContext = { rules: VERSION_RULES[call.version], principal: call.principal, judgeReceiver };
  const seen = new Set<ChannelId>();
  return watchEntries(call.body()).map((value, i) =>
    reading(() => {
      const path = `$.watch[${i}]`;
      const entry = readEntryObject(value, path);
      const channelId = readChannelId(entry, path);
      if (seen.has(channelId)) throw duplicateChannel(path);
      seen.add(channelId);
      return readEntry(method, channelId, entry, path, context);
    }),
  );
}

/** Reads `channel_ids=a,b,c`. */
export function readDelete(call: Call): readonly Read<WatchRequest>[] {
  const text = call.query.get('channel_ids')?.trim();
  if (!text) {
    const keys = VERSION_RULES[call.version].missingParamKeys;
    const details = Object.fromEntries(keys.map((key) => [key, 'channel_ids']));
    throw new AppError('REQUIRED_PARAM_MISSING', 'One of the expected parameter is missing', details);
  }
  const ids = text.split(',', MAX_CHANNELS_PER_CALL + 1);
  if (ids.length > MAX_CHANNELS_PER_CALL) throw tooManyChannels({ param: 'channel_ids' });
  return ids.map((id) => reading(() => ({ kind: 'delete', channelId: readListedId(id) })));
}

/**
 * Whether a PATCH does nothing but take event types away: what the DELETE scope is enough for. A body that cannot be read
 * does not, so that scopes are judged before it, as they are for the other methods.
 */
export function onlyDeletesEvents(call: Call): boolean {
  const entries = reading(() => watchEntries(call.body()));
  return entries.kind === 'read' && entries.value.every((entry) => isObject(entry) && entry._delete_events === true);
}

function readEntry(
  method: WatchMethod,
  channelId: ChannelId,
  entry: JsonObject,
  path: string,
  context: ReadContext,
): WatchRequest {
  switch (method) {
    case 'POST': {
      const notifyUrl = readNotifyUrl(entry, path, 'mandatory', context.judgeReceiver);
      return { kind: 'open', channelId, settings: { ...readSettings(entry, path, 'mandatory', context), notifyUrl } };
    }
    case 'PUT':
      return { kind: 'replace', channelId, settings: readSettings(entry, path, 'mandatory', context) };
    case 'PATCH': {
      if (entry._delete_events === true) {
        return { kind: 'prune', channelId, events: readEventsToRemove(entry, path, context.principal) };
      }
      const settings = readSettings(entry, path, 'optional', context);
      checkDeleteEvents(entry, path);
      return { kind: 'merge', channelId, settings };
    }
  }
}

function watchEntries(body: JsonObject): readonly Json[] {
  const { watch } = body;
  if (watch === undefined || watch === null) {
    throw new AppError('MANDATORY_NOT_FOUND', 'required field not found', { api_name: 'watch', json_path: '$.watch' });
  }
  if (!Array.isArray(watch)) throw wrongType('jsonarray', 'watch', '$.watch');
  if (watch.length === 0) throw tooShort('watch', '$.watch');
  if (watch.length > MAX_CHANNELS_PER_CALL) throw tooManyChannels({ api_name: 'watch', json_path: '$.watch' });
  return watch;
}

/** No page shows this answer; the code is one of the API's (reference §4.10). */
const tooManyChannels = (where: JsonObject): AppError =>
  new AppError('LIMIT_EXCEEDED', 'maximum number of channels per call exceeded', {
    maximum_length: MAX_CHANNELS_PER_CALL,
    ...where,
  });

const duplicateChannel = (path: string): AppError =>
  new AppError('DUPLICATE_DATA', 'duplicate data', { api_name: 'channel_id', json_path: `${path}.channel_id` });

function readEntryObject(value: Json, path: string): JsonObject {
  if (!isObject(value)) throw wrongType('jsonobject', 'watch', path);
  return value;
}

/** The last of the documented keys. Without it, or with `false`, nothing is taken away (reference §2.2). */
function checkDeleteEvents({ _delete_events: value }: JsonObject, path: string): void {
  if (value === undefined || typeof value === 'boolean') return;
  // In the order of keys that is published for this one.
  throw new AppError('INVALID_DATA', 'invalid data', {
    api_name: '_delete_events',
    expected_data_type: 'boolean',
    json_path: `${path}._delete_events`,
  });
}
