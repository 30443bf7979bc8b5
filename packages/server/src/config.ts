import { isIP } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import { choosePolicy, type DeliveryPolicy } from './domain/delivery-policy.ts';
import type { PortRange } from './domain/egress.ts';
import { DEFAULT_OAUTH_POLICY, DEV_OAUTH_POLICY, type OAuthPolicy } from './domain/oauth/policy.ts';
import type { RateLimits } from './domain/rate-limit.ts';
import { isTimeZone } from './domain/time.ts';
import type { TrustedProxies } from './domain/trusted-proxies.ts';
import { type Compat, DEFAULT_COMPAT } from './domain/wire/compat.ts';
import { type Flags, LOG_LEVELS, SETTINGS, type Setting, type SettingName } from './settings.ts';

/** `dev`: loopback, fixed credentials, a sample organisation. `production`: nothing assumed. */
export type Profile = 'dev' | 'production';

export interface Config {
  readonly profile: Profile;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** What `api_domain` and `resource_uri` say; undefined: the address listened on. Without a trailing slash. */
  readonly publicUrl?: string;
  readonly trustProxy: TrustedProxies;
  readonly dataDir: string;
  /** 32 bytes. Undefined only in the dev profile, which keeps one in its data directory. */
  readonly secretKey?: Uint8Array;
  /** Keys before it, under which something may still be sealed. */
  readonly formerSecretKeys: readonly Uint8Array[];
  /** An operator's token beside the stored ones. */
  readonly adminToken?: string;
  /** File of modules and fields to add at the start, absolute. */
  readonly modulesFile?: string;
  readonly logLevel: LogLevel;
  readonly logDelivered: boolean;
  /** Of the sample organisation. */
  readonly timeZone: string;
  readonly maxBodyBytes: number;
  /** Commands that may wait in one organisation before writes are answered 503. */
  readonly maxQueuedWrites: number;
  readonly rateLimits: RateLimits;
  /** CIDRs and host names that receivers may have beside global addresses. */
  readonly egressAllow: readonly string[];
  /** Undefined: all that belong to no other protocol. */
  readonly egressPorts?: readonly PortRange[];
  /** How long a lapsed channel can be taken up again by a POST. */
  readonly retentionMs: number;
  /** Most notifications that a channel may owe. */
  readonly maxBacklog: number;
  readonly compat: Compat;
  readonly delivery: DeliveryPolicy;
  readonly oauth: OAuthPolicy;
  /** The store was put there from a copy since the last start. */
  readonly isRestored?: boolean;
}

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Every problem at once, each naming its setting. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

const HOUR_MS = 3_600_000;

/** Reads and checks all settings. Throws `ConfigError` with every problem. The only reader of the environment. */
export function loadConfig(profile: Profile, flags: Flags, env: NodeJS.ProcessEnv): Config {
  const problems: string[] = [];
  const text = (name: SettingName): string | undefined => {
    const setting: Setting = SETTINGS[name];
    const given = flags[name] ?? env[setting.env];
    if (given !== undefined && given !== '') return given;
    return (profile === 'dev' ? setting.devFallback : undefined) ?? setting.fallback;
  };
  const problem = (name: SettingName, what: string) => {
    problems.push(`${SETTINGS[name].env} (${SETTINGS[name].flag}) ${what}`);
  };
  const integer = (name: SettingName, least: number, most: number): number => {
    const value = Number(text(name));
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    problem(name, `must be a whole number from ${least} to ${most}`);
    return least;
  };
  function oneOf<const Value extends string>(name: SettingName, values: readonly Value[]): Value {
    const given = text(name);
    const value = values.find((candidate) => candidate === given);
    if (value !== undefined) return value;
    problem(name, `must be one of ${values.join(', ')}`);
    return values[0] as Value;
  }

  const host = text('host') ?? '';
  if (profile === 'dev' && !isLoopback(host)) {
    problem('host', 'must be a loopback address in the dev profile, whose credentials everybody knows');
  }
  const publicUrl = readPublicUrl(text('publicUrl'), (what) => problem('publicUrl', what));
  const secretKey = readKey(text('secretKey'), (what) => problem('secretKey', what));
  const formerSecretKeys = readFormerKeys(list(text('formerSecretKeys')), secretKey, (what) =>
    problem('formerSecretKeys', what),
  );
  if (profile === 'production') {
    if (text('publicUrl') === undefined) problem('publicUrl', 'is required, such as https://watchbell.example.com');
    if (text('secretKey') === undefined) problem('secretKey', 'is required; make one with: openssl rand -hex 32');
  }
  if (text('databaseUrl') !== undefined) {
    problem('databaseUrl', 'is set, but this version has the embedded store only; unset it');
  }
  const adminToken = text('adminToken');
  if (adminToken !== undefined && adminToken.length < 16) problem('adminToken', 'must have at least 16 characters');
  const egressAllow = list(text('egressAllow'));
  for (const entry of egressAllow) {
    if (!isEgressEntry(entry)) problem('egressAllow', `holds neither a CIDR nor a host name: ${entry}`);
  }
  const egressPorts = readPorts(list(text('egressPorts')), (what) => problem('egressPorts', what));
  const timeZone = text('timeZone') ?? 'UTC';
  if (!isTimeZone(timeZone)) problem('timeZone', `is not a time zone: ${timeZone}`);
  const dataDir = text('dataDir') ?? '';
  const modulesFile = text('modules');

  const config: Config = {
    profile,
    host,
    port: integer('port', 0, 65_535),
    ...(publicUrl !== undefined && { publicUrl }),
    trustProxy: readTrustProxy(list(text('trustProxy')), (what) => problem('trustProxy', what)),
    dataDir: isAbsolute(dataDir) ? dataDir : resolve(dataDir),
    ...(secretKey && { secretKey }),
    formerSecretKeys,
    ...(adminToken !== undefined && { adminToken }),
    ...(modulesFile !== undefined && { modulesFile: resolve(modulesFile) }),
    logLevel: oneOf('logLevel', LOG_LEVELS),
    logDelivered: oneOf('logDelivered', ['on', 'off']) === 'on',
    timeZone,
    maxBodyBytes: integer('maxBodyBytes', 1024, 16_777_216),
    maxQueuedWrites: integer('maxQueuedWrites', 1, 100_000),
    rateLimits: readRateLimits({
      perSecond: integer('rateLimit', 0, 1_000_000),
      concurrent: integer('maxConcurrentRequests', 0, 100_000),
      wrongPerMinute: integer('maxWrongTokens', 0, 100_000),
    }),
    egressAllow: [...egressAllow, ...(profile === 'dev' ? ['127.0.0.0/8', '::1/128'] : [])],
    ...(egressPorts && { egressPorts }),
    retentionMs: integer('retentionHours', 24, 2160) * HOUR_MS,
    maxBacklog: integer('maxBacklog', 10, 100_000_000),
    compat: {
      ...DEFAULT_COMPAT,
      failedStatus: oneOf('failedStatus', ['documented', 'observed']),
      strictExpiry: oneOf('strictExpiry', ['true', 'false']) === 'true',
      queryParams: oneOf('queryParams', ['documented', 'clean']),
      callbackUriVersion: oneOf('callbackUriVersion', ['v2', 'own']),
      afterExpiry: oneOf('afterExpiry', ['hold', 'drop']),
      patch: oneOf('patch', ['merge', 'observed']),
    },
    delivery: choosePolicy({
      retrySchedule: readWaits(list(text('retrySchedule')), (what) => problem('retrySchedule', what)),
      maxRetryAfter: integer('maxRetryAfter', 0, 86_400) * 1000,
      deadline: integer('attemptTimeout', 1, 60) * 1000,
      channelFlights: integer('channelFlights', 1, 256),
      originFlights: integer('originFlights', 1, 1024),
      nodeFlights: integer('nodeFlights', 8, 4096),
      circuits: oneOf('circuits', ['on', 'off']) === 'on',
      suspendAfter: integer('suspendAfterHours', 0, 720) * HOUR_MS,
    }),
    oauth: profile === 'dev' ? DEV_OAUTH_POLICY : DEFAULT_OAUTH_POLICY,
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

const list = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

const WAIT_UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: HOUR_MS };

function readWaits(entries: readonly string[], problem: (what: string) => void): number[] {
  if (entries.length < 1 || entries.length > 50) problem('must have 1 to 50 waits');
  return entries.map((entry) => {
    const [, count = '', unit = ''] = /^(\d{1,6})([smh])$/.exec(entry) ?? [];
    const wait = Number(count) * (WAIT_UNITS[unit] ?? Number.NaN);
    if (wait <= 24 * HOUR_MS) return wait;
    problem(`holds no wait of at most 24h, such as 30s, 5m or 2h: ${entry}`);
    return 0;
  });
}

function readTrustProxy(entries: readonly string[], problem: (what: string) => void): TrustedProxies {
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
function readRateLimits(given: {
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

function isEgressEntry(entry: string): boolean {
  if (isRange(entry)) return true;
  // No host name ends in a number.
  return /^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?$/i.test(entry) && !/(^|\.)\d+$/.test(entry);
}

function readPorts(entries: readonly string[], problem: (what: string) => void): PortRange[] | undefined {
  const ranges = entries.map((entry) => {
    const [, from = '', to = from] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(entry) ?? [];
    const range = { from: Number(from), to: Number(to) };
    if (range.from < 1 || range.to > 65_535 || range.from > range.to)
      problem(`holds no port or range of ports: ${entry}`);
    return range;
  });
  return ranges.length > 0 ? ranges : undefined;
}

function readPublicUrl(text: string | undefined, problem: (what: string) => void): string | undefined {
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

function readKey(text: string | undefined, problem: (what: string) => void): Uint8Array | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9a-fA-F]{64}$/.test(text)) return Buffer.from(text, 'hex');
  problem('must be 64 hexadecimal digits (32 bytes); make one with: openssl rand -hex 32');
  return undefined;
}

/** More than a few mean that one rotation began before the last was over. */
const MAX_FORMER_KEYS = 8;

function readFormerKeys(
  entries: readonly string[],
  present: Uint8Array | undefined,
  problem: (what: string) => void,
): readonly Uint8Array[] {
  if (entries.length > MAX_FORMER_KEYS) problem(`holds more than ${MAX_FORMER_KEYS} keys`);
  const keys = entries.flatMap((entry) => readKey(entry, problem) ?? []);
  if (present && keys.some((key) => Buffer.compare(key, present) === 0)) problem('holds the present key, too');
  return keys;
}
