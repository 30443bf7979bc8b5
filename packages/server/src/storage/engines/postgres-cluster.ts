import type { Db } from '../db.ts';
import type { Fence } from '../delivery.ts';
import type { ClusterStore } from '../store.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { createHints, noHints } from './postgres-hints.ts';
import { createFence, createLeaseStore } from './postgres-leases.ts';
import { createNewsStore } from './postgres-news.ts';

export interface PostgresCluster {
  readonly store: ClusterStore;
  readonly fence: Fence;
  close(): Promise<void>;
}

/**
 * What nodes ask each other by the database. `db` has connections of its own for that: a node whose connections are all
 * at work must neither lose its lease nor stop to send.
 */
export function createCluster(
  db: Pick<Db, 'load' | 'write'>,
  connect: () => Promise<PostgresConnection>,
  { withHints, keyId }: { readonly withHints: boolean; readonly keyId: string },
): PostgresCluster {
  const hints = withHints ? createHints(connect) : undefined;
  return {
    store: { leases: createLeaseStore(db, keyId), news: createNewsStore(db), hints: hints ?? noHints },
    fence: createFence(db),
    close: async () => hints?.close(),
  };
}
