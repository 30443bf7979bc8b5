import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type Database, startDatabase } from './postgres.ts';

const EXTENSION = 'pg_stat_statements';
const SHARED_WITHIN_MS = 20_000;

/** A database that tells what it was asked, which costs each statement a little of its processor time. */
export interface CountedDatabase extends Database {
  /** So far: statements, transactions with them, and bytes of the write-ahead log. */
  counts(): Promise<Readonly<Record<'statements' | 'wal_bytes', number>>>;
  /** Resolves when so many nodes of Watchbell have their share of the channels. */
  isShared(nodes: number): Promise<void>;
}

export async function startCountedDatabase(): Promise<CountedDatabase> {
  const database = await startDatabase({ shared_preload_libraries: EXTENSION });
  const client = new pg.Client({ connectionString: database.url });
  const close = async (): Promise<void> => {
    await client.end();
    await database.close();
  };
  const ask = async (text: string): Promise<number> => {
    const { rows } = await client.query<{ value: string | null }>(text);
    return Number(rows[0]?.value ?? 0);
  };
  try {
    await client.connect();
    await client.query(`CREATE EXTENSION ${EXTENSION}`);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...database,
    close,
    async counts() {
      return {
        statements: await ask(`SELECT sum(calls) AS value FROM ${EXTENSION}`),
        wal_bytes: await ask("SELECT pg_current_wal_insert_lsn() - '0/0' AS value"),
      };
    },
    async isShared(nodes) {
      for (const until = Date.now() + SHARED_WITHIN_MS; Date.now() < until; await delay(50)) {
        const least = await ask(
          `SELECT min(owned) AS value FROM (SELECT count(*) AS owned FROM bucket WHERE node IS NOT NULL GROUP BY node
             HAVING (SELECT count(DISTINCT node) FROM bucket) = ${nodes}) AS owners
           WHERE NOT EXISTS (SELECT FROM bucket WHERE node IS NULL)`,
        );
        if (least >= Math.floor(64 / nodes)) return;
      }
      throw new Error(`${nodes} nodes did not share the channels`);
    },
  };
}
