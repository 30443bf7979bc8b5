import type { Channel } from '../domain/channel.ts';
import { requestUrl } from '../domain/wire/notification-body.ts';

/** Where all requests of a channel go. */
export interface Target {
  /** Undefined: its URL is none, or no HTTP. The edge refuses such, so an older version must have stored it. */
  readonly url?: Pick<URL, 'origin' | 'pathname' | 'search'>;
  /** What its flights are counted by; of a URL that is none, itself. */
  readonly origin: string;
  /** Origin and path: queries carry secrets (P9). */
  readonly shown: string;
  /** Of the log's lines about it what is always the same, as the inside of a JSON object. */
  readonly said: string;
}

/** Read once for each state of a channel. */
const targets = new WeakMap<Channel, Target>();

export function targetOf(channel: Channel): Target {
  const known = targets.get(channel);
  if (known) return known;
  const read = readUrl(channel.notifyUrl);
  const { channelId, generation } = channel;
  const said = JSON.stringify({ channel: channelId, generation, receiver: read.shown }).slice(1, -1);
  const target = { ...read, said };
  targets.set(channel, target);
  return target;
}

function readUrl(notifyUrl: string): Omit<Target, 'said'> {
  if (!URL.canParse(notifyUrl)) return { origin: notifyUrl, shown: 'unknown' };
  const { protocol, origin, pathname, search } = new URL(requestUrl(notifyUrl));
  if (protocol !== 'http:' && protocol !== 'https:') return { origin: notifyUrl, shown: 'unknown' };
  return { url: { origin, pathname, search }, origin, shown: origin + pathname };
}
