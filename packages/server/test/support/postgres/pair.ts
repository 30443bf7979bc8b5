import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { makeServerDirectory, type Postgres, startPostgres } from './cluster.mjs';

/** A server and a streaming replica of it. */
export interface PostgresPair {
  readonly primary: Postgres;
  readonly replica: Postgres;
  /** A URL with both, in this order, of a database. */
  readonly url: string;
  /** Ends the replica's recovery: from then on it takes writes. */
  promote(): Promise<void>;
  remove(): Promise<void>;
}

export interface PairOptions {
  /** Commits wait until the replica has them on disk. */
  readonly synchronous: boolean;
  readonly database: string;
}

const SLOT = 'replica';

/** The replica begins as a copy of the primary's directory, made while that is stopped: no other program is needed. */
export async function startPair({ synchronous, database }: PairOptions): Promise<PostgresPair> {
  const directory = makeServerDirectory();
  const primary = await startPostgres({ dataDir: join(directory, 'primary'), fsync: true });
  try {
    await run(primary.url, `SELECT pg_create_physical_replication_slot('${SLOT}')`, `CREATE DATABASE ${database}`);
    await primary.stop();
    const copy = join(directory, 'replica');
    cpSync(primary.dataDir, copy, { recursive: true });
    writeFileSync(join(copy, 'standby.signal'), '');
    await primary.restart();
    const { username, password, port } = new URL(primary.url);
    const replica = await startPostgres({
      dataDir: copy,
      password: primary.password,
      fsync: true,
      settings: {
        primary_conninfo: `host=127.0.0.1 port=${port} user=${username} password=${password} application_name=${SLOT}`,
        primary_slot_name: SLOT,
      },
    });
    // Not earlier: until the replica is there, no commit would end. And not in its copy: promoted, it has no other one.
    if (synchronous) {
      await run(primary.url, `ALTER SYSTEM SET synchronous_standby_names = '${SLOT}'`, 'SELECT pg_reload_conf()');
    }
    const hosts = [primary, replica].map(({ url }) => new URL(url).host).join(',');
    return {
      primary,
      replica,
      url: `postgres://${username}:${password}@${hosts}/${database}`,
      async promote() {
        await run(replica.url, 'SELECT pg_promote()');
      },
      async remove() {
        await Promise.all([primary.remove(), replica.remove()]);
        rmSync(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await primary.remove();
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

/** Each by itself: some must not be in a transaction with others. */
export async function run(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
