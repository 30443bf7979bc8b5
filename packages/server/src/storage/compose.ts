import { createAccountStore } from './accounts.ts';
import { createAdministrationStore } from './administration.ts';
import { createBacklogReads } from './backlog.ts';
import type { Catalogs } from './catalogs.ts';
import { createChannelReads } from './channels.ts';
import type { Cipher } from './cipher.ts';
import { createClientStore } from './clients.ts';
import { createClockStore } from './clock.ts';
import type { Db } from './db.ts';
import { createDeletedRecordStore } from './deleted-records.ts';
import { createDeliveryStore, type Fence } from './delivery.ts';
import { createErasureStore, type ErasureEngine } from './erasure.ts';
import { createExplainReads } from './explaining.ts';
import { createFeedStore } from './feed.ts';
import { createHousekeepingStore } from './housekeeping.ts';
import { createJobStore } from './jobs.ts';
import { createLapseReads } from './lapses.ts';
import { createNoticeStore } from './notices.ts';
import { createLookStore } from './notification-lists.ts';
import { createRecordListReads } from './record-lists.ts';
import { createRecordReads } from './records.ts';
import { createRelatedReads } from './related.ts';
import { createSealedStore } from './sealed.ts';
import { createSearchReads } from './search.ts';
import type { Store } from './store.ts';
import { createTokenStore } from './tokens.ts';

export interface StoreParts {
  readonly db: Db;
  readonly cipher: Cipher;
  /** Shared with the org transactions. */
  readonly catalogs: Catalogs;
  readonly erasure: ErasureEngine;
  /** Ids of former keys that the store still needs. */
  readonly formerKeys: readonly string[];
  /** Ids of those under which other processes encrypt; undefined: there are none. */
  readonly keysInUse?: () => Promise<readonly string[]>;
  /** Of a store that nodes share. */
  readonly fence?: Fence;
}

/** What is the same on every engine, given its `Db`. */
export function composeStore({
  db,
  cipher,
  catalogs,
  erasure,
  formerKeys,
  keysInUse,
  fence,
}: StoreParts): Omit<Store, 'writing' | 'cluster' | 'check' | 'close'> {
  return {
    records: createRecordReads(db),
    search: createSearchReads(db),
    recordLists: createRecordListReads(db),
    deleted: createDeletedRecordStore(db),
    related: createRelatedReads(db),
    channels: createChannelReads(db, cipher),
    delivery: createDeliveryStore(db, cipher, fence),
    jobs: createJobStore(db, fence),
    notices: createNoticeStore(db, cipher),
    accounts: createAccountStore(db, catalogs),
    clients: createClientStore(db),
    tokens: createTokenStore(db),
    administration: createAdministrationStore(db, cipher),
    housekeeping: createHousekeepingStore(db),
    clock: createClockStore(db),
    backlog: createBacklogReads(db),
    feed: createFeedStore(db, cipher),
    look: createLookStore(db),
    explaining: createExplainReads(db),
    lapses: createLapseReads(db),
    erasure: createErasureStore(db, erasure),
    sealed: createSealedStore(db, cipher, formerKeys, keysInUse),
  };
}

/** One check at a time: anybody may ask, and those who ask at once share one write. */
export function shareCheck(check: () => Promise<unknown>): Store['check'] {
  let checking: ReturnType<Store['check']> | undefined;
  return () => {
    checking ??= check()
      .then(() => ({ ok: true }) as const)
      .catch((error: unknown) => ({ ok: false, reason: reasonOf(error) }) as const)
      .finally(() => {
        checking = undefined;
      });
    return checking;
  };
}

/** With what the database said, which is what an operator can act on. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
