import { changeRows, type Db, list, type Row, sql, type Write } from '../db.ts';
import type { Fence } from '../delivery.ts';
import { flag, integer, text, textOrNone } from '../rows.ts';
import type { BucketOwner, LeaseStore } from '../store.ts';
import { sqlStateOf } from './postgres-errors.ts';

// Changes of owners exclude each other, and whatever is saved under a lease. The lock ends with its transaction, so it
// works behind a pooler, too. The number is that of `hold_leases` in the migration.
const LOCK_CHANGES = sql`SELECT pg_advisory_xact_lock(7748327002)`;
const LOCK_OTHERS = sql`SELECT pg_advisory_xact_lock_shared(7748327002)`;
/** What `hold_leases` says of a lease that is over. */
const LEASE_LOST = 'WB001';

/** The database's real time, as it is when the statement gets there. */
export const DATABASE_TIME = sql`floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint`;

/** Ids of the secret keys under which nodes that live encrypt. */
export const SELECT_KEYS_IN_USE = sql`SELECT DISTINCT key_id FROM node WHERE lease_until > ${DATABASE_TIME}`;

/**
 * Ends transactions whose node was frozen or cut off while it sent one: the server waits for the rest without a limit, for
 * the time that it waits between statements does not count within a message batch. Their locks would keep an organisation
 * from being written, or buckets from being taken over.
 */
const END_HALF_SENT = sql`
  SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE application_name = current_setting('application_name') AND datname = current_database()
    AND usename = current_user AND state = 'active' AND wait_event = 'ClientRead'
    AND query_start < clock_timestamp() - current_setting('idle_in_transaction_session_timeout')::interval`;

/** Rows of nodes that went without a word are kept for whoever looks what happened. */
const KEEP_DEAD_MS = 3_600_000;

const readOwner = (row: Row): BucketOwner => {
  const node = textOrNone(row, 'node');
  return { bucket: integer(row, 'bucket'), epoch: integer(row, 'epoch'), ...(node !== undefined && { node }) };
};

/** `keyId`: of the secret key under which this process encrypts. */
export function createLeaseStore(db: Pick<Db, 'write'>, keyId: string): LeaseStore {
  return {
    async renew(node, leaseMs, isLeaving) {
      // A lease is not to depend on it: a server may not let it be called.
      await db.write([END_HALF_SENT]).catch(() => undefined);
      // Locked, or one that was late could renew what another is just claiming, and be told that it is still its own.
      const [, , , [time = {}] = [], nodes = [], buckets = []] = await db.write([
        LOCK_OTHERS,
        sql`
          INSERT INTO node (id, lease_until, is_leaving, key_id)
          VALUES (${node}, ${DATABASE_TIME} + ${leaseMs}, ${Number(isLeaving)}, ${keyId})
          ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until, is_leaving = excluded.is_leaving`,
        sql`DELETE FROM node WHERE lease_until < ${DATABASE_TIME} - ${KEEP_DEAD_MS}`,
        sql`SELECT ${DATABASE_TIME} AS now`,
        sql`SELECT id, lease_until, is_leaving FROM node`,
        sql`SELECT bucket, node, epoch FROM bucket ORDER BY bucket`,
      ]);
      return {
        now: integer(time, 'now'),
        nodes: nodes.map((row) => ({
          id: text(row, 'id'),
          leaseUntil: integer(row, 'lease_until'),
          isLeaving: flag(row, 'is_leaving'),
        })),
        buckets: buckets.map(readOwner),
      };
    },

    async claim(node, buckets) {
      const [, rows = []] = await db.write([
        LOCK_CHANGES,
        sql`
          UPDATE bucket SET node = ${node}, epoch = epoch + 1
          WHERE bucket::text IN ${list(buckets.map(String))}
            AND NOT EXISTS (SELECT 1 FROM node o WHERE o.id = bucket.node AND o.lease_until > ${DATABASE_TIME})
            AND EXISTS (
              SELECT 1 FROM node n WHERE n.id = ${node} AND n.is_leaving = 0 AND n.lease_until > ${DATABASE_TIME})
          RETURNING bucket, node, epoch`,
      ]);
      return rows.map(readOwner);
    },

    async release(node, buckets) {
      await db.write([
        LOCK_CHANGES,
        changeRows(
          buckets,
          ({ bucket, epoch }) => sql`
            UPDATE bucket SET node = NULL, epoch = bucket.epoch + 1
            WHERE bucket.bucket = ${bucket} AND bucket.epoch = ${epoch} AND bucket.node = ${node}`,
        ),
      ]);
    },

    async leave(node) {
      await db.write([
        LOCK_CHANGES,
        sql`UPDATE bucket SET node = NULL, epoch = epoch + 1 WHERE node = ${node}`,
        sql`DELETE FROM node WHERE id = ${node}`,
      ]);
    },
  };
}

export function createFence(db: Pick<Db, 'load'>): Fence {
  return {
    hold: (leases): Write => sql`SELECT hold_leases(ARRAY${list(leases)})`,
    isBroken: (error) => error instanceof Error && sqlStateOf(error.cause) === LEASE_LOST,
    async held(leases) {
      const [rows = []] = await db.load([
        sql`SELECT bucket || ':' || epoch AS lease FROM bucket WHERE bucket || ':' || epoch IN ${list(leases)}`,
      ]);
      return new Set(rows.map((row) => text(row, 'lease')));
    },
  };
}
