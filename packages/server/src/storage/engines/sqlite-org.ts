import type { StoreEpoch } from '../../domain/restart.ts';
import { createBacklogCounts } from '../backlog-counts.ts';
import type { Catalogs } from '../catalogs.ts';
import type { Cipher } from '../cipher.ts';
import type { Db } from '../db.ts';
import { type KnownIndex, loadBatch, saveBatch } from '../org-transaction.ts';
import { createKept, createTurns, type EngineOrgTransactions } from './org-turns.ts';

/**
 * This process is the only writer, so nothing is locked between load and save: it is enough that each organisation has
 * one transaction at a time.
 */
export function createOrgTransactions(
  db: Db,
  cipher: Cipher,
  catalogs: Catalogs,
  epoch: StoreEpoch,
  onCommitting: () => void,
): EngineOrgTransactions {
  const turns = createTurns();
  const indexes = createKept<KnownIndex>();
  const counts = createBacklogCounts(db);

  return {
    inOrg(org, needs, decide) {
      return turns.run(org, async () => {
        try {
          const loaded = await loadBatch(db.load, org, needs, cipher, indexes.get(org), catalogs, () => epoch);
          const { writes, result } = decide(loaded);
          const rows = saveBatch(org, writes, cipher);
          if (rows.length > 0) {
            const written = db.write(rows);
            onCommitting();
            await written;
          }
          indexes.keep(org, { index: loaded.index });
          counts.take(org, loaded.index);
          return result;
        } catch (error) {
          indexes.forget(org);
          throw error;
        }
      });
    },
    forget: indexes.forget,
    forgetAll: indexes.forgetAll,
    async idle() {
      await turns.idle();
      await counts.stop();
    },
  };
}
