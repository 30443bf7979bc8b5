import { type Row, sql } from '../db.ts';
import { textOrNone } from '../rows.ts';
import type { OldestSnapshot } from '../store.ts';

/**
 * What keeps the server from removing rows that are gone: it bloats the tables that are written most. Transactions and
 * prepared ones say since when; slots and standbys only up to which transaction. One that wrote and waits does so without a
 * snapshot; one of another database does not, a standby's (of none) does. Those of other users are shown to members of
 * pg_read_all_stats alone.
 */
export const SELECT_HOLDERS = sql`
  SELECT 'transaction ' || pid || ' of ' || coalesce(usename, '') || ' (' || coalesce(application_name, '') || ')' AS holder,
    floor(extract(epoch FROM clock_timestamp() - xact_start) * 1000)::bigint AS age,
    coalesce(backend_xmin, backend_xid)::text AS xmin
  FROM pg_stat_activity
  WHERE coalesce(backend_xmin, backend_xid) IS NOT NULL AND coalesce(datname, current_database()) = current_database()
    AND pid <> pg_backend_pid()
  UNION ALL
  SELECT 'prepared transaction ' || gid, floor(extract(epoch FROM clock_timestamp() - prepared) * 1000)::bigint, NULL
  FROM pg_prepared_xacts WHERE database = current_database()
  UNION ALL
  SELECT 'replication slot ' || slot_name, NULL, coalesce(xmin, catalog_xmin)::text
  FROM pg_replication_slots WHERE xmin IS NOT NULL OR catalog_xmin IS NOT NULL`;

/** Says which of them is the oldest; those without a time are as old as they have stood still under its eyes. */
export function createSnapshotWatch(now: () => number = () => performance.now()) {
  let seen = new Map<string, { readonly xmin: string; readonly since: number }>();
  return (rows: readonly Row[]): OldestSnapshot | undefined => {
    const at = now();
    const known = seen;
    seen = new Map();
    let oldest: OldestSnapshot | undefined;
    for (const row of rows) {
      const holder = textOrNone(row, 'holder') ?? '';
      const xmin = textOrNone(row, 'xmin') ?? '';
      const before = known.get(holder);
      const since = before?.xmin === xmin ? before.since : at;
      seen.set(holder, { xmin, since });
      const ageMs = typeof row.age === 'number' ? row.age : at - since;
      if (ageMs > (oldest?.ageMs ?? -1)) oldest = { holder, ageMs: Math.max(0, ageMs) };
    }
    return oldest;
  };
}
