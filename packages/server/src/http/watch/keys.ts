import type { JudgeUrl } from '../../domain/egress.ts';
import { AppError } from '../../domain/error.ts';
import { type ChannelId, parseChannelId } from '../../domain/ids.ts';
import { isStorable, type JsonObject } from '../../domain/json.ts';
import { parseTime } from '../../domain/time.ts';
import { invalid, missing, tooLong, tooShort, wrongType } from './faults.ts';

/** Whether a key must be there; `null` counts as absent. */
export type Presence = 'mandatory' | 'optional';

const MAX_TOKEN_LENGTH = 50;
export const MAX_URL_LENGTH = 2048;

/** JSON text or number, of a signed 64-bit integer (reference §2.2). */
export function readChannelId({ channel_id: value }: JsonObject, path: string): ChannelId {
  const at = `${path}.channel_id`;
  if (value === undefined || value === null) throw missing('channel_id', at);
  const isNumber = typeof value === 'bigint' || Number.isSafeInteger(value);
  const id = isNumber || typeof value === 'string' ? parseChannelId(String(value)) : undefined;
  if (id === undefined) throw wrongType('long', 'channel_id', at);
  return id;
}

/** One of a comma-separated list. */
export function readListedId(text: string): ChannelId {
  const id = parseChannelId(text.trim());
  if (id !== undefined) return id;
  throw new AppError('INVALID_DATA', 'invalid data', { expected_data_type: 'long', api_name: 'channel_ids' });
}

export function readNotifyUrl(entry: JsonObject, path: string, presence: 'mandatory', judge: JudgeUrl): string;
export function readNotifyUrl(entry: JsonObject, path: string, presence: Presence, judge: JudgeUrl): string | undefined;
/**
 * Absolute, http or https; kept byte for byte, literal spaces included. One that `judge` refuses would never be connected to;
 * what its name resolves to is judged at each attempt.
 */
export function readNotifyUrl(
  entry: JsonObject,
  path: string,
  presence: Presence,
  judge: JudgeUrl,
): string | undefined {
  const at = `${path}.notify_url`;
  const value = entry.notify_url;
  if (value === undefined || value === null) {
    if (presence === 'optional') return undefined;
    throw missing('notify_url', at);
  }
  if (typeof value !== 'string') throw wrongType('string', 'notify_url', at);
  if (value.length > MAX_URL_LENGTH) throw tooLong(MAX_URL_LENGTH, 'notify_url', at);
  requireReceiver(value, 'notify_url', judge, at);
  return value;
}

/** INVALID_DATA for what cannot be posted to, or would never be. */
export function requireReceiver(text: string, key: string, judge: JudgeUrl, at = `$.${key}`): void {
  if (!isNotifyUrl(text)) throw invalid(key, at);
  const refused = judge(new URL(text));
  if (refused) throw invalid(key, at, { reason: refused.reason });
}

function isNotifyUrl(text: string): boolean {
  // URL parsing would drop control characters silently, and take `https:///a/b` for the path `/b` of a host `a`.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (!/^https?:\/\/[^/\\]/i.test(text) || /[\u0000-\u001f\u007f]/.test(text) || !isStorable(text)) return false;
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}

/** `null` is a token: none. */
export function readToken({ token: value }: JsonObject, path: string): string | null | undefined {
  const at = `${path}.token`;
  if (value === undefined || value === null) return value;
  if (typeof value !== 'string') throw wrongType('string', 'token', at);
  if (value === '') throw tooShort('token', at);
  if ([...value].length > MAX_TOKEN_LENGTH) throw tooLong(MAX_TOKEN_LENGTH, 'token', at);
  if (!isStorable(value)) throw invalid('token', at);
  return value;
}

/** Epoch ms; a fraction of a second is refused (reference §3.1). */
export function readExpiry({ channel_expiry: value }: JsonObject, path: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  const time = typeof value === 'string' ? parseTime(value) : undefined;
  if (time === undefined) throw wrongType('datetime', 'channel_expiry', `${path}.channel_expiry`);
  return time;
}

export function readFlag(entry: JsonObject, key: string, path: string): boolean | undefined {
  const value = entry[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw wrongType('boolean', key, `${path}.${key}`);
  return value;
}
