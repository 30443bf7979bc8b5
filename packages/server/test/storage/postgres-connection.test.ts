import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { changeRows, insertRows, list, type SqlValue, sql, together } from '../../src/storage/db.ts';
import {
  type ConnectionOptions,
  connectPostgres,
  DEFAULT_TIMEOUTS,
  type PostgresConnection,
} from '../../src/storage/engines/postgres-connection.ts';
import { plain, toQueries, toQuery } from '../../src/storage/engines/postgres-sql.ts';
import { createDatabase } from '../support/postgres/database.ts';
import { startTcpProxy, through } from '../support/tcp-proxy.ts';

const OPTIONS: ConnectionOptions = { timeouts: DEFAULT_TIMEOUTS, applicationName: 'test', pooler: false };
const TABLE = plain('CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT, weight DOUBLE PRECISION)');

let url: string;

beforeEach(async () => {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  ({ url } = database);
});

async function connect(options: Partial<ConnectionOptions> = {}, to = url): Promise<PostgresConnection> {
  const connection = await connectPostgres({ connectionString: to }, { ...OPTIONS, ...options });
  onTestFinished(() => connection.end());
  return connection;
}

const one = async (connection: PostgresConnection, text: string) => (await connection.once([plain(text)]))[0]?.[0];

describe('a connection', () => {
  it('answers each of many statements by itself, and values as SQLite gives them', async () => {
    const connection = await connect();
    const results = await connection.once(
      [
        sql`SELECT 1 = 1 AS yes, 1 = 2 AS no, NULL AS nothing, CAST(7 AS INTEGER) AS small, CAST(8 AS BIGINT) AS big`,
        sql`SELECT SUM(n) AS sum, COUNT(*) AS counted FROM generate_series(1, 4) n`,
        sql`SELECT 1 AS one WHERE 1 = 0`,
        sql`SELECT CAST(1.5 AS DOUBLE PRECISION) AS half, ${'text'} AS text`,
      ].map(toQuery),
    );
    expect(results).toEqual([
      [{ yes: 1, no: 0, nothing: null, small: 7, big: 8 }],
      [{ sum: 10, counted: 4 }],
      [],
      [{ half: 1.5, text: 'text' }],
    ]);
  });

  it('takes texts of any kind, alone, in lists and in rows', async () => {
    const connection = await connect();
    const texts = [
      '',
      '"',
      '\\',
      '{}',
      'NULL',
      'null',
      'a,b',
      "'; DROP TABLE thing",
      'line\nbreak',
      'ä €',
      '👍🏽',
      '\u007f',
    ];
    await connection.once([TABLE]);
    const rows: SqlValue[][] = texts.map((text, i) => [i, text, i % 2 === 0 ? null : i + 0.5]);
    await connection.once([toQuery(insertRows('thing (id, name, weight)', rows))]);
    const [found = [], listed = [], none = []] = await connection.once(
      [
        sql`SELECT id, name, weight FROM thing ORDER BY id`,
        sql`SELECT u.value AS name FROM ${list(texts)} u`,
        sql`SELECT id FROM thing WHERE name IN ${list([])}`,
      ].map(toQuery),
    );
    expect(found.map(({ id, name, weight }) => [id, name, weight])).toEqual(rows);
    expect(listed.map(({ name }) => name)).toEqual(texts);
    expect(none).toEqual([]);
    for (const text of texts) {
      const [rows = []] = await connection.once([
        toQuery(sql`SELECT id, ${text} AS same FROM thing WHERE name = ${text}`),
      ]);
      expect(rows).toEqual([{ id: texts.indexOf(text), same: text }]);
    }
  });

  it('makes one statement of what was put together, whose first part comes first and the others in order', async () => {
    const connection = await connect();
    await connection.once([
      TABLE,
      plain('CREATE TEMPORARY SEQUENCE turn'),
      plain("CREATE TEMPORARY TABLE log (turn BIGINT DEFAULT nextval('turn'), id BIGINT, kind TEXT)"),
    ]);
    const log = (kind: string) => sql`INSERT INTO log (id, kind) VALUES (${kind.length}, ${kind})`;
    const { queries, places } = toQueries([
      insertRows('thing (id, name)', [[1, 'a']]),
      ...together([
        sql`INSERT INTO log (id, kind) VALUES (1, ${'first'}) RETURNING kind`,
        insertRows('log (id, kind)', []),
        insertRows('log (id, kind)', [[2, 'rows']]),
        changeRows([1, 9], (id) => sql`UPDATE thing SET name = ${'b'} WHERE id = ${id}`),
        log('a statement'),
      ]),
      ...together([log('another group')]),
    ]);
    expect(queries).toHaveLength(3);
    expect(places).toEqual([0, 1, undefined, undefined, undefined, undefined, 2]);
    expect((await connection.once(queries))[1]).toEqual([{ kind: 'first' }]);
    const [logged = [], things] = await connection.once([
      plain('SELECT kind FROM log ORDER BY turn'),
      plain('SELECT id, name FROM thing'),
    ]);
    expect(logged.map(({ kind }) => kind)).toEqual(['first', 'rows', 'a statement', 'another group']);
    expect(things).toEqual([{ id: 1, name: 'b' }]);
  });

  it('changes many rows by one statement, and columns that are empty in all of them', async () => {
    const connection = await connect();
    await connection.once([
      TABLE,
      toQuery(
        insertRows('thing (id, name)', [
          [1, 'a'],
          [2, 'b'],
          [3, 'c'],
          [4, 'd'],
        ]),
      ),
    ]);
    const changes = changeRows(
      [1, 3],
      (id) => sql`UPDATE thing SET name = ${null}, weight = ${id * 2} WHERE id = ${id}`,
    );
    const removal = changeRows([2, 9], (id) => sql`DELETE FROM thing WHERE id = ${id} RETURNING id`);
    const [, removed] = await connection.once([toQuery(changes), toQuery(removal)]);
    expect(removed).toEqual([{ id: 2 }]);
    const [rows = []] = await connection.once([plain('SELECT id, name, weight FROM thing ORDER BY id')]);
    expect(rows.map(({ id, name, weight }) => [id, name, weight])).toEqual([
      [1, null, 2],
      [3, null, 6],
      [4, 'd', null],
    ]);
  });

  it('refuses a number that JavaScript would change', async () => {
    const connection = await connect();
    await expect(connection.once([plain('SELECT 9007199254740993::bigint AS big')])).rejects.toThrow('too big');
  });

  it.each([false, true])(
    'does all of several statements or nothing (behind a pooler: %s), and goes on',
    async (pooler) => {
      const connection = await connect({ pooler });
      await connection.once([TABLE]);
      const insert = (id: number) => toQuery(insertRows('thing (id)', [[id]]));
      await expect(connection.once([insert(1), insert(2), insert(1), insert(3)])).rejects.toThrow(
        'A statement was refused',
      );
      expect(await one(connection, 'SELECT COUNT(*) AS count FROM thing')).toEqual({ count: 0 });
      // What the batch that failed never came to can be asked as if it had not been in it.
      const later = plain('SELECT 42 AS later');
      await expect(connection.once([insert(1), insert(1), later])).rejects.toThrow('A statement was refused');
      expect(await connection.once([later])).toEqual([[{ later: 42 }]]);
      await connection.once([insert(1), insert(3)]);
      expect(await one(connection, 'SELECT COUNT(*) AS count FROM thing')).toEqual({ count: 2 });
    },
  );

  it('keeps a bounded number of statements ready, and each of them works again', async () => {
    const connection = await connect();
    const texts = Array.from({ length: 620 }, (_, i) => plain(`SELECT ${i} AS number`));
    for (let times = 0; times < 2; times += 1) {
      const results = await connection.once(texts);
      expect(results.map(([row]) => row?.number)).toEqual(texts.map((_, i) => i));
    }
    // What gives way to a new one is given back with the next batch.
    for (let times = 0; times < 2; times += 1) await connection.once([plain('SELECT 1')]);
    const held = await one(connection, 'SELECT COUNT(*) AS count FROM pg_prepared_statements');
    expect(held?.count).toBeGreaterThan(400);
    expect(held?.count).toBeLessThanOrEqual(501);
  });

  it('sends and takes much at once', async () => {
    const connection = await connect();
    const long = 'x'.repeat(100_000);
    const results = await connection.once(Array.from({ length: 200 }, () => toQuery(sql`SELECT ${long} AS text`)));
    expect(results.every(([row]) => row?.text === long)).toBe(true);
  });

  it('sets what every transaction runs under, behind a pooler for that transaction alone', async () => {
    const timeouts = { ...DEFAULT_TIMEOUTS, statement: 7001, lock: 7002, idleInTransaction: 7003 };
    const names = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'synchronous_commit'];
    const asked = plain(`SELECT ${names.map((name) => `current_setting('${name}') AS ${name}`).join(', ')}`);
    const set = {
      statement_timeout: '7001ms',
      lock_timeout: '7002ms',
      idle_in_transaction_session_timeout: '7003ms',
      synchronous_commit: 'on',
    };
    for (const pooler of [false, true]) {
      const connection = await connect({ timeouts, pooler });
      await connection.run([plain("SELECT set_config('synchronous_commit', 'off', false)")]);
      if (!pooler) await connection.run([plain("SELECT set_config('synchronous_commit', 'on', false)")]);
      expect((await connection.once([asked]))[0]).toEqual([set]);
      expect((await connection.begin([asked]))[0]).toEqual([set]);
      await connection.commit([]);
      const [after] = (await connection.run([asked])) ?? [];
      expect(after?.[0]?.statement_timeout === '7001ms').toBe(!pooler);
      const prepared = await one(connection, 'SELECT COUNT(*) AS count FROM pg_prepared_statements');
      expect(prepared?.count === 0).toBe(pooler);
    }
  });

  it('has the server find out that nobody is at its other end any more', async () => {
    const connection = await connect();
    const names = ['tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count'];
    const shown = await one(
      connection,
      `SELECT ${names.map((name) => `current_setting('${name}') AS ${name}`).join(', ')}`,
    );
    expect(shown).toEqual({ tcp_keepalives_idle: '30', tcp_keepalives_interval: '10', tcp_keepalives_count: '3' });
  });

  it.each([
    ['a warning', "WARNING 'the standby was not waited for'"],
    // As one is that has another word for its level: then the code alone says what it is.
    ['a warning in another language', "NOTICE 'auf den Standby wurde nicht gewartet' USING ERRCODE = '01000'"],
  ])('takes a commit with %s for none that is sure', async (_, raise) => {
    const connection = await connect();
    await connection.once([plain("DO $$ BEGIN RAISE NOTICE 'all is well'; END $$")]);
    await expect(connection.once([plain(`DO $$ BEGIN RAISE ${raise}; END $$`)])).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
    });
    expect(connection.isSpoiled()).toBe(true);
  });

  it('is lost when the server is silent for too long, and says so to whoever waits', async () => {
    const proxy = await startTcpProxy(Number(new URL(url).port));
    onTestFinished(() => proxy.close());
    const timeouts = { ...DEFAULT_TIMEOUTS, silence: 10 };
    const connection = await connect({ timeouts: { ...timeouts, statement: 1000 } }, through(proxy, url));
    let isLost = false;
    connection.onLost(() => {
      isLost = true;
    });
    proxy.swallow();
    await expect(connection.once([plain('SELECT 1')])).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    expect(isLost).toBe(true);
    await expect(connection.once([plain('SELECT 1')])).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });

  it('ends when the server is silent, too', async () => {
    const proxy = await startTcpProxy(Number(new URL(url).port));
    onTestFinished(() => proxy.close());
    const connection = await connect({ timeouts: { ...DEFAULT_TIMEOUTS, silence: 10 } }, through(proxy, url));
    proxy.swallow();
    await connection.end();
    expect(connection.isSpoiled()).toBe(true);
  });
});
