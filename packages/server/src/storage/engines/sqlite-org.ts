import type { ChannelIndex } from '../../domain/channel-index.ts';
import type { OrgId } from '../../domain/ids.ts';
import type { StoreEpoch } from '../../domain/restart.ts';
import { createBacklogCounts } from '../backlog-counts.ts';
import type { Catalogs } from '../catalogs.ts';
import type { Cipher } from '../cipher.ts';
import type { Db } from '../db.ts';
import { loadBatch, saveBatch } from '../org-transaction.ts';
import type { OrgTransactions } from '../store.ts';

/** Most organisations whose index is kept; the one unused for longest goes first. */
const MAX_INDEXES = 1000;

export interface SqliteOrgTransactions extends OrgTransactions {
  /** Builds every index anew from what is stored. */
  forgetAll(): void;
  /** Resolves when all that was begun has ended. */
  idle(): Promise<void>;
}

/**
 * This process is the only writer, so nothing is locked between load and save: it is enough that each organisation has
 * one transaction at a time.
 */
export function createOrgTransactions(
  db: Db,
  cipher: Cipher,
  catalogs: Catalogs,
  epoch: StoreEpoch,
): SqliteOrgTransactions {
  const turns = new Map<OrgId, Promise<unknown>>();
  const indexes = new Map<OrgId, ChannelIndex>();
  const counts = createBacklogCounts(db);

  function keep(org: OrgId, index: ChannelIndex): void {
    indexes.delete(org);
    indexes.set(org, index);
    for (const oldest of indexes.keys()) {
      if (indexes.size <= MAX_INDEXES) break;
      indexes.delete(oldest);
    }
  }

  /** Runs after whatever the organisation began before, however that ended. */
  function inTurn<T>(org: OrgId, work: () => Promise<T>): Promise<T> {
    const before = turns.get(org) ?? Promise.resolve();
    const turn = before.then(work, work);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    turns.set(org, settled);
    settled.then(() => {
      if (turns.get(org) === settled) turns.delete(org);
    });
    return turn;
  }

  return {
    inOrg(org, needs, decide) {
      return inTurn(org, async () => {
        try {
          const known = indexes.get(org);
          const loaded = await loadBatch(db.load, org, needs, cipher, known && { index: known }, catalogs, () => epoch);
          const { writes, result } = decide(loaded);
          const rows = saveBatch(org, writes, cipher);
          if (rows.length > 0) await db.write(rows);
          keep(org, loaded.index);
          counts.take(org, loaded.index);
          return result;
        } catch (error) {
          indexes.delete(org);
          throw error;
        }
      });
    },
    forget(org) {
      indexes.delete(org);
    },
    forgetAll() {
      indexes.clear();
    },
    async idle() {
      while (turns.size > 0) await Promise.all(turns.values());
      await counts.stop();
    },
  };
}
