import { modulesOf } from '../../domain/event-type.ts';
import type { ChannelId } from '../../domain/ids.ts';
import { findFormer, moduleId } from '../../domain/modules/catalog.ts';
import type { Principal } from '../../domain/org.ts';
import { formatTime } from '../../domain/time.ts';
import type { WatchRefusal, WatchRequest, WatchResult } from '../../domain/watch.ts';
import { type ApiVersion, VERSION_RULES } from '../../domain/wire/api-version.ts';
import type { Compat } from '../../domain/wire/compat.ts';
import type { Answer } from '../call.ts';
import { wireError } from '../errors.ts';
import { invalid, type Read, toRefusal } from './faults.ts';

export interface AnswerContext {
  readonly principal: Principal;
  /** Of the call: resource URIs name it. */
  readonly version: ApiVersion;
  readonly base: string;
  readonly compat: Compat;
}

interface Item {
  readonly code: string;
  readonly details: object;
  readonly message: string;
  readonly status: 'success' | 'error';
}

/** One item for each entry, in the order of the request; a deleted channel has one for each of its modules. */
export function watchAnswer(
  entries: readonly Read<WatchRequest>[],
  results: readonly WatchResult[],
  success: 200 | 201,
  context: AnswerContext,
): Answer {
  const decided = results.values();
  const items = entries.flatMap((entry, i): Item[] => {
    if (entry.kind === 'refused') return [wireError(entry.refusal)];
    const result = decided.next().value;
    if (!result) throw new Error('an entry of a watch call was not decided');
    return resultItems(entry.value, result, `$.watch[${i}]`, context);
  });
  return { status: statusOf(items, success, context), body: { watch: items } };
}

/** Reference §7.2, with the choice of `compat.failedStatus`. */
function statusOf(items: readonly Item[], success: 200 | 201, { version, compat }: AnswerContext): number {
  const failed = items.filter((item) => item.status === 'error').length;
  if (failed === 0) return success;
  const rules = VERSION_RULES[version];
  if (compat.failedStatus === 'observed' && rules.observedFailures) return 202;
  return failed === items.length ? 400 : rules.mixedStatus;
}

function resultItems(request: WatchRequest, result: WatchResult, path: string, context: AnswerContext): Item[] {
  switch (result.kind) {
    case 'saved': {
      const { channelId, expiresAt, events } = result.channel;
      const channel_expiry = formatTime(expiresAt, context.principal.org.timeZone);
      const rows = modulesOf(events).map((module) => ({ channel_expiry, ...eventRow(module, channelId, context) }));
      return [success({ events: rows }, request.kind === 'merge' ? UPDATED : SUBSCRIBED)];
    }
    case 'pruned': {
      const rows = result.modules.map((module) => eventRow(module, result.channelId, context));
      return [success({ events: rows }, REMOVED)];
    }
    case 'deleted':
      return result.modules.map((module) => {
        const { resource_uri, resource_id, channel_id } = eventRow(module, result.channelId, context);
        return success({ resource_uri, resource_id, channel_id }, UNSUBSCRIBED);
      });
    case 'refused':
      return [refusedItem(request, result.why, path)];
  }
}

// Which call says which: reference §4.1–4.5, DESIGN §7.6.
const SUBSCRIBED = 'Successfully subscribed for actions-watch of the given module';
const UPDATED = 'Successfully updated the subscribe details';
const REMOVED = 'Successfully removed the subscribe details';
const UNSUBSCRIBED = 'Successfully un-subscribed from actions-watch';

const success = (details: object, message: string): Item => ({ code: 'SUCCESS', details, message, status: 'success' });

function refusedItem(request: WatchRequest, why: WatchRefusal, path: string): Item {
  switch (why.kind) {
    case 'no-channel':
    case 'no-event': {
      const namesEvents = request.kind === 'prune' || request.kind === 'delete';
      const what = namesEvents ? 'module/channel' : 'channel';
      const message = `Not subscribed for actions-watch of the given ${what}`;
      return wireError({ code: 'NOT_SUBSCRIBED', message, details: {} });
    }
    case 'expiry-not-allowed':
      return wireError(toRefusal(invalid('channel_expiry', `${path}.channel_expiry`)));
    case 'too-many-channels':
      return wireError({ code: 'LIMIT_REACHED', message: 'limit reached', details: { limit: why.limit } });
  }
}

function eventRow(module: string, channelId: ChannelId, context: AnswerContext) {
  return { ...resourceOf(module, context), resource_name: module, channel_id: channelId };
}

/** Where a module's records are, and its id in the organisation (reference §3.9). */
export function resourceOf(name: string, { principal, version, base }: Omit<AnswerContext, 'compat'>) {
  const module = findFormer(principal.catalog, name);
  if (!module) throw new Error(`a channel watches the unknown module ${name}`);
  return { resource_uri: `${base}/crm/${version}/${name}`, resource_id: moduleId(principal.org.id, module) };
}
