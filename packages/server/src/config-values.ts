import { isIP } from 'node:net';
import type { PortRange } from './domain/egress.ts';
import type { RateLimits } from './domain/rate-limit.ts';
import type { TrustedProxies } from './domain/trusted-proxies.ts';

// Readers of single settings. Each says what is wrong with its value and goes on with something of the type.

export const HOUR_MS = 3_600_000;

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

export const list = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

const WAIT_UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: HOUR_MS };

export function readWaits(entries: readonly string[], problem: (what: string) => void): number[] {
  if (entries.length < 1 || entries.length > 50) problem('must have 1 to 50 waits');
  return entries.map((entry) => {
    const [, count = '', unit = ''] = /^(\d{1,6})([smh])$/.exec(entry) ?? [];
    const wait = Number(count) * (WAIT_UNITS[unit] ?? Number.NaN);
    if (wait <= 24 * HOUR_MS) return wait;
    problem(`holds no wait of at most 24h, such as 30s, 5m or 2h: ${entry}`);
    return 0;
  });
}

export function readTrustProxy(entries: readonly string[], problem: (what: string) => void): TrustedProxies {
  const [only = ''] = entries;
  if (entries.length === 1 && /^\d+$/.test(only)) {
    const hops = Number(only);
    if (hops < 1 || hops > 10) problem('must be 1 to 10 proxies in a row, or addresses and CIDRs');
    return hops;
  }
  for (const entry of entries) if (!isRange(entry)) problem(`holds neither an address nor a CIDR: ${entry}`);
  return entries.length === 0 ? 0 : entries;
}

/** Of each, 0 is no limit. */
export function readRateLimits(given: {
  readonly perSecond: number;
  readonly concurrent: number;
  readonly wrongPerMinute: number;
}): RateLimits {
  const { perSecond, concurrent, wrongPerMinute } = given;
  return {
    ...(perSecond > 0 && { requests: { perSecond, burst: perSecond } }),
    ...(concurrent > 0 && { concurrent }),
    ...(wrongPerMinute > 0 && { wrongTokens: { perSecond: wrongPerMinute / 60, burst: wrongPerMinute } }),
  };
}

/** An IP address, or a CIDR. */
function isRange(entry: string): boolean {
  const [address = '', bits] = entry.split('/');
  const family = isIP(address);
  if (bits === undefined) return family !== 0;
  return family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

export function isEgressEntry(entry: string): boolean {
  if (isRange(entry)) return true;
  // No host name ends in a number.
  return /^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?$/i.test(entry) && !/(^|\.)\d+$/.test(entry);
}

export function readPorts(entries: readonly string[], problem: (what: string) => void): PortRange[] | undefined {
  const ranges = entries.map((entry) => {
    const [, from = '', to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(entry) ?? [];
    const range = { from: Number(from), to: Number(to) };
    if (range.from < 1 || range.to > 65_535 || range.from > range.to)
      problem(`holds no port or range of ports: ${entry}`);
    return range;
  });
  return ranges.length > 0 ? ranges : undefined;
}

export function readPublicUrl(text: string | undefined, problem: (what: string) => void): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    !url ||
    !['http:', 'https:'].includes(url.protocol) ||
    url.pathname !== '/' ||
    url.search ||
    url.hash ||
    url.username
  ) {
    problem('must be an http(s) URL without path, query or credentials');
    return undefined;
  }
  return url.origin;
}

export function readKey(text: string | undefined, problem: (what: string) => void): Uint8Array | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex');
  problem('must be 64 hexadecimal digits (32 bytes); make one with: openssl rand -hex 32');
  return undefined;
}

/** More than a few mean that one rotation began before the last was over. */
const MAX_FORMER_KEYS = 8;

export function readFormerKeys(
  entries: readonly string[],
  present: Uint8Array | undefined,
  problem: (what: string) => void,
): readonly Uint8Array[] {
  if (entries.length > MAX_FORMER_KEYS) problem(`holds more than ${MAX_FORMER_KEYS} keys`);
  const keys = entries.flatMap((entry) => readKey(entry, problem) ?? []);
  if (present && keys.some((key) => Buffer.compare(key, present) === 0)) problem('holds the present key, too');
  return keys;
}
