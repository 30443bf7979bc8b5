import { startPostgres } from '../../../packages/server/test/support/postgres/cluster.mjs';
import { type ProcessUsage, usageOfTree } from './usage.ts';

/** The same for all that need PostgreSQL: room to work in, and no checkpoint amid a round. What is durable stays so. */
const SETTINGS = { shared_buffers: '256MB', max_wal_size: '4GB' };

/** A server of its own that one system alone uses. */
export interface Database {
  /** Of an empty database, as a superuser. */
  readonly url: string;
  /** Of all its processes; of the memory, what they share is counted for each. */
  usage(): ProcessUsage;
  close(): Promise<void>;
}

/** An installed PostgreSQL on loopback that writes through to the disk at each commit; its directory is temporary. */
export async function startDatabase(settings: Readonly<Record<string, string>> = {}): Promise<Database> {
  const server = await startPostgres({ fsync: true, settings: { ...SETTINGS, ...settings } });
  const { pid } = server;
  if (pid === undefined) throw new Error('PostgreSQL ended at once');
  return {
    url: server.url,
    usage: () => usageOfTree(pid),
    close: () => server.remove(),
  };
}
