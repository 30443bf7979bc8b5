import pg, { type Client } from 'pg';
import { type DatabaseUrl, readDatabaseUrl, showDatabase } from '../../domain/database-url.ts';
import { aboutMove, MOVED_FROM, MOVING, type Move } from '../moving.ts';
import { StoreRefusal } from '../refusal.ts';
import {
  COUNTERS,
  type Contents,
  type Counters,
  columnList,
  countersOf,
  inKeyOrder,
  PLACE_ROWS,
  readContents,
  schemaDifference,
  type Table,
  type TextValue,
  tablesOf,
} from './move-tables.ts';
import { copyIn, copyLine, eachRow } from './postgres-copy.ts';

/** The database that a store is moved into, on one connection. */
export interface MoveTarget {
  /** Without credentials. */
  readonly place: string;
  readonly tables: readonly Table[];
  /** The move that filled it. */
  readonly filled?: Move;
  /** The move that was begun and not ended. */
  readonly begun?: Move;
  /** Says in the database that a store is on its way into it. Rejects with a `StoreRefusal` when it holds anything. */
  begin(move: Move, tables: readonly Table[]): Promise<void>;
  /** Opens the transaction in which everything is copied and compared. */
  open(move: Move, tables: readonly Table[]): Promise<void>;
  /** Resolves when the database has taken all. */
  copy(table: Table, rows: Iterable<readonly TextValue[]>): Promise<void>;
  /** Has its planner know what was copied. */
  analyze(tables: readonly Table[]): Promise<void>;
  /** Reads the table again. `onRow` is told of each row. */
  contents(table: Table, onRow: () => void): Promise<Contents>;
  counters(): Promise<Counters>;
  /** Writes down that it is filled. Then only the commit is left. */
  end(move: Move): Promise<void>;
  /** When it rejects, it may have been done. */
  commit(): Promise<void>;
  /** What was not committed is gone. */
  close(): Promise<void>;
}

/** A chunk of COPY, in characters. */
const CHUNK = 256 * 1024;
const LOCK_TIMEOUT_MS = 3000;
const CONNECT_TIMEOUT_MS = 10_000;
const LOCK_NOT_AVAILABLE = '55P03';
/** Rows of `meta` that a database has in which nothing was ever stored. */
const OF_AN_EMPTY_STORE = [...PLACE_ROWS, 'epoch'];

/** Its schema must be up to date. */
export async function openTarget(url: string): Promise<MoveTarget> {
  const database = readDatabaseUrl(url);
  const place = showDatabase(database);
  const client = await connect(database);
  try {
    const { rows } = await client.query<{ name: string; value: string }>('SELECT name, value FROM meta');
    const mark = (name: string): Move | undefined => {
      const found = rows.find((row) => row.name === name);
      return found && (JSON.parse(found.value) as Move);
    };
    const [filled, begun] = [mark(MOVED_FROM), mark(MOVING)];
    const tables = await readTables(client);
    return { place, tables, ...(filled && { filled }), ...(begun && { begun }), ...writing(client, place) };
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** The first server of the URL that takes writes. */
async function connect(database: DatabaseUrl): Promise<Client> {
  const reasons: string[] = [];
  for (const { host, port, url } of database.hosts) {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    });
    // Whoever waits for an answer is told as well.
    client.on('error', () => {});
    try {
      await client.connect();
      const { rows } = await client.query("SELECT current_setting('transaction_read_only') AS read_only");
      if (rows[0]?.read_only === 'off') return client;
      reasons.push(`${host}:${port}: it takes no writes`);
    } catch (error) {
      reasons.push(`${host}:${port}: ${error instanceof Error ? error.message : String(error)}`);
    }
    await client.end().catch(() => {});
  }
  throw new StoreRefusal('CANNOT_OPEN', `No server of ${showDatabase(database)} can be used: ${reasons.join('; ')}`);
}

function writing(
  client: Client,
  place: string,
): Pick<MoveTarget, 'begin' | 'open' | 'copy' | 'analyze' | 'contents' | 'counters' | 'end' | 'commit' | 'close'> {
  const run = (text: string, values: readonly string[] = []) => client.query(text, [...values]);

  /** Nobody else writes to it from here to the end of the transaction, nor reads more than `meta`. */
  async function lock(tables: readonly Table[]): Promise<void> {
    await run('BEGIN');
    // It may take long, whatever the database's users are allowed; only others' locks are not waited for that long.
    for (const [name, value] of [
      ['statement_timeout', '0'],
      ['idle_in_transaction_session_timeout', '0'],
      ['lock_timeout', String(LOCK_TIMEOUT_MS)],
      ['synchronous_commit', 'on'],
      ['application_name', 'watchbell migrate-store'],
    ] as const)
      await run('SELECT set_config($1, $2, true)', [name, value]);
    try {
      await run('LOCK TABLE meta, node IN SHARE ROW EXCLUSIVE MODE');
      await run(`LOCK TABLE ${namesOf(withoutMeta(tables))} IN ACCESS EXCLUSIVE MODE`);
    } catch (cause) {
      if (codeOf(cause) !== LOCK_NOT_AVAILABLE) throw cause;
      throw new StoreRefusal('DATABASE_IN_USE', `${place} is in use by another process: stop it first`, { cause });
    }
  }

  async function requireEmpty(tables: readonly Table[]): Promise<void> {
    const { rows: nodes } = await run(
      'SELECT id FROM node WHERE lease_until > extract(epoch FROM clock_timestamp()) * 1000 ORDER BY id LIMIT 1',
    );
    if (nodes[0]) {
      throw new StoreRefusal('DATABASE_IN_USE', `A server runs on ${place} (node ${nodes[0].id}): stop it first`);
    }
    const filled = withoutMeta(tables).map(
      ({ name }) => `SELECT '${name}' AS name WHERE EXISTS (SELECT 1 FROM "${name}")`,
    );
    const { rows } = await run(filled.join(' UNION ALL '));
    const { rows: facts } = await run(
      "SELECT name FROM meta WHERE NOT name = ANY (string_to_array($1, ',')) AND name NOT LIKE 'key!_check/%' ESCAPE '!'",
      [OF_AN_EMPTY_STORE.join(',')],
    );
    const found = [...rows.map(({ name }) => name), ...facts.map(({ name }) => `meta ${name}`)];
    if (found.length === 0) return;
    throw new StoreRefusal(
      'NOT_EMPTY',
      `${place} holds something (${found.sort().join(', ')}): name an empty database`,
    );
  }

  const setMark = (name: string, move: Move) =>
    run('INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value', [
      name,
      JSON.stringify(move),
    ]);

  return {
    async begin(move, tables) {
      await lock(tables);
      await requireEmpty(tables);
      const { rows } = await run('SELECT value FROM meta WHERE name = $1', [MOVED_FROM]);
      if (rows[0]) throw notEmpty(place, JSON.parse(rows[0].value) as Move);
      await setMark(MOVING, move);
      await run('COMMIT');
    },

    async open(move, tables) {
      await lock(tables);
      await requireEmpty(tables);
      const { rows } = await run('SELECT value FROM meta WHERE name = $1', [MOVING]);
      if ((rows[0] && (JSON.parse(rows[0].value) as Move))?.id !== move.id) {
        throw new StoreRefusal('DATABASE_IN_USE', `Another store was begun to be moved into ${place} just now`);
      }
      // Rows that come into a table emptied in the same transaction need no vacuum later; undone, they leave nothing.
      await run(`TRUNCATE ${namesOf(withoutMeta(tables))}`);
      await run("DELETE FROM meta WHERE NOT name = ANY (string_to_array($1, ','))", [PLACE_ROWS.join(',')]);
    },

    async copy(table, rows) {
      const freeze = table.name === 'meta' ? '' : ' WITH (FREEZE)';
      await copyIn(client, `COPY "${table.name}" (${columnList(table)}) FROM STDIN${freeze}`, chunksOf(rows));
    },

    async analyze(tables) {
      await run(`ANALYZE ${namesOf(tables)}`);
      // From here on rows are read in the order of keys: by the index, and nothing is sorted on the disk.
      await run("SELECT set_config('enable_sort', 'off', true)");
    },

    async contents(table, onRow) {
      const contents = readContents();
      await eachRow(client, `SELECT ${columnList(table)} FROM "${table.name}" ${inKeyOrder(table)}`, (row) => {
        contents.take(row);
        onRow();
      });
      return contents.end();
    },

    async counters() {
      const { rows } = await run(COUNTERS);
      return countersOf(rows[0] ?? {});
    },

    async end(move) {
      await run('DELETE FROM meta WHERE name = $1', [MOVING]);
      await setMark(MOVED_FROM, move);
    },

    async commit() {
      await run('COMMIT');
    },

    async close() {
      await client.end().catch(() => {});
    },
  };
}

export const notEmpty = (place: string, filled: Move): StoreRefusal =>
  new StoreRefusal('NOT_EMPTY', `${place} holds a store that was moved there from ${aboutMove(filled)}`);

function* chunksOf(rows: Iterable<readonly TextValue[]>): Generator<Buffer> {
  let text = '';
  for (const row of rows) {
    text += copyLine(row);
    if (text.length < CHUNK) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

/** By it the database says what it has; the other side has to have the same. */
async function readTables(client: Client): Promise<Table[]> {
  const { rows } = await client.query<{ table: string; name: string; type: string; nullable: boolean; key: number }>(
    `SELECT t.relname AS "table", c.attname AS name, format_type(c.atttypid, c.atttypmod) AS type,
       NOT c.attnotnull AS nullable, COALESCE(array_position(k.conkey, c.attnum), 0) AS key
     FROM pg_class t
     JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
     LEFT JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'p'
     WHERE t.relkind IN ('r', 'p') AND t.relnamespace = current_schema()::regnamespace`,
  );
  const integers = ['bigint', 'integer', 'smallint'];
  return tablesOf(
    rows.map(({ table, name, type, nullable, key }) => ({
      table,
      name,
      type: integers.includes(type) ? 'integer' : type,
      isNullable: nullable,
      keyPosition: key,
    })),
  );
}

const withoutMeta = (tables: readonly Table[]): Table[] => tables.filter(({ name }) => name !== 'meta');
const namesOf = (tables: readonly Table[]): string => tables.map(({ name }) => `"${name}"`).join(', ');

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** Throws when what one side has does not fit the other. */
export function requireSameSchema(from: readonly Table[], to: readonly Table[]): void {
  const difference = schemaDifference(from, to);
  if (difference !== undefined) throw new StoreRefusal('NOT_MOVED', `The schemas differ: ${difference}`);
}
