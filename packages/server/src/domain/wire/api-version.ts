/** Every version the API is served under. */
export const API_VERSIONS = ['v2', 'v2.1', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8'] as const;
export type ApiVersion = (typeof API_VERSIONS)[number];

/**
 * The version to take instead of one that is not served: the latest before it, or the first. Undefined for those that
 * are served.
 */
export function servedVersionFor(version: number): number | undefined {
  const served = API_VERSIONS.map((name) => Number(name.slice(1)));
  if (served.includes(version)) return undefined;
  return served.findLast((candidate) => candidate < version) ?? served[0];
}

/** Keys of one entry when channels are listed. */
export type ListKey =
  | 'notify_on_related_action'
  | 'channel_expiry'
  | 'return_affected_field_values'
  | 'resource_uri'
  | 'resource_id'
  | 'notify_url'
  | 'resource_name'
  | 'fields'
  | 'notification_condition'
  | 'channel_id'
  | 'events'
  | 'token';

/** All that differs between versions (reference §0.1): the only place that knows them apart. */
export interface VersionRules {
  /** The furthest `channel_expiry` from now that is taken as given. */
  readonly maxLifeMs: number;
  readonly relatedByDefault: boolean;
  /** Whether `return_affected_field_values` is read, and so `affected_values` may be sent. */
  readonly hasValues: boolean;
  /** Whether `notification_condition` is read. */
  readonly hasConditions: boolean;
  /** Whether notifications say `server_time` and `affected_fields`. */
  readonly reportsFields: boolean;
  /** In the order they are given. */
  readonly listKeys: readonly ListKey[];
  /** Status of an answer in which some entries failed and others did not. */
  readonly mixedStatus: 202 | 207;
  /** Whether `compat.failedStatus` «observed» applies: seen live as 202 (reference §7.2). */
  readonly observedFailures: boolean;
  /** Scope operations that may delete channels, besides `ALL`. */
  readonly deleteScopes: readonly ('DELETE' | 'WRITE')[];
  /** Whether lists of records have page tokens, which alone lead beyond the first 2000. */
  readonly hasPageTokens: boolean;
  /** Code of 429 (reference §7.25). */
  readonly tooManyCode: 'TOO_MANY_REQUESTS' | 'RATE_LIMIT_EXCEEDED';
  /** Whether metadata names another module by its API name or by an object: what the clients of the version read. */
  readonly namesModules: 'text' | 'object';
  /** Whether the rows given of a subform take the place of all that it had. */
  readonly replacesRows: boolean;
  /** Keys under which a missing query parameter is named. */
  readonly missingParamKeys: readonly string[];
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long a channel lives when its expiry is left out or not usable, in every version. */
export const DEFAULT_LIFE_MS = HOUR_MS;

const v2: VersionRules = {
  maxLifeMs: DAY_MS,
  relatedByDefault: true,
  hasValues: false,
  hasConditions: false,
  reportsFields: false,
  listKeys: [
    'notify_on_related_action',
    'channel_expiry',
    'resource_uri',
    'resource_id',
    'notify_url',
    'resource_name',
    'channel_id',
    'events',
    'token',
  ],
  mixedStatus: 202,
  observedFailures: true,
  deleteScopes: ['DELETE', 'WRITE'],
  replacesRows: true,
  hasPageTokens: false,
  tooManyCode: 'TOO_MANY_REQUESTS',
  namesModules: 'text',
  missingParamKeys: ['param_name', 'param'],
};

const v3: VersionRules = {
  ...v2,
  relatedByDefault: false,
  hasValues: true,
  reportsFields: true,
  listKeys: [
    'notify_on_related_action',
    'channel_expiry',
    'return_affected_field_values',
    'resource_uri',
    'resource_id',
    'notify_url',
    'resource_name',
    'channel_id',
    'events',
    'token',
  ],
  namesModules: 'object',
  deleteScopes: ['DELETE'],
  replacesRows: false,
  hasPageTokens: true,
};

const v4: VersionRules = { ...v3, maxLifeMs: 7 * DAY_MS, relatedByDefault: true };

const v6: VersionRules = {
  ...v4,
  hasConditions: true,
  listKeys: [
    'notify_on_related_action',
    'channel_expiry',
    'return_affected_field_values',
    'resource_uri',
    'resource_id',
    'notify_url',
    'resource_name',
    'fields',
    'notification_condition',
    'channel_id',
    'events',
    'token',
  ],
  missingParamKeys: ['param'],
};

const v8: VersionRules = { ...v6, tooManyCode: 'RATE_LIMIT_EXCEEDED', mixedStatus: 207, observedFailures: false };

export const VERSION_RULES: Readonly<Record<ApiVersion, VersionRules>> = {
  v2,
  'v2.1': v2,
  v3,
  v4,
  v5: v4,
  v6,
  v7: v6,
  v8,
};
