export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

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
    help: 'Key that encrypts channel tokens, notify URLs and signing secrets at rest (openssl rand -hex 32). Required by serve; the dev profile makes its own.',
  },
  formerSecretKeys: {
    env: 'WATCHBELL_FORMER_SECRET_KEYS',
    flag: '--former-secret-keys',
    placeholder: '<list>',
    help: 'Comma-separated keys that were WATCHBELL_SECRET_KEY before, at most 8: what they encrypted is read, and encrypted anew under the present one in the background.',
    fallback: '',
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
  logDelivered: {
    env: 'WATCHBELL_LOG_DELIVERED',
    flag: '--log-delivered',
    placeholder: '<on|off>',
    help: 'Whether an attempt that succeeds is a log line of level info, as one that fails is of level warn; off: of level debug.',
    fallback: 'on',
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
    help: 'Comma-separated CIDRs, addresses and host names (`*.` and a domain for all below it) that receivers may have beside global addresses. The dev profile adds loopback.',
    fallback: '',
  },
  egressPorts: {
    env: 'WATCHBELL_EGRESS_PORTS',
    flag: '--egress-ports',
    placeholder: '<list>',
    help: 'Comma-separated ports, and ranges such as 8000-8999, that receivers may have, and no others. Not set: 80, 443 and those from 1024 that belong to no other protocol.',
    devFallback: '1-65535',
  },
  retentionHours: {
    env: 'WATCHBELL_RETENTION_HOURS',
    flag: '--retention-hours',
    placeholder: '<number>',
    help: 'How long notifications, their attempts and changes stay after they are delivered, given up or cancelled, and how long a POST by its owner can take up a lapsed channel again with all it owes, 24 to 2160.',
    fallback: '72',
  },
  maxBacklog: {
    env: 'WATCHBELL_MAX_BACKLOG',
    flag: '--max-backlog',
    placeholder: '<number>',
    help: 'Notifications that a channel may owe, 10 to 100000000. Beyond it changes are kept as a range, without notifications, until it owes a tenth less.',
    fallback: '1000000',
  },
  retrySchedule: {
    env: 'WATCHBELL_RETRY_SCHEDULE',
    flag: '--retry-schedule',
    placeholder: '<list>',
    help: 'Comma-separated waits before the attempts of a notification, 1 to 50, each at most 24h. After the last attempt it is parked.',
    fallback: '0s,5s,30s,2m,5m,15m,30m,1h,2h,4h,8h,8h',
  },
  maxRetryAfter: {
    env: 'WATCHBELL_MAX_RETRY_AFTER',
    flag: '--max-retry-after',
    placeholder: '<seconds>',
    help: 'Longest Retry-After of a receiver that is honoured, 0 to 86400.',
    fallback: '3600',
  },
  attemptTimeout: {
    env: 'WATCHBELL_ATTEMPT_TIMEOUT',
    flag: '--attempt-timeout',
    placeholder: '<seconds>',
    help: 'How long an attempt may take from the look-up of the address to the end of the answer, 1 to 60.',
    fallback: '10',
  },
  channelFlights: {
    env: 'WATCHBELL_CHANNEL_FLIGHTS',
    flag: '--channel-flights',
    placeholder: '<number>',
    help: 'Most requests at once for one channel, 1 to 256; it starts with 2 and earns more by success.',
    fallback: '16',
  },
  originFlights: {
    env: 'WATCHBELL_ORIGIN_FLIGHTS',
    flag: '--origin-flights',
    placeholder: '<number>',
    help: 'Most requests at once of one organisation to one origin, 1 to 1024.',
    fallback: '32',
  },
  nodeFlights: {
    env: 'WATCHBELL_NODE_FLIGHTS',
    flag: '--node-flights',
    placeholder: '<number>',
    help: 'Most requests to receivers at once, 8 to 4096; half of each part is the most that one organisation holds.',
    fallback: '512',
  },
  circuits: {
    env: 'WATCHBELL_CIRCUITS',
    flag: '--circuits',
    placeholder: '<on|off>',
    help: 'Whether a receiver that cannot be reached is only probed until it is back.',
    fallback: 'on',
    devFallback: 'off',
  },
  suspendAfterHours: {
    env: 'WATCHBELL_SUSPEND_AFTER_HOURS',
    flag: '--suspend-after-hours',
    placeholder: '<number>',
    help: 'How long a receiver fails without a success before its channel is suspended, 1 to 720; 0: no channel is suspended, nor for a 410.',
    fallback: '24',
    devFallback: '0',
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
  afterExpiry: {
    env: 'WATCHBELL_COMPAT_AFTER_EXPIRY',
    flag: '--compat-after-expiry',
    placeholder: '<hold|drop>',
    help: 'What an expired channel owed, when its owner opens it again: hold sends it then, drop cancels it.',
    fallback: 'hold',
  },
  patch: {
    env: 'WATCHBELL_COMPAT_PATCH',
    flag: '--compat-patch',
    placeholder: '<merge|observed>',
    help: 'PATCH without a token: merge keeps the one there is, as documented; observed takes it away.',
    fallback: 'merge',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;
/** Values given as flags, by the setting's name. */
export type Flags = { readonly [Name in SettingName]?: string | undefined };
