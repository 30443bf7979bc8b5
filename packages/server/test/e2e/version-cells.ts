import type { ApiVersion } from '../../src/domain/wire/api-version.ts';

/** What a version does where versions differ (reference §0.1), written out: not taken from the product. */
export interface VersionCells {
  readonly maxLifeDays: 1 | 7;
  readonly relatedByDefault: boolean;
  readonly hasValues: boolean;
  readonly hasConditions: boolean;
  readonly reportsFields: boolean;
  /** Keys of a listed channel, in order. */
  readonly listKeys: string;
  readonly someFailed: 202 | 207;
  /** With `WATCHBELL_COMPAT_FAILED_STATUS=observed`. */
  readonly observed: { readonly all: 202 | 400; readonly some: 202 | 207 };
}

const v2: VersionCells = {
  maxLifeDays: 1,
  relatedByDefault: true,
  hasValues: false,
  hasConditions: false,
  reportsFields: false,
  listKeys:
    'notify_on_related_action channel_expiry resource_uri resource_id notify_url resource_name channel_id events token',
  someFailed: 202,
  observed: { all: 202, some: 202 },
};

const v3: VersionCells = {
  ...v2,
  relatedByDefault: false,
  hasValues: true,
  reportsFields: true,
  listKeys:
    'notify_on_related_action channel_expiry return_affected_field_values resource_uri resource_id notify_url resource_name channel_id events token',
};

const v4: VersionCells = { ...v3, maxLifeDays: 7, relatedByDefault: true };

const v6: VersionCells = {
  ...v4,
  hasConditions: true,
  listKeys:
    'notify_on_related_action channel_expiry return_affected_field_values resource_uri resource_id notify_url resource_name fields notification_condition channel_id events token',
};

const v8: VersionCells = { ...v6, someFailed: 207, observed: { all: 400, some: 207 } };

export const CELLS: Readonly<Record<ApiVersion, VersionCells>> = {
  v2,
  'v2.1': v2,
  v3,
  v4,
  v5: v4,
  v6,
  v7: v6,
  v8,
};
