import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import pg from 'pg';
import { startPostgres } from '../support/postgres/cluster.mjs';

/** The tables that a search could walk through as a whole. */
const BIG = ['notification', 'attempt', 'record_change', 'change_subject', 'undelivered', 'owed'];

/**
 * A store that rows can be written into while its server is stopped: statements are the same text on both engines, with
 * `series(from, to)` for rows with a column `i`.
 */
async function sqlite(dataDir) {
  const open = () => new Sqlite(join(dataDir, 'watchbell.sqlite'));
  return {
    name: 'SQLite',
    flags: [],
    series: (from, to) =>
      `(WITH RECURSIVE s(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM s WHERE i < ${to}) SELECT i FROM s) s`,
    async write(work) {
      const db = open();
      db.pragma('synchronous = OFF');
      db.pragma('cache_size = -1000000');
      await work(
        async (text) => void db.exec(text),
        async (text) => db.prepare(text).all(),
      );
      db.pragma('wal_checkpoint(TRUNCATE)');
      db.close();
    },
    async bytes() {
      const db = open();
      const pragma = (name) => db.pragma(name, { simple: true });
      const bytes = pragma('page_count') * pragma('page_size');
      db.close();
      return bytes;
    },
    /** Nobody counts them. */
    scans: async () => undefined,
    end: async () => undefined,
  };
}

async function postgres() {
  const server = await startPostgres({ fsync: false, settings: { max_wal_size: '16GB', checkpoint_timeout: '1h' } });
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const ask = async (text) => (await client.query(text)).rows;
  return {
    name: `PostgreSQL ${server.version}`,
    flags: ['--database-url', server.url],
    series: (from, to) => `generate_series(${from}::bigint, ${to}::bigint) s(i)`,
    async write(work) {
      await work(ask, ask);
      await ask('VACUUM ANALYZE');
    },
    bytes: async () => Number((await ask('SELECT pg_database_size(current_database()) AS bytes'))[0].bytes),
    /** How often each of them was read as a whole. */
    async scans() {
      await ask('SELECT pg_stat_force_next_flush()');
      const rows = await ask('SELECT relname, seq_scan FROM pg_stat_user_tables');
      return new Map(
        rows.filter(({ relname }) => BIG.includes(relname)).map((row) => [row.relname, Number(row.seq_scan)]),
      );
    },
    async end() {
      await client.end();
      await server.remove();
    },
  };
}

export const openEngine = (name, dataDir) => (name === 'postgres' ? postgres() : sqlite(dataDir));
