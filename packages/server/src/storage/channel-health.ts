import type { ChannelHealth } from '../domain/channel-health.ts';
import type { Generation, OrgId } from '../domain/ids.ts';
import { changeRows, insertRows, list, type Row, type RowChange, type Statement, sql, type Write } from './db.ts';
import { lastOf } from './group.ts';
import { integer, integerList } from './rows.ts';
import type { Settlement } from './store.ts';

/** A channel that is well has no row. */
export const selectHealth = (org: OrgId, generations: readonly Generation[]): Statement => sql`
  SELECT generation, failing_since, failed_attempts, last_failed_at, failed_numbers FROM channel_health
  WHERE org_id = ${org} AND generation IN ${list(generations)}`;

export const readHealth = (row: Row): ChannelHealth => ({
  failingSince: integer(row, 'failing_since'),
  failedAttempts: integer(row, 'failed_attempts'),
  lastFailedAt: integer(row, 'last_failed_at'),
  failedNumbers: integerList(row, 'failed_numbers'),
});

/** Of each channel, what the last of its settlements says. */
export function saveHealth(settlements: readonly Settlement[]): Write[] {
  const told = settlements.filter(({ health }) => health !== undefined);
  if (told.length === 0) return [];
  const last = lastOf(told, ({ org, generation }) => `${org}/${generation}`);
  const failing = last.flatMap(({ org, generation, health }) => (health ? [{ org, generation, health }] : []));
  const well = last.filter(({ health }) => health === null);
  const writes = [
    insertRows(
      'channel_health (org_id, generation, failing_since, failed_attempts, last_failed_at, failed_numbers)',
      failing.map(({ org, generation, health }) => [
        org,
        generation,
        health.failingSince,
        health.failedAttempts,
        health.lastFailedAt,
        JSON.stringify(health.failedNumbers),
      ]),
      `ON CONFLICT (org_id, generation) DO UPDATE SET failing_since = excluded.failing_since,
        failed_attempts = excluded.failed_attempts, last_failed_at = excluded.last_failed_at,
        failed_numbers = excluded.failed_numbers`,
    ),
    dropHealth(well),
  ];
  return writes.filter(({ rows }) => rows.length > 0);
}

export const dropHealth = (channels: readonly { readonly org: OrgId; readonly generation: Generation }[]): RowChange =>
  changeRows(
    channels,
    ({ org, generation }) => sql`DELETE FROM channel_health WHERE org_id = ${org} AND generation = ${generation}`,
  );
