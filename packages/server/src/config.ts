import { isIP } from 'node:net';
import { isAbsolute, resolve } from 'node:path';
import { DEFAULT_POLICY, type DeliveryPolicy } from './domain/delivery-policy.ts';
import { DEFAULT_OAUTH_POLICY, DEV_OAUTH_POLICY, type OAuthPolicy } from './domain/oauth/policy.ts';
import type { RateLimits } from './domain/rate-limit.ts';
import { isTimeZone } from './domain/time.ts';
import type { TrustedProxies } from './domain/trusted-proxies.ts';
import { type Compat, DEFAULT_COMPAT } from './domain/wire/compat.ts';

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
  /** An operator's token beside the stored ones. */
  readonly adminToken?: string;
  /** File of modules and fields to add at the start, absolute. */
  readonly modulesFile?: string;
  readonly logLevel: LogLevel;
  /** Of the sample organisation. */
  readonly timeZone: string;
  readonly maxBodyBytes: number;
  /** Commands that may wait in one organisation before writes are answered 503. */
  readonly maxQueuedWrites: number;
  readonly rateLimits: RateLimits;
  /** CIDRs and host names that receivers may have beside global addresses. */
  readonly egressAllow: readonly string[];
  /** How long a lapsed channel can be taken up again by a POST. */
  readonly retentionMs: number;
  readonly compat: Compat;
  readonly delivery: DeliveryPolicy;
  readonly oauth: OAuthPolicy;
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
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

/** One thing that can be set: `WATCHBELL_…` in the environment, or the same as a flag, which wins. */
export interface Setting {
  readonly env: string;
  readonly flag: string;
  readonly placeholder: string;
  readonly help: string;
  /** As text; what applies when it is not set. `undefined`: nothing. */
  readonly fallback?: string;
  readonly devFallback?: string;
}

const HOUR_MS = 3_600_000;

/** The configuration reference: docs/configuration.md and the flags of the commands follow from it. */
export const SETTINGS = {
  host: {
    env: 'WATCHBELL_HOST',
    flag: '--host',
    placeholder: '<address>',
    help: 'Address to listen on. The dev profile takes loopback addresses only.',
    fallback: '0.0.0.0',
    devFallback: '127.0.0.1',
  },
  port: {
    env: 'WATCHBELL_PORT',
    flag: '--port',
    placeholder: '<number>',
    help: 'Port to listen on; 0 takes any free one.',
    fallback: '8686',
  },
  publicUrl: {
    env: 'WATCHBELL_PUBLIC_URL',
    flag: '--public-url',
    placeholder: '<url>',
    help: 'How callers reach this server: what api_domain and resource_uri say. Required by serve and setup.',
  },
  trustProxy: {
    env: 'WATCHBELL_TRUST_PROXY',
    flag: '--trust-proxy',
    placeholder: '<count|list>',
    help: 'Reverse proxies whose X-Forwarded headers are believed: how many stand in a row, 1 to 10, or their addresses and CIDRs with commas between. Without a public URL they also say how callers reach this server.',
    fallback: '',
  },
  dataDir: {
    env: 'WATCHBELL_DATA_DIR',
    flag: '--data-dir',
    placeholder: '<path>',
    help: 'Directory of the embedded store. One process at a time.',
    fallback: '.watchbell',
  },
  databaseUrl: {
    env: 'WATCHBELL_DATABASE_URL',
    flag: '--database-url',
    placeholder: '<url>',
    help: 'Reserved for the PostgreSQL engine, which this version does not have yet: setting it is refused.',
  },
  secretKey: {
    env: 'WATCHBELL_SECRET_KEY',
    flag: '--secret-key',
    placeholder: '<64 hex digits>',
    help: 'Key that encrypts channel tokens and notify URLs at rest (openssl rand -hex 32). Required by serve; the dev profile makes its own.',
  },
  modules: {
    env: 'WATCHBELL_MODULES',
    flag: '--modules',
    placeholder: '<path>',
    help: 'JSON file of modules and fields that an organisation gets at each start, where it lacks them.',
  },
  adminToken: {
    env: 'WATCHBELL_ADMIN_TOKEN',
    flag: '--admin-token',
    placeholder: '<text>',
    help: 'An admin token for all organisations, at least 16 characters; those that setup makes are for one each.',
  },
  logLevel: {
    env: 'WATCHBELL_LOG_LEVEL',
    flag: '--log-level',
    placeholder: `<${LOG_LEVELS.join('|')}>`,
    help: 'Least severe log line that is written (JSON lines on standard error).',
    fallback: 'info',
    devFallback: 'warn',
  },
  timeZone: {
    env: 'WATCHBELL_TIME_ZONE',
    flag: '--time-zone',
    placeholder: '<name>',
    help: 'IANA time zone of the sample organisation, when the dev profile makes it.',
    fallback: 'UTC',
  },
  maxBodyBytes: {
    env: 'WATCHBELL_MAX_BODY_BYTES',
    flag: '--max-body-bytes',
    placeholder: '<number>',
    help: 'Largest request body, 1024 to 16777216.',
    fallback: '1048576',
  },
  maxQueuedWrites: {
    env: 'WATCHBELL_MAX_QUEUED_WRITES',
    flag: '--max-queued-writes',
    placeholder: '<number>',
    help: 'Writes that may wait in one organisation before further ones are answered 503, 1 to 100000.',
    fallback: '5000',
  },
  rateLimit: {
    env: 'WATCHBELL_RATE_LIMIT',
    flag: '--rate-limit',
    placeholder: '<number>',
    help: 'Requests a second that an organisation may make through one OAuth client, that many at once, 1 to 1000000; 0: no limit. Beyond it 429.',
    fallback: '1000',
    devFallback: '0',
  },
  maxConcurrentRequests: {
    env: 'WATCHBELL_MAX_CONCURRENT_REQUESTS',
    flag: '--max-concurrent-requests',
    placeholder: '<number>',
    help: 'Requests of an organisation through one OAuth client that are served at once, 1 to 100000; 0: no limit. Beyond it 429.',
    fallback: '100',
    devFallback: '0',
  },
  maxWrongTokens: {
    env: 'WATCHBELL_MAX_WRONG_TOKENS',
    flag: '--max-wrong-tokens',
    placeholder: '<number>',
    help: 'Wrong tokens and client secrets a minute from one address, 1 to 100000; 0: no limit. Beyond it 429 for those that did not work lately.',
    fallback: '60',
    devFallback: '0',
  },
  egressAllow: {
    env: 'WATCHBELL_EGRESS_ALLOW',
    flag: '--egress-allow',
    placeholder: '<list>',
    help: 'Comma-separated CIDRs and host names that receivers may have beside global addresses. The dev profile adds loopback.',
    fallback: '',
  },
  retentionHours: {
    env: 'WATCHBELL_RETENTION_HOURS',
    flag: '--retention-hours',
    placeholder: '<number>',
    help: 'How long a POST by its owner can take up a lapsed channel again, with all it owes, 24 to 2160.',
    fallback: '72',
  },
  failedStatus: {
    env: 'WATCHBELL_COMPAT_FAILED_STATUS',
    flag: '--compat-failed-status',
    placeholder: '<documented|observed>',
    help: 'HTTP status when every entry of a watch call failed: 400 as documented, or 202 up to v7 as observed.',
    fallback: 'documented',
  },
  strictExpiry: {
    env: 'WATCHBELL_COMPAT_STRICT_EXPIRY',
    flag: '--compat-strict-expiry',
    placeholder: '<true|false>',
    help: 'Refuse an expiry in the past or beyond the maximum instead of taking one hour.',
    fallback: 'false',
  },
  queryParams: {
    env: 'WATCHBELL_COMPAT_QUERY_PARAMS',
    flag: '--compat-query-params',
    placeholder: '<documented|clean>',
    help: 'Whether the first key of query_params keeps its question mark, as documented.',
    fallback: 'documented',
  },
  callbackUriVersion: {
    env: 'WATCHBELL_COMPAT_CALLBACK_URI_VERSION',
    flag: '--compat-callback-uri-version',
    placeholder: '<v2|own>',
    help: "Version in a notification's resource_uri: always v2, as documented, or the channel's own.",
    fallback: 'v2',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
/** Values given as flags, by the setting's name. */
export type Flags = { readonly [Name in SettingName]?: string | undefined };

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
    ...(adminToken !== undefined && { adminToken }),
    ...(modulesFile !== undefined && { modulesFile: resolve(modulesFile) }),
    logLevel: oneOf('logLevel', LOG_LEVELS),
    timeZone,
    maxBodyBytes: integer('maxBodyBytes', 1024, 16_777_216),
    maxQueuedWrites: integer('maxQueuedWrites', 1, 100_000),
    rateLimits: readRateLimits({
      perSecond: integer('rateLimit', 0, 1_000_000),
      concurrent: integer('maxConcurrentRequests', 0, 100_000),
      wrongPerMinute: integer('maxWrongTokens', 0, 100_000),
    }),
    egressAllow: [...egressAllow, ...(profile === 'dev' ? ['127.0.0.0/8', '::1/128'] : [])],
    retentionMs: integer('retentionHours', 24, 2160) * HOUR_MS,
    compat: {
      ...DEFAULT_COMPAT,
      failedStatus: oneOf('failedStatus', ['documented', 'observed']),
      strictExpiry: oneOf('strictExpiry', ['true', 'false']) === 'true',
      queryParams: oneOf('queryParams', ['documented', 'clean']),
      callbackUriVersion: oneOf('callbackUriVersion', ['v2', 'own']),
    },
    delivery: DEFAULT_POLICY,
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
  return isRange(entry) || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(entry);
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
