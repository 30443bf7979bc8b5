import { type ClockState, timeOf } from '../../domain/clock.ts';
import type { OrgId } from '../../domain/ids.ts';
import { FIRST_EPOCH, type StoreEpoch } from '../../domain/restart.ts';
import { createBacklogCounts } from '../backlog-counts.ts';
import type { Catalogs } from '../catalogs.ts';
import type { Cipher } from '../cipher.ts';
import { type Db, type Row, type Statement, sql } from '../db.ts';
import { type KnownIndex, knownAfter, loadBatch, saveBatch } from '../org-transaction.ts';
import { integerOrNone, jsonObject } from '../rows.ts';
import { createKept, createTurns, type EngineOrgTransactions } from './org-turns.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { withoutConflict } from './postgres-errors.ts';
import type { PostgresPool } from './postgres-pool.ts';
import { toQueries, toQuery } from './postgres-sql.ts';

/** Every load of the transaction comes after it, and so sees all that was committed before. */
const lockOrg = (org: OrgId): Statement => sql`SELECT id FROM org WHERE id = ${org} FOR UPDATE`;

/** Not the transaction's time: that one stood still while the lock was waited for. */
const FACTS = sql`
  SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now,
    (SELECT value FROM meta WHERE name = 'epoch') AS epoch, (SELECT value FROM meta WHERE name = 'clock') AS clock`;

/** See `PostgresOptions`. */
interface TimeOptions {
  readonly time: 'database' | 'injected';
  readonly hasDevClock?: boolean;
}

/**
 * The organisation's row is locked from the first statement to the commit, so that load, decide and save are one step
 * for all nodes. Two round trips: begin, lock and load; save and commit. Within the node they take turns, so that none
 * waits on a lock that its own node holds.
 */
export function createOrgTransactions(
  pool: PostgresPool,
  db: Db,
  cipher: Cipher,
  catalogs: Catalogs,
  { time, hasDevClock = false }: TimeOptions,
): EngineOrgTransactions {
  const turns = createTurns();
  const indexes = createKept<KnownIndex>();
  const counts = createBacklogCounts(db);

  return {
    inOrg(org, needs, decide) {
      const transact = () =>
        pool.use(async (connection) => {
          const opening = openOrg(connection, org, hasDevClock);
          try {
            const epochOf = () => opening.facts().epoch;
            const loaded = await loadBatch(opening.query, org, needs, cipher, indexes.get(org), catalogs, epochOf);
            const { now } = opening.facts();
            const { writes, result } = decide(time === 'database' ? { ...loaded, now } : loaded);
            const rows = saveBatch(org, writes, cipher, { isBulk: true, loaded });
            // Nothing to be made durable: a commit would wait for the disk all the same, for the lock.
            await (rows.length > 0 ? connection.commit(toQueries(rows).queries) : connection.rollback());
            indexes.keep(org, knownAfter(loaded, writes));
            counts.take(org, loaded.index);
            return result;
          } catch (error) {
            indexes.forget(org);
            if (!connection.isSpoiled()) await connection.rollback().catch(() => connection.destroy());
            throw error;
          }
        });
      return turns.run(org, () => withoutConflict(transact));
    },
    forget: indexes.forget,
    forgetAll: indexes.forgetAll,
    async idle() {
      await turns.idle();
      await counts.stop();
    },
  };
}

interface OpenOrg {
  readonly query: (statements: readonly Statement[]) => Promise<Row[][]>;
  facts(): { readonly epoch: StoreEpoch; readonly now: number };
}

/** The first query of the batch opens the transaction with it. */
function openOrg(connection: PostgresConnection, org: OrgId, hasDevClock: boolean): OpenOrg {
  let facts: { readonly epoch: StoreEpoch; readonly now: number } | undefined;
  return {
    async query(statements) {
      if (facts) return connection.run(statements.map(toQuery));
      const first = [lockOrg(org), FACTS];
      const rows = await connection.begin([...first, ...statements].map(toQuery));
      facts = readFacts(rows[1]?.[0] ?? {}, hasDevClock);
      return rows.slice(first.length);
    },
    facts: () => facts ?? readFacts({}, hasDevClock),
  };
}

function readFacts(row: Row, hasDevClock: boolean): { readonly epoch: StoreEpoch; readonly now: number } {
  const fact = <Shape extends object>(name: string): Shape | undefined =>
    typeof row[name] === 'string' ? jsonObject<Shape>(row, name) : undefined;
  return {
    epoch: fact<StoreEpoch>('epoch') ?? FIRST_EPOCH,
    now: timeOf(hasDevClock ? fact<ClockState>('clock') : undefined, integerOrNone(row, 'now') ?? 0),
  };
}
