import { describe, expect, test } from 'vitest';
import { API_VERSIONS, VERSION_RULES } from '../../../src/domain/wire/api-version.ts';

const DAY = 86_400_000;

// Reference §0.1: longest life, related actions by default, values, conditions, report of fields, mixed status.
const matrix = [
  ['v2', DAY, true, false, false, false, 202],
  ['v2.1', DAY, true, false, false, false, 202],
  ['v3', DAY, false, true, false, true, 202],
  ['v4', 7 * DAY, true, true, false, true, 202],
  ['v5', 7 * DAY, true, true, false, true, 202],
  ['v6', 7 * DAY, true, true, true, true, 202],
  ['v7', 7 * DAY, true, true, true, true, 202],
  ['v8', 7 * DAY, true, true, true, true, 207],
] as const;

describe('the version table', () => {
  test.each(matrix)('%s is as its pages say', (version, maxLifeMs, related, values, conditions, fields, mixed) => {
    expect(VERSION_RULES[version]).toMatchObject({
      maxLifeMs,
      relatedByDefault: related,
      hasValues: values,
      hasConditions: conditions,
      reportsFields: fields,
      mixedStatus: mixed,
    });
  });

  test('the matrix names every version that is served', () => {
    expect(matrix.map(([version]) => version)).toEqual(API_VERSIONS);
  });

  const base =
    'notify_on_related_action channel_expiry resource_uri resource_id notify_url resource_name channel_id events token';
  const full =
    'notify_on_related_action channel_expiry return_affected_field_values resource_uri resource_id notify_url resource_name fields notification_condition channel_id events token';
  test.each([
    ['v2', base],
    ['v2.1', base],
    ['v3', base.replace('channel_expiry', 'channel_expiry return_affected_field_values')],
    ['v5', base.replace('channel_expiry', 'channel_expiry return_affected_field_values')],
    ['v6', full],
    ['v8', full],
  ] as const)('%s lists channels with its own keys, in order', (version, keys) => {
    expect(VERSION_RULES[version].listKeys.join(' ')).toBe(keys);
  });
});
