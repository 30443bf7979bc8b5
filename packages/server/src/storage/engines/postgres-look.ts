import { type DatabaseHost, readDatabaseUrl } from '../../domain/database-url.ts';
import { type Row, sql } from '../db.ts';
import { flag, integer, text } from '../rows.ts';
import type { OldestSnapshot } from '../store.ts';
import { connectPostgres, DEFAULT_TIMEOUTS, type PostgresConnection } from './postgres-connection.ts';
import { createSnapshotWatch, SELECT_HOLDERS } from './postgres-snapshots.ts';
import { toQuery } from './postgres-sql.ts';

/** A server of a database URL, as someone who would mend it sees it. */
export interface ServerLook {
  readonly host: string;
  /** Why it cannot be looked at; then nothing else is known. */
  readonly fault?: string;
  readonly facts?: ServerFacts;
}

/** Times in milliseconds. */
export interface ServerFacts {
  readonly version: string;
  readonly isRecentEnough: boolean;
  readonly takesWrites: boolean;
  /** Of the quickest of a few. */
  readonly roundTrip: number;
  /** How far its time is ahead of this machine's. */
  readonly ahead: number;
  readonly connections: { readonly used: number; readonly most: number };
  /** Standbys that it sends to, and those that a commit waits for. */
  readonly standbys: { readonly connected: number; readonly synchronous: number };
  readonly oldestSnapshot?: OldestSnapshot;
  /** Undefined: there is no store yet. */
  readonly nodes?: readonly NodeLook[];
  /** Buckets that no node owns. */
  readonly unowned: number;
}

export interface NodeLook {
  readonly id: string;
  /** Milliseconds; negative when it is over. */
  readonly leaseLeft: number;
  readonly isLeaving: boolean;
  readonly buckets: number;
}

const ROUND_TRIPS = 5;
const OLDEST_VERSION = 140_000;

const SELECT_SERVER = sql`
  SELECT current_setting('server_version') AS version, current_setting('server_version_num')::bigint AS number,
    NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' AS takes_writes,
    floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
    current_setting('max_connections')::bigint AS most,
    (SELECT count(*) FROM pg_stat_replication) AS standbys,
    (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')) AS synchronous,
    to_regclass('node') IS NOT NULL AND to_regclass('bucket') IS NOT NULL AS has_nodes`;

const SELECT_NODES = sql`
  SELECT id, is_leaving, lease_until - floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS lease_left,
    (SELECT count(*) FROM bucket b WHERE b.node = node.id) AS buckets
  FROM node ORDER BY id`;

const SELECT_UNOWNED = sql`SELECT count(*) AS unowned FROM bucket WHERE node IS NULL`;

/** Looks at each server of the URL by itself and changes nothing. */
export function lookAtServers(url: string, pooler: boolean): Promise<readonly ServerLook[]> {
  return Promise.all(readDatabaseUrl(url).hosts.map((host) => lookAt(host, pooler)));
}

async function lookAt(host: DatabaseHost, pooler: boolean): Promise<ServerLook> {
  const name = host.host.includes(':') ? `[${host.host}]:${host.port}` : `${host.host}:${host.port}`;
  try {
    const options = { timeouts: DEFAULT_TIMEOUTS, applicationName: 'watchbell doctor', pooler };
    const connection = await connectPostgres({ connectionString: host.url }, options);
    try {
      return { host: name, facts: await readFacts(connection) };
    } finally {
      await connection.end();
    }
  } catch (error) {
    return { host: name, fault: reasonOf(error) };
  }
}

async function readFacts(connection: PostgresConnection): Promise<ServerFacts> {
  const [[server = {}] = [], holders = []] = await connection.once([SELECT_SERVER, SELECT_HOLDERS].map(toQuery));
  const ahead = integer(server, 'now') - Date.now();
  const roundTrips: number[] = [];
  for (let i = 0; i < ROUND_TRIPS; i += 1) {
    const sentAt = performance.now();
    await connection.once([toQuery(sql`SELECT 1 AS one`)]);
    roundTrips.push(performance.now() - sentAt);
  }
  const hasNodes = flag(server, 'has_nodes');
  const [nodes = [], [left] = []] = hasNodes ? await connection.once([SELECT_NODES, SELECT_UNOWNED].map(toQuery)) : [];
  const oldestSnapshot = createSnapshotWatch()(holders);
  return {
    version: text(server, 'version'),
    isRecentEnough: integer(server, 'number') >= OLDEST_VERSION,
    takesWrites: flag(server, 'takes_writes'),
    roundTrip: Math.min(...roundTrips),
    ahead,
    connections: { used: integer(server, 'used'), most: integer(server, 'most') },
    standbys: { connected: integer(server, 'standbys'), synchronous: integer(server, 'synchronous') },
    ...(oldestSnapshot && { oldestSnapshot }),
    ...(hasNodes && { nodes: nodes.map(readNode) }),
    unowned: left ? integer(left, 'unowned') : 0,
  };
}

const readNode = (row: Row): NodeLook => ({
  id: text(row, 'id'),
  leaseLeft: integer(row, 'lease_left'),
  isLeaving: flag(row, 'is_leaving'),
  buckets: integer(row, 'buckets'),
});

function reasonOf(error: unknown): string {
  // Several addresses of one name that all failed.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}
