import type { ChangedRecord } from '../change.ts';
import { textsOf } from '../change-text.ts';
import type { ChannelId, RecordId } from '../ids.ts';
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

/**
 * The exact text that is POSTed, in the key order of the published samples (reference §5.2): what the change says, with
 * what the channel says in between.
 */
export function notificationBody(
  notification: Notification,
  target: NotificationTarget,
  wire: NotificationWire,
): string {
  const { head, tail } = changeText(notification, wire);
  const { query, end } = targetText(target, wire.compat);
  return head + query + tail + end;
}

interface TargetText {
  readonly queryParams: Compat['queryParams'];
  readonly query: string;
  readonly end: string;
}

/** Written once for each state of a channel. */
const targetTexts = new WeakMap<NotificationTarget, TargetText>();

function targetText(target: NotificationTarget, { queryParams: form }: Compat): TargetText {
  const known = targetTexts.get(target);
  if (known?.queryParams === form) return known;
  const params = JSON.stringify(queryParams(target.notifyUrl, { queryParams: form }));
  const text = {
    queryParams: form,
    query: `"query_params":${params},`,
    end: `"channel_id":${JSON.stringify(target.channelId)},"token":${JSON.stringify(target.token)}}`,
  };
  targetTexts.set(target, text);
  return text;
}

interface ChangeText {
  readonly notification: Notification;
  readonly wire: NotificationWire;
  readonly head: string;
  readonly tail: string;
}

/** Those written last, the newest first: channels that are told of the same change are sent to one after the other. */
const changeTexts: ChangeText[] = [];
const KEPT_TEXTS = 4;

function changeText(notification: Notification, wire: NotificationWire): ChangeText {
  const known = changeTexts.find((text) => isSameText(text, notification, wire));
  if (known) return known;
  const text = writeChange(notification, wire);
  if (changeTexts.unshift(text) > KEPT_TEXTS) changeTexts.pop();
  return text;
}

function isSameText({ notification: known, wire }: ChangeText, one: Notification, { base, compat }: NotificationWire) {
  return (
    known.change === one.change &&
    known.module === one.module &&
    known.operation === one.operation &&
    known.version === one.version &&
    known.withValues === one.withValues &&
    (known.ids === one.ids || (known.ids.length === one.ids.length && known.ids.every((id, i) => id === one.ids[i]))) &&
    wire.base === base &&
    wire.compat.callbackUriVersion === compat.callbackUriVersion
  );
}

function writeChange(notification: Notification, wire: NotificationWire): ChangeText {
  const { change, module, operation, ids, version, withValues } = notification;
  const rules = VERSION_RULES[version];
  const changed = changedAmong(notification);
  const texts = ids.map((id) => {
    const record = changed(id);
    return record ? textsOf(record) : { id: JSON.stringify(id), fields: '[]', values: '{}' };
  });
  let head = '{';
  if (rules.reportsFields) head += `"server_time":${change.at},`;
  if (rules.hasValues && withValues) {
    head += `"affected_values":[${texts.map(({ id, values }) => `{"record_id":${id},"values":${values}}`).join()}],`;
  }
  let fields = '';
  if (rules.reportsFields) {
    const reported = operation === 'insert' ? [] : texts;
    fields = `"affected_fields":[${reported.map((text) => `{${text.id}:${text.fields}}`).join()}],`;
  }
  const place = placeText(module, wire.compat.callbackUriVersion === 'own' ? version : 'v2', wire.base);
  return {
    notification,
    wire,
    head,
    tail: `${place}"ids":[${texts.map(({ id }) => id).join()}],${fields}"operation":"${operation}",`,
  };
}

let lastPlace = { module: '', version: '', base: '', text: '' };

/** The last one is kept: changes of one module follow each other. */
function placeText(module: string, version: string, base: string): string {
  if (lastPlace.module !== module || lastPlace.version !== version || lastPlace.base !== base) {
    const uri = `${base}/crm/${version}/${module}`;
    const text = `"module":${JSON.stringify(module)},"resource_uri":${JSON.stringify(uri)},`;
    lastPlace = { module, version, base, text };
  }
  return lastPlace.text;
}

/**
 * A related record was only pointed at: it is not among those that changed, and has no fields and no values. That of
 * another module may have the id of a changed one, where ids come from elsewhere.
 */
function changedAmong({ change, module }: Notification): (id: RecordId) => ChangedRecord | undefined {
  if (module !== change.module) return () => undefined;
  const [only, second] = change.records;
  if (!second) return (id) => (only?.id === id ? only : undefined);
  const changed = new Map(change.records.map((record) => [record.id, record]));
  return (id) => changed.get(id);
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
