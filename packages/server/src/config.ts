import { isAbsolute, resolve } from 'node:path';
import { type DatabaseConfig, readDatabase } from './config-database.ts';

import {
  HOUR_MS,
  isEgressEntry,
  isLoopback,
  list,
  readFormerKeys,
  readKey,
  readPorts,
  readPublicUrl,
  readRateLimits,
  readTrustProxy,
  readWaits,
} from './config-values.ts';
import { choosePolicy, type DeliveryPolicy } from './domain/delivery-policy.ts';
import type { PortRange } from './domain/egress.ts';
import { DEFAULT_OAUTH_POLICY, DEV_OAUTH_POLICY, type OAuthPolicy } from './domain/oauth/policy.ts';
import type { RateLimits } from './domain/rate-limit.ts';
import { isTimeZone } from './domain/time.ts';
import type { TrustedProxies } from './domain/trusted-proxies.ts';
import { type Compat, DEFAULT_COMPAT } from './domain/wire/compat.ts';
import { type Flags, LOG_LEVELS, SETTINGS, type Setting, type SettingName } from './settings.ts';

export type { DatabaseConfig };

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
  /** Undefined: the embedded store in the data directory. */
  readonly database?: DatabaseConfig;
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

/** Reads and checks all settings. Throws `ConfigError` with every problem. The only reader of the environment. */
export function loadConfig(profile: Profile, flags: Flags, env: NodeJS.ProcessEnv): Config {
  const problems: string[] = [];
  const text = (name: SettingName): string | undefined => {
    const setting: Setting = SETTINGS[name];
    const given = flags[name] ?? env[setting.env];
    if (given !== undefined && given !== '') return given;
    return (profile === 'dev' ? setting.devFallback : undefined) ?? setting.fallback;
  };
  const isGiven = (name: SettingName): boolean => (flags[name] ?? env[SETTINGS[name].env] ?? '') !== '';
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
  const deadline = integer('attemptTimeout', 1, 60) * 1000;
  const modulesFile = text('modules');

  const database = readDatabase({ text, isGiven, integer, oneOf, problem }, deadline);
  const config: Config = {
    profile,
    host,
    port: integer('port', 0, 65_535),
    ...(publicUrl !== undefined && { publicUrl }),
    trustProxy: readTrustProxy(list(text('trustProxy')), (what) => problem('trustProxy', what)),
    dataDir: isAbsolute(dataDir) ? dataDir : resolve(dataDir),
    ...(database && { database }),
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
      deadline,
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
