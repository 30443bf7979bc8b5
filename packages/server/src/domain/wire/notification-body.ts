import type { ChannelId } from '../ids.ts';
import type { Notification } from '../notification.ts';
import { VERSION_RULES } from './api-version.ts';
import type { Compat } from './compat.ts';

/** What the channel says at the time of the attempt. */
export interface NotificationTarget {
  readonly channelId: ChannelId;
  readonly token: string | null;
  readonly notifyUrl: string;
}

export interface NotificationWire {
  /** Origin that resource URIs start with, without a slash at the end. */
  readonly base: string;
  readonly compat: Compat;
}

/** The exact text that is POSTed, in the key order of the published samples (reference §5.2). */
export function notificationBody(
  notification: Notification,
  target: NotificationTarget,
  { base, compat }: NotificationWire,
): string {
  const { change, module, operation, ids, version } = notification;
  const rules = VERSION_RULES[version];
  // A related record was only pointed at: it is not among those that changed, and has no fields and no values. That of
  // another module may have the id of a changed one, where ids come from elsewhere.
  const changed = new Map(module === change.module ? change.records.map((record) => [record.id, record]) : []);
  const uriVersion = compat.callbackUriVersion === 'own' ? version : 'v2';
  const reported = operation === 'insert' ? [] : ids;
  // Keys that are undefined are left out of the text.
  return JSON.stringify({
    server_time: rules.reportsFields ? change.at : undefined,
    affected_values:
      rules.hasValues && notification.withValues
        ? ids.map((id) => ({ record_id: id, values: changed.get(id)?.values ?? {} }))
        : undefined,
    query_params: queryParams(target.notifyUrl, compat),
    module,
    resource_uri: `${base}/crm/${uriVersion}/${module}`,
    ids,
    affected_fields: rules.reportsFields ? reported.map((id) => ({ [id]: changed.get(id)?.fields ?? [] })) : undefined,
    operation,
    channel_id: target.channelId,
    token: target.token,
  });
}

/**
 * The query of a notify URL as receivers get it back: cut at the first `?`, split at `&`, percent escapes decoded, `+`
 * left alone, of a repeated key the last. As documented the first key keeps its `?` (reference §5.3).
 */
export function queryParams(notifyUrl: string, compat: Pick<Compat, 'queryParams'>): Readonly<Record<string, string>> {
  const withoutFragment = notifyUrl.split('#', 1)[0] ?? '';
  const start = withoutFragment.indexOf('?');
  if (start < 0) return {};
  const pairs = withoutFragment
    .slice(start + 1)
    .split('&')
    .filter((pair) => pair !== '')
    .map(readPair);
  const [first, ...rest] = pairs;
  if (!first || compat.queryParams === 'clean') return Object.fromEntries(pairs);
  return Object.fromEntries([[`?${first[0]}`, first[1]], ...rest]);
}

function readPair(pair: string): readonly [key: string, value: string] {
  const split = pair.indexOf('=');
  return split < 0 ? [decode(pair), ''] : [decode(pair.slice(0, split)), decode(pair.slice(split + 1))];
}

/** Text whose escapes are not UTF-8 is given back as it stands. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The URL that is requested: literal spaces and the like percent-encoded, no fragment. Throws if it is no URL. */
export function requestUrl(notifyUrl: string): string {
  const url = new URL(notifyUrl);
  url.hash = '';
  return url.href;
}
